"""Class tables: the names, colours and raw values that labels of a data set stand for.

NumPy is imported by what computes: tables are part of the records of data sets, from which help texts are written.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    FileValues = npt.NDArray[np.uint8] | npt.NDArray[np.uint16]
    """Values of pixels in a label file."""

IGNORE = 255
"""Label value of pixels that count neither in the loss nor in any metric."""

MAX_VALUE = 65535
"""Largest value of a pixel in a label file: 16 bits."""

MAX_CLASSES = 255
"""Labels are bytes and 255 is taken, so a table holds at most 255 classes (0..254)."""

LONGEST_NAME = 200
"""Characters of a class's name, which stands in tables, legends and pages."""

Color = tuple[int, int, int]


@dataclass(frozen=True)
class ClassTable:
    """Names and colours of the classes 0..K-1, and how values in label files map to them.

    Args:
        names: One name a class, unique and not empty.
        colors: One (red, green, blue) in 0..255 a class.
        raw_to_train: What each value found in a label file means: a class index or ``IGNORE``. Values that are not listed are
            errors when a file is read. Empty: files hold class indices, and 255 means ignore. Tables that differ in this alone
            are equal: it is about files, not about classes.
        values_known: Whether ``raw_to_train`` is known. False for weights written by attseg 0.1.0, which do not record the
            values of their data set's label files; class indices are then written in their place.

    Raises:
        ValueError: No class, more than 255, a name twice, empty, endless or with control characters, a colour that is not
            three bytes, a value beyond 16 bits, a mapping to a class that does not exist, a class without a value.

    Example:
        >>> table = ClassTable(("sky", "road"), ((70, 130, 180), (128, 64, 128)), {1: 0, 2: 1, 0: IGNORE})
        >>> len(table), table.names[1], int(table.lookup[2]), int(table.lookup[0])
        (2, 'road', 1, 255)
    """

    names: tuple[str, ...]
    colors: tuple[Color, ...]
    raw_to_train: Mapping[int, int] = field(default_factory=dict, compare=False)
    values_known: bool = field(default=True, compare=False)

    def __repr__(self) -> str:
        shown = ", ".join(self.names[:6])
        return f"ClassTable({len(self.names)} classes: {shown}{', ...' if len(self.names) > 6 else ''})"

    def __post_init__(self) -> None:
        if not self.names:
            raise ValueError("a class table needs at least one class, and none was given")
        if len(self.names) > MAX_CLASSES:
            raise ValueError(
                f"{len(self.names)} classes were given; at most {MAX_CLASSES} fit (labels are bytes, 255 is ignore)"
            )
        for index, name in enumerate(self.names):
            if not name.strip():
                raise ValueError(f"class {index} has an empty name; give every class a name")
            if problem := explain_name(name):
                raise ValueError(f"class {index}: {problem}")
            if (first := self.names.index(name)) != index:
                raise ValueError(f"the name {name!r} stands for the classes {first} and {index}; names must differ")
        if len(self.colors) != len(self.names):
            raise ValueError(
                f"{len(self.names)} names but {len(self.colors)} colours were given; give one colour a class"
            )
        for name, color in zip(self.names, self.colors, strict=True):
            if len(color) != 3 or not all(0 <= value <= 255 for value in color):
                raise ValueError(
                    f"the colour of {name!r} is {color}; three values in 0..255 (red, green, blue) were expected"
                )
        for raw, train in self.raw_to_train.items():
            if not 0 <= raw <= MAX_VALUE:
                raise ValueError(f"the raw label value {raw} does not fit into 16 bits (0..{MAX_VALUE})")
            if train != IGNORE and not 0 <= train < len(self.names):
                raise ValueError(
                    f"raw value {raw} maps to class {train}, but the classes are 0..{len(self.names) - 1} (or {IGNORE}, ignore)"
                )
        if self.raw_to_train and (missing := set(range(len(self.names))) - set(self.raw_to_train.values())):
            raise ValueError(
                f"no value of label files means the class {self.names[min(missing)]!r}; give each class one"
            )

    def __len__(self) -> int:
        return len(self.names)

    @cached_property
    def lookup(self) -> npt.NDArray[np.int16]:
        """(256,) or (65536,) What each raw value means: a class, ``IGNORE``, or -1 where the table does not know it.

        65536 entries where a value does not fit into a byte.
        """
        import numpy as np

        lookup = np.full(256 if max(self.raw_to_train, default=0) <= 255 else MAX_VALUE + 1, -1, np.int16)
        if self.raw_to_train:
            for raw, train in self.raw_to_train.items():
                lookup[raw] = train
        else:
            lookup[: len(self)] = np.arange(len(self))
            lookup[IGNORE] = IGNORE
        return lookup

    @cached_property
    def palette(self) -> npt.NDArray[np.uint8]:
        """(256, 3) A colour for every byte; bytes without a class are black."""
        import numpy as np

        palette = np.zeros((256, 3), np.uint8)
        palette[: len(self)] = self.colors
        return palette

    @cached_property
    def values(self) -> FileValues:
        """(K,) The value of each class in a label file, the smallest where it has several; 16 bits where a byte is too small."""
        import numpy as np

        found = {train: raw for raw, train in sorted(self.raw_to_train.items(), reverse=True)}
        values = [found.get(train, train) for train in range(len(self))]
        return np.array(values, np.uint8) if max(values) <= 255 else np.array(values, np.uint16)

    @cached_property
    def ignored_value(self) -> int | None:
        """The value of ignored pixels in a label file: 255 if it can be, else the smallest; None where there is none."""
        import numpy as np

        ignored = np.flatnonzero(self.lookup == IGNORE)
        return IGNORE if IGNORE in ignored else int(ignored[0]) if len(ignored) else None

    @property
    def numbering(self) -> str:
        """The numbering of label files written with this table: ``file values`` of the data set, or ``class indices``."""
        return "file values" if self.values_known else "class indices"

    @cached_property
    def file_palette(self) -> npt.NDArray[np.uint8]:
        """(256, 3) The colour of every value of a label file of bytes; values that mean no class are black."""
        import numpy as np

        palette = np.zeros((256, 3), np.uint8)
        palette[self.values] = self.colors
        return palette

    def encode(self, labels: npt.NDArray[np.uint8]) -> FileValues:
        """The values that a label file of the data set holds for classes 0..K-1 and ``IGNORE``, of any shape.

        Raises:
            ValueError: A pixel is ignored, and no value stands for that.

        Example:
            >>> import numpy as np
            >>> table = ClassTable(("sky", "road"), ((70, 130, 180), (128, 64, 128)), {1: 0, 7: 1})
            >>> table.encode(np.array([0, 1], np.uint8))
            array([1, 7], dtype=uint8)
        """
        ignored = labels == IGNORE
        if not ignored.any():
            return self.values[labels]
        if self.ignored_value is None:
            raise ValueError("label files of this table have no value for ignored pixels")
        import numpy as np

        values = self.values[np.where(ignored, 0, labels)]
        values = values if self.ignored_value <= 255 else values.astype(np.uint16)
        values[ignored] = self.ignored_value
        return values

    def decode(self, values: npt.NDArray[Any]) -> npt.NDArray[np.uint8] | None:
        """The classes, and ``IGNORE``, that the values of a label file mean; None where the table does not know one of them."""
        import numpy as np

        if values.dtype != np.uint8 and not 0 <= values.min(initial=0) <= values.max(initial=0) < len(self.lookup):
            return None
        labels = self.lookup[values]
        return None if labels.min(initial=0) < 0 else labels.astype(np.uint8)

    def to_dict(self) -> dict[str, Any]:
        """Names, colours, and the value of each class in a label file (left out where it is not known), as plain values."""
        described: dict[str, Any] = {"names": list(self.names), "colors": [list(color) for color in self.colors]}
        return described | ({"values": self.values.tolist()} if self.values_known else {})

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> ClassTable:
        """The table that ``to_dict`` described; ignored values are not part of it, but 255 is ignored where it means no class.

        Raises:
            ValueError: It is not as ``to_dict`` writes it.
        """
        names = tuple(values["names"])
        colors = tuple((int(r), int(g), int(b)) for r, g, b in values["colors"])
        if "values" not in values:
            return cls(names, colors, values_known=False)
        raw = [int(value) for value in values["values"]]
        if len(set(raw)) != len(raw) or len(raw) != len(names):
            raise ValueError(
                f"{len(names)} different values of label files were expected, one a class, but found {raw}"
            )
        return cls(names, colors, {IGNORE: IGNORE} | {value: place for place, value in enumerate(raw)})


