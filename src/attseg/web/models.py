"""The models that the page offers, and what ends a forward pass that takes too long."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import nn

from attseg.attention.tap import Tap
from attseg.data.preprocessing import common_reading
from attseg.errors import UsageError
from attseg.inference.segmenter import Segmenter
from attseg.prediction.decided import NO_SCORES, DecidingModel
from attseg.web.refusal import Refused


@dataclass(frozen=True, eq=False)
class ModelChoice:
    """A model on offer.

    Args:
        name: What it is called in the page.
        source: Where it comes from, as it was named at the start.
        segmenter: The model, ready to use.
    """

    name: str
    source: str
    segmenter: Segmenter

    @property
    def attends(self) -> bool:
        """Whether it has attention to show."""
        return any(isinstance(module, Tap) for module in self.segmenter.model.modules())


def offer(sources: Sequence[str], segmenters: Sequence[Segmenter]) -> list[ModelChoice]:
    """Loaded models under names that tell them apart: the last part of where each comes from, or all of it.

    Raises:
        UsageError: A model gives classes alone, as an exported file with the arg-max inside does, or models read images by
            different value ranges or bands.
    """
    common_reading(sources, [segmenter.preprocessing for segmenter in segmenters])
    for source, segmenter in zip(sources, segmenters, strict=True):
        if isinstance(segmenter.model, DecidingModel):
            raise UsageError(f"{source}: {NO_SCORES.format(wanted='the explorer')}")
    short = [Path(source).name or source for source in sources]
    names = [name if short.count(name) == 1 else source for name, source in zip(short, sources, strict=True)]
    return [ModelChoice(*each) for each in zip(names, sources, segmenters, strict=True)]


class Stop:
    """Ends a forward pass between two layers, because it takes too long or because the server is stopping.

    Args:
        seconds: That a forward pass may take.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._now = threading.Event()

    def set(self) -> None:
        """End the forward pass that is under way, and every later one."""
        self._now.set()

    @contextmanager
    def watch(self, model: nn.Module) -> Iterator[None]:
        """Watch a model for as long as the block lasts; its forward pass raises ``Refused`` where it must end."""
        end = time.monotonic() + self._seconds

        def check(*_: Any) -> None:
            if self._now.is_set():
                raise Refused(503, "the server is stopping")
            if time.monotonic() > end:
                raise Refused(
                    504, f"the model did not get through this picture within {self._seconds:g} s; give a smaller one"
                )

        with ExitStack() as stack:
            for module in model.modules():
                if not any(True for _ in module.children()):
                    stack.callback(module.register_forward_pre_hook(check).remove)
            yield
