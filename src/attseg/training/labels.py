"""Label statistics that a run needs: class weights and sampling probabilities."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from attseg.data.feeding.balance import Floats, class_balanced, count_labels, median_frequency
from attseg.data.sample import SegmentationData
from attseg.files import replacing, require_file
from attseg.json_files import read_json
from attseg.recipes.recipe import Recipe
from attseg.runs.folder import RunFolder


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
        recipe: ``loss.class_weights`` and ``sampling`` decide what is needed.
        data: The training split.
        folder: Keeps both for a resumed run.
        writes: Whether this process is the one that writes.
        say: Is told that labels are counted, which may take minutes.
    """
    weights = np.array([*read_json(folder.class_weights).values()]) if folder.class_weights.exists() else None
    chances = np.load(require_file(folder.chances)) if folder.chances.exists() else None
    needs_weights = recipe.loss.class_weights != "none" and weights is None
    needs_chances = recipe.sampling != "shuffled" and chances is None
    if needs_weights or needs_chances:
        say(f"counting the pixels of each class in {len(data)} label files")
        counts = count_labels(data)
        if needs_weights:
            weights = median_frequency(counts)
            if recipe.loss.class_weights == "sqrt-median-frequency":
                weights = np.sqrt(weights)
            if writes:
                named = dict(zip(data.classes.names, weights.tolist(), strict=True))
                with replacing(folder.class_weights) as file:
                    file.write(json.dumps(named, indent=2).encode() + b"\n")
        if needs_chances:
            chances = class_balanced(counts)
            if writes:
                with replacing(folder.chances) as file:
                    np.save(file, chances)
    return LabelStatistics(weights, chances)
