"""``attseg explore``: a page on this computer that shows live what models see."""

from __future__ import annotations

import argparse
import os
import signal
import sys
import webbrowser
from collections.abc import Sequence
from html import escape
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory

from attseg.cli.parser import Parser
from attseg.errors import UsageError
from attseg.extras import install_command
from attseg.files import open_file

TEXT = """\
Open a page that shows live what models see: drop or paste a picture, pick one of a folder or a generated scene, and move
over it to see what each pixel attends to. Nothing leaves this computer: the page is served on the loopback, for the printed
address alone. Ctrl-C ends it.

RUN is a run folder, a .safetensors file, owner/name of a repository on the Hugging Face hub, or demo; with several, the page
lets you choose among them, and compare two. Files of at most 32 MiB and 40 million pixels are taken; pictures of more than a
million pixels, or longer than 1200, are scaled down for the models, which the page says."""

EXAMPLES = (
    "attseg explore demo",
    "attseg explore runs/pan runs/psanet --pictures photos/",
    "attseg explore runs/pan --port 9000 --no-open",
    "ssh -L 8700:localhost:8700 gpu 'attseg explore runs/pan'      on another computer, safely: open the address it prints",
)

PACKAGES = ("starlette", "uvicorn")


def run(argv: Sequence[str]) -> int:
    """Serve until Ctrl-C."""
    parser = Parser("explore", TEXT, EXAMPLES)
    parser.add_argument(
        "runs", nargs="+", metavar="RUN", help="a run folder, a .safetensors or exported file, owner/name, or demo"
    )
    parser.add_argument("--pictures", type=Path, metavar="FOLDER", help="offer the pictures below a folder")
    parser.add_argument(
        "--port", type=int, metavar="N", help="0 is any free port (default: the first free one from 8700)"
    )
    parser.add_argument(
        "--host", default="127.0.0.1", help="whom to answer (default: 127.0.0.1, programs of this computer alone)"
    )
    parser.add_argument(
        "--open",
        action=argparse.BooleanOptionalAction,
        default=None,
        help="open the page in a browser (default: where there is a screen)",
    )
    parser.add_argument("--device", default="auto", help="auto (a GPU if there is one), cpu, cuda or cuda:N")
    arguments = parser.parse(argv)
    missing = [name for name in PACKAGES if find_spec(name) is None]
    if missing:
        raise UsageError(f"the explorer needs {' and '.join(missing)}: {install_command('app')}")

    from attseg.inference.segmenter import load
    from attseg.web.desk import Desk
    from attseg.web.folder import Folder
    from attseg.web.guard import is_loopback
    from attseg.web.limits import Limits
    from attseg.web.models import offer
    from attseg.web.serve import address, listen, new_token, serve

    limits = Limits()
    folder = Folder(arguments.pictures.expanduser(), limits) if arguments.pictures else None
    if folder and folder.left_out:
        print(
            f"{arguments.pictures}: {folder.left_out} pictures beyond the first {limits.files} are left out",
            file=sys.stderr,
        )
    listening = listen(arguments.host, arguments.port)
    choices = offer(arguments.runs, [load(source, device=arguments.device) for source in arguments.runs])
    token = new_token()
    url = address(listening, arguments.host, token)
    if not is_loopback(arguments.host):
        print(_warning(arguments.host), file=sys.stderr)
    desk = Desk(choices, folder, limits)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    with TemporaryDirectory(prefix="attseg-") as place:

        def announce() -> None:
            print(f"{url}\nCtrl-C ends it.", flush=True)
            if _has_screen() if arguments.open is None else arguments.open:
                _open_page(url, Path(place))

        serve(desk, listening, host=arguments.host, token=token, on_ready=announce)
    return 0


def _warning(host: str) -> str:
    return (
        f"warning: on {host}, other computers can reach this server. Who has the address with its token can look at the "
        "pictures that are kept, and let this computer work; nothing is encrypted on the way. Safer: leave --host out, and "
        "tunnel with `ssh -L`."
    )


def _has_screen() -> bool:
    return sys.platform in ("darwin", "win32") or bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def _open_page(url: str, place: Path) -> None:
    """Open the page by way of a file that only this user can read, for others can read the arguments of a browser."""
    file = place / "explore.html"
    page = f'<!doctype html><meta charset="utf-8"><meta http-equiv="refresh" content="0; url={escape(url)}">'
    with open_file(file, "x") as opened:
        opened.write(page)
    webbrowser.open(file.as_uri())
