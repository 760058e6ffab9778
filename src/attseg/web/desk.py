"""Jobs of the explorer: reads and keeps images, runs models on them, and answers what a pixel attends to."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import cast, get_args

from attseg.data.preprocessing import Preprocessing
from attseg.data.sets.scenes import Scenes
from attseg.explain.switching import How
from attseg.web.folder import PictureFolder
from attseg.web.lane import Lane
from attseg.web.limits import Limits
from attseg.web.models import ModelChoice, Stop
from attseg.web.picture import Picture, fit, read_picture, thumbnail
from attseg.web.refusal import Refused
from attseg.web.seen import KeptPass, see, see_without
from attseg.web.shelf import Kept, Shelf

SCENE_SIZE = (160, 240)
"""Height and width of generated scenes, at which the bundled model does well."""

LAST_SEED = 2**32 - 1
"""The largest seed of a scene."""


class Desk:
    """All that requests share.

    Reading pictures, running models and reading pixels each have a thread of their own, so that clicks are answered while a model
    runs. One model runs at a time.

    Args:
        choices: The models on offer.
        folder: The pictures on offer, if a folder was named.
        limits: What all of it may take.
    """

    def __init__(self, choices: Sequence[ModelChoice], folder: PictureFolder | None, limits: Limits) -> None:
        self.choices = choices
        self.folder = folder
        self.limits = limits
        self.shelf = Shelf(limits)
        self._read_as = choices[0].segmenter.preprocessing if choices else Preprocessing()
        self._stop = Stop(limits.look_seconds)
        self._reading = Lane("pictures to be read", limits.looks)
        self._looking = Lane("pictures to be seen", limits.looks)
        self._clicks = Lane("clicks", limits.reads)
        self._under_way: dict[tuple[str, int], asyncio.Task[KeptPass]] = {}

    def close(self) -> None:
        """Stop what is under way and refuse what waits."""
        self._stop.set()
        for lane in (self._reading, self._looking, self._clicks):
            lane.close()

    def join(self, seconds: float) -> bool:
        """Wait for the threads to end; whether they have."""
        ended = [lane.join(seconds) for lane in (self._reading, self._looking, self._clicks)]
        return all(ended)

    async def keep_upload(self, content: bytes, name: str) -> Kept:
        """Keep the picture that a file holds."""
        return await self._keep(lambda: read_picture(content, name, self.limits, self._read_as))

    async def keep_file(self, number: int) -> Kept:
        """Keep a picture of the folder."""
        return await self._keep(lambda: self._read_file(number))

    async def keep_scene(self, seed: int) -> Kept:
        """Keep a generated scene."""
        if not 0 <= seed <= LAST_SEED:
            raise Refused(422, f"the seed is {seed}; a whole number from 0 to {LAST_SEED} was expected")
        if self._read_as.bands is not None:
            raise Refused(422, "scenes are red, green and blue, and the models see other bands; give an image file")
        return await self._keep(lambda: _paint(seed, self.limits))

    async def small_file(self, number: int) -> bytes:
        """The thumbnail of a picture of the folder."""
        return await self._reading.run(lambda: thumbnail(self._read_file(number, draft=True).image))

    async def view(self, key: str, model: int) -> KeptPass:
        """A model's forward pass over a kept image; it runs on first use, once for all clients."""
        if not 0 <= model < len(self.choices):
            raise Refused(404, f"there is no model {model}; there are {len(self.choices)}, counted from 0")
        kept = self.shelf.take(key)
        if model in kept.seen:
            return kept.seen[model]
        job = key, model
        if job not in self._under_way:
            task = asyncio.create_task(self._see(kept, model))
            self._under_way[job] = task
            task.add_done_callback(lambda _: self._under_way.pop(job))
        return await self._under_way[job]

    async def pairs(self, key: str, model: int, name: str, x: int, y: int) -> dict[str, object]:
        """The weights of a pixel in a pairwise map."""
        seen = await self.view(key, model)
        if name not in seen.pairs:
            known = ", ".join(seen.pairs) or "none"
            raise Refused(404, f"this model has no pairwise map {name[:80]!r}; its maps of this kind: {known}")
        height, width = self.shelf.take(key).picture.image.shape[:2]
        if not (0 <= x < width and 0 <= y < height):
            raise Refused(
                422, f"the pixel x={x}, y={y} is outside the picture of {height} x {width} pixels (height x width)"
            )
        weights = (await self._clicks.run(lambda: seen.pairs[name].at([(x, y)])))[0]
        return {"rows": weights.shape[0], "columns": weights.shape[1], "weights": weights.ravel().tolist()}

    async def without(self, key: str, model: int, name: str, how: str, other: int | None) -> bytes:
        """What becomes of a picture without a map of a model; ``other`` is the model whose map takes its place."""
        if how not in get_args(How) or (how == "other") != (other is not None):
            raise Refused(
                422, f"how is {how[:20]!r}; off, even, or other with the number of another model was expected"
            )
        await self.view(key, model)
        if other is not None:
            await self.view(key, other)
        picture, theirs = self.shelf.take(key).picture, None if other is None else self.choices[other]
        return await self._looking.run(
            lambda: see_without(self.choices[model], theirs, picture, name, cast(How, how), self._stop)
        )

    async def _keep(self, read: Callable[[], Picture]) -> Kept:
        def prepare() -> Kept:
            picture = read()
            return Kept(self.shelf.key(picture), picture, thumbnail(picture.image))

        return self.shelf.put(await self._reading.run(prepare))

    async def _see(self, kept: Kept, model: int) -> KeptPass:
        seen = await self._looking.run(lambda: see(self.choices[model], kept.picture, self._stop))
        kept.seen[model] = seen
        self.shelf.trim()
        return seen

    def _read_file(self, number: int, *, draft: bool = False) -> Picture:
        if self.folder is None:
            raise Refused(404, "no folder of pictures was named at the start: attseg explore RUN --pictures FOLDER")
        name, content = self.folder.read(number)
        return read_picture(content, name, self.limits, self._read_as, draft=draft)


def _paint(seed: int, limits: Limits) -> Picture:
    scene = Scenes("val", size=SCENE_SIZE, seed=seed)[0]
    picture = fit(f"scene {seed}", scene.image, limits)
    return replace(picture, labels=scene.labels) if picture.image.shape == scene.image.shape else picture
