"""Losses since the last row of the log, and the check that they and the weights are finite."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, distributed, nn

from attseg.data.wording import few
from attseg.runs.errors import RunError

MOST_NAMED = 8
"""Samples that a message names."""


class RecentLosses:
    """Collects the loss of each forward pass. Losses stay on their device, so that a GPU is waited for once a row.

    Args:
        accumulate: Forward passes an optimizer step.
        world: Number of processes.
    """

    def __init__(self, accumulate: int, world: int) -> None:
        self.accumulate = accumulate
        self.world = world
        self._losses: list[Tensor] = []
        self._names: list[list[str]] = []

    def add(self, loss: Tensor, names: list[str]) -> None:
        """Add a forward pass: its loss and the names of its samples."""
        self._losses.append(loss.detach())
        self._names.append(names)

    def mean(self, otherwise: float) -> float:
        """The mean of this process since the last row, for people to read; ``otherwise`` where nothing was added."""
        return float(torch.stack(self._losses).mean()) if self._losses else otherwise

    def take(self, step: int, model: nn.Module | None, advice: str) -> float:
        """The mean over all processes, which begins anew.

        Args:
            step: The last optimizer step.
            model: Is checked too where its weights are about to be kept: a finite loss may have an infinite gradient.
            advice: End of the message of the error.

        Raises:
            RunError: A loss or a weight, of any process, is NaN or infinite; the message names step and samples.
        """
        losses = torch.stack(self._losses).tolist()
        found = self._diverged(step, losses, model)
        rows = gather((sum(losses) / len(losses), found), self.world)
        self._losses, self._names = [], []
        if failures := [failure for _, failure in rows if failure is not None]:
            first, what, names = min(failures)
            raise RunError(f"in step {first} {what}, over the samples {few(names, MOST_NAMED)}; {advice}")
        return float(sum(mean for mean, _ in rows) / self.world)

    def _diverged(
        self, step: int, losses: Sequence[float], model: nn.Module | None
    ) -> tuple[int, str, list[str]] | None:
        """Step, reason and samples of the first failure in this process."""
        for index, loss in enumerate(losses):
            if not math.isfinite(loss):
                return step - (len(losses) - 1 - index) // self.accumulate, f"the loss is {loss}", self._names[index]
        if model is None or all_finite(model):
            return None
        names = [name for names in self._names[-self.accumulate :] for name in names]
        return step, f"the loss is {losses[-1]:.3g}, but weights became NaN or infinite", names


def all_finite(model: nn.Module) -> bool:
    """Whether no weight and no buffer is NaN or infinite."""
    return bool(torch.stack([value.isfinite().all() for value in model.state_dict().values()]).all())


def gather(value: Any, world: int) -> list[Any]:
    """The values of all processes, by rank."""
    if world == 1:
        return [value]
    values: list[Any] = [None] * world
    distributed.all_gather_object(values, value)
    return values
