"""The folder whose pictures the page offers: listed once, at the start; the page knows its files by numbers alone."""

from __future__ import annotations

import os
import stat
from itertools import islice
from pathlib import Path

from attseg.data.reading.inputs import PictureFile, Pictures
from attseg.errors import UsageError
from attseg.text import short
from attseg.web.limits import Limits
from attseg.web.refusal import Refused


class PictureFolder:
    """Pictures below a folder, without those that links lead to outside of it.

    Args:
        root: The folder.
        limits: ``files`` and ``file_bytes`` count here.

    Raises:
        UsageError: There is no such folder, or no picture in it.
    """

    def __init__(self, root: Path, limits: Limits) -> None:
        if not root.is_dir():
            raise UsageError(f"there is no folder {str(root)!r}; --pictures names a folder with pictures")
        self.name = short(root.resolve().name)
        self._limits = limits
        self._root = root.resolve()
        found = Pictures([self._root])
        inside = (file for file in found if self._is_inside(file.path))
        self._files = list(islice(inside, limits.files))
        if not self._files:
            raise UsageError(f"the pictures in {root} are all links to outside of it; these are not followed")
        self.left_out = len(found) - len(self._files) if len(self._files) == limits.files else 0

    def names(self) -> list[str]:
        """Names of the files as they are shown, as paths below the folder; the place of each is its number."""
        return [short(file.name) for file in self._files]

    def read(self, number: int) -> tuple[str, bytes]:
        """Name and content of a file.

        Raises:
            Refused: There is no such number, or the file has gone, has become something else, or is too large.
        """
        file = self._find(number)
        try:
            if not self._is_inside(file.path):  # it may have become a link since
                raise OSError
            opened = os.open(
                file.path.resolve(), os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
            )
            with os.fdopen(opened, "rb") as content:
                status = os.fstat(opened)
                if not stat.S_ISREG(status.st_mode):
                    raise OSError
                if status.st_size > self._limits.file_bytes:
                    given, most = (each / 2**20 for each in (status.st_size, self._limits.file_bytes))
                    raise Refused(413, f"{short(file.name)} has {given:.1f} MiB; at most {most:g} MiB are read")
                return short(file.name), content.read(self._limits.file_bytes)
        except OSError:
            raise Refused(404, f"{short(file.name)} has gone from the folder, or cannot be read") from None

    def _find(self, number: int) -> PictureFile:
        if not 0 <= number < len(self._files):
            raise Refused(404, f"there is no file {number} in the folder; it has {len(self._files)}")
        return self._files[number]

    def _is_inside(self, path: Path) -> bool:
        return path.resolve().is_relative_to(self._root)
