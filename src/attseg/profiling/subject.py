"""The subject of a profile, from one word: a class, a recipe, or a trained network."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn

from attseg.checkpoint import read_weights
from attseg.converters.networks import build_network
from attseg.errors import UsageError, unknown
from attseg.hub.sources import DEMO, find_weights
from attseg.models import MODELS
from attseg.recipes import RECIPES
from attseg.recipes.nested import put

NUM_CLASSES = 21
"""Classes where nothing says how many; PASCAL VOC has them."""

FIRST_WEIGHTS = ("pretrained", "encoder_weights")


@dataclass(frozen=True)
class Subject:
    """A network to profile.

    Args:
        label: What the user called it.
        model: Key of ``attseg.models.MODELS``.
        args: Arguments of its constructor.
        num_classes: Classes K.
        weights: File of its weights, of a trained network.
    """

    label: str
    model: str
    args: dict[str, Any]
    num_classes: int
    weights: Path | None = None

    @property
    def in_channels(self) -> int:
        """Channels of the images that it takes."""
        base = self.args.get("base_args")
        inside: int = base.get("in_channels", 3) if isinstance(base, Mapping) else 3
        own: int = self.args.get("in_channels", inside)
        return own

    def build(self, device: str = "meta") -> nn.Module:
        """The network in evaluation mode with random weights, or on ``meta`` with none; pretrained ones are never fetched."""
        with torch.device(device), torch.random.fork_rng(devices=[]):
            stored = self.weights is not None
            return build_network(self.model, _untrained(self.args), self.num_classes, stored=stored).eval()


def find_subject(name: str, args: Mapping[str, Any] | None = None, *, num_classes: int | None = None) -> Subject:
    """The resolved subject of a profile.

    Args:
        name: A class of ``attseg.models``, a recipe, ``demo``, a run folder, a .safetensors file or a repository on the hub.
        args: Arguments of the constructor that replace those of the recipe, ``base_args.encoder`` those of a network within it;
            a trained network has its own.
        num_classes: Classes K; None takes those of a trained network, and ``NUM_CLASSES`` for the rest.

    Raises:
        UsageError: There is nothing of this name, or it does not take these arguments.
    """
    args = args or {}
    if name in MODELS:
        return Subject(name, name, put({}, args), num_classes or NUM_CLASSES)
    if name in RECIPES:
        model = RECIPES[name]().model
        return Subject(name, model.name, put(model.args, args), num_classes or NUM_CLASSES)
    if name != DEMO and not Path(name).expanduser().exists() and not {"/", "\\", "."} & set(name):
        raise unknown("model or recipe", name, [*MODELS, *RECIPES], more=_listed())
    file = find_weights(name)
    if args or num_classes:
        raise UsageError(
            f"{name} is a trained network, and its arguments and classes are its own; profile its class to change them"
        )
    weights = read_weights(file)
    return Subject(name, weights.model.name, dict(weights.model.args), len(weights.classes), file)


def _untrained(args: Mapping[str, Any]) -> dict[str, Any]:
    """Arguments without those that say where first weights come from, also of a network within the network."""
    return {
        name: _untrained(value) if isinstance(value, Mapping) else value
        for name, value in args.items()
        if name not in FIRST_WEIGHTS
    }


def _listed() -> str:
    return (
        f"There are the classes {', '.join(MODELS)}, the recipes {', '.join(RECIPES)}, and what you have trained: a run folder "
        "or a .safetensors file"
    )
