"""Reading every file of some splits at once, and what they hold in numbers."""

from __future__ import annotations

import hashlib
import os
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np

from attseg.data.checking.findings import SplitSummary
from attseg.data.checking.images import ImageFacts, facts_of, needs_range
from attseg.data.classes import IGNORE, ClassTable, Color
from attseg.data.reading.label_values import count_values, explain_unknown
from attseg.data.reading.lossy import LossyError
from attseg.data.reading.opening import telling
from attseg.data.sample import DataError
from attseg.data.sets.file_data import explain_sizes
from attseg.data.sets.file_set import FileSet
from attseg.files import open_file

Progress = Callable[[int, int], None]


class Item(NamedTuple):
    """Files of a sample: the image and, if it has labels, the label file."""

    name: str
    image: Path
    labels: Path | None


@dataclass(frozen=True)
class Part:
    """Files of a split, and how they are read.

    Args:
        items: Its pictures.
        classes: What the values in its label files mean, if that is known.
        files: The data set.
        split: Name of the split.
    """

    items: Sequence[Item]
    classes: ClassTable | None
    files: FileSet
    split: str


class Reading(NamedTuple):
    """Contents of one item.

    Args:
        size: Height and width of the image, if it could be read.
        counts: How often each value occurs in the label file.
        digest: Of the content of the image file.
        problems: Kind, sentence and file of each.
        label_kind: What the label file is, such as "gray PNG"; empty where there is none, or it could not be read.
        palette: The colours of the values that occur, where the label file has a palette.
        image: What the image file holds, if it could be read.
        meaning: Digest of the values of the label file, whatever its format, if it could be read.
    """

    size: tuple[int, int] | None
    counts: dict[int, int]
    digest: bytes | None
    problems: list[tuple[str, str, Path]]
    label_kind: str = ""
    palette: dict[int, Color] | None = None
    image: ImageFacts | None = None
    meaning: bytes | None = None


def read_all(parts: Mapping[str, Part], progress: Progress) -> dict[str, list[Reading]]:
    """Read every file once, also where several splits share it; threads are enough, since decoding holds no lock."""
    waiting = {(item.image, item.labels): (item, part) for part in parts.values() for item in part.items}
    done: dict[tuple[Path, Path | None], Reading] = {}
    with ThreadPoolExecutor(min(8, os.cpu_count() or 1)) as pool:
        try:
            for key, reading in zip(waiting, pool.map(_read, waiting.values()), strict=True):
                done[key] = reading
                progress(len(done), len(waiting))
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
    return {split: [done[item.image, item.labels] for item in part.items] for split, part in parts.items()}


def _read(item_of: tuple[Item, Part]) -> Reading:
    item, part = item_of
    problems: list[tuple[str, str, Path]] = []
    image, raw, digest, facts = None, None, None, None
    counts: dict[int, int] = {}
    try:
        with telling(item.image):
            digest = _digest(item.image)
        stored = part.files.read_raw_image(item.image)
        facts = facts_of(stored)
        image = stored.values
        if part.files.bands is None and not needs_range(facts, part.files):
            with telling(item.image):
                image = stored.to_rgb(part.files.value_range)
        facts = facts._replace(flat=bool((image == image[0, 0, 0]).all()))
    except (DataError, OSError) as error:
        problems.append(("unreadable picture", str(error), item.image))
    size = None if image is None else (image.shape[0], image.shape[1])
    if item.labels is None:
        return Reading(size, counts, digest, problems, image=facts)
    try:
        raw = part.files.read_raw_labels(item.labels, part.split)
    except DataError as error:
        kind = "lossy labels" if isinstance(error, LossyError) else "unreadable labels"
        problems.append((kind, str(error), item.labels))
        return Reading(size, counts, digest, problems, image=facts)
    counts = count_values(raw.values)
    if digest and item.labels.stat().st_size == item.image.stat().st_size and _digest(item.labels) == digest:
        text = f"{item.image} and {item.labels} are the same file; one of them was copied to the wrong place"
        problems.append(("image is its labels", text, item.image))
    if part.classes:
        problem = explain_unknown(counts, part.classes, paletted=raw.paletted, official=part.files.record.official)
        if problem:
            problems.append(("unknown label", f"{item.labels}: {problem}", item.labels))
    if image is not None and facts is not None:
        rows, (height, width) = raw.values.shape, image.shape[:2]
        # were its orientation treated the other way
        other = (width, height) if facts.orientation >= 5 else (height, width)
        facts = facts._replace(fits=(image.shape[:2] == rows, other == rows))
        if problem := explain_sizes(
            image.shape, rows, orientation=facts.orientation, applied=part.files.apply_orientation
        ):
            problems.append(("different size", f"{item.labels}: {problem}", item.labels))
    palette = None
    if raw.palette is not None:
        colors = raw.palette.tolist()
        palette = {value: (*colors[value],) for value in counts if value < len(colors)}
    values = np.ascontiguousarray(raw.values)
    meaning = hashlib.blake2b(values.data, digest_size=16, salt=repr(values.shape).encode()[:16]).digest()
    return Reading(size, counts, digest, problems, raw.kind, palette, facts, meaning)


def _digest(path: Path) -> bytes:
    with open_file(path) as file:
        return hashlib.file_digest(file, lambda: hashlib.blake2b(digest_size=16)).digest()


def summarise(readings: Sequence[Reading], classes: ClassTable | None, *, released: int | None = None) -> SplitSummary:
    """Summary of a split.

    Args:
        readings: Of its pictures.
        classes: What the values in its label files mean, if that is known.
        released: How many pictures it has as released.
    """
    number = len(classes) if classes else 0
    summary = SplitSummary(len(readings), [0] * number, [0] * number, released=released)
    values: Counter[int] = Counter()
    for reading in readings:
        values.update(reading.counts)
        if not classes:
            continue
        present = set()
        for value, count in reading.counts.items():
            meaning = int(classes.lookup[value]) if 0 <= value < len(classes.lookup) else -1
            if meaning == IGNORE:
                summary.ignored += count
            elif meaning < 0:
                summary.unknown += count
            else:
                summary.pixels[meaning] += count
                present.add(meaning)
        for meaning in present:
            summary.pictures_with[meaning] += 1
    summary.values = dict(sorted(values.items()))
    sizes = [reading.size for reading in readings if reading.size]
    if sizes:
        heights, widths = zip(*sizes, strict=True)
        summary.smallest, summary.largest = (min(heights), min(widths)), (max(heights), max(widths))
    return summary


def distinct_facts(parts: Mapping[str, Part], readings: Mapping[str, Sequence[Reading]]) -> list[ImageFacts]:
    """The facts of every image file once, also where several splits share it."""
    found: dict[Path, ImageFacts] = {}
    for split, part in parts.items():
        for item, reading in zip(part.items, readings[split], strict=True):
            if reading.image is not None:
                found[item.image] = reading.image
    return list(found.values())
