"""Recipes of DF-DAM (Xiong et al., 2019, arXiv 1911.08149).

None is a row of the paper: these run on data that is at hand, from scratch, with a small encoder.
"""

from __future__ import annotations

from dataclasses import replace

from attseg.recipes.pan import pan_camvid, pan_scenes
from attseg.recipes.recipe import ModelSpec, Recipe


def dfdam_scenes() -> Recipe:
    """`pan-scenes` with DF-DAM and its auxiliary losses; everything else is equal.

    Not measured: anything about real pictures.
    """
    return _with_dfdam(pan_scenes(), "dfdam-scenes", channels=64)


def dfdam_camvid() -> Recipe:
    """`pan-camvid` with DF-DAM and its auxiliary losses; everything else is equal.

    Not measured: pretrained encoders, and the test split.
    """
    return _with_dfdam(pan_camvid(), "dfdam-camvid", channels=128)


def _with_dfdam(recipe: Recipe, name: str, *, channels: int) -> Recipe:
    """Another network in the same recipe; the auxiliary outputs are weighed as in equation 12 of the paper."""
    return replace(
        recipe,
        name=name,
        model=ModelSpec(name="DFDAM", args={"encoder": "resnet18", "channels": channels}),
        loss=replace(recipe.loss, aux={"context": 0.4, "spatial": 0.1}),
    )
