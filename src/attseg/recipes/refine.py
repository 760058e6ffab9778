"""Recipes of Attention to Refine (Yang and Peng, 2018, arXiv 1807.02917).

None is a row of the paper: these run on data that is at hand, from scratch, with the baseline of the other recipes as the network
that both image scales share.
"""

from __future__ import annotations

from dataclasses import replace

from attseg.recipes.fcn import fcn_camvid, fcn_scenes
from attseg.recipes.recipe import ModelSpec, Recipe


def a2r_scenes() -> Recipe:
    """`fcn-scenes` at the image scales 1 and 0.5, merged by location attention with recalibration; everything else is equal.

    Not measured: anything about real pictures.
    """
    return _at_two_scales(fcn_scenes(), "a2r-scenes", stream_channels=32, channels=64)


def a2r_camvid() -> Recipe:
    """`fcn-camvid` at the image scales 1 and 0.5, merged by location attention with recalibration; everything else is equal.

    Not measured: pretrained encoders, and the test split.
    """
    return _at_two_scales(fcn_camvid(), "a2r-camvid", stream_channels=64, channels=128)


def _at_two_scales(recipe: Recipe, name: str, *, stream_channels: int, channels: int) -> Recipe:
    """The model of a recipe as the base, and the loss of each scale beside that of the merged scores, as in section 2.2."""
    base = {"base": recipe.model.name, "base_args": recipe.model.args}
    return replace(
        recipe,
        name=name,
        model=ModelSpec(
            name="AttentionToRefine", args={**base, "stream_channels": stream_channels, "channels": channels}
        ),
        loss=replace(recipe.loss, aux={"scale_100": 1.0, "scale_50": 1.0}),
    )
