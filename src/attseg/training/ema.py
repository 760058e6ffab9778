"""The moving average of a model's weights."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

from torch import nn
from torch.optim.swa_utils import get_ema_multi_avg_fn


class MovingAverage:
    """A copy of a model that follows its weights slowly.

    After n updates the share of the old average that is kept is ``(1 + n) / (10 + n)``, at most ``decay``: the average of a
    short run is then not made of the random weights that it began with.

    Args:
        model: Where it will be trained, since device and memory layout are taken over.
        decay: Largest share of the old average that an update keeps, in (0, 1).
    """

    def __init__(self, model: nn.Module, decay: float) -> None:
        self.model = deepcopy(model).requires_grad_(False)
        self.decay = decay
        self.updates = 0

    def update(self, model: nn.Module) -> None:
        """Move towards the weights of ``model``; its buffers (statistics of batch normalisation) are copied."""
        keep = min(self.decay, (1 + self.updates) / (10 + self.updates))
        average = get_ema_multi_avg_fn(keep)
        average(list(self.model.parameters()), [parameter.detach() for parameter in model.parameters()], self.updates)
        for ours, theirs in zip(self.model.buffers(), model.buffers(), strict=True):
            ours.copy_(theirs)
        self.updates += 1

    def state_dict(self) -> dict[str, Any]:
        """State for ``load_state_dict``."""
        return {"model": self.model.state_dict(), "updates": self.updates}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from a saved state."""
        self.model.load_state_dict(state["model"])
        self.updates = state["updates"]
