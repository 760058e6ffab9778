"""A network and what trains it: loss, optimizer, moving average, and the state of all."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from typing import Any

import numpy as np
import torch
from lightning_fabric import Fabric
from torch import Tensor, nn
from torch.optim.swa_utils import get_ema_multi_avg_fn

from attseg.data.feeding.balance import Floats
from attseg.data.preprocessing import Preprocessing
from attseg.losses import make_loss
from attseg.models import Model, Segmentation
from attseg.models.bfloat16 import repair_convolutions
from attseg.models.frozen import freeze, hold
from attseg.recipes.recipe import Recipe
from attseg.runs.resumable import check_resumable
from attseg.training.first_weights import Start
from attseg.training.optim import make_optimizer
from attseg.training.plan import Plan

_STEP = 3  # sets this use of a seed apart from others


class Learner:
    """Everything that a training step changes, on its device.

    Args:
        fabric: Launched.
        begun: The network, with its first weights, and its preprocessing; trained in place. The value range and the bands of
            images are those of the recipe's data set.
        recipe: How to train.
        plan: On what.
        class_weights: (K,) factor of each class in the loss; None: all count alike.
    """

    def __init__(self, fabric: Fabric, begun: Start, recipe: Recipe, plan: Plan, class_weights: Floats | None) -> None:
        self.fabric = fabric
        self.model = model = begun.model
        self.encoder_weights = begun.encoder_weights
        self.recipe = recipe
        self.plan = plan
        self.preprocessing = begun.preprocessing.stated(recipe.data.options)
        if plan.channels_last:
            model.to(memory_format=torch.channels_last)
        if plan.device == "cpu" and plan.machine.precision == "bf16":
            repair_convolutions(model)
        if plan.machine.sync_bn and plan.world > 1 and plan.device == "cuda":
            nn.SyncBatchNorm.convert_sync_batchnorm(model)
        self._frozen = freeze(model, recipe.freeze)
        network = _Network(model, self.preprocessing, plan)
        self.network, self.optimizer = fabric.setup(network, make_optimizer(model, recipe.optim))
        self.average = MovingAverage(model, recipe.ema) if recipe.ema else None
        self.train_mode()
        self.step = 0
        """Optimizer steps done."""
        self.loss = make_loss(recipe.loss)
        self.class_weights: Tensor | None = None
        if class_weights is not None:
            self.class_weights = fabric.to_device(torch.from_numpy(class_weights).float())

    def train_mode(self) -> None:
        """Training mode, but for what is frozen."""
        self.network.train()
        hold(self._frozen)

    @property
    def averaged(self) -> nn.Module:
        """The network to evaluate and to keep: the moving average where there is one."""
        return self.model if self.average is None else self.average.model

    def seed_layers(self, forward_pass: int) -> None:
        """Make what layers draw at random follow from the recipe's seed and the number of the forward pass alone."""
        seed = np.random.SeedSequence((_STEP, self.recipe.seed, forward_pass, self.plan.rank)).generate_state(1)
        torch.manual_seed(int(seed[0]))

    def state_dict(self) -> dict[str, Any]:
        """State for ``load_state_dict``, and under ``model`` the weights, which are loaded when the network is built."""
        return {
            "step": self.step,
            "steps": self.recipe.steps,
            "model": self.model.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "precision": self.fabric.strategy.precision.state_dict(),
            "average": None if self.average is None else self.average.state_dict(),
            "preprocessing": self.preprocessing.to_dict(),
            "encoder_weights": self.encoder_weights,
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from a saved state; ``model`` has its weights already.

        Raises:
            RunError: The state is damaged, or of another run.
        """
        check_resumable(state, self.model, self.recipe, self.optimizer.param_groups)
        self._load(state)

    def _load(self, state: dict[str, Any]) -> None:
        self.step = state["step"]
        self.optimizer.load_state_dict(state["optimizer"])
        self.fabric.strategy.precision.load_state_dict(state["precision"])
        if self.average is not None:
            self.average.load_state_dict(state["average"])

    def restore(self, state: dict[str, Any]) -> None:
        """Go back to what ``state_dict`` gave in this process, weights included."""
        self.model.load_state_dict(state["model"])
        self._load(state)


class _Network(nn.Module):
    """From bytes to logits. Fabric is given bytes because it rounds floats to the precision of the forward pass."""

    def __init__(self, model: Model, preprocessing: Preprocessing, plan: Plan) -> None:
        super().__init__()
        self.model = model
        self.preprocessing = preprocessing
        self.layout = torch.channels_last if plan.channels_last else torch.contiguous_format
        compiled = plan.machine.compile
        self._forward: Callable[[Tensor], Segmentation] = torch.compile(model.forward) if compiled else model.__call__

    def forward(self, images: Tensor) -> Segmentation:
        return self._forward(self.preprocessing(images.contiguous(memory_format=self.layout)))


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
