"""``attseg data download``: a public data set, ready to be checked."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path

from attseg.cli.parser import Parser
from attseg.data.download.sources import BY_HAND, SOURCES

TEXT = """\
Fetch a public data set: the archive is loaded into DIR, checked against its published checksum, and unpacked.
What breaks off goes on from there when the same command is given again; nothing half-unpacked is ever left in
place. Without a network, lay the archive into DIR yourself.

The archive stays in DIR, and may be removed. Read the terms of a data set before you use it."""

EXAMPLES = (
    "attseg data download camvid --data.root ~/data",
    "attseg data download voc2012 --data.root ~/data",
    "attseg data download cityscapes                       how to get what wants an account",
)


def run(argv: Sequence[str]) -> int:
    """Download one data set."""
    parser = Parser("data download", TEXT, EXAMPLES)
    parser.add_argument("data", metavar="NAME", help=", ".join((*SOURCES, *BY_HAND)))
    parser.add_argument(
        "--data.root", dest="root", default="data", metavar="DIR", help="where the data set goes (default: data)"
    )
    arguments = parser.parse(argv)

    from attseg.cli.output import bytes_bar
    from attseg.data.download.download import download
    from attseg.data.wording import amount, plural

    root = Path(arguments.root).expanduser()
    with bytes_bar() as bar:
        task = bar.add_task("asking", total=None)

        def show(what: str, done: int, total: int | None) -> None:
            if what != bar.tasks[0].description:
                bar.reset(task, description=what)
            bar.update(task, completed=done, total=total)

        result = download(arguments.data, root, progress=show)
    if result.archive is None:
        print(f"{result.folder} was there before; nothing was fetched")
    else:
        print(f"{result.folder}: {plural(result.files, 'file')}, {_checked(result.source.checksum is not None)}")
        print(f"{result.archive} ({amount(result.archive.stat().st_size)}) is no longer needed")
    print(f"terms: {result.source.terms} ({result.source.homepage})")
    print("next:")
    print(f"  attseg data check {arguments.data} --data.root {shlex.quote(str(root))}")
    return 0


def _checked(known: bool) -> str:
    return "checksum as published" if known else "as many pictures as there should be; no checksum is published"
