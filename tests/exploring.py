"""Explorers to ask: in the same process, or in one of their own."""

import asyncio
import http.client
import os
import re
import signal
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path

import httpx
import numpy as np
import torch
from PIL import Image

import attseg
from attseg.attention.tap import Tap
from attseg.data.classes import ClassTable
from attseg.data.preprocessing import Preprocessing
from attseg.inference.segmenter import Segmenter
from attseg.models import Segmentation
from attseg.web.app import make_app
from attseg.web.guard import Guard

CLASSES = ClassTable(("red", "green", "<script>"), ((255, 0, 0), (0, 255, 0), (0, 0, 255)))
PLAIN = Preprocessing((0.0, 0.0, 0.0), (1.0, 1.0, 1.0))
TOKEN = "the-token"
HERE = "http://127.0.0.1:8700"


class Strongest(torch.nn.Module):
    """The strongest colour wins; its one map is the picture itself."""

    def __init__(self):
        super().__init__()
        self.position = Tap("spatial")
        self.ran = 0

    def forward(self, images):
        self.ran += 1
        return Segmentation(self.position(images), {})


class Plain(torch.nn.Module):
    """The same without a map."""

    def forward(self, images):
        return Segmentation(images, {})


def segmenter(model):
    return Segmenter(model, CLASSES, PLAIN, device="cpu")


def picture(height=40, width=50, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)


def encoded(image, form="PNG", **options):
    buffer = BytesIO()
    image = image if isinstance(image, Image.Image) else Image.fromarray(image)
    image.save(buffer, form, **options)
    return buffer.getvalue()


class Client:
    """Requests with the token, as the page sends them; any header may be replaced, or left out by None."""

    def __init__(self, desk, *, addresses=False):
        self.desk = desk
        app = Guard(make_app(desk), token=TOKEN, names={"localhost"}, addresses=addresses)
        self._client = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=HERE)
        self._runner = asyncio.Runner()

    def ask(self, method, path, **options):
        return self.run(self.asking(method, path, **options))

    async def asking(self, method, path, *, headers=None, **options):
        given = {"X-Attseg-Token": TOKEN, **(headers or {})}
        kept = {name: value for name, value in given.items() if value is not None}
        return await self._client.request(method, path, headers=kept, **options)

    def upload(self, content, name="street.png", **options):
        return self.ask("POST", f"/api/pictures?name={name}", content=content, **options)

    def put(self, content, name="street.png"):
        """Upload a picture that is accepted; what the server says of it."""
        answer = self.upload(content, name)
        assert answer.status_code == 201, answer.text
        return answer.json()

    def run(self, work):
        return self._runner.run(work)

    def close(self):
        self.desk.close()
        assert self.desk.join(10)
        self._runner.close()


def refusal(answer, status):
    """The sentence of a refusal with this status."""
    assert answer.status_code == status, answer.text
    assert list(answer.json()) == ["error"]
    return answer.json()["error"]


class Server:
    """What was started, and where it listens."""

    def __init__(self, process):
        self.process = process
        line = process.stdout.readline()
        found = re.fullmatch(r"http://127\.0\.0\.1:(\d+)/#token=(\S+)\n", line)
        assert found, line + process.stdout.read()
        self.port, self.token = int(found[1]), found[2]

    def ask(self, method, path, body=None, timeout=30):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        try:
            connection.request(method, path, body, {"X-Attseg-Token": self.token})
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()

    def connect(self):
        return socket.create_connection(("127.0.0.1", self.port), timeout=15)

    def stop(self, how=signal.SIGINT):
        """Signal it; seconds until it says something or ends, its status, and what it said.

        What follows its last words is an interpreter being taken down, which takes torch seconds on a busy computer.
        """
        began = time.monotonic()
        self.process.send_signal(how)
        first = self.process.stdout.readline()
        while first == "Ctrl-C ends it.\n":
            first = self.process.stdout.readline()
        seconds = time.monotonic() - began
        said = self.process.stdout.read()  # communicate() would pass over what came along with the first line
        return seconds, self.process.wait(timeout=60), first + said


@contextmanager
def started(*command, **variables):
    places = os.pathsep.join([str(Path(__file__).parent), str(Path(attseg.__file__).parents[1])])
    environment = {**os.environ, "PYTHONPATH": places, "OMP_NUM_THREADS": "1", **variables}
    environment.pop("DISPLAY", None)
    process = subprocess.Popen(
        [sys.executable, *command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment
    )
    try:
        yield Server(process)
    finally:
        process.kill()
        process.communicate()
