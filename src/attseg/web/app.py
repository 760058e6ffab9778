"""The requests of the explorer; ``docs/inside/explorer.md`` lists them."""

from __future__ import annotations

import base64
import re
from collections.abc import Awaitable, Callable
from importlib import resources
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from attseg.data.sample import DataError
from attseg.errors import UsageError
from attseg.explain.page.assets import viewer_script, viewer_style
from attseg.text import harmless, short
from attseg.web.body import Uploads
from attseg.web.desk import LAST_SEED, SCENE_SIZE, Desk
from attseg.web.refusal import Refused
from attseg.web.shelf import Kept

LONGEST_NAME = 120
"""Characters of a picture's name that are kept."""

KINDS = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
"""Media types of the page's files, by suffix."""


def make_app(desk: Desk) -> Starlette:
    """The application, which ``Guard`` stands before.

    Args:
        desk: What does the work.
    """
    return Starlette(
        routes=[*_static_routes(), *Requests(desk).routes()],
        exception_handlers={
            Refused: _refused,
            DataError: _wrong_picture,
            UsageError: _wrong_picture,
            HTTPException: _no_such_address,
            Exception: _unforeseen,
        },
    )


class Requests:
    """One method a request.

    Args:
        desk: What does the work.
    """

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._uploads = Uploads(desk.limits)

    def routes(self) -> list[Route]:
        """Their addresses."""
        picture = "/api/pictures/{key}"
        return [
            Route("/api/start", self.start, methods=["GET"]),
            Route("/api/pictures", self.upload, methods=["POST"]),
            Route("/api/files/{number}", self.file, methods=["POST"]),
            Route("/api/files/{number}/thumbnail", self.thumbnail, methods=["GET"]),
            Route("/api/scenes/{seed}", self.scene, methods=["POST"]),
            Route(picture, self.drop, methods=["DELETE"]),
            Route(f"{picture}/models/{{model}}", self.view, methods=["GET"]),
            Route(f"{picture}/models/{{model}}/pairs", self.pairs, methods=["GET"]),
            Route(f"{picture}/models/{{model}}/without", self.without, methods=["GET"]),
        ]

    async def start(self, _: Request) -> Response:
        """The models and images to choose from."""
        desk = self._desk
        folder = desk.folder
        return JSONResponse(
            {
                "models": [
                    {
                        "name": short(choice.name),
                        "network": type(choice.segmenter.model).__name__,
                        "classes": len(choice.segmenter.classes),
                        "attends": choice.attends,
                    }
                    for choice in desk.choices
                ],
                "folder": folder and {"name": folder.name, "files": folder.names(), "left_out": folder.left_out},
                "pictures": [_told(kept) for kept in desk.shelf],
                "scene": {"height": SCENE_SIZE[0], "width": SCENE_SIZE[1], "last_seed": LAST_SEED},
                "limits": {"upload_bytes": desk.limits.upload_bytes, "kept_pictures": desk.limits.kept_pictures},
            }
        )

    async def upload(self, request: Request) -> Response:
        """Keep the picture in the body."""
        name = _printable(request.query_params.get("name", "")) or "picture"
        return _created(await self._desk.keep_upload(await self._uploads.receive(request), name))

    async def file(self, request: Request) -> Response:
        """Keep a picture of the folder."""
        return _created(await self._desk.keep_file(_whole(request.path_params["number"], "the number of a file")))

    async def thumbnail(self, request: Request) -> Response:
        """Show a picture of the folder, small."""
        number = _whole(request.path_params["number"], "the number of a file")
        return Response(await self._desk.small_file(number), media_type="image/jpeg")

    async def scene(self, request: Request) -> Response:
        """Keep a generated scene."""
        return _created(await self._desk.keep_scene(_whole(request.path_params["seed"], "the seed")))

    async def drop(self, request: Request) -> Response:
        """Forget a picture."""
        self._desk.shelf.drop(request.path_params["key"])
        return Response(status_code=204)

    async def view(self, request: Request) -> Response:
        """A model's view of an image."""
        seen = await self._desk.view(request.path_params["key"], _model(request))
        return Response(seen.content, media_type="application/json")

    async def pairs(self, request: Request) -> Response:
        """Attention of a pixel in a pairwise map."""
        asked = request.query_params
        x, y = (_whole(asked.get(name, ""), name) for name in ("x", "y"))
        key, name = request.path_params["key"], asked.get("map", "")
        return JSONResponse(await self._desk.pairs(key, _model(request), name, x, y))

    async def without(self, request: Request) -> Response:
        """What a picture becomes without a map."""
        asked, key = request.query_params, request.path_params["key"]
        other = _whole(asked["other"], "the number of the other model") if "other" in asked else None
        name, how = asked.get("map", ""), asked.get("how", "off")
        content = await self._desk.without(key, _model(request), name, how, other)
        return Response(content, media_type="application/json")


def _model(request: Request) -> int:
    return _whole(request.path_params["model"], "the number of a model")


def _whole(text: str, what: str) -> int:
    if not re.fullmatch(r"[0-9]{1,10}", text):
        raise Refused(422, f"{what} is {text[:40]!r}; a whole number was expected")
    return int(text)


def _printable(name: str) -> str:
    """A name that can be shown on a line; the page shows it as text, never as HTML."""
    return "".join(
        character for character in name if character.isprintable() and harmless(character) == character
    ).strip()[:LONGEST_NAME]


def _created(kept: Kept) -> Response:
    return JSONResponse(_told(kept), 201)


def _told(kept: Kept) -> dict[str, Any]:
    height, width = kept.picture.image.shape[:2]
    small = f"data:image/jpeg;base64,{base64.b64encode(kept.small).decode()}"
    return {"key": kept.key, "name": kept.picture.name, "height": height, "width": width, "small": small}


def _static_routes() -> list[Route]:
    """The files of the page, read once; no other file of this computer has an address."""
    own = {file.name: file.read_bytes() for file in resources.files("attseg.web").joinpath("static").iterdir()}
    files = {"viewer.js": viewer_script().encode(), "viewer.css": viewer_style().encode(), **own}
    addresses = {name: "" if name == "index.html" else name for name in files}
    return [
        Route(f"/{addresses[name]}", _file(content, Path(name).suffix), methods=["GET"])
        for name, content in files.items()
    ]


def _file(content: bytes, suffix: str) -> Callable[[Request], Awaitable[Response]]:
    async def answer(_: Request) -> Response:
        return Response(content, headers={"Content-Type": KINDS[suffix]})

    return answer


async def _refused(_: Request, error: Exception) -> Response:
    assert isinstance(error, Refused)
    return error.response()


async def _wrong_picture(_: Request, error: Exception) -> Response:
    return Refused(422, str(error)).response()


async def _no_such_address(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    if error.status_code == 405:
        return Refused(405, f"{request.method} is not answered at this address").response()
    return Refused(error.status_code, "there is nothing at this address").response()


async def _unforeseen(_: Request, error: Exception) -> Response:
    return Refused(500, f"{type(error).__name__}: {error} (the terminal shows where)").response()
