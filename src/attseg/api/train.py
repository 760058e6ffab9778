"""``attseg.train``: a recipe and data become a run folder."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from attseg.console import TerminalConsole
from attseg.data.classes import ClassTable
from attseg.data.feeding.augment import Augment
from attseg.data.wrapped import as_data
from attseg.errors import UsageError
from attseg.recipes.choice import choose, with_settings
from attseg.recipes.recipe import DataSpec, Machine, Recipe
from attseg.recipes.values import settings as list_settings
from attseg.runs.errors import FolderInUse
from attseg.training import run
from attseg.training.callbacks import Callback


def train(
    recipe: str | Path | Recipe,
    *,
    data: str | Path | tuple[Any, Any] | None = None,
    classes: ClassTable | Sequence[str] | None = None,
    out: str | Path | None = None,
    resume: bool = False,
    device: str = "auto",
    machine: Machine | None = None,
    callbacks: Sequence[Callback] = (),
    augment: Augment | None = None,
    progress: bool = True,
    **settings: Any,
) -> Path:
    """Train a recipe, as ``attseg train`` does.

    Args:
        recipe: Its name (``attseg recipes`` lists them), a YAML file, or the record.
        data: The folder of the recipe's data set; or two data sets, to train and to validate on: splits of attseg
            (``attseg.open_data``), or any with pairs (image, labels), such as a ``torch.utils.data.Dataset``
            (``attseg.WrappedData`` says which pairs). None takes what the recipe says.
        classes: Names of the classes of data sets of your own that do not say them, in the order of their numbers.
        out: The run folder; ``runs/NAME`` where none is given.
        resume: Continue the run in ``out``.
        device: ``auto`` (a GPU if there is one), ``cpu``, ``cuda``, ``cuda:1`` or ``mps``.
        machine: Where and how in full, in place of ``device``.
        callbacks: Hooks: ``attseg.training.Callback`` says which there are.
        augment: Changes training images and labels before the recipe's augmentation.
        progress: Whether progress is shown: a moving line in a terminal, a line every 15 seconds elsewhere, as in a notebook.
        **settings: Settings of the recipe, such as ``steps=500`` or ``batch_size=4``; nested ones by their dotted names:
            ``**{"optim.lr": 0.01, "model.args.encoder": "resnet34"}``.

    Returns:
        The run folder; ``attseg.load`` takes it.

    Raises:
        UsageError: A setting or recipe that does not exist, data that are not as they must be, or a folder that holds a run.
        DataError: A data set cannot be used.
        Interrupted: Ctrl-C or SIGTERM came; the state was saved, and ``resume=True`` goes on.

    Example:
        >>> run = attseg.train("pan-scenes", steps=20, out="runs/first")  # doctest: +SKIP
        >>> attseg.load(run)("photo.jpg").show()  # doctest: +SKIP
    """
    if machine is not None and device != "auto":
        raise UsageError("device and machine were given; machine says the device too: Machine(device='cuda:1')")
    found = _changed(recipe, settings)
    own = None
    if isinstance(data, tuple | list):
        if len(data) != 2:
            raise UsageError(f"data has {len(data)} data sets; two were expected: (to train on, to validate on)")
        own = (as_data(data[0], classes, "train"), as_data(data[1], classes, "val"))
        found = replace(found, data=DataSpec(name="folder", train=own[0].split, val=own[1].split))
    elif isinstance(data, str | Path):
        if found.data.name == "scenes":
            raise UsageError(
                f"{found.name} trains on generated scenes, which lie in no folder; take another recipe for {data}, such as "
                "'pan-folder' (attseg recipes lists them)"
            )
        root = Path(data).expanduser().absolute()
        found = replace(found, data=replace(found.data, root=str(root)))
    elif data is not None:
        raise UsageError(
            f"data is a {type(data).__name__}; a folder, or two data sets (to train on, to validate on) were expected"
        )
    try:
        return run.train(
            found,
            machine or Machine(device=device),
            out=Path(out) if out is not None else Path("runs", found.name),
            resume=resume,
            console=TerminalConsole() if progress else None,
            callbacks=callbacks,
            augment=augment,
            splits=own,
        )
    except FolderInUse as error:
        raise UsageError(error.in_python) from None


def _changed(recipe: str | Path | Recipe, settings: dict[str, Any]) -> Recipe:
    """The recipe with settings by dotted key; a length takes the place of another."""
    known = [setting.key for setting in list_settings(Recipe)]
    for key in settings:
        nested = [one for one in known if one.rpartition(".")[2] == key]
        if key.partition(".")[0] == "machine":
            raise UsageError(
                f"{key} is a setting of the machine: give machine=attseg.Machine({key.partition('.')[2] or '..'}=..)"
            )
        if nested and key not in known:
            raise UsageError(
                f"there is no setting {key!r}; did you mean {nested[0]!r}? Write it so: **{{{nested[0]!r}: ..}}"
            )
    if isinstance(recipe, Recipe):
        return with_settings(recipe, settings, "train()")
    return choose(str(recipe), given=settings, origin="train()").recipe
