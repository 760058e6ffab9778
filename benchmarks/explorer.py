"""How fast the explorer answers a click, and what 200 clients at once do to it.

The server runs in a process of its own (``attseg explore``), the clients in this one, on the loopback. PSANet stands in with
random weights, for what a click costs does not depend on them.

    python benchmarks/explorer.py clicks
    python benchmarks/explorer.py load --clients 200 --seconds 60
    python benchmarks/explorer.py load --clients 50 --seconds 4 --json
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import re
import subprocess
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import psutil
from PIL import Image

from attseg.checkpoint import save_weights
from attseg.data.preprocessing import Preprocessing
from attseg.data.sets.scenes import SCENES, Scenes
from attseg.models import build_model
from attseg.recipes.recipe import ModelSpec

STATED = (429, 503)
"""What the server may answer where too much is asked of it at once."""

HOT = 8
"""Pictures that most clients look at again and again."""

LOOKERS = 3
"""Clients that bring new pictures all the time, so that models run during the whole load."""


def main() -> int:
    """Measure, and print a table or JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("clicks", "load"))
    parser.add_argument("--clients", type=int, default=200)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--encoder", default="resnet18", help="of the PSANet")
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, served(make_run(Path(folder) / "psanet", args.encoder)) as server:
        found = asyncio.run(
            measure_clicks(server) if args.what == "clicks" else press(server, args.clients, args.seconds)
        )
    if args.json:
        print(json.dumps(found))
    elif args.what == "clicks":
        print_clicks(found)
    else:
        print_load(found)
    return 0 if args.what == "clicks" or not found["failed"] else 1


def make_run(folder: Path, encoder: str) -> Path:
    """A run folder of a PSANet with random weights."""
    args = {"encoder": encoder, "pretrained": False}
    model = build_model("PSANet", args, len(SCENES))
    folder.mkdir(parents=True)
    save_weights(
        folder / "best.safetensors",
        model.state_dict(),
        model=ModelSpec(name="PSANet", args=args),
        classes=SCENES,
        preprocessing=Preprocessing(),
        info={},
    )
    return folder


class Server:
    """A running server.

    Args:
        process: Its process.
        base: Its address.
        token: What its requests carry.
    """

    def __init__(self, process: subprocess.Popen[str], base: str, token: str) -> None:
        self.process = process
        self.base = base
        self.headers = {"X-Attseg-Token": token}

    def client(self) -> httpx.AsyncClient:
        """What asks it, over as many connections as are wanted at once."""
        return httpx.AsyncClient(
            base_url=self.base, headers=self.headers, timeout=120, limits=httpx.Limits(), verify=False
        )


@contextmanager
def served(run: Path) -> Iterator[Server]:
    """The demo model and a run, served while the block lasts."""
    command = [
        sys.executable,
        "-m",
        "attseg",
        "explore",
        "demo",
        str(run),
        "--port",
        "0",
        "--no-open",
        "--device",
        "cpu",
    ]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        found = re.fullmatch(r"(http://\S+:\d+)/#token=(\S+)\n", line)
        if found is None:
            raise RuntimeError(f"the server did not start: {line!r}")
        yield Server(process, found[1], found[2])
    finally:
        process.terminate()
        process.wait(timeout=60)


def picture(height: int, width: int, seed: int, form: str = "JPEG") -> bytes:
    """A generated scene, encoded."""
    buffer = BytesIO()
    Image.fromarray(Scenes("val", size=(height, width), seed=seed)[0].image).save(buffer, form)
    return buffer.getvalue()


# --- clicks


async def measure_clicks(server: Server) -> dict[str, Any]:
    """Seconds until a picture is seen, and milliseconds of the clicks that follow."""
    found: dict[str, Any] = {}
    async with server.client() as client:
        for height, width in ((160, 240), (360, 480), (2000, 3000)):
            posted = await client.post("/api/pictures?name=scene", content=picture(height, width, 1))
            told = posted.raise_for_status().json()
            base = f"/api/pictures/{told['key']}/models/1"
            began = time.perf_counter()
            answer = await client.get(base)
            looked = time.perf_counter() - began
            maps = [one for one in answer.raise_for_status().json()["sides"][0]["maps"] if one["kind"] == "pairwise"]
            times = []
            for number in range(100):
                x, y = random.Random(number).randrange(told["width"]), random.Random(-number).randrange(told["height"])
                began = time.perf_counter()
                for one in maps:  # as the page does: of every pairwise map
                    pairs = await client.get(f"{base}/pairs", params={"map": one["name"], "x": x, "y": y})
                    pairs.raise_for_status()
                times.append(time.perf_counter() - began)
            found[f"{width} x {height}"] = {
                "seen": [told["width"], told["height"]],
                "cells": maps[0]["size"],
                "look_s": looked,
                "bundle_mib": len(answer.content) / 2**20,
                **quantiles(times),
            }
    return found


