"""What a run says before its first step, and how long it will take once a few are done."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import torch
from torch import nn

from attseg.data.sample import SegmentationData
from attseg.recipes.recipe import Machine, Recipe
from attseg.runs.length import val_every
from attseg.runs.progress import duration

FIRST, PACED = 2, 12
"""Steps that are not timed, since the first ones are slow, and the step after which the length is foretold."""


def opening(
    recipe: Recipe,
    model: nn.Module,
    data: SegmentationData,
    val: SegmentationData,
    *,
    device: str,
    workers: int,
    machine: Machine,
    encoder_weights: str | None = None,
) -> Iterator[str]:
    """Lines about data, model, hardware and length of a run.

    Args:
        recipe: With its length in steps.
        model: The network.
        data: To train on.
        val: To evaluate on.
        device: Where the run happens.
        workers: Processes that load training images.
        machine: What was asked for.
        encoder_weights: Where the encoder's first weights come from; None for none or those of ``init``.
    """
    yield f"data: {len(data)} training and {len(val)} validation images, {len(data.classes)} classes"
    parameters = sum(parameter.numel() for parameter in model.parameters())
    begins = encoder_weights or (f"weights of {recipe.init}" if recipe.init else "random weights")
    yield f"model: {recipe.model.name}, encoder {_encoder(recipe.model.args)} ({begins}), {parameters / 1e6:.2f} M parameters"
    threads = f", {torch.get_num_threads()} threads" if device == "cpu" else ""
    loading = f"{workers} processes load images" if workers else "images are loaded between steps"
    yield f"machine: {device}{threads}, precision {machine.precision}, {loading}"
    steps, epochs = recipe.steps, recipe.steps * recipe.batch_size / max(1, len(data))
    first = min(steps, val_every(recipe, steps))
    yield f"length: {steps} steps of {recipe.batch_size} images, {epochs:.3g} epochs; first validation after step {first}"


def busy_hint(threads: int, cores: int, load: float) -> str | None:
    """Advice where other processes use the cores that several threads are to compute on; None where they are free.

    Args:
        threads: Threads of this process.
        cores: Cores of the machine.
        load: Processes that want a core, averaged over the last minute.

    Example:
        >>> busy_hint(2, 2, 1.1)
        '2 threads, and 1.1 of 2 cores are in use by others: OMP_NUM_THREADS=1 may be faster'
    """
    free = max(1, round(cores - load))
    if threads <= free:
        return None
    used = f"{min(load, cores):.1f} of {cores} cores are in use by others"
    return f"{threads} threads, and {used}: OMP_NUM_THREADS={free} may be faster"


def foretell(seconds: float, left: int, validations: int) -> str:
    """How long a run will take.

    Args:
        seconds: Of a step, as measured.
        left: Steps to go.
        validations: To come.

    Example:
        >>> foretell(0.5, 600, 10)
        'about 5 min 0 s to go at 0.5 s a step, and 10 validations'
    """
    more = f", and {validations} validation{'s' * (validations != 1)}" if validations else ""
    return f"about {duration(seconds * left)} to go at {seconds:.2g} s a step{more}"


def _encoder(args: Mapping[str, Any]) -> str:
    """The name of the encoder, which a model of several scales has in its base."""
    found = args.get("encoder") or (args.get("base_args") or {}).get("encoder")
    return str(found) if isinstance(found, str) else "of the model's own"
