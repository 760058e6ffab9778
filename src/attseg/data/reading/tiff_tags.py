"""Bounds on the tags of a TIFF file, which tifffile reads whole and one by one, before it opens the file."""

from __future__ import annotations

import json
import math
import os
import struct
from typing import IO

from attseg.data.sample import DataError

MAX_PAGES = 64
"""Pages that are counted."""

MAX_TAGS = 4096
"""Tags of all these pages together; a page has about 20."""

MAX_DIMENSIONS = 32
"""Sides of an array that tifffile states."""

SPARE = 2**16
"""Bytes that values may take beyond twice the size of the file, for small files."""

PER_SAMPLE = (258, 277, 338, 339)
"""Tags with one value a band, of which there are at most 65,535; tifffile makes an object of each."""

_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4, 16: 8, 17: 8, 18: 8}
"""Bytes a value, by the type of a tag."""


def stated_size(description: str) -> int:
    """Values of the array that tifffile, as a writer, states in a description; 0 where there is none, or one of no file.

    Example:
        >>> stated_size('{"shape": [4, 20, 30]}'), stated_size("shape=(20, 30)"), stated_size("a street")
        (2400, 600, 0)
    """
    try:
        sides = (
            [int(side) for side in description[7:-1].split(",")]
            if description.startswith("shape=")
            else json.loads(description)["shape"]
        )
        if len(sides) > MAX_DIMENSIONS or not all(isinstance(side, int) and 0 <= side < 2**32 for side in sides):
            return 0
    except (ValueError, TypeError, LookupError, RecursionError):
        return 0
    return math.prod(sides)


def check_tags(file: IO[bytes]) -> None:
    """Refuse a TIFF of endless tags, or of tags whose values lie in the same bytes; the position in the file stays.

    A megabyte in which 4,000 tags claim the same megabyte of values took 4 GB of memory and 4 s.

    Args:
        file: At the beginning of the TIFF.

    Raises:
        DataError: Reading its tags would be out of proportion to its size.
    """
    start = file.tell()
    size = file.seek(0, os.SEEK_END) - start
    file.seek(start)
    head = file.read(16).ljust(16, b"\0")
    order = "<" if head.startswith(b"II") else ">"
    big = struct.unpack(f"{order}H", head[2:4])[0] == 43
    counter, entry, offset = (
        (f"{order}Q", f"{order}HHQ8x", f"{order}Q") if big else (f"{order}H", f"{order}HHI4x", f"{order}I")
    )
    (page,) = struct.unpack_from(offset, head, 8 if big else 4)
    tags = values = 0
    for _ in range(MAX_PAGES + 1):
        if not 0 < page < size:  # the last one, or damage that tifffile tells
            break
        file.seek(start + page)
        counted = file.read(struct.calcsize(counter))
        if len(counted) < struct.calcsize(counter):
            break
        (count,) = struct.unpack(counter, counted)
        tags += count
        if tags > MAX_TAGS:
            raise DataError(f"has more than {MAX_TAGS} TIFF tags, which no image has; save it anew, as PNG for example")
        content = file.read(count * struct.calcsize(entry))
        whole = len(content) - len(content) % struct.calcsize(entry)
        for code, kind, number in struct.iter_unpack(entry, content[:whole]):
            if code in PER_SAMPLE and number > 2**16:
                raise DataError(
                    f"says something about {number} bands, and a TIFF has at most 65535; replace or remove it"
                )
            taken = number * _SIZES.get(kind, 0)
            values += taken if taken <= size else 0  # values beyond the file are not read
        if values > 2 * size + SPARE:
            raise DataError(
                "has TIFF tags whose values overlap; replace or remove it, or save it anew, as PNG for example"
            )
        following = file.read(struct.calcsize(offset))
        page = struct.unpack(offset, following)[0] if len(following) == struct.calcsize(offset) else 0
    file.seek(start)