def print_clicks(found: dict[str, Any]) -> None:
    """The table of ``measure_clicks``."""
    print("| picture | seen at | pairwise map | look | bundle | click: median | 99 % | longest |")
    print("| --- | --- | --- | ---: | ---: | ---: | ---: | ---: |")
    for name, one in found.items():
        seen, cells = (" x ".join(map(str, pair)) for pair in (one["seen"], one["cells"][::-1]))
        times = " | ".join(f"{one[part]:.1f} ms" for part in ("p50_ms", "p99_ms", "max_ms"))
        print(f"| {name} | {seen} | {cells} | {one['look_s']:.2f} s | {one['bundle_mib']:.2f} MiB | {times} |")


# --- load


class Load:
    """What clients do, and what came of it.

    Args:
        client: Through which they ask; each request at a time has a connection of its own.
    """

    def __init__(self, client: httpx.AsyncClient) -> None:
        self._client = client
        self.end = 0.0
        self.files = [picture(160, 240, seed=seed, form="PNG") for seed in range(4)]
        self.times: dict[str, list[float]] = defaultdict(list)
        self.statuses: dict[str, Counter[int]] = defaultdict(Counter)
        self.problems: Counter[str] = Counter()
        self.keys: list[str] = []
        self.pairs: list[str] = []

    async def prepare(self) -> None:
        """Keep and see the pictures that most clients look at."""
        for seed in range(HOT):
            key = (await self._client.post(f"/api/scenes/{seed}")).raise_for_status().json()["key"]
            self.keys.append(key)
            for model in (0, 1):
                bundle = (await self._client.get(f"/api/pictures/{key}/models/{model}")).raise_for_status().json()
        self.pairs = [one["name"] for one in bundle["sides"][0]["maps"] if one["kind"] == "pairwise"]

    async def visit(self, number: int) -> None:
        """One client: clicks, views, uploads, the page itself, and requests that must be refused."""
        dice = random.Random(number)
        while time.perf_counter() < self.end:
            lot, key = dice.random(), dice.choice(self.keys)
            base = f"/api/pictures/{key}/models"
            x, y = dice.randrange(240), dice.randrange(160)
            if lot < 0.55:
                query = {"map": dice.choice(self.pairs), "x": x, "y": y}
                await self._ask("click", "GET", f"{base}/1/pairs", params=query)
            elif lot < 0.75:
                await self._ask("view", "GET", f"{base}/{dice.randrange(2)}")
            elif lot < 0.85:
                await self._ask("page", "GET", dice.choice(("/", "/viewer.js", "/explorer.css", "/api/start")))
            elif lot < 0.93:
                await self._ask("upload", "POST", "/api/pictures?name=a.png", content=dice.choice(self.files))
            else:
                await self._refused(dice)

    async def look(self, number: int) -> None:
        """One client that brings new pictures, and forgets each when it has seen it."""
        seed = 1000 * (number + 1)
        while time.perf_counter() < self.end:
            seed += 1
            posted = await self._ask("scene", "POST", f"/api/scenes/{seed}")
            if posted is None or posted.status_code != 201:
                continue
            address = f"/api/pictures/{posted.json()['key']}"
            await self._ask("look", "GET", f"{address}/models/{seed % 2}")
            await self._ask("forget", "DELETE", address)

    async def _refused(self, dice: random.Random) -> None:
        """Something that must not be done, which has a status of its own."""
        method, path, headers, content, status = dice.choice(
            (
                ("GET", "/api/start", {"Host": "evil.example"}, None, 403),
                ("POST", "/api/scenes/1", {"Origin": "http://evil.example"}, None, 403),
                ("GET", "/api/start", {"X-Attseg-Token": "guessed"}, None, 401),
                ("GET", "/..%2f..%2fetc%2fpasswd", {}, None, 404),
                ("POST", "/api/pictures", {}, b"no picture at all", 422),
            )
        )
        await self._ask("refused", method, path, headers=headers, content=content, wanted=(status,))

    async def _ask(
        self,
        kind: str,
        method: str,
        path: str,
        *,
        wanted: Sequence[int] = (200, 201, 204),
        **options: Any,
    ) -> httpx.Response | None:
        began = time.perf_counter()
        try:
            answer = await self._client.request(method, path, **options)
        except httpx.HTTPError as error:
            self.problems[f"{kind}: {type(error).__name__}"] += 1
            return None
        self.statuses[kind][answer.status_code] += 1
        if answer.status_code in wanted:
            self.times[kind].append(time.perf_counter() - began)
        elif answer.status_code in STATED and "Retry-After" in answer.headers:
            await asyncio.sleep(0.1)  # sooner than it says, for this is a load
        else:
            self.problems[f"{kind}: {answer.status_code} {answer.text[:100]}"] += 1
        return answer


