"""Recipes of the Pyramid Attention Network (Li et al., BMVC 2018).

None is a row of the paper: these run on data that is at hand, from scratch, with small encoders.
"""

from __future__ import annotations

from dataclasses import replace

from attseg.recipes.recipe import AugmentSpec, DataSpec, LossSpec, ModelSpec, OptimSpec, Recipe


def pan_scenes() -> Recipe:
    """PAN with ResNet-18 on generated scenes: needs no files and no network, minutes on a CPU.

    Whole scenes, unscaled: a crop could cut away the far side, which alone decides what stands covered on the quay.

    Not measured: anything about real pictures.
    """
    return Recipe(
        name="pan-scenes",
        model=ModelSpec(name="PAN", args={"encoder": "resnet18", "channels": 64}),
        data=DataSpec(name="scenes", options={"size": (128, 128)}),
        augment=AugmentSpec(scale=(1.0, 1.0)),
        crop_size=(128, 128),
        batch_size=8,
        steps=1_500,
        optim=OptimSpec(name="adamw", lr=1e-3, weight_decay=0.05, warmup=30),
        ema=0.99,
    )


def pan_demo() -> Recipe:
    """The bundled model, `load("demo")`: PAN with the smallest ResNet of timm on generated scenes.

    Not measured: anything about real pictures.
    """
    return replace(
        pan_scenes(),
        name="pan-demo",
        model=ModelSpec(name="PAN", args={"encoder": "test_resnet", "channels": 96}),
        data=DataSpec(name="scenes", options={"size": (128, 192)}),
        crop_size=(128, 192),
        batch_size=16,
        steps=2_500,
        optim=OptimSpec(name="adamw", lr=3e-3, weight_decay=0.05, warmup=30),
    )


def pan_camvid() -> Recipe:
    """PAN with ResNet-18 on CamVid (11 classes, 480 x 360), from scratch: `--data.root` is its folder.

    Not measured: pretrained encoders, and the test split.
    """
    return Recipe(
        name="pan-camvid",
        model=ModelSpec(name="PAN", args={"encoder": "resnet18", "channels": 128}),
        data=DataSpec(name="camvid"),
        augment=AugmentSpec(scale=(0.5, 2.0), color=0.4),
        crop_size=(256, 352),
        batch_size=8,
        steps=6_000,
        optim=OptimSpec(name="adamw", lr=1e-3, weight_decay=0.05, warmup=30),
        loss=LossSpec(class_weights="sqrt-median-frequency"),
        ema=0.99,
    )


def pan_folder() -> Recipe:
    """PAN with ResNet-18 on your own pictures: `--data.root` is a folder with images/, labels/ and classes.csv.

    Not measured: it is a start, as for CamVid; crop size, steps and class weights want to fit your data.
    """
    return Recipe(
        name="pan-folder",
        model=ModelSpec(name="PAN", args={"encoder": "resnet18", "channels": 128}),
        data=DataSpec(name="folder"),
        augment=AugmentSpec(scale=(0.5, 2.0)),
        crop_size=(256, 256),
        batch_size=8,
        steps=3_000,
        optim=OptimSpec(name="adamw", lr=1e-3, weight_decay=0.05, warmup=30),
        ema=0.99,
    )
