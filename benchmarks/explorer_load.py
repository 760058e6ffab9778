"""What many clients at once do to the explorer: clicks, uploads, new pictures, and requests that must be refused."""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

import numpy as np
import psutil
from explorer_server import Answer, Client, Server, picture, quantiles

STATED = (429, 503)
"""What the server may answer where too much is asked of it at once."""

HOT = 8
"""Pictures that most clients look at again and again."""

FORBIDDEN: Sequence[tuple[str, str, dict[str, str], bytes, int]] = (
    ("GET", "/api/start", {"Host": "evil.example"}, b"", 403),
    ("POST", "/api/scenes/1", {"Origin": "http://evil.example"}, b"", 403),
    ("GET", "/api/start", {"X-Attseg-Token": "guessed"}, b"", 401),
    ("GET", "/..%2f..%2fetc%2fpasswd", {}, b"", 404),
    ("POST", "/api/pictures", {}, b"no picture at all", 422),
)
"""What must not be done, and the status that says so."""

LOOKERS = 3
"""Clients that bring new pictures all the time, so that models run during the whole load."""


class Load:
    """What clients do, and what came of it.

    Args:
        server: Whom they ask.
    """

    def __init__(self, server: Server) -> None:
        self._server = server
        self.end = 0.0
        self.files = [picture(160, 240, seed=seed, form="PNG") for seed in range(4)]
        self.times: dict[str, list[float]] = defaultdict(list)
        self.statuses: dict[str, Counter[int]] = defaultdict(Counter)
        self.problems: Counter[str] = Counter()
        self.keys: list[str] = []
        self.pairs: list[str] = []

    async def prepare(self) -> None:
        """Keep and see the pictures that most clients look at."""
        client = Client(self._server)
        for seed in range(HOT):
            key = (await client.ask("POST", f"/api/scenes/{seed}")).told()["key"]
            self.keys.append(key)
            for model in (0, 1):
                bundle = (await client.ask("GET", f"/api/pictures/{key}/models/{model}")).told()
        self.pairs = [quote(one["name"]) for one in bundle["sides"][0]["maps"] if one["kind"] == "pairwise"]

    async def visit(self, number: int) -> None:
        """One client: clicks, views, uploads, the page itself, and requests that must be refused."""
        dice, client = random.Random(number), Client(self._server)
        while time.perf_counter() < self.end:
            lot, key = dice.random(), dice.choice(self.keys)
            base = f"/api/pictures/{key}/models"
            if lot < 0.55:
                place = f"map={dice.choice(self.pairs)}&x={dice.randrange(240)}&y={dice.randrange(160)}"
                await self._ask("click", client, "GET", f"{base}/1/pairs?{place}")
            elif lot < 0.75:
                await self._ask("view", client, "GET", f"{base}/{dice.randrange(2)}")
            elif lot < 0.85:
                await self._ask("page", client, "GET", dice.choice(("/", "/viewer.js", "/explorer.css", "/api/start")))
            elif lot < 0.93:
                await self._ask("upload", client, "POST", "/api/pictures?name=a.png", dice.choice(self.files))
            else:
                method, path, headers, content, status = dice.choice(FORBIDDEN)
                await self._ask("refused", client, method, path, content, wanted=(status,), **headers)

    async def look(self, number: int) -> None:
        """One client that brings new pictures, and forgets each when it has seen it."""
        client, seed = Client(self._server), 1000 * (number + 1)
        while time.perf_counter() < self.end:
            seed += 1
            posted = await self._ask("scene", client, "POST", f"/api/scenes/{seed}")
            if posted is None or posted.status != 201:
                continue
            address = f"/api/pictures/{posted.told()['key']}"
            await self._ask("look", client, "GET", f"{address}/models/{seed % 2}")
            await self._ask("forget", client, "DELETE", address)

    async def _ask(
        self,
        kind: str,
        client: Client,
        method: str,
        path: str,
        content: bytes = b"",
        *,
        wanted: Sequence[int] = (200, 201, 204),
        **headers: str,
    ) -> Answer | None:
        began = time.perf_counter()
        try:
            answer = await client.ask(method, path, content, **headers)
        except (OSError, EOFError) as error:
            self.problems[f"{kind}: {type(error).__name__}"] += 1
            return None
        self.statuses[kind][answer.status] += 1
        if answer.status in wanted:
            self.times[kind].append(time.perf_counter() - began)
        elif answer.status in STATED and "retry-after" in answer.headers:
            await asyncio.sleep(0.1)  # sooner than it says, for this is a load
        else:
            self.problems[f"{kind}: {answer.status} {answer.content[:100]!r}"] += 1
        return answer


async def press(server: Server, clients: int, seconds: float) -> dict[str, Any]:
    """Press the server with so many clients for so long."""
    samples: list[tuple[float, int, int, int]] = []
    watched = psutil.Process(server.process.pid)
    load = Load(server)
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
                **(quantiles(load.times[kind], 50, 99) if load.times[kind] else {}),
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
    print("seconds of processor:", ", ".join(f"{name} {value:.1f}" for name, value in found["cpu_s"].items()))
    print(
        f"open files {found['files'][0]} to {found['files'][1]}, threads {found['threads'][0]} to {found['threads'][1]}"
    )
