"""A folder of results: what is done, what is in the way, and the line of the manifest that says so."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from attseg.bulk.manifest import Manifest, key_of, now
from attseg.data.classes import ClassTable
from attseg.data.reading.inputs import PictureFile
from attseg.data.reading.value_range import describe_range
from attseg.errors import UsageError
from attseg.files import NotAFile, digest_file, refuse_in_place
from attseg.inference.further import further_files
from attseg.inference.saved import Further, SavedFiles, is_overlay, read_mark, saved_files

State = Literal["done", "written", "todo"]
"""Done and in the manifest; written by attseg, but in no manifest; or still to do."""


@dataclass(frozen=True)
class Summary:
    """Summary of a prediction over many images.

    Args:
        done: How many were segmented and written.
        skipped: How many had been done before, from the same picture and by the same weights.
        failed: Files that could not be segmented, each with a sentence that says why.
        remarks: What of the files was not read, such as further bands, and of how many files.
    """

    done: int
    skipped: int
    failed: tuple[tuple[Path, str], ...]
    remarks: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Outcome:
    """The end of the work on a file.

    Args:
        file: Which.
        entry: A line for the manifest, if there is to be one.
        problem: Why it failed, if it did.
        done: Whether it was segmented, and not before.
        remarks: What of it was not read.
    """

    file: PictureFile
    entry: Mapping[str, Any] | None = None
    problem: str | None = None
    done: bool = False
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True)
class Kind:
    """A kind of files to segment: pictures or videos.

    Args:
        noun: Its name in messages.
        suffixes: Of label files and of overlays.
        read_mark: Reads what a label file notes of its origin.
        is_overlay: Whether a file is an overlay that attseg wrote.
    """

    noun: str
    suffixes: tuple[str, str]
    read_mark: Callable[[Path], str | None]
    is_overlay: Callable[[Path], bool]


PICTURES = Kind("picture", (".png", ".jpg"), read_mark, is_overlay)


@dataclass(frozen=True)
class Outputs:
    """Where results go.

    Args:
        kind: What is segmented.
        classes: Classes of the model.
        out: The folder.
        manifest: Its manifest.
        settings: A digest of all that the labels depend on beside the picture.
        overlay: Whether overlays are written.
        overwrite: Whether what is done is done again.
        further: What else is written.
        of: Classes, by index, whose probabilities are written as pictures; without any, all are in one file.
    """

    kind: Kind
    classes: ClassTable
    out: Path
    manifest: Manifest
    settings: str
    overlay: bool
    overwrite: bool
    further: Sequence[Further] = ()
    of: Sequence[int] = ()

    def files(self, file: PictureFile) -> SavedFiles:
        """Where the results of a file lie."""
        return saved_files(self.out, file.name, self.kind.suffixes)

    def state(self, file: PictureFile, seen: os.stat_result) -> tuple[State, str]:
        """How far the work on a file is, quickly where the manifest says so and else by what its label file says.

        Args:
            file: The file.
            seen: Its size and time.

        Returns:
            The state, and the mark for the label file where there is something to be done.

        Raises:
            UsageError: Labels are there that attseg did not write, which no option replaces, or that come from elsewhere; or an
                overlay of others.
            NotAFile: The file is no regular file.
        """
        path, there = file.path, self.files(file)
        for result in there:
            try:
                refuse_in_place(result)
            except NotAFile as error:
                raise UsageError(f"{path} was not segmented: cannot write {result}: {error.strerror}") from None
        exists = there.labels.exists()
        others = [one for what in self.further for one in further_files(self.out, file.name, what, self.of)]
        if not exists and not self.overwrite and (own := [one for one in others if one.exists()]):
            raise UsageError(
                f"{path} was not segmented: {own[0]} is there already, without the labels that attseg would have written; choose "
                "another folder for the results, or overwrite them"
            )
        if self.overwrite and exists and self.kind.read_mark(there.labels) is None:
            raise UsageError(
                f"{path} was not segmented: {there.labels} is there already, and was not written by `attseg predict`; choose "
                "another folder for the results"
            )
        is_ours = self.overwrite or exists or not there.overlay.exists() or self.kind.is_overlay(there.overlay)
        if self.overlay and not is_ours:
            raise UsageError(
                f"{path} was not segmented: {there.overlay} is there already, and was not written by attseg; choose another "
                "folder for the results, or overwrite them"
            )
        if not exists or self.overwrite:
            return "todo", self._mark(file)
        complete = (there.overlay.exists() or not self.overlay) and all(one.exists() for one in others)
        if complete and self.manifest.holds(self._key(file, seen)):
            return "done", ""
        mark = self._mark(file)
        if self.kind.read_mark(there.labels) != mark:
            raise UsageError(
                f"{path} was not segmented: {there.labels} is there already, and comes from another {self.kind.noun}, another "
                "protocol or other weights; choose another folder for the results, or overwrite them"
            )
        return "written" if complete else "todo", mark

    def failed(self, file: PictureFile, problem: str | Exception) -> Outcome:
        """The outcome where there is no result."""
        if isinstance(problem, OSError):
            problem = f"{file.path} cannot be read: {problem.strerror or problem}"
        text = str(problem) if str(file.path) in str(problem) else f"{file.path}: {problem}"
        return Outcome(file, {"file": str(file.path), "name": file.name, "problem": text, "time": now()}, text)

    def finished(
        self,
        file: PictureFile,
        seen: os.stat_result,
        values: Mapping[str, Any],
        *,
        done: bool,
        remarks: tuple[str, ...],
    ) -> Outcome:
        """The outcome where the results are written, with values for the manifest; ``problem`` among them counts as failure."""
        entry = {"file": str(file.path), "name": file.name, **values, "time": now(), "key": self._key(file, seen)}
        return Outcome(file, entry, values.get("problem"), done, remarks)

    def conclude(
        self,
        outcomes: Iterable[Outcome],
        total: Callable[[], int],
        on_file: Callable[[int, int, Path, str | None], None] | None,
    ) -> Summary:
        """Add all to the manifest, and count.

        Args:
            outcomes: As they come.
            total: How many there will be, as far as is known.
            on_file: Called after each with how many there were, how many there are, the file, and why it failed, if it did.
        """
        done = skipped = 0
        failed: list[tuple[Path, str]] = []
        remarks: Counter[str] = Counter()
        for count, outcome in enumerate(outcomes, 1):
            remarks.update(outcome.remarks)
            if outcome.entry is not None:
                self.manifest.add(outcome.entry)
            if outcome.problem is not None:
                failed.append((outcome.file.path, outcome.problem))
            else:
                done, skipped = done + outcome.done, skipped + (not outcome.done)
            if on_file is not None:
                on_file(count, max(count, total()), outcome.file.path, outcome.problem)
        return Summary(done, skipped, tuple(failed), remarks)

    def _key(self, file: PictureFile, seen: os.stat_result) -> str:
        return key_of(f"{self._how(file)} {file.name}", seen, self.files(file).labels.stat())

    def _mark(self, file: PictureFile) -> str:
        return f"{self._how(file)}-{digest_file(file.path)}"

    def _how(self, file: PictureFile) -> str:
        """The settings, with what the data set of a file states."""
        stated = "" if file.value_range is None else f"-{describe_range(file.value_range)}"
        return f"{self.settings}{stated}{'' if file.apply_orientation else '-raw'}"
