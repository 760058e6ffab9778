"""An archive becomes a folder: at once or not at all."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath

from attseg.data.download.archives import MOST_BYTES, MOST_FILES, Member, opened
from attseg.data.download.errors import ArchiveError, DownloadError
from attseg.data.download.space import need_space
from attseg.data.wording import plural
from attseg.files import obstacle

CHUNK = 2**20
CLUSTER = 4096
"""Bytes in whose multiples disks give room to files."""


def unpack(
    archive: Path,
    place: Path,
    *,
    inside: str,
    holds: Mapping[str, int],
    more: Mapping[str, bytes],
    progress: Callable[[int, int], None],
    most_files: int = MOST_FILES,
    most_bytes: int = MOST_BYTES,
) -> int:
    """Unpack a folder of an archive.

    It grows under another name beside its place (``.NAME.part``) and gets its name when everything is there. What an
    interrupted call left under that name is removed first.

    Args:
        archive: A .zip, .tar, .tgz or .tar.gz file.
        place: What the folder becomes; must not exist.
        inside: Path of the folder in the archive.
        holds: How many files fit a pattern below the folder, for the patterns that matter.
        more: Further files to write into the folder, by name.
        progress: Is told how many bytes are done, and of how many.
        most_files: Files that an archive may hold.
        most_bytes: Bytes that they may have.

    Returns:
        Files of the archive in the folder.

    Raises:
        ArchiveError: The archive is damaged, dangerous, or not the one that was meant.
        DownloadError: The disk is full, or nothing can be written.
    """
    part = place.with_name(f".{place.name}.part")
    try:
        if part.exists():
            shutil.rmtree(part)
        with opened(archive, most_files=most_files, most_bytes=most_bytes) as members:
            wanted = {
                member.path.relative_to(inside): member for member in members if member.path.is_relative_to(inside)
            }
            _check_contents(archive, inside, list(wanted), holds)
            total = sum(member.size for member in wanted.values())
            need_space(place.parent, total + CLUSTER * len(wanted), what=f"unpacking {archive.name}")
            done = 0
            for path, member in wanted.items():
                done = _write(archive, member, part / path, done, lambda done: progress(done, total))
        for name, content in more.items():
            (part / name).write_bytes(content)
        part.rename(place)
    except DownloadError:
        raise
    except OSError as error:
        raise DownloadError(f"cannot unpack {archive}: {obstacle(error, part)}") from error
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return len(wanted)


def _check_contents(archive: Path, inside: str, paths: list[PurePosixPath], holds: Mapping[str, int]) -> None:
    problem = "" if paths else f"no folder {inside}"
    for pattern, expected in holds.items():
        found = sum(fnmatchcase(str(path), pattern) for path in paths)
        if found != expected:
            problem = problem or f"{plural(found, 'file')} {inside}/{pattern}, and {expected} were expected"
    if problem:
        raise ArchiveError(
            f"{archive} holds {problem}; it is not the archive that was meant, and nothing was unpacked. Remove it, and give the "
            "same command again"
        )


def _write(archive: Path, member: Member, path: Path, done: int, progress: Callable[[int], None]) -> int:
    """Write a file; returns how many bytes are done then, of all files."""
    path.parent.mkdir(parents=True, exist_ok=True)
    size = 0
    with member.open() as content, path.open("xb") as file:
        while chunk := content.read(CHUNK):
            file.write(chunk)
            size += len(chunk)
            progress(done + size)
    if size != member.size:
        raise ArchiveError(f"{archive} is damaged: it holds {size} bytes of {member.path}, and promises {member.size}")
    return done + size
