"""Append-only files of JSON objects, one a line. A line that a kill cut short is taken off when the file is opened again."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from attseg.errors import UsageError
from attseg.files import FileError, obstacle, open_file, refuse_link
from attseg.text import harmless

LONGEST_LINE = 2**20
"""Bytes of the first line that are looked at to tell a file from those of others."""


class JsonLines:
    """Adds JSON objects to a file, each at once. The file is made with the first.

    Args:
        path: The file.
        key: A key of the first line in files of this kind; without one, files of other kinds are added to as well.
        kind: Name of this kind, for the message.

    Raises:
        UsageError: The file is there, and is of another kind.
        FileError: It cannot be read or written, or is a link.

    Example:
        >>> import tempfile
        >>> path = Path(tempfile.mkdtemp()) / "log.jsonl"
        >>> JsonLines(path).add({"step": 1})
        0
        >>> JsonLines(path).add({"step": 2})
        12
        >>> list(read_lines(path))
        [(0, {'step': 1}), (12, {'step': 2})]
    """

    def __init__(self, path: Path, key: str = "", kind: str = "log") -> None:
        self.path = path
        try:
            refuse_link(path)
            if path.exists():
                with open_file(path, "rb+") as file:
                    first = file.readline(LONGEST_LINE)
                    if (
                        first
                        and key
                        and key not in (_parse(first) or {})
                        and not first.startswith(f'{{"{key}"'.encode())
                    ):
                        raise UsageError(
                            f"{path} is there already, and is no {kind}; move it away, or choose another folder (--out)"
                        )
                    file.seek(0)
                    file.truncate(sum(len(line) for line in file if line.endswith(b"\n")))
        except OSError as error:
            raise FileError(f"cannot write {path}: {obstacle(error, path)}") from error

    def add(self, values: Mapping[str, Any]) -> int:
        """Add a line.

        Returns:
            Its place in the file, in bytes.

        Raises:
            FileError: It cannot be written.
        """
        text = json.dumps(values, ensure_ascii=False)
        line = (text if harmless(text) == text else json.dumps(values)).encode() + b"\n"
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with open_file(self.path, "ab") as file:
                place: int = file.tell()
                file.write(line)
        except OSError as error:
            raise FileError(f"cannot write {self.path}: {obstacle(error, self.path)}") from error
        return place


def read_lines(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """Place (in bytes) and values of each whole line that holds a JSON object; other lines are passed over.

    Raises:
        FileError: The file cannot be read.
    """
    try:
        with open_file(path) as file:
            place = 0
            for line in file:
                if (values := _parse(line)) is not None:
                    yield place, values
                place += len(line)
    except OSError as error:
        raise FileError(f"{path} cannot be read: {error.strerror or error}") from error


def _parse(line: bytes) -> dict[str, Any] | None:
    """The values of a line that was written to its end."""
    try:
        values = json.loads(line) if line.endswith(b"\n") else None
    except (ValueError, RecursionError):
        return None
    return values if isinstance(values, dict) else None
