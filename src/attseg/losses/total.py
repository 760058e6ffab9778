"""The training loss: the weighted sum of a recipe's losses, and cross-entropy of the auxiliary outputs."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from inspect import signature
from typing import Protocol, get_args

from torch import Tensor

from attseg import losses
from attseg.errors import UsageError, unknown
from attseg.losses import LossName, LossSpec
from attseg.losses.cross_entropy import cross_entropy_loss
from attseg.models.frame import Segmentation

WEIGHTED = ("cross-entropy", "ohem", "boundary")
"""Losses in which factors of classes count."""


class Loss(Protocol):
    """Logits (N, K, H, W), labels (N, H, W) and factors of the classes (K,) give a scalar."""

    def __call__(self, logits: Tensor, labels: Tensor, *, weight: Tensor | None = None) -> Tensor:
        """The loss, in 32 bits."""
        ...


def segmentation_loss(
    output: Segmentation,
    labels: Tensor,
    *,
    loss: Loss = cross_entropy_loss,
    weight: Tensor | None = None,
    aux: Mapping[str, float] | None = None,
) -> Tensor:
    """A loss of the logits, plus the cross-entropy of each auxiliary output times its factor.

    Args:
        output: What a model returned, in training mode if auxiliary outputs are meant to count.
        labels: (N, H, W) classes 0..K-1, or 255 where ignored; integers of any kind.
        loss: Of the logits; ``make_loss`` gives that of a recipe.
        weight: (K,) factor of the pixels of each class, in ``loss`` as far as that uses it, and in every cross-entropy.
        aux: Factor of each auxiliary output by name; outputs that are not named do not count.

    Returns:
        A scalar in 32 bits, also under mixed precision; 0 with a zero gradient if every pixel is ignored.

    Raises:
        UsageError: ``aux`` names an output that the model does not have.

    Reading:
        The papers supervise their auxiliary outputs with the cross-entropy of the main one. With another main loss ours keep
        cross-entropy: they are there to give early layers a gradient at every pixel, not to be good at the final score.
    """
    total = loss(output.logits, labels, weight=weight)
    for name, factor in (aux or {}).items():
        if name not in output.aux:
            if not output.aux:
                raise UsageError(f"the loss names the auxiliary output {name!r}, but the model has none; leave it out")
            raise unknown("auxiliary output", name, output.aux)
        total = total + factor * cross_entropy_loss(output.aux[name], labels, weight=weight)
    return total


def make_loss(spec: LossSpec) -> Loss:
    """The sum of losses that a recipe asks for.

    Args:
        spec: Its ``terms`` and their options; ``class_weights`` and ``aux`` are for ``segmentation_loss``.

    Raises:
        UsageError: An unknown loss, no loss at all, or an option out of range.

    Example:
        >>> import torch
        >>> loss = make_loss(LossSpec(terms={"cross-entropy": 1.0, "dice": 0.5}))
        >>> round(loss(torch.zeros(1, 2, 4, 4), torch.zeros(1, 4, 4, dtype=torch.uint8)).item(), 4)  # log 2 + 0.5 / 3
        0.8598
    """
    return _Sum(spec)


class _Sum:
    def __init__(self, spec: LossSpec) -> None:
        _check(spec)
        self.terms = [(factor, _term(name, spec)) for name, factor in spec.terms.items() if factor]

    def __call__(self, logits: Tensor, labels: Tensor, *, weight: Tensor | None = None) -> Tensor:
        parts = [factor * loss(logits, labels, weight=weight) for factor, loss in self.terms]
        return sum(parts[1:], start=parts[0])


def _term(name: LossName, spec: LossSpec) -> Loss:
    """The loss of a name, with its options; ``attseg.losses`` says how they are found."""
    prefix = name.replace("-", "_")
    function = getattr(losses, f"{prefix}_loss")
    fields = {key: value for key, value in vars(spec).items() if key.startswith(f"{prefix}_")}
    options = {key.removeprefix(f"{prefix}_"): value for key, value in fields.items()}
    if "weight" in signature(function).parameters:
        return partial(function, **options)
    return lambda logits, labels, *, weight=None: function(logits, labels, **options)


def _check(spec: LossSpec) -> None:
    for name, factor in spec.terms.items():
        if name not in get_args(LossName):
            raise unknown("loss", name, get_args(LossName))
        if not factor >= 0:
            raise UsageError(f"loss.terms.{name} is {factor}; a factor of at least 0 was expected")
    if not any(spec.terms.values()):
        raise UsageError("loss.terms names no loss with a factor above 0; give one, such as {cross-entropy: 1}")
    if spec.weights and not any(factor for name, factor in spec.terms.items() if name in WEIGHTED):
        raise UsageError(
            f"loss.weights count in {', '.join(WEIGHTED)}, and loss.terms has none of these; add one, or leave them out"
        )
    if not 0 < spec.ohem_threshold <= 1:
        raise UsageError(
            f"loss.ohem_threshold is {spec.ohem_threshold}; a probability above 0 and up to 1 was expected"
        )
    if not 0 <= spec.ohem_share <= 1:
        raise UsageError(f"loss.ohem_share is {spec.ohem_share}; a share between 0 and 1 was expected")
    if spec.boundary_width < 1:
        raise UsageError(f"loss.boundary_width is {spec.boundary_width}; at least 1 pixel was expected")
    if not spec.boundary_gain >= 0:
        raise UsageError(f"loss.boundary_gain is {spec.boundary_gain}; at least 0 was expected")
