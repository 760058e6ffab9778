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
    root: Annotated[Path, Parameter(name="--data.root")] = Path("data"),
) -> int:
    """Download a public data set.

    The archive is loaded into --data.root, checked against its published checksum, and unpacked. A download that breaks off
    continues when the same command is given again; nothing half-unpacked is ever left in place. Without a network, put the
    archive there yourself.

    The archive stays there, and may be removed. Read the terms of a data set before you use it.

    Args:
        root: Folder that the data set goes to.

    Examples:
        attseg data download camvid --data.root ~/data
        attseg data download voc2012 --data.root ~/data
        attseg data download cityscapes                       how to get what needs an account
    """
    from attseg.cli.output import bytes_bar
    from attseg.data.download.download import download as fetch
    from attseg.data.wording import amount, plural

    root = root.expanduser()
    with bytes_bar() as bar:
        task = bar.add_task("asking", total=None)

        def show(what: str, done: int, total: int | None) -> None:
            if what != bar.tasks[0].description:
                bar.reset(task, description=what)
            bar.update(task, completed=done, total=total)

        result = fetch(name, root, progress=show)
    if result.archive is None:
        print(f"{result.folder} was there before; nothing was fetched")
    else:
        print(f"{result.folder}: {plural(result.files, 'file')}, {_checked(result.source.checksum is not None)}")
        print(f"{result.archive} ({amount(result.archive.stat().st_size)}) is no longer needed")
    print(f"terms: {result.source.terms} ({result.source.homepage})")
    print("next:")
    print(f"  attseg data check {name} --data.root {shlex.quote(str(root))}")
    return 0


def _checked(known: bool) -> str:
    return "checksum as published" if known else "as many pictures as there should be; no checksum is published"
