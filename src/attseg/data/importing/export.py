"""An export of a labelling tool: the classes that it names, and the regions that it draws on each picture."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from attseg.data.classes import Color
from attseg.data.importing.search import Search
from attseg.data.importing.shapes import Region
from attseg.data.sample import DataError
from attseg.errors import UsageError

Size = tuple[int, int]
"""Height and width in pixels."""


@dataclass(frozen=True)
class NamedClass:
    """A class as a tool names it.

    Args:
        name: As it stands in the export.
        color: Red, green, blue, if the tool has one.
        ignored: Whether the tool marks its pixels as ignored.
    """

    name: str
    color: Color | None = None
    ignored: bool = False


@dataclass(frozen=True, eq=False)
class Entry:
    """A picture of an export, before its regions are read.

    Args:
        name: What the tool calls it, with ``/`` between folders; the name of its file, or of its labels.
        source: The file that says what is on it, for messages.
        split: ``train``, ``val``, ``test`` or another split of the export; empty where the tool has none.
        key: Where the reader finds the rest.
        labelled: Whether somebody has labelled it, if only to say that nothing is on it.
        picture: Its file where the export does not name it.
    """

    name: str
    source: Path
    split: str = ""
    key: Any = None
    labelled: bool = True
    picture: Path | None = None


@dataclass(frozen=True, eq=False)
class Mask:
    """Labels that a tool wrote as an image.

    Args:
        values: (H, W) indices into ``names``.
        names: Names of classes.
    """

    values: npt.NDArray[np.integer[Any]]
    names: Sequence[str]

    def present(self) -> set[str]:
        """Names of the classes that occur."""
        return {self.names[index] for index in np.unique(self.values)}


@dataclass(eq=False)
class Annotation:
    """The content of an export for one picture.

    Args:
        image: File of the picture, or its content where the export embeds it.
        size: Height and width to which the regions refer, if the export states them.
        regions: From the lowest to the topmost.
        mask: Labels as an image, in place of regions.
        left_out: Kinds of shapes that have no area, once for each.
    """

    image: Path | bytes
    size: Size | None = None
    regions: list[Region] = field(default_factory=list)
    mask: Mask | None = None
    left_out: list[str] = field(default_factory=list)


@contextmanager
def as_written_by(source: Path, tool: str) -> Iterator[None]:
    """Whatever a reader stumbles over within the block is said to be the file's fault: values may be of any kind in any place.

    Raises:
        DataError: Something went wrong.
    """
    try:
        yield
    except (DataError, UsageError, OSError):
        raise
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
        what = f"{type(error).__name__}: {error}"[:200]
        raise DataError(f"{source} is not as {tool} writes it ({what})") from error


class Export(ABC):
    """An export that was opened.

    Args:
        source: The folder or file that was given.
        search: Where its pictures are found.
    """

    title: ClassVar[str]
    """Name of the format in messages."""
    drawn: ClassVar[bool] = True
    """Whether regions are drawn, so that pixels may be left that none covers; False for masks."""
    fills_boxes: ClassVar[bool] = True
    """Whether the tool itself fills its boxes where it makes masks of regions."""

    def __init__(self, source: Path, search: Search) -> None:
        self.source = source
        self.search = search
        self.classes: list[NamedClass] = []
        self.remarks: list[str] = []

    @abstractmethod
    def entries(self) -> Iterator[Entry]:
        """The pictures, in an order that does not depend on the file system."""

    @abstractmethod
    def read(self, entry: Entry) -> Annotation:
        """Find the picture of an entry, and read its regions. Called from several threads.

        Raises:
            DataError: A file is not there or broken; the message names it.
        """

    def unlisted(self) -> list[Path]:
        """Pictures beside the export that it does not name; asked when all entries were read."""
        return []
