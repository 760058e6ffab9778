"""Label images become indices of classes, whether their values are colours, entries of a palette or numbers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt

from attseg.data.classes import Color
from attseg.data.importing.export import Mask, NamedClass
from attseg.data.reading.image import read_raw, read_raw_labels
from attseg.data.reading.lossy import refuse_lossy
from attseg.data.reading.opening import open_picture
from attseg.data.sample import DataError
from attseg.data.wording import few, percent
from attseg.files import open_file

MOST_PROPOSED = 20
"""Classes of a table that is proposed, and label images that are looked at for it."""


@dataclass(frozen=True)
class MaskTable:
    """The classes of label images.

    Args:
        classes: Names and colours.
        values: The number of each class, by which it stands in images without colours; empty: their order.
    """

    classes: tuple[NamedClass, ...]
    values: Mapping[int, int] = field(default_factory=dict)

    @cached_property
    def by_color(self) -> dict[int, int]:
        """Classes by colour, packed into a number."""
        found: dict[int, int] = {}
        for index, one in enumerate(self.classes):
            if one.color is not None:
                found.setdefault(_pack(one.color), index)
        return found

    @cached_property
    def by_number(self) -> Mapping[int, int]:
        """Classes by number."""
        return self.values or {index: index for index in range(len(self.classes))}


def read_mask(path: Path, table: MaskTable) -> Mask:
    """Read a label image. Where all of its colours are in the table, they count, those of a palette too; else its numbers.

    Raises:
        DataError: It cannot be read, is compressed with loss, or holds a colour or number that the table does not know.
    """
    found = _read(path)
    keys, places = np.unique(found.colors, return_inverse=True)
    known = table.by_color
    if found.numbers is None or (keys.size and all(int(key) in known for key in keys)):
        counts = np.bincount(places.ravel(), minlength=len(keys))
        if unknown := {int(key): int(count) for key, count in zip(keys, counts, strict=True) if int(key) not in known}:
            raise DataError(_unknown_color(path, unknown, found.colors.size, table))
        lookup = np.array([known[int(key)] for key in keys], np.int64)
    else:
        keys, places = np.unique(found.numbers, return_inverse=True)
        if unknown_numbers := [int(key) for key in keys if int(key) not in table.by_number]:
            raise DataError(f"{path} holds the values {few([str(one) for one in unknown_numbers])}, which no class has")
        lookup = np.array([table.by_number[int(key)] for key in keys], np.int64)
    return Mask(lookup[places.reshape(found.colors.shape)], [one.name for one in table.classes])


@dataclass(frozen=True, eq=False)
class _Values:
    """Packed colours (H, W) of a label image, and its numbers where it is gray or has a palette."""

    colors: npt.NDArray[np.int64]
    numbers: npt.NDArray[np.int64] | None


def _read(path: Path) -> _Values:
    with open_file(path) as file:
        is_tiff = file.read(4) in (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
    image = None
    if not is_tiff:
        opened = open_picture(path, apply_orientation=False)
        refuse_lossy(path, opened.format)
        image = opened.image
        if opened.deep is not None and opened.deep.values.shape[2] > 2:
            raise DataError(f"{path} has colours of 16 bits; label images have 8")
    colored = image is not None and image.mode in ("RGB", "RGBA", "RGBX")
    if is_tiff:
        raw = read_raw(path, apply_orientation=False)
        colored = raw.values.shape[2] == 3 and read_tiff_is_colored(path)
        pixels = raw.values
        if colored and pixels.dtype != np.uint8:
            raise DataError(f"{path} has colours of 16 bits; label images have 8")
    if colored:
        values = (np.asarray(image)[..., :3] if image is not None else pixels).astype(np.int64)
        return _Values(_packed(values), None)
    labels = read_raw_labels(path)
    numbers = labels.values.astype(np.int64)
    if labels.palette is None:
        return _Values(numbers * 0x10101, numbers)
    palette = np.zeros((256, 3), np.int64)
    palette[: len(labels.palette)] = labels.palette
    return _Values(_packed(palette)[numbers], numbers)


def read_tiff_is_colored(path: Path) -> bool:
    """Whether a TIFF file has bands of colours, and not a palette."""
    try:
        read_raw_labels(path)
    except DataError:
        return True
    return False


def propose_table(source: Path, masks: Sequence[Path]) -> str:
    """The message where label images have no table of classes: a table to begin with."""
    counts: Counter[int] = Counter()
    gray = True
    for path in masks[:MOST_PROPOSED]:
        try:
            found = _read(path)
        except DataError:
            continue
        keys, times = np.unique(found.colors, return_counts=True)
        counts.update(dict(zip(keys.tolist(), times.tolist(), strict=True)))
        gray = gray and found.numbers is not None
    if not counts:
        return f"{source} has no label image that can be read; its first is {masks[0] if masks else 'not there'}"
    if len(counts) > MOST_PROPOSED:
        return (
            f"the label images in {source} have no table of classes, and {len(counts)} colours occur: too many for classes. They "
            "are photographs, numbers of objects, or masks that were smoothed or compressed with loss"
        )
    if gray and max(key & 255 for key in counts) <= len(counts) and all(key % 0x10101 == 0 for key in counts):
        rows = [f"{key & 255},class{key & 255}" for key in sorted(counts)]
        table = "\n  ".join(["index,name", *rows])
    else:
        total = counts.total()
        rows = [
            f"{index},class{index},{','.join(map(str, _unpack(key)))}"
            for index, (key, _) in enumerate(counts.most_common())
        ]
        table = "\n  ".join(["index,name,r,g,b", *rows])
        shares = [f"{_unpack(key)} {percent(count, total)}" for key, count in counts.most_common()]
        table += f"\n(in {min(len(masks), MOST_PROPOSED)} of them: {', '.join(shares)})"
    return (
        f"the label images in {source} have no table of classes. Save this as {source / 'classes.csv'}, with the right names, "
        f"and import again:\n  {table}"
    )


def _unknown_color(path: Path, unknown: Mapping[int, int], pixels: int, table: MaskTable) -> str:
    worst = max(unknown, key=lambda key: unknown[key])
    color = np.array(_unpack(worst))
    near = min(
        (one for one in table.classes if one.color is not None),
        key=lambda one: int(((np.array(one.color) - color) ** 2).sum()),
        default=None,
    )
    hint = f"; nearest is {near.name!r} with {near.color}" if near is not None else "; the table has no colours"
    more = f" ({len(unknown)} colours are unknown)" if len(unknown) > 1 else ""
    share = percent(unknown[worst], pixels)
    return f"{path}: {share} of the pixels have the colour {_unpack(worst)}, which no class has{hint}{more}"


def _pack(color: Color) -> int:
    return color[0] << 16 | color[1] << 8 | color[2]


def _packed(values: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    packed: npt.NDArray[np.int64] = values[..., 0] << 16 | values[..., 1] << 8 | values[..., 2]
    return packed


def _unpack(key: int) -> Color:
    return key >> 16 & 255, key >> 8 & 255, key & 255
