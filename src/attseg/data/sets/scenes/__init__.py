"""Generated scenes of streets and harbours, made to need attention; no files, any size, the same on every computer.

What makes them hard is known for every pixel, as masks in ``Sample.probes``:

- ``context``: cars and boats under tarpaulins that look the same; only the far side of the scene, a town or the sea,
  decides, and it is more than a quarter of the picture's height away.
- ``scale``: buses of 4 pixels up to nearly the whole picture, and houses close by whose walls look like the side of a bus.
- ``where``, in place of ``context`` if asked for: of two covered things of one size, the one below a balloon is a car and the
  other a boat. Scenes come in pairs: in scene 2 k + 1 the balloon of scene 2 k floats above the other thing, and everything
  else is the same. An answer that does not depend on where the balloon is, or is the same for both things, is right for half
  of the probe's pixels over a pair: the place of a thing, or any mean over the scene, tells nothing.
- ``boundary``: lamps and wires 1 to 3 pixels wide, and 3 pixels on either side of every border between classes.

The wide surface in the middle is the same in both worlds too: road before a town, water before the sea.
"""

from __future__ import annotations

from collections.abc import Sequence
from numbers import Integral
from typing import TYPE_CHECKING, get_args

from attseg.data.sets.record import DataSet, Terms
from attseg.data.sets.scenes.table import SCENES, Decider
from attseg.errors import UsageError, unknown

if TYPE_CHECKING:
    from attseg.data.sample import Sample

__all__ = ["RECORD", "SCENES", "Scenes"]

RECORD = DataSet(
    name="scenes",
    title="generated scenes",
    about="generated streets and harbours, no files needed",
    classes=SCENES,
    options={
        "decides": "what or where: what lies on the far side, or what a balloon floats above",
        "size": "height and width, such as 128,128",
        "count": "scenes of a split",
        "seed": "a whole number; another one gives other scenes",
    },
    files="",
    terms=Terms(
        license="apache-2.0",
        note="The training pictures are generated: nobody else has rights in them.",
        limits="It has seen generated scenes alone, and says nothing sensible about photographs.",
    ),
)

SMALLEST_SIDE = 32
"""Pixels below which nothing could be recognised."""

_SPLITS = {"train": 2000, "val": 200, "test": 200}


class Scenes:
    """A split of generated scenes: sample i is a function of ``seed``, ``split``, i and ``size`` alone.

    Args:
        split: ``train``, ``val`` or ``test``; no scene is in two of them.
        size: Height and width of every picture, each at least 32 pixels.
        count: How many scenes; 2000 for training and 200 for the other splits where not given. A longer split begins
            with the scenes of a shorter one.
        seed: Another seed is another world: other scenes in all splits.
        decides: Whether covered things are cars or boats is decided by ``what`` lies on the far side, or by ``where`` a
            balloon is; with ``where``, scenes 2 k and 2 k + 1 are twins.

    Raises:
        UsageError: An unknown split, a size that is not two whole numbers of at least 32, a count below 1, a negative seed,
            something else that decides.

    Example:
        >>> sample = Scenes("val", size=(64, 96))[0]
        >>> sample.image.shape, sample.labels.shape, sample.name, sorted(sample.probes)
        ((64, 96, 3), (64, 96), 'val/00000', ['boundary', 'context', 'scale'])
    """

    classes = SCENES

    def __init__(
        self,
        split: str = "train",
        *,
        size: tuple[int, int] = (128, 128),
        count: int | None = None,
        seed: int = 0,
        decides: Decider = "what",
    ) -> None:
        if split not in _SPLITS:
            raise unknown("split of the scenes", split, _SPLITS)
        sides = tuple(size) if isinstance(size, Sequence) else (size,)
        if len(sides) != 2 or not all(_is_whole(side, SMALLEST_SIDE) for side in sides):
            raise UsageError(
                f"the size of the scenes is {size!r}; give height and width, whole numbers of at least {SMALLEST_SIDE} pixels"
            )
        if count is not None and not _is_whole(count, 1):
            raise UsageError(
                f"the count of scenes is {count!r}; give a whole number of at least 1, or none for {_SPLITS[split]}"
            )
        if not _is_whole(seed, 0):
            raise UsageError(f"the seed of the scenes is {seed!r}; give a whole number of at least 0")
        if decides not in get_args(Decider):
            raise unknown("decider of the scenes", decides, get_args(Decider))
        self.split = split
        self.size = (int(sides[0]), int(sides[1]))
        self.seed = seed
        self.decides = decides
        self._count = _SPLITS[split] if count is None else count

    def __repr__(self) -> str:
        height, width = self.size
        return f"Scenes({self.split}, {len(self)} samples of {height} x {width}, seed {self.seed})"

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, index: int) -> Sample:
        """Scene ``index``; a negative one counts from the end.

        Raises:
            IndexError: There is no such scene.
        """
        from attseg.data.sample import Sample
        from attseg.data.sets.scenes.scene import paint_scene

        name = self.name(index)
        place = index % len(self)
        twin = self.decides == "where" and place % 2 == 1
        key = (list(_SPLITS).index(self.split), place - twin)
        image, labels, probes = paint_scene(self.seed, key, *self.size, decides=self.decides, twin=twin)
        return Sample(image, labels, name, probes)

    def name(self, index: int) -> str:
        """The name of a scene without painting it, such as ``train/00042``."""
        if not -len(self) <= index < len(self):
            raise IndexError(f"there is no scene {index}; {self.split} has the scenes 0 to {len(self) - 1}")
        return f"{self.split}/{index % len(self):05d}"


def _is_whole(value: object, least: int) -> bool:
    return isinstance(value, Integral) and int(value) >= least
