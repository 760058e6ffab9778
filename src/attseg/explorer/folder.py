"""The folder whose pictures the page offers: listed once, at the start; the page knows its files by numbers alone."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import BinaryIO

from attseg.data.reading.inputs import PictureFile, find_pictures
from attseg.errors import UsageError
from attseg.explorer.refusal import Refused


class Folder:
    """Pictures below a folder, without those that links lead to outside of it.

    Args:
        root: The folder.
        most: How many files are listed.

    Raises:
        UsageError: There is no such folder, or no picture in it.
    """

    def __init__(self, root: Path, most: int) -> None:
        if not root.is_dir():
            raise UsageError(f"there is no folder {str(root)!r}; --pictures names a folder with pictures")
        self._root = root.resolve()
        inside = [file for file in find_pictures([self._root]) if self._is_inside(file.path)]
        if not inside:
            raise UsageError(f"the pictures in {root} are all links to outside of it; these are not followed")
        self.name = self._root.name
        self._files = inside[:most]
        self.left_out = len(inside) - len(self._files)

    def names(self) -> list[str]:
        """Names of the files, as paths below the folder; the place of each is its number."""
        return [file.name for file in self._files]

    def open(self, number: int) -> tuple[str, BinaryIO]:
        """Name and content of a file.

        Raises:
            Refused: There is no such number, or the file has gone, or has become something else.
        """
        file = self._find(number)
        try:
            if not self._is_inside(file.path):  # it may have become a link since
                raise OSError
            opened = os.open(
                file.path.resolve(), os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
            )
        except OSError:
            raise Refused(404, f"{file.name} has gone from the folder, or cannot be read") from None
        if not stat.S_ISREG(os.fstat(opened).st_mode):
            os.close(opened)
            raise Refused(404, f"{file.name} is no file any more")
        return file.name, os.fdopen(opened, "rb")

    def _find(self, number: int) -> PictureFile:
        if not 0 <= number < len(self._files):
            raise Refused(404, f"there is no file {number} in the folder; it has {len(self._files)}")
        return self._files[number]

    def _is_inside(self, path: Path) -> bool:
        return path.resolve().is_relative_to(self._root)
