"""Models that decide by themselves: they give the class of each pixel and its probability, and no scores of the other classes."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import NamedTuple, NoReturn

import numpy as np
import numpy.typing as npt
from torch import Tensor, nn

from attseg.data.sample import Array
from attseg.errors import UsageError

NO_SCORES = (
    "this exported file gives the class of each pixel and its probability alone; {wanted} takes the scores of all classes: "
    "export the model with --gives logits"
)


class ScoresError(UsageError):
    """A network gave NaN or infinite scores, of which no class can be made."""


def check_scores(best: Tensor) -> None:
    """Refuse pixels whose highest score is NaN or infinite: the arg-max would call them the first class.

    NaN in the score of any class is the highest score in torch, so that the highest alone have to be looked at.

    Args:
        best: The highest score of each pixel, of any shape.

    Raises:
        ScoresError: The message says at how many pixels.
    """
    finite = best.isfinite()
    if not finite.all():
        raise ScoresError(
            f"the network gave NaN or infinite scores at {int((~finite).sum())} of {best.numel()} pixels. In fp16 values "
            "overflow: use bf16 or 32 bits. In 32 bits the weights have diverged or are damaged: use others"
        )


class DecidingModel(nn.Module, ABC):
    """A model whose result is decided, such as an exported file with the arg-max inside.

    It can see a picture once and whole; there is nothing to average over views.
    """

    def forward(self, images: Tensor) -> NoReturn:
        """There are no scores to give.

        Raises:
            UsageError: Always.
        """
        raise UsageError(NO_SCORES.format(wanted="what was asked for"))

    @abstractmethod
    def decide(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Classes (N, H, W), bytes, and their probabilities (N, H, W), of normalised pictures (N, 3, H, W)."""


class DecidedBand(NamedTuple):
    """Some rows of a picture, decided; stands where else a ``Band`` of scores stands.

    Args:
        top: The first of the rows.
        classes: (h, W) the class of each pixel.
        best: (h, W) its probability.
    """

    top: int
    classes: Tensor
    best: Tensor

    @property
    def height(self) -> int:
        """How many rows."""
        return len(self.classes)

    def decide(self) -> tuple[Array, npt.NDArray[np.float32]]:
        """(h, W) The class of each pixel, and its probability."""
        return self.labels(), self.best.cpu().numpy()

    def labels(self) -> Array:
        """(h, W) The class of each pixel.

        Raises:
            ScoresError: A probability is NaN or infinite.
        """
        check_scores(self.best)
        return self.classes.cpu().numpy()

    def probabilities(self) -> Tensor:
        """There are none.

        Raises:
            UsageError: Always.
        """
        raise UsageError(NO_SCORES.format(wanted="what was asked for"))
