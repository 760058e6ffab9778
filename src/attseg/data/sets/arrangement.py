"""Other arrangements of a data set than ``images/train`` and ``labels/train``: patterns, list files, several roots."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from attseg.data.reading.inputs import SUFFIXES
from attseg.data.reading.walk import entries, walk
from attseg.data.sample import DataError
from attseg.data.sets.layout import SPLITS
from attseg.data.sets.lists import PairList, list_names
from attseg.data.sets.patterns import SPLIT, PathPattern
from attseg.data.sets.survey import Problem, Survey, match_folders, picture_files
from attseg.errors import UsageError

WHOLE = "all"
"""The one split of a data set whose splits do not lie apart."""


@dataclass(frozen=True)
class Arrangement:
    """Where pictures and label files lie.

    Args:
        root: Of the data set.
        images: Where the pictures are.
        labels: Where their label files are.
        lists: Path of the list of a split below each root, with ``{split}``; None where there are no lists.
        roots: Folders below the root that hold the same arrangement, or others by their absolute paths; names of pictures begin
            with them.
        apart: Whether splits lie apart; else everything is one split, ``all``.
    """

    root: Path
    images: PathPattern
    labels: PathPattern
    lists: str | None
    roots: tuple[str, ...]
    apart: bool

    @classmethod
    def of(cls, root: Path, given: Mapping[str, Any], *, divided: bool) -> Arrangement:
        """The arrangement that options state: ``images``, ``labels``, ``lists`` and ``roots``.

        Args:
            root: Of the data set.
            given: Options; what is missing has its default.
            divided: Whether the pictures are still to be divided into splits.

        Raises:
            UsageError: An option is not as it must be, or they contradict one another.
        """
        roots = _texts(given.get("roots") or (), "roots")
        first = root / roots[0] if roots else root
        lists = given.get("lists")
        if lists is not None and not isinstance(lists, str):
            raise UsageError(
                f"lists is {lists!r}; the path of a list below the data set was expected, such as lists/{SPLIT}.txt"
            )
        by_split = lists is None and not divided
        base = "images" if (first / "images").is_dir() else "."
        images = PathPattern.read(given.get("images") or (f"{base}/{SPLIT}" if by_split else base), "images")
        usual = f"labels/{SPLIT}" if images.has_split else "labels"
        labels = PathPattern.read(given.get("labels") or usual, "labels")
        images = PathPattern("", images.before, images.after) if images.folder is None else images
        if labels.takes_any and labels.folder in (None, images.folder):
            raise UsageError(
                f"labels is {labels}, which every picture beside it fits too; say how the names of label files end or begin, "
                "such as {stem}_mask.png"
            )
        if lists is None and images.has_split == divided:
            stated = f"images is {images}, {'with' if divided else 'without'} {SPLIT}"
            raise UsageError(
                f"{stated}, and split or fold divides all pictures anew: name the folder of those to divide, such as images/train"
                if divided
                else f"{stated}, so nothing says what train and val are: put {SPLIT} where their folders are, or add "
                "--data.options.split 0.8 to divide the pictures"
            )
        if (
            divided
            and not (given.get("images") or lists)
            and {"train", "val"} <= {e.name for e in entries(first / base)}
        ):
            raise UsageError(
                f"{first / base} is divided into train and val already; leave out split and fold, or say what to divide: "
                "--data.options.images images/train --data.options.labels labels/train, or images and labels for all"
            )
        if lists is not None and (SPLIT in lists) == divided:
            raise UsageError(
                f"lists is {lists!r} and split or fold divides the pictures anew: name one list, without {SPLIT}"
                if divided
                else f"lists is {lists!r}; a path with {SPLIT} was expected, such as lists/{SPLIT}.txt, or divide the pictures "
                "of this list with --data.options.split 0.8"
            )
        if labels.has_split and not (images.has_split or (lists is not None and SPLIT in lists)):
            raise UsageError(
                f"labels is {labels}, with {SPLIT}, and images is {images}, without; both or none was expected"
            )
        return cls(root, images, labels, lists, roots, not divided)

    def places(self) -> Iterator[tuple[str, Path]]:
        """The prefix of picture names, and the folder, for each root."""
        if not self.roots:
            yield "", self.root
        for name in self.roots:
            path = self.root / name
            yield f"{(path.name if Path(name).is_absolute() else Path(name).as_posix())}/", path

    def splits(self) -> list[str]:
        """Splits of which something is there, the usual ones first."""
        if not self.apart:
            return [WHOLE] if any(path.is_dir() for _, path in self.places()) else []
        found: set[str] = set()
        for _, path in self.places():
            found |= set(self.images.splits(path) if self.lists is None else list_names(path, self.lists))
        if self.lists is None:  # folders of something else have no picture
            found = {
                split
                for split in found
                if any(_holds_picture(self.images.home(path, split)) for _, path in self.places())
            }
        return [split for split in SPLITS if split in found] + sorted(found - set(SPLITS))

    def survey(self, split: str) -> Survey:
        """Pictures and label files of a split, of all roots.

        Raises:
            DataError: A root or a list is not there, or a list is not as it must be.
        """
        surveys = []
        for prefix, path in self.places():
            if not path.is_dir():
                raise DataError(f"there is no folder {path}, which the option roots names")
            found = self._survey_list(path, split) if self.lists is not None else self._survey_patterns(path, split)
            surveys.append(_renamed(found, prefix) if prefix else found)
        return surveys[0] if len(surveys) == 1 else _joined(surveys)

    def folders(self, split: str) -> list[Path]:
        """Folders in which the pictures of a split lie, if there is a pattern of them."""
        return [self.images.home(path, split) for _, path in self.places()]

    def describe(self, split: str) -> list[str]:
        """Patterns of the files of a split, for people."""
        split = split if self.apart else ""
        told = [self.lists] if self.lists is not None else [str(self.images), str(self.labels)]
        return [text.replace(SPLIT, split) for text in told]

    def _survey_list(self, path: Path, split: str) -> Survey:
        assert self.lists is not None
        file = path / self.lists.replace(SPLIT, split)
        if not file.is_file():
            return Survey([], remarks=[f"{file} does not exist"])
        listed = PairList.read(file, path)
        if listed.named:
            return listed.survey()
        pictures, labels = self._files(path, split)
        return listed.match(pictures[0], labels[0])

    def _survey_patterns(self, path: Path, split: str) -> Survey:
        pictures, labels = self._files(path, split)
        images, beside = self.images.home(path, split), self.labels.folder is None
        home = images if beside else self.labels.home(path, split)
        where = home / f"{self.labels.before}{{stem}}{self.labels.after}".replace(SPLIT, split)
        if beside and pictures[0] and not labels[0]:
            return Survey(picture_files(pictures[0]), no_labels=f"no file {where} exists")
        if not beside and not home.is_dir():
            return Survey(picture_files(pictures[0]), no_labels=f"{home} does not exist")
        advice = f". Pictures are {self.images} and labels {self.labels}: rename, add or remove files, or state other patterns"
        return match_folders(pictures, labels, images, home, missing=f"labels ({where})", advice=advice)

    def _files(
        self, path: Path, split: str
    ) -> tuple[tuple[dict[str, Path], list[Path]], tuple[dict[str, Path], list[Path]]]:
        """Pictures and label files by stem; where both lie in one folder, what fits the pattern of labels is no picture."""
        labels, others = self.labels.find(path, split, beside=self.images.folder or "")
        home, own = self.images.home(path, split), None
        if self.labels.folder is not None and self.labels.home(path, split) != home:
            own = self.labels.home(path, split)
        found = self.images.find(path, split, without={*labels.values(), *others}, outside=own)
        return found, (labels, others)


def _texts(given: Any, option: str) -> tuple[str, ...]:
    """Texts of an option that takes several, with commas between them."""
    texts = [text.strip() for text in given.split(",")] if isinstance(given, str) else given
    if not isinstance(texts, list | tuple) or not all(isinstance(text, str | int) and str(text) for text in texts):
        raise UsageError(f"{option} is {given!r}; folders with commas between them were expected, such as day1,day2")
    return tuple(str(text) for text in texts)


def _holds_picture(folder: Path) -> bool:
    return any(Path(name).suffix.lower() in SUFFIXES for _, names in walk(folder) for name in names)


def _renamed(survey: Survey, prefix: str) -> Survey:
    """The same with the name of the root before the names of pictures."""
    return replace(
        survey,
        pictures=[replace(picture, name=prefix + picture.name) for picture in survey.pictures],
        pairs=[pair._replace(name=prefix + pair.name) for pair in survey.pairs],
    )


def _joined(surveys: Sequence[Survey]) -> Survey:
    """The surveys of several roots as one; roots without labels are a problem where others have some."""
    some = any(not survey.no_labels for survey in surveys if survey.pictures)
    problems = [problem for survey in surveys for problem in survey.problems]
    missing = [survey.no_labels for survey in surveys if survey.no_labels and survey.pictures]
    return Survey(
        [picture for survey in surveys for picture in survey.pictures],
        [pair for survey in surveys for pair in survey.pairs],
        problems + [Problem(text) for text in missing if some],
        next((survey.advice for survey in surveys if survey.problems), ""),
        [remark for survey in surveys for remark in survey.remarks],
        "" if some else "; ".join(missing),
    )
