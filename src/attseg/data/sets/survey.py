"""The survey of a split: its images, their labels, problems and remarks."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from attseg.data.reading.inputs import PictureFile
from attseg.data.sample import DataError
from attseg.data.sets.pairs import Pair
from attseg.data.wording import few, plural

MOST_TOLD = 3
"""Problems that one message tells."""


class Problem(NamedTuple):
    """Something that is wrong with the files of a split, by their names alone.

    Args:
        message: The sentence, which names the file.
        file: The file that it is about, if it is one.
    """

    message: str
    file: Path | None = None


@dataclass(frozen=True)
class Survey:
    """Survey of a split.

    Args:
        pictures: Every picture, by name.
        pairs: Pictures with labels, by name.
        problems: What is wrong.
        advice: What to do about the problems, as the end of a sentence.
        remarks: Sentences about what is right but worth knowing: where labels come from, what is not there.
        no_labels: Why no picture has labels, as a part of a sentence; empty where the split has labels.
    """

    pictures: list[PictureFile]
    pairs: list[Pair] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    advice: str = ""
    remarks: list[str] = field(default_factory=list)
    no_labels: str = ""

    def checked(self) -> list[Pair]:
        """The pairs.

        Raises:
            DataError: Something is wrong.
        """
        if self.problems:
            told = "; ".join(problem.message for problem in self.problems[:MOST_TOLD])
            more = len(self.problems) - MOST_TOLD
            raise DataError(told + (f"; and {more} more like this" if more > 0 else "") + self.advice)
        return self.pairs


def match(
    pictures: Mapping[str, Path], labels: Mapping[str, Path], expected: Callable[[str], Path], *, part: str = ""
) -> Survey:
    """Pictures and the label files of the same names.

    A picture without labels is a problem. Labels without a picture are not: somebody may have only a part of the pictures.

    Args:
        pictures: Files by name.
        labels: Label files by name.
        expected: Where the labels of a name should lie.
        part: What the label files are called, where there are others beside them.
    """
    names = sorted(pictures)
    problems = [_unlabelled(pictures[name], expected(name)) for name in names if name not in labels]
    alone = sorted(labels.keys() - pictures.keys())
    remarks = []
    if alone:
        what = plural(len(alone), f"{part or 'label'} file")
        remarks.append(f"the picture of {what} is not there: {few([labels[name].name for name in alone])}")
    return Survey(
        picture_files(pictures),
        [Pair(name, pictures[name], labels[name]) for name in names if name in labels],
        problems,
        remarks=remarks,
    )


def picture_files(pictures: Mapping[str, Path]) -> list[PictureFile]:
    """Files by name as a list, sorted by name."""
    return [PictureFile(pictures[name], name) for name in sorted(pictures)]


def _unlabelled(picture: Path, expected: Path) -> Problem:
    return Problem(f"{picture} has no labels: {expected} does not exist", expected)
