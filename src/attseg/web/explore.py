"""The explorer from start to end: models and pictures are opened, a port is found, and the page is served."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from attseg.inference.segmenter import load
from attseg.web.browser import has_screen, open_page
from attseg.web.desk import Desk
from attseg.web.folder import PictureFolder
from attseg.web.guard import WARNING, is_loopback
from attseg.web.limits import Limits
from attseg.web.models import offer
from attseg.web.serve import address, listen, new_token, serve


def explore(
    runs: Sequence[str],
    pictures: Path | None,
    *,
    host: str,
    port: int | None,
    browser: bool | None,
    device: str,
    tell: Callable[[str], None],
    announce: Callable[[str], None],
) -> None:
    """Serve the page until Ctrl-C.

    Args:
        runs: The models to choose from, as ``load`` takes them.
        pictures: Folder whose images the page offers.
        host: Address to listen on.
        port: Port; None takes the first free one.
        browser: Whether a browser is opened; None opens one where there is a screen.
        device: Where the models are.
        tell: Called with remarks.
        announce: Called with the address once the page is there.

    Raises:
        UsageError: There is no such run or folder, or the port is taken.
    """
    limits = Limits()
    folder = PictureFolder(pictures.expanduser(), limits) if pictures else None
    if folder and folder.left_out:
        tell(f"{pictures}: {folder.left_out} images beyond the first {limits.files} are left out")
    listening = listen(host, port)
    desk = Desk(offer(runs, [load(run, device=device) for run in runs]), folder, limits)
    token = new_token()
    url = address(listening, host, token)
    if not is_loopback(host):
        tell(WARNING.format(host=host))
    with TemporaryDirectory(prefix="attseg-") as place:

        def ready() -> None:
            announce(url)
            if has_screen() if browser is None else browser:
                open_page(url, Path(place))

        serve(desk, listening, host=host, token=token, on_ready=ready)
