"""The record of a data set: every fact about it that attseg knows, in one place.

Records load neither NumPy nor torch, since help texts are written from them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Literal

from attseg.data.classes import ClassTable


@dataclass(frozen=True, kw_only=True)
class Checksum:
    """Expected checksum of a file, and who published it.

    Args:
        algorithm: As ``hashlib`` calls it.
        value: In hexadecimal digits.
        publisher: Where the value was published; none of these data sets comes with one of its own.
    """

    algorithm: str
    value: str
    publisher: str


@dataclass(frozen=True, kw_only=True)
class Source:
    """An archive on a server.

    Args:
        url: Of the archive.
        inside: Folder of the archive that is unpacked; the rest of it is left.
        place: Where that folder goes, below the root.
        checksum: What the archive must hash to, where that is known.
        holds: How many files fit a pattern, where no checksum is known; see ``pathlib`` for patterns.
        homepage: Where people read about the data set, and find it where the server has changed.
        terms: For what it may be used, in a sentence.
    """

    url: str
    inside: str
    place: str
    checksum: Checksum | None = None
    holds: Mapping[str, int] = field(default_factory=dict)
    homepage: str
    terms: str

    @property
    def file(self) -> str:
        """Name of the archive."""
        return PurePosixPath(self.url).name


@dataclass(frozen=True, kw_only=True)
class SubmissionForm:
    """Form of the archive that an evaluation server takes.

    Args:
        archive: Suffix of the archive.
        pictures: Images in the test split.
        folder: Folder of the files in the archive, with a slash at the end.
        ending: End of a file's name, behind the name of its image.
        palette: Whether files hold colours for viewers.
        names: What the name of an image must be; its first group goes into the archive.
        expected: What the name must be, as a sentence for messages.
        about: Addition to the name in help.
    """

    archive: Literal[".zip", ".tgz"]
    pictures: int
    folder: str = ""
    ending: str = ".png"
    palette: bool = False
    names: re.Pattern[str] = re.compile("(.+)")
    expected: str = ""
    about: str = ""


@dataclass(frozen=True, kw_only=True)
class Terms:
    """Terms of a data set, as they apply to weights trained on it.

    Args:
        license: Of the weights, as the hub calls it, where nobody gives another.
        note: What users of the weights should know, for the model card.
        limits: What a model trained on it cannot be expected to do, for the model card.
    """

    license: str
    note: str
    limits: str = ""


@dataclass(frozen=True, kw_only=True)
class DataSet:
    """Facts of a data set.

    Args:
        name: Name on the command line and in recipes.
        title: What people call it.
        about: Description in help, in a few words.
        classes: Classes, and the values of its label files; None where a file in its folder says them.
        options: Arguments of its own, with their meaning.
        layouts: Each way in which it is found: folders of the images and of the labels of a split (``{}``), further files.
        places: Folders below the root in which everything may lie.
        files: Subclass of ``FileSet`` that finds its files, as module and name, where ``layouts`` do not tell enough; empty where
            it is generated.
        released: Images of each split as released; empty where anything goes.
        withheld: Splits that are released without labels.
        overlapping: Pairs of splits that share images on purpose.
        source: Where it is downloaded.
        by_hand: How to get it where an account is needed; ``{root}`` stands for the folder.
        terms: Terms for weights trained on it.
        psanet: Long side at scale 1, and side of the windows, of PSANet's released settings.
        submissions: Archives that its evaluation servers take, by name.
    """

    name: str
    title: str
    about: str
    classes: ClassTable | None = None
    options: Mapping[str, str] = field(default_factory=dict)
    layouts: tuple[tuple[str, ...], ...] = ()
    places: tuple[str, ...] = ()
    files: str = "layout.LayoutFiles"
    released: Mapping[str, int] = field(default_factory=dict)
    withheld: frozenset[str] = frozenset()
    overlapping: frozenset[frozenset[str]] = frozenset()
    source: Source | None = None
    by_hand: str = ""
    terms: Terms | None = None
    psanet: tuple[int, int] | None = None
    submissions: Mapping[str, SubmissionForm] = field(default_factory=dict)

    @property
    def official(self) -> bool:
        """Whether it is a public data set, whose files and classes are what they are."""
        return self.classes is not None
