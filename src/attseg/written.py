"""Which files attseg wrote, so that a command replaces no file of others unasked."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from attseg.errors import UsageError
from attseg.files import FileError, NotAFile, digest_file, refuse_in_place
from attseg.json_lines import JsonLines, read_lines

LEDGER = ".attseg-written.jsonl"
"""File in a folder of results: a line with name and digest of each file that a command wrote there."""


@contextmanager
def outputs(*paths: Path, overwrite: bool = False) -> Iterator[None]:
    """Files that the block writes. Refused before it runs where one of them is another's.

    A file counts as ours where ``LEDGER`` beside it names it with the digest that it has: one that was changed since is refused
    too. What the block wrote is added to the ledger, also where it ends with an error.

    Args:
        *paths: The files; each lies in a folder that the command may make.
        overwrite: Whether other files are replaced.

    Raises:
        UsageError: A file is there that attseg did not write, or that was changed since.
        FileError: A pipe, socket or device has a name, which is never replaced.

    Example:
        >>> import tempfile
        >>> path = Path(tempfile.mkdtemp()) / "page.html"
        >>> for text in ("first", "second"):  # replaces its own
        ...     with outputs(path):
        ...         _ = path.write_text(text)
        >>> _ = path.write_text("changed by hand")
        >>> with outputs(path):
        ...     pass
        Traceback (most recent call last):
        attseg.errors.UsageError: there already: ...
    """
    for path in paths:
        try:
            refuse_in_place(path)
        except NotAFile as error:
            raise FileError(f"cannot write {path}: {error.strerror}") from error
    others = [] if overwrite else [path for path in paths if _is_another(path)]
    if others:
        raise UsageError(
            f"there already: {', '.join(map(str, others))}; {LEDGER} does not say that attseg wrote what is there now, and "
            "attseg 0.1.0 kept no such record. Choose another name with --out, or replace it with --overwrite"
        )
    before = [_seen(path) for path in paths]
    try:
        yield
    finally:
        for path, seen in zip(paths, before, strict=True):
            if _seen(path) not in (None, seen):
                _note(path)


def _is_another(path: Path) -> bool:
    if not (path.exists() or path.is_symlink()) or path.is_dir():
        return False  # a folder in the way is told when the file is written
    try:
        return _noted(path.parent).get(path.name) != digest_file(path)
    except OSError:
        return True


def _seen(path: Path) -> tuple[int, int, int] | None:
    try:
        found = path.lstat()
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns, found.st_size


def _noted(folder: Path) -> dict[str, str]:
    """Digests by name, as the ledger of a folder has them; none where it cannot be read."""
    noted = {}
    with suppress(OSError):
        for _, entry in read_lines(folder / LEDGER):
            if isinstance(name := entry.get("file"), str):
                noted[name] = str(entry.get("digest"))
    return noted


def _note(path: Path) -> None:
    """Add a file to the ledger; where that cannot be written, the next command asks for ``--overwrite``, and no more."""
    with suppress(OSError):
        entry = {"file": path.name, "digest": digest_file(path)}
        JsonLines(path.parent / LEDGER).add(entry)
