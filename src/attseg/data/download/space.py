"""Room on the disk, before it runs out."""

from __future__ import annotations

import shutil
from pathlib import Path

from attseg.data.download.errors import DownloadError
from attseg.data.wording import amount


def need_space(folder: Path, needed: int, *, what: str) -> None:
    """Make sure that there is room in a folder, which need not exist yet.

    Args:
        folder: Where something is to be written.
        needed: Bytes of it.
        what: What it is, for the message.

    Raises:
        DownloadError: There is too little.
    """
    there = folder.absolute()
    while not there.exists():
        there = there.parent
    free = shutil.disk_usage(there).free
    if free < needed:
        raise DownloadError(
            f"{what} needs {amount(needed)} in {folder}, and {amount(free)} are free there; free some, or choose another "
            "folder (--data.root DIR)"
        )
