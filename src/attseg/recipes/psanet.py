"""Recipes of PSANet (Zhao et al., ECCV 2018).

None is a row of the paper: these run on data that is at hand, from scratch, with small encoders.
"""

from __future__ import annotations

from dataclasses import replace

from attseg.recipes.pan import pan_camvid, pan_scenes
from attseg.recipes.recipe import ModelSpec, OptimSpec, Recipe


def psanet_scenes() -> Recipe:
    """PSANet on generated scenes so wide that the smallest ResNet does not see what decides far away.

    The rows of the paper's table 1 are `--model.args.directions []`, `[collect]`, `[distribute]` and both.

    Not measured: anything about real pictures.
    """
    recipe = pan_scenes()
    args = {"encoder": "test_resnet", "crop_size": (160, 384), "inner": 64, "channels": 64}
    return replace(
        recipe,
        name="psanet-scenes",
        model=ModelSpec(name="PSANet", args=args),
        data=replace(recipe.data, options={"size": (160, 384)}),
        crop_size=(160, 384),
        steps=600,
        optim=OptimSpec(name="adamw", lr=3e-3, weight_decay=0.05, warmup=30),
        loss=replace(recipe.loss, aux={"encoder": 0.4}),
        ema=0.98,
    )


def psanet_camvid() -> Recipe:
    """`pan-camvid` with PSANet at stride 8 and its auxiliary loss; everything else is equal.

    A step takes about three times as long as one of PAN at stride 16.

    Not measured: pretrained encoders, and the test split.
    """
    recipe = pan_camvid()
    args = {"encoder": "resnet18", "crop_size": recipe.crop_size, "inner": 128, "channels": 128}
    return replace(
        recipe,
        name="psanet-camvid",
        model=ModelSpec(name="PSANet", args=args),
        loss=replace(recipe.loss, aux={"encoder": 0.4}),
    )
