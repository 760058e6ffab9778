"""One forward pass of a model on one picture, looked into: every attention map, and at every pixel what belongs to it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import cached_property, partial

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from attseg.attention.pairwise import PairWeights, Pairwise, pairs_fit
from attseg.attention.pointwise.terms import Direction
from attseg.attention.tap import Tap
from attseg.errors import UsageError
from attseg.explain.capture import AttentionMap
from attseg.explain.passes import Passes
from attseg.explain.pixel import PixelAttention, cell_of, read_pixel, to_numpy
from attseg.prediction.decided import check_scores
from attseg.prediction.outputs import logits_of


class Pairs:
    """The pairwise attention of one mechanism in one pass, of which points are computed when they are asked for.

    Args:
        name: As of ``AttentionMap``.
        module: What attends.
        inputs: What it was given; let go once the first point was asked for.
        size: Height and width of the picture.
    """

    def __init__(self, name: str, module: Pairwise, inputs: Tensor, size: tuple[int, int]) -> None:
        self.name = name
        self.direction: Direction = module.direction
        self.mechanism = module.attention.name or type(module).__name__
        self._module = module
        self._inputs: Tensor | None = inputs
        self._picture = size

    def __repr__(self) -> str:
        height, width = self._picture
        return f"Pairs({self.name!r}, {self.direction}, image {height} x {width})"

    @property
    def cells(self) -> tuple[int, int]:
        """Height and width of the map on which positions attend to each other."""
        return self._weights.size

    @property
    def fits(self) -> bool:
        """Whether the map of all pairs is small enough to be built."""
        return pairs_fit(1, self.cells)

    @torch.no_grad()
    def at(self, points: Sequence[tuple[int, int]]) -> npt.NDArray[np.float32]:
        """The maps of pixels (x, y), (P, h, w): what each gathers from every source, or gives to every target."""
        cells = [cell_of(x, y, self._picture, self.cells) for x, y in points]
        return to_numpy(self._weights.of(cells)[0])

    @torch.no_grad()
    def all(self) -> AttentionMap:
        """The map of all pairs, as ``capture`` shows it.

        Raises:
            RuntimeError: It would be too large.
        """
        return AttentionMap(self.name, "pairwise", self._weights.all(), self.direction, self.mechanism)

    @cached_property
    def _weights(self) -> PairWeights:
        assert self._inputs is not None
        with torch.no_grad():
            weights = self._module.pair_weights(self._inputs)
        self._inputs = None
        return weights


@dataclass(eq=False)
class Looked:
    """A model's forward pass over one image, with its attention maps. ``look`` returns it.

    Nothing is run again to read another pixel: maps that are the same for all pixels or one value a pixel are kept, and of
    pairwise attention its inputs, from which the weights of a point follow at once.

    Args:
        logits: (K, H, W) at the size of the picture.
        found: Every map of the forward pass in its order, pairwise ones as ``Pairs``.
        model: What was run.
        images: (1, C, H, W) what it was run on.
        strides: By the name of a map of channels, the output stride of the features that it weighs.
    """

    logits: Tensor
    found: list[AttentionMap | Pairs]
    model: nn.Module
    images: Tensor
    strides: dict[str, int] = field(default_factory=dict)

    def __repr__(self) -> str:
        height, width = self.size
        return f"Looked({height} x {width}, {len(self.logits)} classes, {len(self.found)} attention maps)"

    @property
    def size(self) -> tuple[int, int]:
        """Height and width of the picture that the network saw."""
        height, width = self.logits.shape[-2:]
        return height, width

    @cached_property
    def labels(self) -> npt.NDArray[np.uint8]:
        """(H, W) the most probable class of each pixel."""
        return self.logits.argmax(0).to(torch.uint8).cpu().numpy()

    @cached_property
    def scores(self) -> npt.NDArray[np.float32]:
        """(K, H, W) the probability of each class."""
        return to_numpy(self.logits.softmax(0))

    @property
    def pairs(self) -> list[Pairs]:
        """Pairwise attention, of any size, to be read at chosen points."""
        return [one for one in self.found if isinstance(one, Pairs)]

    @cached_property
    def maps(self) -> list[AttentionMap]:
        """Every map as ``capture`` shows it, in the order of the forward pass; pairwise ones only where they fit."""
        kept = [one for one in self.found if isinstance(one, AttentionMap) or one.fits]
        return [one if isinstance(one, AttentionMap) else one.all() for one in kept]

    def outputs(self, path: str) -> list[Tensor]:
        """Run again, and keep what the module at ``path`` gives, which is no attention: a list, one entry a pass."""
        given: list[Tensor] = []
        handle = self.model.get_submodule(path).register_forward_hook(lambda module, inputs, out: given.append(out))
        try:
            with torch.no_grad():
                self.model(self.images)
        finally:
            handle.remove()
        return given

    def at(self, x: int, y: int) -> list[PixelAttention]:
        """Attention of one pixel in every map, in the order in which the network computes them.

        Args:
            x: Column, from the left.
            y: Row, from the top.

        Raises:
            UsageError: There is no such pixel.
        """
        check_pixel(x, y, self.size)
        read: list[PixelAttention] = []
        for one in self.found:
            if isinstance(one, Pairs):
                read.append(PixelAttention(one.name, "pairwise", one.at([(x, y)])[0], one.direction))
            else:
                read += read_pixel([one], x=x, y=y, size=self.size)
        return read


@torch.no_grad()
def look(model: nn.Module, images: Tensor) -> Looked:
    """Run a model once and keep all that is needed to read its attention at any pixel.

    The forward pass is the one that nobody watches: pairwise maps are not built, so that pictures of any size can be looked into.
    A model without attention gives no map.

    Args:
        model: A model of ours, or any module with taps whose result has ``logits``; in evaluation mode.
        images: (1, C, H, W) one picture as the model takes it.

    Raises:
        UsageError: There is more than one picture.
        ScoresError: The network gives NaN or infinite logits.

    Example:
        >>> from attseg.models import PAN
        >>> looked = look(PAN(3, encoder="resnet18").eval(), torch.zeros(1, 3, 64, 96))
        >>> looked.labels.shape, [one.kind for one in looked.at(95, 0)]
        ((64, 96), ['spatial', 'channel', 'channel', 'channel'])
    """
    if images.ndim != 4 or len(images) != 1:
        raise UsageError(f"pictures of shape {tuple(images.shape)} were given; one was expected, (1, C, H, W)")
    size = images.shape[2], images.shape[3]
    passes, found = Passes(model), list[AttentionMap | Pairs]()

    def keep(path: str, tap: Tap, _: tuple[Tensor, ...], weights: Tensor) -> None:
        kept = weights.clone()
        found.append(AttentionMap(passes.count(path), tap.kind, kept, passes.direction(path), passes.mechanism(path)))

    def keep_pairs(path: str, module: Pairwise, inputs: tuple[Tensor, ...], _: Tensor) -> None:
        found.append(Pairs(passes.count(path), module, inputs[0], size))

    strides: dict[str, int] = {}

    def measure(path: str, _: nn.Module, inputs: tuple[Tensor, ...], features: object) -> None:
        if isinstance(features, Tensor) and features.ndim == 4:
            last = next(one.name for one in reversed(found) if one.name.split(" at ")[0] == path)
            strides[last] = 2 ** round(math.log2(size[0] / features.shape[2]))

    with ExitStack() as stack:
        for path, module in passes.pairwise.items():
            stack.callback(module.register_forward_hook(partial(keep_pairs, path)).remove)
        for path, tap in passes.taps.items():
            if path not in passes.pairwise:
                stack.callback(tap.register_forward_hook(partial(keep, path)).remove)
                if tap.kind in ("channel", "channel-pairs") and (owner := passes.owner(path)) is not None:
                    stack.callback(owner.register_forward_hook(partial(measure, path)).remove)
        logits = logits_of(model(images), images)
    check_scores(logits.amax(1))
    return Looked(logits[0].float(), found, model, images, strides)


def check_pixel(x: int, y: int, size: tuple[int, int]) -> None:
    """Refuse a pixel that a picture of a size (height, width) does not have."""
    height, width = size
    if not (0 <= x < width and 0 <= y < height):
        raise UsageError(
            f"the pixel x={x}, y={y} is outside the picture: x goes from 0 to {width - 1}, y from 0 to {height - 1}"
        )
