"""An explorer without a process: its requests as a client in the same process makes them."""

import asyncio
from io import BytesIO

import httpx
import numpy as np
import torch
from PIL import Image

from attseg.attention.tap import Tap
from attseg.data.classes import ClassTable
from attseg.data.preprocessing import Preprocessing
from attseg.explorer.app import make_app
from attseg.explorer.guard import Guard
from attseg.inference.segmenter import Segmenter
from attseg.models import Segmentation

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
