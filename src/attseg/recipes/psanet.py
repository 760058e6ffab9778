"""Recipes of PSANet (Zhao et al., ECCV 2018).

None is a row of the paper: these run on data that is at hand, from scratch, with small encoders.
"""

from __future__ import annotations

from dataclasses import replace

from attseg.recipes.pan import pan_camvid
from attseg.recipes.recipe import ModelSpec, Recipe


def psanet_camvid() -> Recipe:
    """`pan-camvid` with PSANet at stride 8 and its auxiliary loss; everything else is equal.

    A step takes about three times as long as one of PAN at stride 16.

    Not measured: pretrained encoders, and the test split.
    """
    recipe = pan_camvid()
    args = {"encoder": "resnet18", "crop_size": list(recipe.crop_size), "inner": 128, "channels": 128}
    return replace(
        recipe,
        name="psanet-camvid",
        model=ModelSpec(name="PSANet", args=args),
        loss=replace(recipe.loss, aux={"encoder": 0.4}),
    )
