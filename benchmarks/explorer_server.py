"""A server of the explorer in a process of its own, models with random weights for it, and a client that costs little."""

from __future__ import annotations

import asyncio
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from PIL import Image

from attseg.checkpoint import save_weights
from attseg.data.preprocessing import Preprocessing
from attseg.data.sets.scenes import SCENES, Scenes
from attseg.models import build_model
from attseg.recipes.recipe import ModelSpec


def make_run(folder: Path, model: str, encoder: str) -> Path:
    """A run folder of a model with random weights."""
    named = {"encoder": encoder, "pretrained": False}
    args = {"base_args": named} if model == "AttentionToRefine" else named
    folder.mkdir(parents=True)
    save_weights(
        folder / "best.safetensors",
        build_model(model, args, len(SCENES)).state_dict(),
        model=ModelSpec(name=model, args=args),
        classes=SCENES,
        preprocessing=Preprocessing(),
        info={},
    )
    return folder


class Answer(NamedTuple):
    """What came back."""

    status: int
    headers: dict[str, str]
    content: bytes

    def told(self) -> Any:
        """The JSON of an answer that has to be there."""
        if self.status >= 300:
            raise RuntimeError(f"{self.status}: {self.content[:200]!r}")
        return json.loads(self.content)


class Server:
    """A running server.

    Args:
        process: Its process.
        port: Where it listens.
        token: What its requests carry.
    """

    def __init__(self, process: subprocess.Popen[str], port: int, token: str) -> None:
        self.process = process
        self.port = port
        self.token = token


class Client:
    """One connection, kept open; no more than HTTP needs, so that 200 of them leave the processor to the server.

    Args:
        server: Whom it asks.
    """

    def __init__(self, server: Server) -> None:
        self._server = server
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def ask(self, method: str, path: str, content: bytes = b"", **headers: str) -> Answer:
        """Send a request and wait for its answer; an error of the connection is raised, and the next request opens a new one."""
        streams = self._streams or await asyncio.open_connection("127.0.0.1", self._server.port, limit=2**20)
        self._streams = None
        reader, writer = streams
        sent = {
            "Host": "127.0.0.1",
            "X-Attseg-Token": self._server.token,
            "Content-Length": str(len(content)),
            **headers,
        }
        lines = "".join(f"{name}: {value}\r\n" for name, value in sent.items())
        writer.write(f"{method} {path} HTTP/1.1\r\n{lines}\r\n".encode() + content)
        await writer.drain()
        first, *rest = (await reader.readuntil(b"\r\n\r\n")).decode().strip().split("\r\n")
        received = {name.lower(): value for name, _, value in (line.partition(": ") for line in rest)}
        body = await reader.readexactly(int(received.get("content-length", 0)))
        if received.get("connection") == "close":
            writer.close()
        else:
            self._streams = streams
        return Answer(int(first.split()[1]), received, body)


@contextmanager
def served(runs: Sequence[Path | str]) -> Iterator[Server]:
    """Runs, served while the block lasts; their numbers are their places."""
    command = [
        sys.executable,
        "-m",
        "attseg",
        "explore",
        *map(str, runs),
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
        found = re.fullmatch(r"http://\S+:(\d+)/#token=(\S+)\n", line)
        if found is None:
            raise RuntimeError(f"the server did not start: {line!r}")
        yield Server(process, int(found[1]), found[2])
    finally:
        process.terminate()
        process.wait(timeout=60)


def picture(height: int, width: int, seed: int, form: str = "JPEG") -> bytes:
    """A generated scene, encoded."""
    buffer = BytesIO()
    Image.fromarray(Scenes("val", size=(height, width), seed=seed)[0].image).save(buffer, form)
    return buffer.getvalue()


def quantiles(times: Sequence[float], *of: int) -> dict[str, float]:
    """Quantiles of seconds, in percent, and the longest, in milliseconds."""
    values = 1000 * np.asarray(times)
    shares = {f"p{q}_ms": float(np.percentile(values, q)) for q in of}
    return {"count": len(times), **shares, "max_ms": float(values.max())}