async def press(server: Server, clients: int, seconds: float) -> dict[str, Any]:
    """Press the server with so many clients for so long."""
    samples: list[tuple[float, int, int, int]] = []
    watched = psutil.Process(server.process.pid)
    async with server.client() as client:
        load = Load(client)
        await load.prepare()
        began, own, theirs = time.perf_counter(), time.process_time(), sum(watched.cpu_times()[:2])
        load.end = began + seconds

        async def watch() -> None:
            while time.perf_counter() < load.end:
                now = time.perf_counter() - began
                samples.append((now, watched.memory_info().rss, watched.num_fds(), watched.num_threads()))
                await asyncio.sleep(0.2)

        lookers = [load.look(number) for number in range(min(LOOKERS, clients))]
        visitors = [load.visit(number) for number in range(clients - len(lookers))]
        await asyncio.gather(watch(), *lookers, *visitors)
    spent = time.perf_counter() - began
    cpu = {"server": sum(watched.cpu_times()[:2]) - theirs, "clients": time.process_time() - own}
    second, last = (
        [rss for at, rss, *_ in samples if low <= at / seconds < high] for low, high in ((1 / 3, 2 / 3), (2 / 3, 9))
    )
    kinds = sorted(load.statuses)
    return {
        "clients": clients,
        "seconds": round(spent, 1),
        "requests": sum(sum(load.statuses[kind].values()) for kind in kinds),
        "kinds": {
            kind: {
                "statuses": dict(sorted(load.statuses[kind].items())),
                **(quantiles(load.times[kind]) if load.times[kind] else {}),
            }
            for kind in kinds
        },
        "failed": dict(load.problems),
        "rss_mib": {
            "first": samples[0][1] / 2**20,
            "second third": float(np.median(second)) / 2**20,
            "last third": float(np.median(last)) / 2**20,
            "most": max(rss for _, rss, *_ in samples) / 2**20,
        },
        "cpu_s": cpu,
        "files": [samples[0][2], max(files for _, _, files, _ in samples)],
        "threads": [samples[0][3], max(threads for *_, threads in samples)],
        "alive": server.process.poll() is None,
    }


def quantiles(times: Sequence[float]) -> dict[str, float]:
    """Median, 99 % and longest, in milliseconds."""
    values = 1000 * np.asarray(times)
    return {
        "count": len(times),
        **{f"p{q}_ms": float(np.percentile(values, q)) for q in (50, 99)},
        "max_ms": float(values.max()),
    }


def print_load(found: dict[str, Any]) -> None:
    """The table of ``press``."""
    print(f"{found['requests']} requests of {found['clients']} clients in {found['seconds']} s\n")
    print("| request | done | told to come again | median | 99 % | longest |")
    print("| --- | ---: | ---: | ---: | ---: | ---: |")
    for kind, one in found["kinds"].items():
        again = sum(count for status, count in one["statuses"].items() if status in STATED)
        times = " | ".join(f"{one[part]:.0f} ms" if part in one else "" for part in ("p50_ms", "p99_ms", "max_ms"))
        print(f"| {kind} | {one.get('count', 0)} | {again} | {times} |")
    print(f"\nother answers and errors: {found['failed'] or 'none'}")
    print("memory of the server, MiB:", ", ".join(f"{name} {value:.0f}" for name, value in found["rss_mib"].items()))
    print(
        f"open files {found['files'][0]} to {found['files'][1]}, threads {found['threads'][0]} to {found['threads'][1]}"
    )


if __name__ == "__main__":
    sys.exit(main())
