"""The time from a click in the explorer to the frame that shows all of it, as a browser measures it."""

from __future__ import annotations

import json
import random
import shutil
import statistics
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http.client import HTTPConnection
from typing import Any

from explorer_server import Server, picture, quantiles
from playwright.sync_api import Page, sync_playwright

SIZES = ((360, 480), (2000, 3000))
"""Height and width of the pictures."""

CLICKS = 40
"""At places of the picture that are drawn evenly."""

BROWSERS = ("chromium", "chromium-browser", "google-chrome")

MEASURE = """async (places) => {
  const canvas = document.querySelector(".viewer canvas.picture");
  const frame = () => new Promise(requestAnimationFrame);
  const rest = () => new Promise((resolve) => setTimeout(resolve));
  const own = window.fetch;
  let waiting = 0;
  window.fetch = async (...asked) => {
    waiting += 1;
    const answer = await own(...asked);
    const json = answer.json.bind(answer);
    answer.json = async () => {
      const told = await json();
      setTimeout(() => { waiting -= 1; });  // when what was told has been drawn
      return told;
    };
    return answer;
  };
  const times = [];
  for (const [across, down] of places) {
    const { left, top, width, height } = canvas.getBoundingClientRect();
    const place = { clientX: left + across * width, clientY: top + down * height };
    const began = performance.now();
    canvas.dispatchEvent(new PointerEvent("pointerdown", { ...place, button: 0, pointerType: "mouse", bubbles: true }));
    await frame();  // all values are written and the map is painted, or the server is asked for pairs
    while (waiting) await rest();
    await frame();
    await rest();  // the frame is on its way to the screen
    times.push((performance.now() - began) / 1000);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  window.fetch = own;
  return times;
}"""
"""Clicks at places, as shares of the picture, and gives the seconds of each."""


def measure_clicks(server: Server, models: Sequence[str], repeats: int) -> list[dict[str, Any]]:
    """For each model and size the seconds of the forward pass, and of the clicks after it."""
    found = []
    with chromium() as page:
        for height, width in SIZES:
            told = _ask(server, "POST", "/api/pictures?name=scene", picture(height, width, 1))
            for number, model in enumerate(models):
                began = time.perf_counter()
                _ask(server, "GET", f"/api/pictures/{told['key']}/models/{number}")
                looked = time.perf_counter() - began
                page.goto(f"http://127.0.0.1:{server.port}/?picture={told['key']}&models={number}#token={server.token}")
                page.wait_for_selector(".viewer .card", timeout=60_000)
                page.locator(".viewer .tab").nth(3).click()  # the first map
                runs = [page.evaluate(MEASURE, _places(seed)) for seed in range(repeats)]
                found.append(
                    {
                        "model": model,
                        "picture": [width, height],
                        "seen": [told["width"], told["height"]],
                        "look_s": looked,
                        "medians_ms": [1000 * statistics.median(run) for run in runs],
                        **quantiles([one for run in runs for one in run], 50, 95),
                    }
                )
    return found


def print_clicks(found: Sequence[dict[str, Any]]) -> None:
    """The table of ``measure_clicks``."""
    print("| model | picture | seen at | forward pass | click to picture: median | of each run | 95 % | longest |")
    print("| --- | --- | --- | ---: | ---: | ---: | ---: | ---: |")
    for one in found:
        given, seen = (" x ".join(map(str, one[part])) for part in ("picture", "seen"))
        median, most, longest = (f"{one[part]:.0f} ms" for part in ("p50_ms", "p95_ms", "max_ms"))
        each = ", ".join(f"{value:.0f}" for value in one["medians_ms"])
        print(f"| {one['model']} | {given} | {seen} | {one['look_s']:.1f} s | {median} | {each} | {most} | {longest} |")


@contextmanager
def chromium() -> Iterator[Page]:
    """A page of a browser without a window, 1280 x 900."""
    path = next(filter(None, map(shutil.which, BROWSERS)), None)
    if path is None:
        raise SystemExit(f"clicks are measured in a browser; none was found (looked for {', '.join(BROWSERS)})")
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser.new_page(viewport={"width": 1280, "height": 900})
        browser.close()


def _ask(server: Server, method: str, path: str, content: bytes = b"") -> Any:
    """What the server says; not with ``Client``, for playwright has this thread's loop."""
    connection = HTTPConnection("127.0.0.1", server.port)
    connection.request(method, path, content, {"X-Attseg-Token": server.token})
    answer = connection.getresponse()
    told = json.loads(answer.read())
    connection.close()
    if answer.status >= 300:
        raise RuntimeError(f"{path}: {told}")
    return told


def _places(seed: int) -> list[tuple[float, float]]:
    dice = random.Random(seed)
    return [(dice.random(), dice.random()) for _ in range(CLICKS)]
