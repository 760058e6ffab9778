"""``attseg explore``: a page on this computer that shows live what models see."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Annotated

from cyclopts import Parameter

from attseg.cli.options import Device, Folder, Whole
from attseg.cli.output import tell
from attseg.errors import UsageError
from attseg.extras import install_command

PACKAGES = ("starlette", "uvicorn")


def run(
    run: str,
    /,
    *more: Annotated[
        str, Parameter(name="MORE", help="Further runs; the page lets you choose among them, and compare two.")
    ],
    pictures: Folder = None,
    port: Whole = None,
    host: Annotated[str, Parameter(metavar="ADDRESS")] = "127.0.0.1",
    open: Annotated[bool | None, Parameter(negative="--no-open")] = None,
    device: Device = "auto",
) -> int:
    """Open a page in the browser that shows live what models predict and attend to.

    Drop or paste an image, pick one of a folder or a generated scene, and move over it to see what each pixel attends to.
    Nothing leaves this computer: the page is served on the loopback interface, only at the address that is printed. Ctrl-C
    ends it.

    Files may have 32 MiB and 40 million pixels. Images of more than a million pixels, or more than 1200 along a side, are scaled
    down for the models, and the page says so.

    Args:
        run: A run folder, a .safetensors or exported file, owner/name of a repository on the Hugging Face hub, or demo.
        pictures: Folder whose images the page offers.
        port: Port to listen on; 0 takes any free port (default: the first free one from 8700).
        host: Address to listen on; the default only answers programs on this computer.
        open: Open the page in a browser (default: if there is a screen).

    Examples:
        attseg explore demo
        attseg explore runs/pan runs/psanet --pictures photos/
        attseg explore runs/pan --port 9000 --no-open
        ssh -L 8700:localhost:8700 gpu 'attseg explore runs/pan'      on another computer, safely: open the address it prints
    """
    missing = [name for name in PACKAGES if find_spec(name) is None]
    if missing:
        raise UsageError(f"the explorer needs {' and '.join(missing)}: {install_command('app')}")

    from attseg.web.explore import explore

    announce = lambda url: print(f"{url}\nCtrl-C ends it.", flush=True)  # noqa: E731
    explore([run, *more], pictures, host=host, port=port, browser=open, device=device, tell=tell, announce=announce)
    return 0
