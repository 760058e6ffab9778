"""``attseg explore``: a page on this computer that shows live what models see."""

from __future__ import annotations

import signal
import sys
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

from cyclopts import Parameter

from attseg.cli.options import Device, Whole
from attseg.errors import UsageError
from attseg.extras import install_command

PACKAGES = ("starlette", "uvicorn")


def run(
    run: str,
    /,
    *more: Annotated[
        str, Parameter(name="MORE", help="Further runs; the page lets you choose among them, and compare two.")
    ],
    pictures: Path | None = None,
    port: Whole = None,
    host: str = "127.0.0.1",
    open: Annotated[bool | None, Parameter(negative="--no-open")] = None,
    device: Device = "auto",
) -> int:
    """Open a page that shows live what models see and attend to.

    Drop or paste an image, pick one of a folder or a generated scene, and move over it to see what each pixel attends to.
    Nothing leaves this computer: the page is served on the loopback interface, and only for the printed address. Ctrl-C
    ends it.

    Files of at most 32 MiB and 40 million pixels are accepted; images of more than a million pixels, or longer than 1200,
    are scaled down for the models, which the page says.

    Args:
        run: A run folder, a .safetensors or exported file, owner/name of a repository on the Hugging Face hub, or demo.
        pictures: Folder whose images the page offers.
        port: Port to listen on; 0 takes any free port (default: the first free one from 8700).
        host: Address to listen on; the default answers programs of this computer alone.
        open: Open the page in a browser (default: where there is a screen).

    Examples:
        attseg explore demo
        attseg explore runs/pan runs/psanet --pictures photos/
        attseg explore runs/pan --port 9000 --no-open
        ssh -L 8700:localhost:8700 gpu 'attseg explore runs/pan'      on another computer, safely: open the address it prints
    """
    missing = [name for name in PACKAGES if find_spec(name) is None]
    if missing:
        raise UsageError(f"the explorer needs {' and '.join(missing)}: {install_command('app')}")

    from attseg.inference.segmenter import load
    from attseg.web.browser import has_screen, open_page
    from attseg.web.desk import Desk
    from attseg.web.folder import PictureFolder
    from attseg.web.guard import WARNING, is_loopback
    from attseg.web.limits import Limits
    from attseg.web.models import offer
    from attseg.web.serve import address, listen, new_token, serve

    limits = Limits()
    folder = PictureFolder(pictures.expanduser(), limits) if pictures else None
    if folder and folder.left_out:
        print(f"{pictures}: {folder.left_out} images beyond the first {limits.files} are left out", file=sys.stderr)
    listening = listen(host, port)
    choices = offer([run, *more], [load(source, device=device) for source in (run, *more)])
    token = new_token()
    url = address(listening, host, token)
    if not is_loopback(host):
        print(WARNING.format(host=host), file=sys.stderr)
    desk = Desk(choices, folder, limits)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    with TemporaryDirectory(prefix="attseg-") as place:

        def announce() -> None:
            print(f"{url}\nCtrl-C ends it.", flush=True)
            if has_screen() if open is None else open:
                open_page(url, Path(place))

        serve(desk, listening, host=host, token=token, on_ready=announce)
    return 0
