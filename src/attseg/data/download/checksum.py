"""Whether a file is the one that was meant."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

CHUNK = 2**20


def digests(file: Path, algorithms: set[str], progress: Callable[[int, int], None]) -> dict[str, str]:
    """Hash a file in several ways at once.

    Args:
        file: What to hash.
        algorithms: As ``hashlib`` calls them.
        progress: Is told how many bytes are done, and of how many.

    Returns:
        Hexadecimal digits by algorithm.

    Example:
        >>> import tempfile
        >>> path = Path(tempfile.mkdtemp(), "hello.txt")
        >>> _ = path.write_bytes(b"hello")
        >>> digests(path, {"md5"}, lambda done, total: None)
        {'md5': '5d41402abc4b2a76b9719d911017c592'}
    """
    hashes = {name: hashlib.new(name, usedforsecurity=False) for name in sorted(algorithms)}
    done, total = 0, file.stat().st_size
    with file.open("rb") as content:
        while chunk := content.read(CHUNK):
            for hashing in hashes.values():
                hashing.update(chunk)
            done += len(chunk)
            progress(done, total)
    return {name: hashing.hexdigest() for name, hashing in hashes.items()}
