"""Recipes of the Pyramid Attention Network (Li et al., BMVC 2018).

``pan_voc``, ``pan_voc_test`` and ``pan_cityscapes`` are the paper's; ``attseg.recipes.tables.pan`` has its rows. The others run
on data that is at hand, with small encoders: on generated scenes from scratch, on photographs from ``PRETRAINED``.
"""

from __future__ import annotations

from dataclasses import replace

from attseg.losses import LossSpec
from attseg.recipes.recipe import AugmentSpec, DataSpec, ModelSpec, OptimSpec, Recipe

PAPER = "Li et al. 2018, arXiv 1805.10180"

PRETRAINED = {"encoder": "tf_efficientnet_lite0", "pretrained": True}
"""The encoder of recipes for photographs; its ImageNet weights come from timm, or offline from the extra ``weights``."""


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
    """The bundled model, `load("demo")`: the PAN of `pan-32-scenes`, trained for longer, on scenes of several sizes.

    Not measured: anything about real pictures.
    """
    return replace(
        pan_scenes(),
        name="pan-demo",
        model=ModelSpec(
            name="PAN", args={"encoder": "test_resnet", "channels": 256, "output_stride": 32, "gau_kernel": 1}
        ),
        data=DataSpec(name="scenes", options={"size": (160, 320)}),
        augment=AugmentSpec(scale=(0.75, 1.33)),
        crop_size=(160, 320),
        steps=4_000,
        optim=OptimSpec(name="adamw", lr=3e-3, weight_decay=0.05, warmup=30),
    )


def camvid_from_scratch() -> Recipe:
    """``pan-camvid`` as it was in attseg 0.1.0, which the figures in ``docs/results.md`` are of: ResNet-18 from scratch."""
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


def pan_camvid() -> Recipe:
    """PAN with a pretrained EfficientNet-Lite0 on CamVid (11 classes, 360 x 480): `--data.root` is its folder.

    As in attseg 0.1.0, from scratch: `--model.args.encoder resnet18 --model.args.pretrained false --optim.lr 1e-3`.

    Not measured: all of its steps, and the test split.
    """
    scratch = camvid_from_scratch()
    return replace(
        scratch,
        model=ModelSpec(name="PAN", args={**PRETRAINED, "channels": 128}),
        without_weights="scratch",
        optim=replace(scratch.optim, lr=5e-4),
    )


def pan_folder() -> Recipe:
    """PAN with a pretrained EfficientNet-Lite0 on your own pictures: `--data.root` holds images/, labels/ and classes.csv.

    The folder may also be arranged in its own way, which `attseg data check` tells. `finetune-small` is quicker, and as good or
    better on CamVid.

    Not measured: it is a start, as for CamVid; crop size, steps and class weights want to fit your data.
    """
    return Recipe(
        name="pan-folder",
        model=ModelSpec(name="PAN", args={**PRETRAINED, "channels": 128}),
        data=DataSpec(name="folder"),
        without_weights="scratch",
        augment=AugmentSpec(scale=(0.5, 2.0)),
        crop_size=(256, 256),
        batch_size=8,
        steps=3_000,
        optim=OptimSpec(name="adamw", lr=5e-4, weight_decay=0.05, warmup=30),
        ema=0.99,
    )


def pan_voc() -> Recipe:
    """PAN with ResNet-101 on VOC 2012 with SBD: tables 1 to 5; `--data.root` holds VOCdevkit, `--data.options.sbd` SBD.

    Assumed, as the paper does not say: 30,000 steps, one learning rate for all layers, decay of normalisation and biases too.
    Batch statistics are those of all GPUs. The first weights are timm's of ImageNet.

    Not measured: this recipe has not been run.
    """
    return Recipe(
        name="pan-voc",
        model=ModelSpec(name="PAN", args={"encoder": "resnet101s", "pretrained": True}),
        data=DataSpec(name="voc2012", train="train_aug"),
        augment=AugmentSpec(scale=(0.5, 2.0)),
        crop_size=(512, 512),
        batch_size=16,
        steps=30_000,
        optim=OptimSpec(name="sgd", lr=4e-3, momentum=0.9, weight_decay=1e-4, power=0.9),
        source=f"{PAPER}, table 5",
        expected_miou=79.38,
    )


def pan_voc_test() -> Recipe:
    """`pan-voc` fine-tuned on trainval, for the test server of VOC 2012: table 6.

    Begins with the best weights of `--init`, a run of `pan-voc`. Assumed, as the paper says only that it is done: 5,000 steps, at
    a tenth of the learning rate. The paper's figure is of the test split; val is among what this trains on, and its score says
    nothing.

    Not measured: this recipe has not been run.
    """
    recipe = pan_voc()
    return replace(
        recipe,
        name="pan-voc-test",
        init="runs/pan-voc",
        model=ModelSpec(name="PAN", args={"encoder": "resnet101s"}),
        data=replace(recipe.data, train="trainval"),
        steps=5_000,
        optim=replace(recipe.optim, lr=4e-4),
        source=f"{PAPER}, table 6 (test split)",
        expected_miou=84.0,
        protocol="pan-multiscale",
    )


def pan_cityscapes() -> Recipe:
    """PAN with ResNet-101 on the fine labels of Cityscapes: table 7.

    Assumed, as the paper does not say: 90,000 steps, and the scales and the mirror of VOC in evaluation. The paper's figure is of
    the test split. It speaks of 2,979 training pictures; the release has 2,975.

    Not measured: this recipe has not been run.
    """
    return replace(
        pan_voc(),
        name="pan-cityscapes",
        data=DataSpec(name="cityscapes"),
        crop_size=(768, 768),
        steps=90_000,
        source=f"{PAPER}, table 7 (test split)",
        expected_miou=78.6,
        protocol="pan-multiscale",
    )
