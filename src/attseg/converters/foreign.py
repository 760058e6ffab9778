"""Weights from elsewhere as a network of ours: which one, with which arguments, and the tensors under our names."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from attseg.converters.networks import build_network
from attseg.data.preprocessing import Preprocessing
from attseg.errors import UsageError
from attseg.models import Model
from attseg.recipes.recipe import ModelName
from attseg.tensors import explain_state
from attseg.text import dimensions

EPS = 1e-5
"""PyTorch's default epsilon of batch normalisation, which all sources use."""

MOST_NAMED = 3

Renaming = list[tuple[str, str]]
"""Beginnings of our names, and what stands there in the file; the first that fits counts."""


@dataclass(frozen=True, eq=False)
class Foreign:
    """Result of a converter.

    Args:
        name: Key of ``MODELS``.
        num_classes: Classes K.
        args: Keyword arguments of the model.
        state: Its tensors.
        preprocessing: What its pictures went through.
    """

    name: ModelName
    num_classes: int
    args: dict[str, Any]
    state: dict[str, Tensor]
    preprocessing: Preprocessing

    def build(self) -> Model:
        """The model with its weights, in evaluation mode."""
        with torch.device("meta"):  # drawing first weights would take longer than all else
            model = build_network(self.name, self.args, self.num_classes)
        if any(
            name not in self.state for name, _ in model.named_buffers()
        ):  # some networks of timm keep tables that no file has
            model = build_network(self.name, self.args, self.num_classes)
        model.load_state_dict({name: tensor.clone() for name, tensor in self.state.items()}, assign=True)
        return model.eval()


class Given:
    """The tensors of a file, each taken once.

    Args:
        what: What the file should be, such as ``a PSANet of hszhao/semseg``.
        tensors: By name.
    """

    def __init__(self, what: str, tensors: Mapping[str, Tensor]) -> None:
        self.what = what
        self.tensors = dict(tensors)

    def __contains__(self, name: str) -> bool:
        return name in self.tensors

    def shape(self, name: str) -> tuple[int, ...]:
        """The shape of a tensor without which the file is something else.

        Raises:
            UsageError: It is not there.
        """
        if name not in self.tensors:
            beginnings = sorted({other.partition(".")[0] for other in self.tensors})
            raise UsageError(
                f"these are not the weights of {self.what}: there is no {name!r}; the names begin with {named(beginnings)}"
            )
        return tuple(self.tensors[name].shape)

    def take(self, name: str) -> Tensor:
        """A tensor, which is then no longer there."""
        self.shape(name)
        return self.tensors.pop(name)

    def drop(self, *beginnings: str) -> None:
        """Leave out the tensors whose names begin so: they take no part in the logits."""
        self.tensors = {name: tensor for name, tensor in self.tensors.items() if not name.startswith(beginnings)}

    def drop_endings(self, *endings: str) -> None:
        """Leave out the tensors whose names end so: they take no part in the logits."""
        self.tensors = {name: tensor for name, tensor in self.tensors.items() if not name.endswith(endings)}

    def fit(
        self,
        name: ModelName,
        num_classes: int,
        args: Mapping[str, Any],
        *,
        renaming: Renaming,
        made: Mapping[str, Tensor] | None = None,
        preprocessing: Preprocessing | None = None,
    ) -> Foreign:
        """Give every tensor its name in a model of ours.

        Args:
            name: Key of ``MODELS``.
            num_classes: Classes K.
            args: Keyword arguments of the model.
            renaming: From our names to those of the file.
            made: Tensors by our names that are no tensors of the file, but made of them.
            preprocessing: What the pictures went through; None is ImageNet's mean and deviation.

        Raises:
            UsageError: Tensors are missing, too many, of another shape or of another kind; the first are named as the file has
                them.
        """
        made = made or {}
        with torch.device("meta"):
            wanted = build_network(name, args, num_classes).state_dict()
        state: dict[str, Tensor] = {}
        missing, wrong, unfit = [], [], []
        for ours, like in wanted.items():
            theirs = _renamed(ours, renaming)
            if ours in made:
                tensor = made[ours]
            elif theirs in self.tensors:
                tensor = self.tensors.pop(theirs)
            elif ours.endswith("num_batches_tracked"):  # old files have none, and evaluation needs none
                tensor = torch.tensor(0)
            else:
                missing.append(theirs)
                continue
            if tensor.shape != like.shape:
                wrong.append(f"{theirs} ({dimensions(tensor.shape)}, where {dimensions(like.shape)} was expected)")
            if problem := explain_state({theirs: tensor}, {theirs: like}):
                unfit += problem
            else:
                state[ours] = tensor.to(like.dtype)
        more = [theirs for theirs in self.tensors if not theirs.endswith("num_batches_tracked")]
        problems = [
            f"{len(names)} {kind}: {named(names)}"
            for kind, names in (
                ("are missing", missing),
                ("are not known", more),
                ("have another shape", wrong),
                ("cannot be loaded", unfit),
            )
            if names
        ]
        if problems:
            raise UsageError(f"these are not the weights of {self.what}: of its tensors, {'; '.join(problems)}")
        return Foreign(name, num_classes, dict(args), state, preprocessing or Preprocessing())

    def folded_convolution(self, convolution: str, norm: str) -> tuple[Tensor, Tensor]:
        """Weight and bias of a convolution that does what this one and the normalisation behind it do.

        For branches of one value a picture, where ours has no normalisation: in evaluation the two are one.
        """
        weight = self.take(f"{convolution}.weight").double()
        bias = self.take(f"{convolution}.bias").double() if f"{convolution}.bias" in self else torch.zeros(len(weight))
        gain, shift, mean, variance = (
            self.take(f"{norm}.{part}").double() for part in ("weight", "bias", "running_mean", "running_var")
        )
        factor = gain / (variance + EPS).sqrt()
        return (weight * factor[:, None, None, None]).float(), ((bias - mean) * factor + shift).float()

    def mean_without_bias(self, convolution: str, norm: str) -> Tensor:
        """The running mean of a normalisation, less the bias of the convolution before it, which then needs none."""
        return self.take(f"{norm}.running_mean") - self.take(f"{convolution}.bias")


def named(names: Iterable[str]) -> str:
    """The first of some names."""
    listed = list(names)
    return ", ".join(listed[:MOST_NAMED]) + (", .." if len(listed) > MOST_NAMED else "")


def _renamed(ours: str, renaming: Renaming) -> str:
    for beginning, theirs in renaming:
        if ours.startswith(beginning):
            return theirs + ours.removeprefix(beginning)
    return ours
