"""The fully connected conditional random field after the network: classes follow the colours of the picture.

Source:
    Krahenbuhl, Koltun: Efficient Inference in Fully Connected CRFs with Gaussian Edge Potentials, NIPS 2011. Computed by the
    package ``pydensecrf2``, which is optional.
"""

from __future__ import annotations

import multiprocessing
import os
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import asdict, dataclass, fields
from importlib.util import find_spec
from typing import Any, NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt

from attseg.errors import UsageError
from attseg.extras import install_command

Floats = npt.NDArray[np.float32]
Bytes = npt.NDArray[np.uint8]
Item = TypeVar("Item")

LEAST = 1e-5
"""Probabilities below count as this, because their logarithm is needed."""


class Refined(NamedTuple):
    """Output of the CRF.

    Args:
        labels: (H, W) the most probable class of each pixel.
        scores: (H, W) its probability.
        probabilities: (K, H, W) of all classes, where they were asked for.
    """

    labels: Bytes
    scores: Floats
    probabilities: Floats | None = None


@dataclass(frozen=True, kw_only=True)
class DenseCrf:
    """Refines the probabilities of a picture. The parameters are PSANet's.

    Args:
        bi_w: Weight between pixels that are near and alike in colour.
        bi_xy_std: How near, in pixels.
        bi_rgb_std: How alike, in steps of 0..255.
        pos_w: Weight between pixels that are near, whatever their colours.
        pos_xy_std: How near, in pixels.
        iterations: Steps of mean field inference.

    Raises:
        UsageError: A value that is not above 0.

    Source:
        Zhao, Zhang, Liu, Shi, Loy, Lin, Jia: PSANet, ECCV 2018, section 4.

    Reading:
        The paper gives no number of iterations; 10 is what most code takes. The unary term is the negative logarithm of the
        averaged probabilities.
    """

    bi_w: float = 3.5
    bi_xy_std: float = 55
    bi_rgb_std: float = 3
    pos_w: float = 2
    pos_xy_std: float = 1
    iterations: int = 10

    def __post_init__(self) -> None:
        for field in fields(self):
            if (value := getattr(self, field.name)) <= 0:
                raise UsageError(f"{field.name} of the CRF is {value:g}; a number above 0 was expected")

    def __call__(self, image: Bytes, probabilities: Floats) -> Floats:
        """(K, H, W) Probabilities after inference.

        Args:
            image: (H, W, 3) red, green, blue in 0..255.
            probabilities: (K, H, W) of the network.

        Raises:
            UsageError: The package is not installed, or the sizes differ.
        """
        check_installed()
        from pydensecrf.densecrf import DenseCRF2D

        classes, height, width = probabilities.shape
        if image.shape != (height, width, 3):
            raise UsageError(
                f"the picture has the shape {image.shape} and its probabilities {probabilities.shape}; (H, W, 3) and (K, H, W) "
                "were expected, with the same height and width"
            )
        field = DenseCRF2D(width, height, classes)
        unary = -np.log(np.clip(probabilities, LEAST, 1)).reshape(classes, -1)
        field.setUnaryEnergy(np.ascontiguousarray(unary, np.float32))
        field.addPairwiseGaussian(sxy=self.pos_xy_std, compat=self.pos_w)
        pixels = np.ascontiguousarray(image)
        field.addPairwiseBilateral(sxy=self.bi_xy_std, srgb=self.bi_rgb_std, rgbim=pixels, compat=self.bi_w)
        return np.asarray(field.inference(self.iterations), np.float32).reshape(probabilities.shape)

    def refine(self, image: Bytes, probabilities: Floats, *, with_probabilities: bool = False) -> Refined:
        """Labels and probabilities after CRF inference; arguments and errors as of a call."""
        after = self(image, probabilities)
        labels = after.argmax(axis=0).astype(np.uint8)
        return Refined(labels, after.max(axis=0), after if with_probabilities else None)

    def to_dict(self) -> dict[str, Any]:
        """As plain values."""
        return asdict(self)


def find_crf() -> DenseCrf:
    """The CRF with its default parameters.

    Raises:
        UsageError: Its package is not installed.
    """
    check_installed()
    return DenseCrf()


def has_crf() -> bool:
    """Whether its package is installed."""
    return find_spec("pydensecrf") is not None


def check_installed() -> None:
    """Refuse to go on without the package.

    Raises:
        UsageError: It is not installed.
    """
    if not has_crf():
        raise UsageError(
            f"the CRF needs the package pydensecrf2, which is not installed: {install_command('crf')} (it is compiled while it "
            "is installed: a C++ compiler is needed)"
        )


def refine_all(
    crf: DenseCrf,
    jobs: Iterable[tuple[Item, Bytes | None, Floats | None]],
    *,
    with_probabilities: bool = False,
    processes: int | None = None,
) -> Iterator[tuple[Item, Refined | None]]:
    """Refine pictures side by side, in processes of their own, because inference keeps a whole interpreter busy.

    Args:
        crf: The field.
        jobs: What comes out beside the result, the picture, and its probabilities; without a picture there is no result.
        with_probabilities: Whether those of all classes are wanted.
        processes: How many; None takes one a core, 8 at most. One more picture than that stands in memory.

    Yields:
        In the order of the jobs.
    """
    check_installed()
    processes = processes or min(8, os.cpu_count() or 1)
    with ProcessPoolExecutor(processes, multiprocessing.get_context("spawn")) as pool:
        waiting: deque[tuple[Item, Future[Refined] | None]] = deque()
        for item, image, probabilities in jobs:
            future = None
            if image is not None and probabilities is not None:
                future = pool.submit(_refine, crf, image, probabilities, with_probabilities)
            waiting.append((item, future))
            if len(waiting) > processes:
                yield _finish(*waiting.popleft())
        while waiting:
            yield _finish(*waiting.popleft())


def _finish(item: Item, future: Future[Refined] | None) -> tuple[Item, Refined | None]:
    return item, future.result() if future is not None else None


def _refine(crf: DenseCrf, image: Bytes, probabilities: Floats, with_probabilities: bool) -> Refined:
    """In another process."""
    return crf.refine(image, probabilities, with_probabilities=with_probabilities)
