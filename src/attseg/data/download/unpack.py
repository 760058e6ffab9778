"""Extracts a folder of an archive, atomically."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath

from attseg.data.download.archives import MOST_BYTES, MOST_FILES, ArchiveError, opened
from attseg.data.download.transfer import DownloadError, need_space
from attseg.data.wording import plural
from attseg.files import obstacle, open_file

CHUNK = 2**20
CLUSTER = 4096
"""Bytes; disks allocate files in multiples of about this."""


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
    """Extract a folder of an archive.

    It is written beside its place (``.NAME.part``) and renamed when it is complete. What an interrupted call left is removed
    first.

    Args:
        archive: A .zip, .tar, .tgz or .tar.gz file.
        place: What the folder becomes; must not exist.
        inside: Path of the folder in the archive.
        holds: Expected number of files by pattern, below the folder.
        more: Further files to write into the folder, by name.
        progress: Called with the bytes done and the total.
        most_files: Files that an archive may hold.
        most_bytes: Bytes that they may have.

    Returns:
        Number of files extracted.

    Raises:
        ArchiveError: The archive is damaged, dangerous, or not the expected one.
        DownloadError: The disk is full, or nothing can be written.
    """
    part = place.with_name(f".{place.name}.part")
    try:
        if part.exists():
            shutil.rmtree(part)
        with opened(archive, most_files=most_files, most_bytes=most_bytes) as members:
            wanted = {file.path.relative_to(inside): file for file in members if file.path.is_relative_to(inside)}
            _check_contents(archive, inside, list(wanted), holds)
            done, total = 0, sum(member.size for member in wanted.values())
            need_space(place.parent, total + CLUSTER * len(wanted), what=f"unpacking {archive.name}")
            for path, member in wanted.items():
                (part / path).parent.mkdir(parents=True, exist_ok=True)
                with member.open() as content, open_file(part / path, "xb") as file:
                    while chunk := content.read(CHUNK):
                        file.write(chunk)
                        done += len(chunk)
                        progress(done, total)
                    if file.tell() != member.size:
                        raise ArchiveError(f"{archive} is damaged: {path} has {file.tell()} bytes, not {member.size}")
        for name, text in more.items():
            with open_file(part / name, "xb") as file:
                file.write(text)
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
            f"{archive} holds {problem}; it is not the expected archive, and nothing was unpacked. Remove it, and run the same "
            "command again"
        )