def explain_name(name: str) -> str | None:
    r"""Say what is wrong with the name of a class; None where nothing is.

    Names come from files of others and go to terminals, where control characters are commands.

    Example:
        >>> explain_name("sky"), explain_name(2 * "sky" + chr(27))
        (None, "the name 'skysky\\x1b' holds control characters; plain text was expected")
    """
    if len(name) > LONGEST_NAME:
        return f"the name {name[:20]!r}.. has {len(name)} characters; at most {LONGEST_NAME} were expected"
    if any(unicodedata.category(character) in ("Cc", "Cs") for character in name):
        return f"the name {name!r} holds control characters; plain text was expected"
    return None


BACKGROUND_IS_A_CLASS = "The background is a class too: its pixels must have a number that is not ignored"


def explain_too_few(classes: ClassTable) -> str | None:
    """Say why a table of fewer than two classes is of no use; None where it has two or more.

    Example:
        >>> print(explain_too_few(ClassTable(("crack",), ((255, 0, 0),))))
        only one class counts (crack), and at least two are needed: a network of one class gives it to every pixel and is \
always right. The background is a class too: its pixels must have a number that is not ignored
    """
    if len(classes) > 1:
        return None
    return (
        f"only one class counts ({classes.names[0]}), and at least two are needed: a network of one class gives it to every "
        f"pixel and is always right. {BACKGROUND_IS_A_CLASS}"
    )


def distinct_colors(count: int) -> tuple[Color, ...]:
    """``count`` colours that differ well, for tables that come without any: the bits of the index spread over the channels.

    Source:
        The colour map of the PASCAL VOC development kit, whose first entry is black.
    """
    return tuple(_bit_color(index) for index in range(count))


def _bit_color(index: int) -> Color:
    channels: Sequence[int] = [
        sum(((index >> (3 * bit + channel)) & 1) << (7 - bit) for bit in range(8)) for channel in range(3)
    ]
    return channels[0], channels[1], channels[2]
