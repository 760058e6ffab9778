"""Scores of a picture of any size under any protocol, band by band from the top: the one way in which all of attseg predicts.

Views go through the network in batches that fit into a given memory. What stands in memory beside a batch are the picture, as
bytes, and the scores of the rows that views still overlap: about the height of the tallest view, at the size of the picture.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from attseg.data.preprocessing import Preprocessing
from attseg.data.sample import Array
from attseg.errors import UsageError
from attseg.models.frame import smallest_side
from attseg.prediction.bands import ScoreBand, ScoreBands
from attseg.prediction.decided import NO_SCORES, DecidedBand, DecidingModel, check_scores
from attseg.prediction.outputs import logits_of
from attseg.prediction.pixels import InMemory, PixelSource, read_views
from attseg.prediction.protocol import Protocol
from attseg.prediction.protocols import SINGLE
from attseg.prediction.views import ScaledView, scales, views
from attseg.prediction.whole import PRECISIONS, as_batch, predict_logits

PLAIN_ROWS = 256
"""Rows of a band where a picture is seen once and whole, so that no second copy of all logits is made."""

MEMORY = {"cpu": 64, "cuda": 512}
"""MiB for the pictures, logits and probabilities of a batch. Larger batches gain nothing on a processor."""

VECTOR = 16
"""Floats that a processor with AVX-512 works on at once."""

OnViews = Callable[[int, int], None]


@dataclass(frozen=True)
class Predictor:
    """A model with everything that decides its scores, and the memory that it may use.

    Args:
        model: A model of ours in evaluation mode, on ``device``.
        classes: How many classes it has.
        preprocessing: What it was trained with.
        device: Where to compute; scores stay there until a band is decided.
        protocol: How each picture is seen.
        precision: ``32``, ``bf16`` or ``fp16``, of the network; scores are 32-bit floats in any case.
        memory: MiB for the pictures, logits and probabilities of a batch; what the network itself needs comes on top. None takes
            64 on a processor and 512 on a GPU. It never changes what is computed, but for the last bits.
    """

    model: nn.Module
    classes: int
    preprocessing: Preprocessing
    device: torch.device
    protocol: Protocol = SINGLE
    precision: str = "32"
    memory: int | None = None

    @cached_property
    def least(self) -> int:
        """The side to which smaller images and views are continued."""
        return smallest_side(self.model)

    def bands(self, image: Array | PixelSource, on_views: OnViews | None = None) -> Iterator[ScoreBand | DecidedBand]:
        """Scores of a picture, in bands from the top that are given away as soon as they are done.

        Args:
            image: (H, W, C) red, green, blue or other bands in 0..255, of any size; or where they come from, to be seen in
                windows.
            on_views: Called after each batch with how many views are done, and how many there are.

        Raises:
            UsageError: The picture, or a batch of views, does not fit into the memory; the model has other classes, or has no
                scores and the protocol averages some.
        """
        if not isinstance(image, np.ndarray):
            if self.protocol.is_plain or isinstance(self.model, DecidingModel):
                raise UsageError(NO_SCORES.format(wanted="a picture that is read in windows"))
            return self._views(image, on_views)
        if isinstance(self.model, DecidingModel):
            return self._decided(self.model, image)
        if self.protocol.is_plain:
            return self._plain(image)
        return self._views(InMemory(image, self.device), on_views)

    def labels(self, image: Array, on_views: OnViews | None = None) -> Array:
        """(H, W) The classes of a picture, as ``bands`` gives them."""
        return np.concatenate([band.labels() for band in self.bands(image, on_views)])

    def probabilities(self, image: Array, on_views: OnViews | None = None) -> npt.NDArray[np.float32]:
        """(K, H, W) The probabilities of all classes of a whole picture, 4 bytes each; errors as of ``bands``."""
        parts = []
        for band in self.bands(image, on_views):
            parts.append(band.probabilities())
            check_scores(parts[-1].amax(0))
        return np.concatenate([part.cpu().numpy() for part in parts], axis=1)

    def _plain(self, image: Array) -> Iterator[ScoreBand]:
        height, width = image.shape[:2]
        whole = f"a picture of {height} x {width} (height x width) does not fit"
        with self._explaining(whole, "scale it down, see it in windows (such as --window 512)"):
            logits = predict_logits(self.model, image, self.preprocessing, device=self.device, precision=self.precision)
        self._check_classes(len(logits))
        for top in range(0, height, PLAIN_ROWS):
            yield ScoreBand(top, logits[:, top : top + PLAIN_ROWS], "logits")

    def _decided(self, model: DecidingModel, image: Array) -> Iterator[DecidedBand]:
        if not self.protocol.is_plain:
            raise UsageError(NO_SCORES.format(wanted=f"the protocol {self.protocol.name!r}"))
        height, width = image.shape[:2]
        half = PRECISIONS[self.precision]
        with torch.inference_mode(), torch.autocast(self.device.type, dtype=half, enabled=half is not None):
            labels, scores = model.decide(as_batch(image, self.preprocessing, self.device, least=self.least))
        yield DecidedBand(0, labels[0, :height, :width], scores[0, :height, :width])

    def _views(self, pixels: PixelSource, on_views: OnViews | None) -> Iterator[ScoreBand]:
        height, width = pixels.shape[:2]
        scaled = scales(self.protocol, height, width, least=self.least)
        order = list(views(scaled))
        share = 1 / (len(scaled) * (1 + self.protocol.flip))
        bands = ScoreBands(height, width, self.protocol.average)
        done = 0
        while done < len(order):
            batch = self._next_batch([view for _, view in order[done : done + self._most(order[done][1])]])
            done += len(batch)
            self._add(bands, pixels, batch, share)
            if on_views is not None:
                on_views(done, len(order))
            yield from bands.done(order[done][0] if done < len(order) else height)

    def _add(self, bands: ScoreBands, pixels: PixelSource, batch: list[ScaledView], share: float) -> None:
        """Add the scores of a batch of views."""
        height, width = batch[0].given
        several = f"{len(batch)} of {height} x {width} pixels (height x width) with their scores do not fit"
        with self._explaining(several, "lower --memory, choose smaller windows (--window)"), torch.inference_mode():
            for view, scores in zip(batch, self._see(pixels, batch), strict=True):
                rows, columns = view.rows, view.columns
                seen = scores[:, rows.before :, columns.before :]
                bands.add(view, seen[:, : rows.stop - rows.start, : columns.stop - columns.start], share)

    def _next_batch(self, views: list[ScaledView]) -> list[ScaledView]:
        """The first views that are given equally much."""
        other = next((place for place, view in enumerate(views) if view.given != views[0].given), len(views))
        return views[:other]

    def _most(self, view: ScaledView) -> int:
        """How many views like this one make a batch."""
        return max(1, self.fitting(*view.given) // (1 + self.protocol.flip))

    def fitting(self, height: int, width: int) -> int:
        """Images of a size that fit into the memory together, each with its logits and their probabilities."""
        memory = MEMORY.get(self.device.type, MEMORY["cuda"]) if self.memory is None else self.memory
        return memory * 2**20 // (4 * height * width * (self.preprocessing.channels + 2 * self.classes))

    def _see(self, pixels: PixelSource, batch: list[ScaledView]) -> Tensor:
        """(N, K, h, w) Scores of views; of mirrored ones, the sum with those of the mirrored view."""
        images = read_views(pixels, batch, self.preprocessing, pad=self.protocol.pad)
        if not self.protocol.flip:
            return self._scores(images)
        if 2 * len(batch) > self.fitting(*batch[0].given):
            straight, mirrored = self._scores(images), self._scores(images.flip(3))
        else:
            straight, mirrored = self._scores(torch.cat((images, images.flip(3)))).chunk(2)
        return mirrored.flip(3).add_(straight)

    def _scores(self, images: Tensor) -> Tensor:
        """(N, K, h, w) What is averaged, of pictures (N, C, h, w)."""
        half = PRECISIONS[self.precision]
        with torch.autocast(self.device.type, dtype=half, enabled=half is not None):
            logits = logits_of(self.model(images), images)
        self._check_classes(logits.shape[1])
        if self.protocol.average == "logits":
            return logits.float().clone()
        return _softmax(logits.float())

    def _check_classes(self, found: int) -> None:
        if found != self.classes:
            raise UsageError(f"the model has {found} classes, but the class table names {self.classes}")

    @contextmanager
    def _explaining(self, problem: str, advice: str) -> Iterator[None]:
        """Turns the error of memory that ran out into a sentence."""
        try:
            yield
        except RuntimeError as error:
            if not is_out_of_memory(error):
                raise
            raise UsageError(f"{problem} into the memory of {self.device}; {advice}, or use another device") from error


def is_out_of_memory(error: BaseException) -> bool:
    """Whether memory ran out, on a GPU or on the CPU, where PyTorch has no error of its own for it."""
    return isinstance(error, torch.OutOfMemoryError | MemoryError) or "DefaultCPUAllocator" in str(error)


def _softmax(logits: Tensor) -> Tensor:
    """Probabilities (N, K, h, w), in memory of their own.

    Over classes that lie innermost in memory it is faster so, but only where a vector is full of them: with 11 it takes eight
    times as long.
    """
    if logits.shape[1] >= VECTOR and logits.is_contiguous(memory_format=torch.channels_last):
        return logits.permute(0, 2, 3, 1).softmax(dim=3).permute(0, 3, 1, 2)
    return logits.softmax(dim=1)
