"""Rules from a summary of data and a computer to a recipe; each says its reason."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass, replace
from typing import Any

import torch

from attseg.recipes import find_recipe
from attseg.recipes.finetune import FAMILY
from attseg.recipes.recipe import DataSpec, Machine, Recipe
from attseg.suggest.data import DataSummary

STEP = 32
"""Sides of crops are multiples of this, the stride of the deepest map."""

LARGEST_CROP = {"cpu": 352, "cuda": 512}
LEAST_CROP = 64
EPOCHS = 60
FEWEST, MOST = 200, {"cpu": 1_500, "cuda": 6_000}
"""Steps."""
IMBALANCED = 10.0
SHARE_OF_MEMORY = 0.25
"""Of the free memory that activations may take."""


@dataclass(frozen=True)
class Computer:
    """The computer that a recipe is chosen for.

    Args:
        device: ``cpu`` or ``cuda``.
        name: Of the GPU; empty on a processor.
        cores: That this process may use.
        memory: Free bytes, of the GPU where there is one; None where the system does not say.
        half: Whether it computes in bfloat16.
    """

    device: str
    name: str
    cores: int
    memory: int | None
    half: bool

    @classmethod
    def here(cls) -> Computer:
        """That of this process."""
        cores = len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1
        if torch.cuda.is_available():
            free, _ = torch.cuda.mem_get_info()
            return cls("cuda", torch.cuda.get_device_name(), cores, free, torch.cuda.is_bf16_supported())
        known = {"SC_AVPHYS_PAGES", "SC_PAGE_SIZE"} <= os.sysconf_names.keys()
        memory = os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") if known else None
        capabilities: dict[str, Any] = getattr(torch.cpu, "get_capabilities", dict)()
        half = any(has for kind, has in capabilities.items() if kind.endswith("bf16"))
        return cls("cpu", "", cores, memory, half)


def choose(
    data: DataSummary, spec: DataSpec, computer: Computer, bytes_per_pixel: float
) -> tuple[Recipe, Machine, list[str]]:
    """A recipe and a machine for a data set.

    Args:
        data: What is in it.
        spec: Where it is.
        computer: Where it is trained.
        bytes_per_pixel: What training keeps for the backward pass for each pixel of a crop, of the network that is chosen.

    Returns:
        Both, and a reason for each choice.
    """
    size = "medium" if computer.device == "cuda" else "small"
    recipe = find_recipe(f"finetune-{size}")
    where = computer.name or f"{computer.cores} cores of a processor"
    why = [f"{FAMILY[size].args['encoder']}, pretrained: the network {size!r} of the small family, for {where}"]
    crop, reason = _crop(data, LARGEST_CROP[computer.device])
    why.append(reason)
    batch = 16 if computer.device == "cuda" else 8
    if computer.memory is not None:
        fits = int(SHARE_OF_MEMORY * computer.memory / (bytes_per_pixel * crop[0] * crop[1]))
        if fits < batch:
            batch = max(2, fits)
            why.append(f"batches of {batch}: {computer.memory / 2**30:.1f} GiB of memory are free")
    if data.train < batch:
        batch = max(2, data.train)
        why.append(f"batches of {batch}: there are no more training pictures")
    steps = min(max(round(EPOCHS * data.train / batch), FEWEST), MOST[computer.device])
    balanced = data.imbalance <= IMBALANCED
    if balanced:
        why.append(f"no class weights: the most frequent class has {data.imbalance:.1f} times the pixels of the rarest")
    else:
        why.append(f"class weights: the most frequent class has {data.imbalance:.0f} times the pixels of the rarest")
    return (
        replace(
            recipe,
            data=spec,
            crop_size=crop,
            batch_size=batch,
            steps=steps,
            loss=replace(recipe.loss, class_weights="none" if balanced else "sqrt-median-frequency"),
        ),
        Machine(precision="bf16" if computer.half else "32"),
        why,
    )


def _crop(data: DataSummary, largest: int) -> tuple[tuple[int, int], str]:
    """Crops of the shape of the pictures, of at most as many pixels as a square of ``largest``."""
    height, width = data.size
    shrink = min(1.0, largest / (height * width) ** 0.5)
    crop = (_multiple(height * shrink), _multiple(width * shrink))
    reason = f"crops of {crop[0]} x {crop[1]}: pictures have {height} x {width}"
    low, narrow = data.smallest_size
    if low < crop[0] / 2 or narrow < crop[1] / 2:
        reason += f", the smallest {low} x {narrow}, which are filled up to the crop"
    return crop, reason


def _multiple(side: float) -> int:
    return max(LEAST_CROP, int(side // STEP) * STEP)
