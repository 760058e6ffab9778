"""Reads files that hold a JSON object, and says so in a sentence where they are damaged."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from attseg.files import FileError, read_bytes


def read_json(path: Path) -> dict[str, Any]:
    """Content of a file that holds a JSON object.

    Raises:
        FileError: It is damaged, or holds something else.
        OSError: It cannot be read.
    """
    try:
        values = json.loads(read_bytes(path))
    except (ValueError, RecursionError) as error:
        raise FileError(f"{path} is damaged: {error}; a JSON object was expected") from error
    if not isinstance(values, dict):
        raise FileError(f"{path} holds {type(values).__name__}; a JSON object was expected")
    return values
