"""A Chromium that is watched: no message on its console, and no request but to this computer."""

import shutil
from urllib.parse import urlsplit

import pytest

NAMES = ("chromium", "chromium-browser", "google-chrome")
LOCAL = {"file", "data", "blob"}
LOOPBACK = {"127.0.0.1", "localhost", "::1"}


@pytest.fixture(scope="module")
def browser():
    """The browser; skips where none is installed.

    It ends with its module: its event loop and processes would be in the way of other tests in the same process.
    """
    found = next(filter(None, map(shutil.which, NAMES)), None)
    if found is None:
        pytest.skip(f"no browser: install Chromium (Debian: apt install chromium), as one of {', '.join(NAMES)}")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        chromium = driver.chromium.launch(executable_path=found, args=["--no-sandbox"])
        yield chromium
        chromium.close()


@pytest.fixture
def chromium(browser):
    """Opens pages: ``chromium(url, width=1440, height=900, dark=False)``; afterwards none of them may have had an error.

    What a test expects to go wrong it takes out of ``chromium.complaints``.
    """
    contexts, complaints = [], []

    def open_page(url, *, width=1440, height=900, dark=False, **options):
        scheme = "dark" if dark else "light"
        context = browser.new_context(viewport={"width": width, "height": height}, color_scheme=scheme, **options)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("request", lambda request: complaints.append(request.url) if is_outside(request.url) else None)
        page.set_default_timeout(20_000)
        page.goto(url)
        return page

    open_page.complaints = complaints
    yield open_page
    for context in contexts:
        context.close()
    assert complaints == []


def is_outside(url):
    parts = urlsplit(url)
    return parts.scheme not in LOCAL and parts.hostname not in LOOPBACK
