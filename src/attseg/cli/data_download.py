"""``attseg data download``: a public data set, ready to be checked."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from attseg.data.catalog import CATALOG

NAMES = [name for name, record in CATALOG.items() if record.source or record.by_hand]


def download(
    name: Annotated[str, Parameter(help=f"One of {', '.join(NAMES)}.")],
    /,
    *,
    root: Annotated[Path, Parameter(name="--data.root", metavar="DIR")] = Path("data"),
) -> int:
    """Download a public data set.

    The archive is downloaded into --data.root, verified against its published checksum, and unpacked. If a download breaks off,
    the same command continues it; a data set is never left half unpacked. Without a network, put the archive there yourself.

    The archive stays there and may be deleted. Read the terms of a data set before you use it.

    Args:
        root: Folder for the data set.

    Examples:
        attseg data download camvid --data.root ~/data
        attseg data download voc2012 --data.root ~/data
        attseg data download cityscapes                       how to get what needs an account
    """
    from attseg.console import progress
    from attseg.data.download.download import download as fetch

    root = root.expanduser()
    with progress("connecting", in_bytes=True) as bar:
        result = fetch(name, root, progress=bar.step)
    for line in result.describe():
        print(line)
    print(f"next:\n  attseg data check {name} --data.root {shlex.quote(str(root))}")
    return 0
