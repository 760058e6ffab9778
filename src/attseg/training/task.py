"""What Lightning's Trainer trains: model, loss, batches, optimiser."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from lightning.pytorch import LightningModule
from torch import Tensor

from attseg.data.feeding.balance import Floats
from attseg.data.feeding.loader import Batch, Loader, train_loader
from attseg.data.feeding.transforms import TrainTransform
from attseg.data.preprocessing import Preprocessing
from attseg.data.reading.value_range import check_range
from attseg.data.sample import SegmentationData
from attseg.losses import make_loss, segmentation_loss
from attseg.models import Model, Segmentation
from attseg.recipes.recipe import Recipe
from attseg.training.optim import learning_rate, make_optimizer, set_learning_rate
from attseg.training.plan import Plan

_STEP = 3  # sets this use of a seed apart from others


class SegmentationTask(LightningModule):
    """One step of training after another; nothing about logs, evaluation or files.

    Whatever a layer draws at random follows from the recipe's seed and the number of the forward pass, so that a resumed run
    draws the same.

    Args:
        model: What is trained.
        recipe: How.
        plan: On what; ``batch_size`` is that of one forward pass.
        data: The training split.
        preprocessing: Normalisation of its images; their value range is that of the recipe's data set.
        accumulate: Forward passes an optimiser step.
        start: Optimiser steps that were done before.
        optimizer_state: Of the optimiser at that step.
        class_weights: (K,) factors of the classes in the loss.
        chances: (N,) how likely each picture is to be drawn; None: all are equally likely.
        cache: Gigabytes for decoded pictures.
        compiled: Whether the forward pass goes through ``torch.compile``.
    """

    def __init__(
        self,
        model: Model,
        recipe: Recipe,
        plan: Plan,
        data: SegmentationData,
        *,
        preprocessing: Preprocessing,
        accumulate: int,
        start: int,
        optimizer_state: dict[str, Any] | None,
        class_weights: Floats | None,
        chances: Floats | None,
        cache: float,
        compiled: bool,
    ) -> None:
        super().__init__()
        self.class_weights: Tensor | None
        self.model = model
        self.recipe = recipe
        self.plan = plan
        self.data = data
        self.accumulate = accumulate
        self.start = start
        self.optimizer_state = optimizer_state
        self.chances = chances
        self.cache = cache
        stated = recipe.data.options.get("range")
        self.preprocessing = replace(preprocessing, value_range=None if stated is None else check_range(stated))
        self.loss = make_loss(recipe.loss)
        self.losses: list[tuple[Tensor, list[str]]] = []
        """Loss of each forward pass and the names of its samples, until somebody takes them away."""
        weights = None if class_weights is None else torch.from_numpy(class_weights).float()
        self.register_buffer("class_weights", weights, persistent=False)
        self._forward: Callable[[Tensor], Segmentation] = torch.compile(model.forward) if compiled else model.__call__

    def train_dataloader(self) -> _Batches:
        """The batches of this process that are still to come."""
        transform = TrainTransform(self.recipe.crop_size, **vars(self.recipe.augment))
        loader = train_loader(
            self.data,
            transform,
            batch_size=self.plan.batch_size,
            seed=self.recipe.seed,
            chances=self.chances,
            start=self.start * self.accumulate,
            rank=self.global_rank,
            world=self.plan.world,
            workers=self.plan.workers,
            cache=self.cache,
        )
        return _Batches(loader, (self.recipe.steps - self.start) * self.accumulate)

    def configure_optimizers(self) -> torch.optim.Optimizer:
        """The optimiser, as it was when the run stopped."""
        optimizer = make_optimizer(self.model, self.recipe.optim)
        if self.optimizer_state is not None:
            optimizer.load_state_dict(self.optimizer_state)
        return optimizer

    def on_train_batch_start(self, batch: Batch, batch_idx: int) -> None:
        """Set learning rate and seed: both follow from the number of the step alone."""
        passes = self.start * self.accumulate + batch_idx
        lr = learning_rate(self.recipe.optim, passes // self.accumulate, self.recipe.steps)
        set_learning_rate(self.trainer.optimizers[0], lr)
        seed = np.random.SeedSequence((_STEP, self.recipe.seed, passes, self.global_rank)).generate_state(1)
        torch.manual_seed(int(seed[0]))

    def training_step(self, batch: Batch, batch_idx: int) -> Tensor:
        """The loss of a batch."""
        images = batch["images"]
        if self.plan.channels_last:
            images = images.contiguous(memory_format=torch.channels_last)
        output = self._forward(self.preprocessing(images))
        loss = segmentation_loss(
            output, batch["labels"], loss=self.loss, weight=self.class_weights, aux=self.recipe.loss.aux
        )
        self.losses.append((loss.detach(), batch["names"]))
        return loss


class _Batches:
    """So many batches of a loader; Lightning would change the sampler of a ``DataLoader``, and warn about its workers."""

    def __init__(self, loader: Loader[Batch], length: int) -> None:
        self._loader = loader
        self._length = length

    def __len__(self) -> int:
        return self._length

    def __iter__(self) -> Iterator[Batch]:
        yield from self._loader
