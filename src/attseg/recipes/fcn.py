"""Recipes of the network without attention that the others are measured against."""

from __future__ import annotations

from dataclasses import replace

from attseg.recipes.pan import PRETRAINED, pan_camvid, pan_scenes
from attseg.recipes.recipe import ModelSpec, Recipe


def fcn_scenes() -> Recipe:
    """`pan-scenes` with no context module and a bilinear decoder; everything else is equal.

    Not measured: anything about real pictures.
    """
    return replace(
        pan_scenes(), name="fcn-scenes", model=ModelSpec(name="FCN", args={"encoder": "resnet18", "channels": 64})
    )


def fcn_camvid() -> Recipe:
    """`pan-camvid` with no context module and a bilinear decoder; everything else is equal.

    Not measured: all of its steps, and the test split.
    """
    return replace(pan_camvid(), name="fcn-camvid", model=ModelSpec(name="FCN", args={**PRETRAINED, "channels": 128}))
