"""The folder of an import: written beside its place and renamed when it is whole; and sources that are archives."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from json import dumps
from pathlib import Path
from typing import Any

from attseg.data.archives import ArchiveError, unpack_checked
from attseg.data.importing.report import ImportReport
from attseg.data.reading.walk import visible
from attseg.data.sample import DataError
from attseg.errors import UsageError
from attseg.files import FileError, making, obstacle, open_file
from attseg.json_files import read_json
from attseg.locks import locked

REPORT_FILE = "import.json"
"""The report in the data set, with sizes and times of all files."""

MOST_UNPACKED = 2**38

ARCHIVES = (".zip", ".tar", ".tar.gz", ".tgz")


@contextmanager
def building(out: Path, source: Path) -> Iterator[Path]:
    """A new folder, which takes the place of ``out`` when the block ends well, and vanishes when it does not.

    Raises:
        UsageError: ``out`` holds something that an import did not write, or that was changed since; or it lies in the source.
        FileError: It cannot be written.
    """
    place = out.absolute()
    if source.is_dir() and place.resolve().is_relative_to(source.resolve()):
        raise UsageError(f"--out {out} lies in the export {source}; name a folder beside it")
    refuse_others(out)
    part = place.with_name(f".{place.name}.import")
    try:
        with (
            making(place.parent),
            locked(place.with_name(f".{place.name}.lock"), lambda owner: UsageError(f"process {owner} imports into {out}"),
                   remove=True),
        ):  # fmt: skip
            if part.exists():
                shutil.rmtree(part)
            part.mkdir()
            try:
                yield part
                _exchange(part, place)
            finally:
                shutil.rmtree(part, ignore_errors=True)
    except FileError:
        raise
    except OSError as error:
        raise FileError(f"cannot write {out}: {obstacle(error, out)}") from error


def _exchange(part: Path, place: Path) -> None:
    getattr(os, "sync", lambda: None)()  # what is renamed is on the disk
    old = place.with_name(f".{place.name}.replaced")
    if place.exists():
        shutil.rmtree(old, ignore_errors=True)
        place.rename(old)
    part.rename(place)
    shutil.rmtree(old, ignore_errors=True)


def refuse_others(out: Path) -> None:
    """Refuse a folder with anything in it that an import did not write, or that was changed since.

    Raises:
        UsageError: The message names the first such file.
    """
    if out.is_symlink() or (out.exists() and not out.is_dir()):
        raise UsageError(
            f"--out {out} is {'a link' if out.is_symlink() else 'no folder'}; name a folder that is not there yet"
        )
    if not out.is_dir() or not any(out.iterdir()):
        return
    found = sorted(_stamps(out).items())
    kept: Any = None
    with suppress(OSError):
        kept = read_json(out / REPORT_FILE).get("files")
    written = kept if isinstance(kept, dict) else {}
    for name, stamp in found:
        if name != REPORT_FILE and written.get(name) != stamp:
            raise UsageError(
                f"{out} is there already, and {name} in it was not written by an import, or was changed since; nothing was done. "
                "Choose another folder with --out, or remove this one"
            )


def save(folder: Path, report: ImportReport) -> None:
    """Write the report, the last of all files."""
    content = report.to_dict() | {"files": _stamps(folder)}
    with open_new(folder / REPORT_FILE) as file:
        file.write(dumps(content, indent=1).encode())


def _stamps(folder: Path) -> dict[str, list[int]]:
    """Sizes, and times in nanoseconds, of all files in a folder."""
    stamps = {}
    for place, _, names in os.walk(folder):
        for name in names:
            path = Path(place, name)
            status = path.lstat()
            stamps[path.relative_to(folder).as_posix()] = [status.st_size, status.st_mtime_ns]
    return stamps


def open_new(path: Path) -> Any:
    """A file that is not there yet, to write to."""
    return open_file(path, "xb")


def is_archive(source: Path) -> bool:
    """Whether an export is a zip or tar file."""
    return source.name.lower().endswith(ARCHIVES) and source.is_file()


def innermost(folder: Path) -> Path:
    """The folder, or the one inside where there is nothing but another folder, as archives often have it."""
    for _ in range(5):
        inside = visible(sorted(entry.name for entry in folder.iterdir()))
        if len(inside) != 1 or not (folder / inside[0]).is_dir():
            break
        folder = folder / inside[0]
    return folder


@contextmanager
def opened_source(source: Path, out: Path) -> Iterator[tuple[Path, Path]]:
    """An export, unpacked beside ``out`` where it is a zip or tar file.

    Returns:
        What is read, a folder or the only file; and the folder in which pictures are looked for.

    Raises:
        DataError: The archive is damaged or dangerous.
    """
    if not is_archive(source):
        yield (innermost(source), source) if source.is_dir() else (source, source.parent)
        return
    place = out.absolute()
    folder = place.with_name(f".{place.name}.unpacked")
    try:
        with making(place.parent):
            shutil.rmtree(folder, ignore_errors=True)
            try:
                unpack_checked(source, folder, most_bytes=MOST_UNPACKED)
            except ArchiveError as error:
                raise DataError(str(error)) from error
            home = innermost(folder)
            yield home, home
    except FileError:
        raise
    except OSError as error:
        raise FileError(f"cannot unpack {source}: {obstacle(error, folder)}") from error
    finally:
        shutil.rmtree(folder, ignore_errors=True)
