"""Hooks of a run, for Python."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from torch import Tensor

if TYPE_CHECKING:
    from attseg.training.learner import Learner


class Callback:
    """Base class of hooks; override those that you need.

    Every process of a run calls them; ``learner.plan.rank`` is 0 in the first. ``learner.step`` counts the steps done, and
    ``learner.model`` is the network (``learner.averaged`` the one that is evaluated). An exception ends the run as any error
    does. A resumed run begins with new callbacks: keep what they need in files of your own.

    Example:
        >>> class Printer(Callback):
        ...     def on_validation(self, learner, scores):
        ...         if learner.plan.rank == 0:
        ...             print(learner.step, round(scores["miou"], 3))
    """

    def on_step(self, learner: Learner, loss: Tensor) -> None:
        """After each optimizer step.

        Args:
            learner: What is trained.
            loss: That of the step's last forward pass in this process, on its device; reading it waits for a GPU.
        """

    def on_validation(self, learner: Learner, scores: Mapping[str, float]) -> None:
        """After each evaluation.

        Args:
            learner: What is trained.
            scores: ``miou``, ``pixel_accuracy``, ``val_loss`` and ``iou/CLASS`` of each class that is labelled or predicted;
                empty where no pixel counts.
        """

    def on_end(self, learner: Learner) -> None:
        """After the last step, when everything is saved; not where the run was stopped or failed."""
