"""The run folder: what lies where, who may write to it, and whether a run can begin or go on in it."""

from __future__ import annotations

import os
import shlex
import time
from collections.abc import Iterator, Set
from contextlib import ExitStack, contextmanager
from pathlib import Path

from attseg.data.splitting import SPLIT_FILE
from attseg.errors import UsageError
from attseg.files import FileError, clear_parts, making, write_file
from attseg.locks import locked
from attseg.recipes.files import read_recipe, to_yaml
from attseg.recipes.nested import flat
from attseg.recipes.recipe import Machine, Recipe, check_new_name
from attseg.recipes.values import to_values
from attseg.runs.errors import FolderInUse, RunError

FREE = {"data.root", "source", "expected_miou", "protocol"}
"""Settings of a recipe that do not decide the result, and may differ when a run goes on."""

LENGTH = {"steps", "epochs", "patience", "patience_on"}
"""Settings of its length, of which a resumed run may be given others, so that it goes on for longer."""


class RunFolder:
    """Names of the files of a run."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.recipe = path / "recipe.yaml"
        self.metrics = path / "metrics.csv"
        self.curves = path / "curves.png"
        self.confusion = path / "confusion.png"
        self.samples = path / "samples.png"
        self.best = path / "best.safetensors"
        self.last = path / "last.safetensors"
        self.report = path / "report.json"
        self.class_weights = path / "class_weights.json"
        self.splits = path / SPLIT_FILE
        self.tensorboard = path / "tensorboard"
        self.state = path / "state"
        self.chances = path / "state" / "chances.npy"
        self.data = path / "state" / "data.json"
        self.tracked = path / "state" / "tracked"
        self.lock = path / "state" / "lock"
        self.written = [
            value for name, value in vars(self).items() if name not in ("path", "tensorboard", "state", "lock")
        ]
        """Files that a run writes, beside its lock, its states and what TensorBoard adds."""

    def saved_steps(self) -> int:
        """Steps done at the last save."""
        return max((int(path.stem) for path in self.state.glob("*.pt") if path.stem.isdecimal()), default=0)

    def has_saved(self) -> bool:
        """Whether there is anything of a run that would be missed."""
        return self.best.exists() or self.last.exists() or any(self.state.glob("*.pt"))


@contextmanager
def claimed(folder: RunFolder, recipe: Recipe, machine: Machine, *, resume: bool) -> Iterator[None]:
    """Hold a run folder for a run, new or resumed, while the block runs.

    Args:
        folder: Made where it does not exist.
        recipe: Written to the folder by a new run, compared with what is there by a resumed one.
        machine: Written to the folder.
        resume: Whether the run goes on.

    Raises:
        UsageError: A folder whose name is not UTF-8, a new run where there is one or where others' files would be replaced, or
            whose recipe has a name that is no plain one, a resumed one where there is none, or another recipe.
        RunError: Another process is training in this folder.
        FileError: The folder cannot be written.
    """
    if resume and not folder.recipe.exists():
        raise UsageError(
            f"there is no run in {folder.path} to resume; leave out resume to begin one, or name its folder"
        )
    try:
        str(folder.path).encode()
    except UnicodeEncodeError:
        raise UsageError(
            f"{folder.path} is no name in UTF-8, and TensorBoard writes to no other folders; choose another one (--out)"
        ) from None
    had_begun = folder.lock.exists()
    if not resume:
        check_new_name(recipe.name)
        _refuse_others(folder, had_begun)
    with _lock(folder):
        if resume:
            check_same(folder, recipe, FREE | LENGTH)
        else:
            _refuse_others(folder, had_begun)  # another run may have saved, and ended, since
            for left in (folder.class_weights, folder.chances, folder.data, folder.splits, folder.tracked):
                left.unlink(missing_ok=True)  # by a run that ended before it saved anything
        for place in (folder.path, folder.state):
            clear_parts(place, before=time.time())
        write_file(folder.recipe, to_yaml(recipe, machine))
        yield


def _refuse_others(folder: RunFolder, had_begun: bool) -> None:
    """Refuse a new run where there is one, or where it would replace or delete files that no run has written.

    Args:
        folder: Where the run is to be.
        had_begun: Whether an earlier run has left its lock there: what it left besides may go, where it had saved nothing.
    """
    if folder.has_saved():
        resume = f"attseg train --resume --out {shlex.quote(str(folder.path))}"
        raise FolderInUse(
            f"{folder.path} already holds a run; choose another folder (--out), or continue it: {resume} (a complete run with "
            "--steps N too, more than it has done)",
            f"{folder.path} already holds a run; choose another folder (out=..), or continue it (resume=True; a complete run "
            "with steps=N too, more than it has done)",
        )
    if others := [] if had_begun else [path for path in folder.written if os.path.lexists(path)]:
        names = ", ".join(str(path.relative_to(folder.path)) for path in others)
        why = f"{folder.path} holds files that a new run would replace, and that are not of a run: {names}"
        raise FolderInUse(*(f"{why}; choose another folder ({out}), or move them away" for out in ("--out", "out=..")))


@contextmanager
def _lock(folder: RunFolder) -> Iterator[None]:
    def busy(owner: str) -> RunError:
        return RunError(
            f"process {owner} is training in {folder.path}; wait for it to end, or choose another folder (--out)"
        )

    with ExitStack() as stack:
        try:
            stack.enter_context(making(folder.state))
        except OSError as error:
            raise FileError(
                f"cannot write to {folder.path}: {error.strerror or error}; choose another folder"
            ) from error
        stack.enter_context(locked(folder.lock, busy))
        yield


def check_same(folder: RunFolder, recipe: Recipe, free: Set[str] = FREE) -> None:
    """Refuse a recipe whose result would be another than that of the run in the folder.

    Args:
        folder: Of the run.
        recipe: To be compared with the run's.
        free: Settings that may differ.

    Raises:
        UsageError: The message names what differs.
    """
    before, _ = read_recipe(folder.recipe)
    old, new = flat(to_values(before)), flat(to_values(recipe))
    if free >= LENGTH and not new["minutes"]:
        free = {*free, "minutes"}  # a length in steps or epochs may follow one in minutes, which is measured once
    changes = [
        f"{key} was {old.get(key)!r} and is now {new.get(key)!r}"
        for key in old | new
        if key not in free and old.get(key) != new.get(key)
    ]
    if changes:
        raise UsageError(
            f"the run in {folder.path} was started with another recipe: {'; '.join(changes)}. Resume it with its own recipe "
            f"({folder.recipe}), or begin a new run in another folder"
        )
