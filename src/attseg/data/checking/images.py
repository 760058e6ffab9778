"""Findings about the values, bands and orientation of images, and the options that they suggest."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import numpy as np

from attseg.data.checking.findings import Finding
from attseg.data.reading.raw import RawImage
from attseg.data.reading.value_range import ValueRange, describe_range, range_option
from attseg.data.sets.file_set import FileSet
from attseg.data.wording import plural


class ImageFacts(NamedTuple):
    """Facts about an image file.

    Args:
        kind: Its type, such as "16-bit" or "float32".
        white: What its type says is white, if anything.
        lowest: Least value of the bands that are read; NaN where one is.
        highest: Greatest value.
        bands: How many there are.
        read: Those that are read, counted from 1.
        orientation: Of EXIF; 1 is upright.
        remarks: What of the file is not read.
        fits: Whether the labels have the size of the image as it is read, and of the image turned the other way;
            None where there are no labels.
        flat: Whether all pixels are read as one value, so that nothing is seen.
    """

    kind: str
    white: int | None
    lowest: float
    highest: float
    bands: int
    read: tuple[int, ...]
    orientation: int
    remarks: tuple[str, ...]
    fits: tuple[bool, bool] | None = None
    flat: bool = False


def facts_of(raw: RawImage) -> ImageFacts:
    """The facts of an image that was read."""
    kind = f"{raw.bits}-bit" if raw.white is not None else str(raw.values.dtype)
    finite = raw.values[np.isfinite(raw.values)] if raw.picked and raw.values.dtype.kind == "f" else raw.values
    lowest, highest = (float(finite.min()), float(finite.max())) if finite.size else (math.nan, math.nan)
    return ImageFacts(kind, raw.white, lowest, highest, raw.bands, raw.read, raw.orientation, tuple(raw.remarks))


def needs_range(facts: ImageFacts, files: FileSet) -> bool:
    """Whether an image cannot be read because nothing says what is white."""
    return facts.white is None and files.value_range is None and files.bands is None and not math.isnan(facts.lowest)


def judge_images(all_facts: Sequence[ImageFacts], files: FileSet) -> Iterator[Finding]:
    """Findings about the images of a data set as a whole."""
    if files.value_range is None and files.bands is None:
        yield from _judge_range(all_facts, files)
    turned = [facts for facts in all_facts if facts.orientation != 1]
    if turned and not files.states_orientation:
        yield Finding("warning", "orientation", _explain_turned(turned, files))
    for remark, count in Counter(remark for facts in all_facts for remark in facts.remarks).items():
        yield Finding("note", "not read", f"{plural(count, 'image')}: each {remark}")
    unread = {facts.bands for facts in all_facts if facts.bands > len(facts.read)}
    if files.bands is None and files.has_options and unread and min(unread) > 3:
        every = ",".join(str(number) for number in range(1, min(unread) + 1))
        yield Finding("note", "not read", f"to read all bands, check again with --data.options.bands {every}")


def _judge_range(all_facts: Sequence[ImageFacts], files: FileSet) -> Iterator[Finding]:
    deep = [
        facts for facts in all_facts if facts.white != 255 and facts.kind != "1-bit" and not math.isnan(facts.lowest)
    ]
    if not deep:
        yield from _judge_bytes(all_facts, files)
        return
    lowest, highest = (min(facts.lowest for facts in deep), max(facts.highest for facts in deep))
    kinds = Counter(facts.kind for facts in deep)
    told = f"values {lowest:.6g}..{highest:.6g} in {', '.join(kinds)} images"
    option = range_option(*propose_range(lowest, highest))
    state = f"add {option}" if files.has_options else "convert them to 8 bits"
    if any(needs_range(facts, files) for facts in deep):
        message = f"{told}: this type does not say which values are black and white; {state}"
        yield Finding("error", "value range", message)
    elif (used := int(highest).bit_length()) < int(max(facts.white or 0 for facts in deep)).bit_length():
        message = f"{told}: {plural(used, 'bit')} are used, so that they are read as nearly black; {state}"
        yield Finding("warning", "value range", message)
    top = max(facts.highest for facts in deep)
    low = [facts for facts in deep if facts.white == 65535 and facts.lowest < facts.highest <= 255]
    if low and top >= 4096 and len(low) < len(deep):
        message = (
            f"{len(low)} of {len(deep)} images of 16 bits hold no value above 255, while others reach {top:.6g}: they are read "
            "as black; if they hold 8-bit values, save them as 8 bits"
        )
        yield Finding("warning", "mixed ranges", message)
    others = Counter(facts.kind for facts in all_facts)
    if len(others) > 1:
        listed = ", ".join(f"{kind} ({count})" for kind, count in others.most_common())
        message = f"images are of several types, each of which is scaled by a range of its own: {listed}; save all in one type"
        yield Finding("warning", "several types", message)


def _judge_bytes(all_facts: Sequence[ImageFacts], files: FileSet) -> Iterator[Finding]:
    """Images of 8 bits that are nearly black, as fractions or class numbers that were saved as bytes."""
    highest = max((facts.highest for facts in all_facts if facts.white == 255), default=255)
    if 0 < highest < DARK:
        option = range_option(0, 2 ** int(highest).bit_length() - 1)
        state = f"add {option}" if files.has_options else "save them anew"
        message = (
            f"no value in 8-bit images is above {highest:.6g}, as if fractions or class numbers had been saved as bytes: they "
            f"are read as nearly black; {state}"
        )
        yield Finding("warning", "value range", message)


DARK = 64
"""A value that images of 8 bits reach somewhere in a data set, unless something is wrong: two bits would never be used."""


def propose_range(lowest: float, highest: float) -> ValueRange:
    """A range that holds all values: 0 to 1, or to a power of two less 1; else what was found, rounded outward.

    Example:
        >>> propose_range(12, 4067), propose_range(0.1, 0.9), propose_range(-0.42, 0.81)
        ((0, 4095), (0, 1), (-0.5, 0.9))
    """
    if lowest >= 0 and highest <= 1:
        return 0, 1
    if lowest >= 0 and math.isfinite(highest):
        return 0, 2 ** max(8, math.ceil(highest).bit_length()) - 1
    if not (math.isfinite(lowest) and math.isfinite(highest)):
        return 0, 1
    unit = 10.0 ** math.floor(math.log10(max(abs(lowest), abs(highest))))
    return round(math.floor(lowest / unit) * unit, 12), round(math.ceil(highest / unit) * unit, 12)


def _explain_turned(turned: Sequence[ImageFacts], files: FileSet) -> str:
    count = plural(len(turned), "image")
    have = "has" if len(turned) == 1 else "have"
    done = "turned upright before labels are laid on them" if files.apply_orientation else "read as they are stored"
    said = f"{count} {have} an EXIF orientation other than upright, and are {done}"
    only = [facts.fits for facts in turned if facts.fits and facts.fits[0] != facts.fits[1]]
    if only:
        said += (
            f"; by their sizes, the labels of {sum(fits[0] for fits in only)} fit this way alone, and those of "
            f"{sum(fits[1] for fits in only)} the other way alone"
        )
    if files.has_options:
        said += (
            ". If the labels were drawn on raw pixels, by a tool that ignores EXIF, add --data.options.orientation raw; if not, "
            "--data.options.orientation applied says so"
        )
    return said


def describe_bands(all_facts: Iterable[ImageFacts]) -> str | None:
    """Which bands are read of how many."""
    kinds = Counter((facts.read, facts.bands) for facts in all_facts)
    return (
        ", ".join(
            f"{', '.join(map(str, read)) if bands > 1 else 'the one'} of {bands} ({count})"
            for (read, bands), count in kinds.most_common()
        )
        or None
    )


def describe_values(all_facts: Sequence[ImageFacts], files: FileSet) -> str | None:
    """By which range values are scaled, and which were found."""
    kinds: dict[str, list[ImageFacts]] = {}
    for facts in all_facts:
        kinds.setdefault(facts.kind, []).append(facts)
    told = []
    for kind, found in kinds.items():
        if files.bands is not None and files.value_range is None and found[0].white != 255:
            stated = "not stated"
        elif files.value_range is not None:
            stated = f"{describe_range(files.value_range).replace(',', '..')} as stated"
        elif found[0].white is None:
            stated = "unknown"
        else:
            stated = f"0..{found[0].white}"
        lowest, highest = min(facts.lowest for facts in found), max(facts.highest for facts in found)
        told.append(f"{stated} in {kind} images ({len(found)}; found {lowest:.6g}..{highest:.6g})")
    return ", ".join(told) or None


def describe_orientation(all_facts: Sequence[ImageFacts], files: FileSet) -> str | None:
    """Treatment of the EXIF orientation."""
    if not all_facts:
        return None
    turned = sum(facts.orientation != 1 for facts in all_facts)
    if not turned:
        return "every image is stored upright"
    way = (
        "turned upright, as their labels should be" if files.apply_orientation else "read as stored, like their labels"
    )
    return f"{plural(turned, 'image')} with an EXIF orientation, {way}"
