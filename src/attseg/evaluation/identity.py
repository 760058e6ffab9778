"""Which data a number is about: root, split, and the files, so that changed labels and other data sets are told apart."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from attseg.data.classes import ClassTable
from attseg.data.sample import SegmentationData
from attseg.data.sets.file_data import FileData
from attseg.files import stamp_of

Stamp = list[list[int]]
"""Size in bytes and time of the last change in nanoseconds, of the image and of the label file."""


def stamps_of(data: SegmentationData) -> dict[int, Stamp]:
    """The stamp of each sample by its index; none for data that do not lie in files."""
    if not isinstance(data, FileData):
        return {}
    return {index: [stamp_of(pair.image), stamp_of(pair.labels)] for index, pair in enumerate(data.pairs)}


def digest_stamps(data: SegmentationData) -> str:
    """A digest that changes with the size and the time of any image or label file, and with what label values mean."""
    stamps = [(data.name(index), stamp) for index, stamp in stamps_of(data).items()]
    return _digest([describe_classes(data.classes), stamps])


def describe_classes(classes: ClassTable) -> dict[str, Any]:
    """Names, and what the values of label files mean, as plain values."""
    means = [[int(raw), int(train)] for raw, train in sorted(classes.raw_to_train.items())]
    return {"names": list(classes.names), "means": means}


def describe_data(
    name: str, root: str | Path | None, options: Mapping[str, Any], data: SegmentationData
) -> dict[str, Any]:
    """The data that a report was measured on, as plain values.

    Args:
        name: Of the data set.
        root: Its folder.
        options: Its options.
        data: The split.

    Returns:
        ``data``: name of the data set. ``root``: its folder, as an absolute path. ``options``: its options. ``split``,
        ``pictures``: how many it has. ``files``: a digest of their names, and of the sizes of the images and label files.
    """
    names = [data.name(index) for index in range(len(data))]
    sizes = [[size for size, _ in stamp] for stamp in stamps_of(data).values()]
    return {
        "data": name,
        "root": None if root is None else str(Path(root).resolve()),
        "options": json.loads(json.dumps(dict(options), default=str)),
        "split": data.split,
        "pictures": len(data),
        "files": _digest([names, sizes]),
    }


def _digest(values: Any) -> str:
    return hashlib.blake2b(json.dumps(values).encode(errors="surrogatepass"), digest_size=8).hexdigest()
