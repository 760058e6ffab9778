"""Costs of the networks of a table's rows."""

from __future__ import annotations

from attseg.data.catalog import CATALOG
from attseg.profiling.count import Cost, profile
from attseg.profiling.subject import Subject
from attseg.recipes.recipe import Recipe

NUM_CLASSES = 21
"""Classes where the record of a data set does not say how many."""


def network_cost(recipe: Recipe) -> Cost:
    """Cost of the network of a recipe in inference, for one picture of the size of its crops; nothing is computed."""
    classes = CATALOG[recipe.data.name].classes
    subject = Subject(
        recipe.name, recipe.model.name, recipe.model.args, NUM_CLASSES if classes is None else len(classes.names)
    )
    return profile(subject.build(), recipe.crop_size, channels=subject.in_channels).total
