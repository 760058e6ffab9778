"""Label statistics that a run needs: class weights and sampling probabilities."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from attseg.data.classes import ClassTable
from attseg.data.feeding.balance import Floats, class_balanced, count_labels, median_frequency
from attseg.data.sample import SegmentationData
from attseg.errors import UsageError, unknown
from attseg.files import replacing, require_file, write_file
from attseg.json_files import read_json
from attseg.recipes.recipe import Recipe
from attseg.runs.folder import RunFolder

FEW = 2
"""Training images of a class, below which it cannot be learned."""


@dataclass(frozen=True)
class LabelStatistics:
    """Result of ``label_statistics``.

    Args:
        class_weights: (K,) factor of each class in the loss; None: all classes count alike.
        chances: (N,) probability of each sample to be drawn; None: all are equally likely.
    """

    class_weights: Floats | None
    chances: Floats | None


def label_statistics(
    recipe: Recipe, data: SegmentationData, folder: RunFolder, *, writes: bool, say: Callable[[str], None]
) -> LabelStatistics:
    """Read what a recipe asks for from the run folder, or else count the labels, once for both.

    Args:
        recipe: ``loss.class_weights``, ``loss.weights`` and ``sampling`` decide what is needed.
        data: The training split.
        folder: Keeps both for a resumed run.
        writes: Whether this process is the one that writes.
        say: Is told that labels are counted, which may take minutes.
    """
    weights = np.array([*read_json(folder.class_weights).values()]) if folder.class_weights.exists() else None
    own = np.array([recipe.loss.weights.get(name, 1.0) for name in data.classes.names])
    chances = np.load(require_file(folder.chances)) if folder.chances.exists() else None
    needs_weights = recipe.loss.class_weights != "none" and weights is None
    needs_chances = recipe.sampling != "shuffled" and chances is None
    if needs_weights or needs_chances:
        say(f"counting the pixels of each class in {len(data)} label files")
        counts = count_labels(data)
        images = (counts[:, :-1] > 0).sum(0).tolist()
        few = [f"{name} in {count}" for name, count in zip(data.classes.names, images, strict=True) if count < FEW]
        if few:
            say(f"classes in fewer than {FEW} training images cannot be learned: {', '.join(few)}")
        if needs_weights:
            weights = median_frequency(counts)
            if recipe.loss.class_weights == "sqrt-median-frequency":
                weights = np.sqrt(weights)
            weights = weights * own
            if writes:
                named = dict(zip(data.classes.names, weights.tolist(), strict=True))
                write_file(folder.class_weights, json.dumps(named, indent=2).encode() + b"\n")
        if needs_chances:
            chances = class_balanced(counts)
            if writes:
                with replacing(folder.chances) as file:
                    np.save(file, chances)
    if weights is None and recipe.loss.weights:
        weights = own
    return LabelStatistics(weights, chances)


def check_weights(recipe: Recipe, classes: ClassTable) -> None:
    """Refuse factors of classes that a data set does not have, or with which nothing would be learned.

    Raises:
        UsageError: The message names the class, with the nearest one.
    """
    for name, factor in recipe.loss.weights.items():
        if name not in classes.names:
            raise unknown("class", name, classes.names)
        if not factor >= 0:
            raise UsageError(f"loss.weights.{name} is {factor}; a factor of at least 0 was expected")
    if not any(recipe.loss.weights.get(name, 1.0) for name in classes.names):
        raise UsageError(
            "loss.weights gives every class the factor 0, so that there is nothing to learn; leave some out"
        )
