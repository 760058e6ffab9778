"""Reads JSON of exports, and values of it that must be of a kind."""

from __future__ import annotations

import json
from base64 import b64decode
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from attseg.data.reading.content import read_content
from attseg.data.reading.walk import walk
from attseg.data.sample import DataError

MOST_BYTES = 2**30
"""Bytes of a JSON file. Read, it takes about five times as much memory."""


def read_json(path: Path) -> Any:
    """The content of a JSON file.

    Raises:
        DataError: It cannot be read, or is no JSON.
    """
    try:
        return json.loads(read_content(path, most=MOST_BYTES, what="an export of a labelling tool"))
    except (ValueError, RecursionError) as error:
        if isinstance(error, DataError):
            raise
        raise DataError(f"{path} is no JSON: {error}") from None


def files_below(source: Path, suffix: str) -> Iterator[Path]:
    """The file itself, or the files with a suffix in a folder, sorted."""
    if source.is_file():
        yield source
        return
    for folder, names in walk(source):
        yield from (folder / name for name in names if name.lower().endswith(suffix))


def get(values: Any, key: str, kind: type | tuple[type, ...], what: str) -> Any:
    """A value of an object in JSON.

    Raises:
        DataError: It is missing, or of another kind.
    """
    if not isinstance(values, dict):
        raise DataError(f"{what} is no JSON object")
    value = values.get(key)
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        raise DataError(f"{what} has no valid {key!r}")
    return value


def decode_base64(text: Any, what: str) -> bytes:
    """The bytes that a text stands for.

    Raises:
        DataError: It is no base64.
    """
    try:
        return b64decode(text, validate=True)
    except (TypeError, ValueError):
        raise DataError(f"{what} is no base64") from None


def number(value: Any) -> float | None:
    """A number, also one that stands in text; None for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        return float(value)
    except (ValueError, OverflowError):
        return None


def size_of(values: Any, height: str = "height", width: str = "width") -> tuple[int, int] | None:
    """Height and width that an object in JSON or XML states; None where it does not."""
    found = [number(values.get(key)) for key in (height, width)]
    if any(value is None or not 0 < value < 2**31 or not float(value).is_integer() for value in found):
        return None
    return int(found[0] or 0), int(found[1] or 0)
