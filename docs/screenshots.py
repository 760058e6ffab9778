"""Take the pictures of pages that the guides show: ``python docs/screenshots.py PSANET_RUN``.

PSANET_RUN is a run folder of ``attseg train psanet-scenes --steps 300``; the other model is the bundled one. Chromium has to be
installed. Only generated scenes are shown. Pictures are written with 256 colours where they would be large with all.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

from attseg.cli import main as attseg

DOCS = Path(__file__).parent
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
LARGEST = 290_000  # bytes of a picture
SCENE = "scene:3"
AT = "#at=217%2C170&pin=1&opacity=65&colors=inferno"
COLLECT, PYRAMID = "context.psa.branches.collect.attention", "context.pyramid"


def main() -> None:
    """Take all of them."""
    (psanet,) = sys.argv[1:]
    path = next(filter(None, map(shutil.which, BROWSERS)), None)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=path, args=["--no-sandbox"])
        two, one = Path(folder) / "two.html", Path(folder) / "one.html"
        attseg(["explain", psanet, SCENE, "--against", "demo", "--out", str(two)])
        attseg(["explain", "demo", SCENE, "--out", str(one)])
        for dark in (False, True):
            with opened(browser, f"{two.as_uri()}{AT}&show={COLLECT}&show2={PYRAMID}", 1280, 820, dark=dark) as page:
                take(page, "explain-page-dark" if dark else "explain-page")
        with opened(browser, f"{one.as_uri()}{AT}&show=prediction", 390, 844, dark=True, sharp=2) as page:
            take(page, "explain-page-phone")
        take_explorer(browser, psanet)
        browser.close()


def take_explorer(browser: Browser, psanet: str) -> None:
    """The explorer with two models and a few scenes kept."""
    command = [sys.executable, "-m", "attseg", "explore", psanet, "demo", "--port", "0", "--no-open"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        try:
            with opened(browser, server.stdout.readline().strip(), 1280, 860, wait="#welcome:not([hidden])") as page:
                page.select_option("#compare", "1")
                for seed in (8, 2, 5):
                    page.fill("#seed", str(seed))
                    page.click("#show-scene")
                    page.wait_for_selector(f".viewer h1:text-is('scene {seed}')", timeout=120_000)
                    page.wait_for_selector("#busy", state="hidden")
                sides = page.locator(".viewer .side")
                sides.nth(0).locator(f"[data-layer='{COLLECT}']").click()
                sides.nth(1).locator(f"[data-layer='{PYRAMID}']").click()
                sides.nth(0).locator("canvas.picture").click(position={"x": 210, "y": 190})
                page.mouse.move(0, 0)
                page.wait_for_timeout(1500)
                take(page, "explorer")
        finally:
            server.terminate()


@contextmanager
def opened(
    browser: Browser,
    address: str,
    width: int,
    height: int,
    *,
    dark: bool = False,
    sharp: int = 1,
    wait: str = ".viewer",
) -> Iterator[Page]:
    """A page in a window of a size."""
    page = browser.new_page(
        viewport={"width": width, "height": height},
        color_scheme="dark" if dark else "light",
        device_scale_factor=sharp,
    )
    page.goto(address)
    page.wait_for_selector(wait, timeout=120_000)
    page.wait_for_timeout(1000)
    yield page
    page.close()


def take(page: Page, name: str) -> None:
    """Write what the window shows."""
    picture = Image.open(BytesIO(page.screenshot())).convert("RGB")
    file = DOCS / "pictures" / f"{name}.png"
    picture.save(file, optimize=True)
    if file.stat().st_size > LARGEST:
        palette = picture.quantize(256)
        picture.quantize(palette=palette, dither=Image.Dither.FLOYDSTEINBERG).save(file, optimize=True)
    print(f"{file.name}: {file.stat().st_size // 1000} kB")


if __name__ == "__main__":
    main()
