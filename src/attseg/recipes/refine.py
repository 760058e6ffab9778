"""Recipes of Attention to Refine (Yang and Peng, 2018, arXiv 1807.02917).

``a2r_voc`` and ``a2r_ade20k`` are the paper's; ``attseg.recipes.tables.refine`` has its rows. The others run on data that is at
hand, from scratch, with the baseline of the other recipes as the network that both image scales share.
"""

from __future__ import annotations

from dataclasses import replace

from attseg.losses import LossSpec
from attseg.recipes.fcn import fcn_camvid, fcn_scenes
from attseg.recipes.recipe import AugmentSpec, DataSpec, ModelSpec, OptimSpec, Recipe

PAPER = "Yang and Peng 2018, arXiv 1807.02917"
AUX = {"scale_100": 1.0, "scale_50": 1.0}
"""The loss of each scale counts as much as that of the result, at the end of section 2.2."""


def a2r_scenes() -> Recipe:
    """`fcn-scenes` at the image scales 1 and 0.5, merged by location attention with recalibration; everything else is equal.

    Not measured: anything about real pictures.
    """
    return _at_two_scales(fcn_scenes(), "a2r-scenes", stream_channels=32, channels=64)


def a2r_camvid() -> Recipe:
    """`fcn-camvid` at the image scales 1 and 0.5, merged by location attention with recalibration; everything else is equal.

    Another encoder is `--model.args.base_args.encoder resnet34`: it belongs to the network that both scales share.

    Not measured: all of its steps, and the test split.
    """
    return _at_two_scales(fcn_camvid(), "a2r-camvid", stream_channels=64, channels=128)


def a2r_voc() -> Recipe:
    """Attention to Refine over DeepLab-LargeFOV (VGG-16) on VOC 2012 with SBD: tables 1 and 2; `--data.root` holds VOCdevkit.

    The paper gives the schedule and the tenfold learning rate of new layers, and for all else follows attention-to-scale, which
    we take to be: batches of 30, crops of 321, a learning rate of 0.001, weight decay of 5e-4. Assumed beside: 10,000 steps,
    scaling between 0.5 and 1.5, evaluation at a single scale. The first weights are those of torchvision.

    Not measured: this recipe has not been run.
    """
    return Recipe(
        name="a2r-voc",
        model=ModelSpec(name="AttentionToRefine", args={"base": "largefov", "base_args": {"pretrained": True}}),
        data=DataSpec(name="voc2012", train="train_aug"),
        augment=AugmentSpec(scale=(0.5, 1.5)),
        crop_size=(321, 321),
        batch_size=30,
        steps=10_000,
        optim=OptimSpec(name="sgd", lr=1e-3, momentum=0.9, weight_decay=5e-4, power=0.9, new_layers_factor=10.0),
        loss=LossSpec(aux=AUX),
        source=f"{PAPER}, table 1",
        expected_miou=67.98,
    )


def a2r_ade20k() -> Recipe:
    """Attention to Refine over ResNet-34 at stride 8 on ADE20K: table 3.

    The paper gives the schedule and the tenfold learning rate of new layers. All else is assumed, after the public code for this
    data set of that year: batches of 16, crops of 384, a learning rate of 0.001, weight decay of 1e-4, scaling between 0.5
    and 1.5 but never below what a crop needs, 126,000 steps (100 rounds), and evaluation at five scales. The first weights are
    torchvision's of ImageNet.

    Not measured: this recipe has not been run.
    """
    base = {"encoder": "resnet34.tv_in1k", "pretrained": True, "output_stride": 8, "head": "linear"}
    return Recipe(
        name="a2r-ade20k",
        model=ModelSpec(name="AttentionToRefine", args={"base": "FCN", "base_args": base}),
        data=DataSpec(name="ade20k"),
        augment=AugmentSpec(scale=(0.5, 1.5), cover=True),
        crop_size=(384, 384),
        batch_size=16,
        steps=126_000,
        optim=OptimSpec(name="sgd", lr=1e-3, momentum=0.9, weight_decay=1e-4, power=0.9, new_layers_factor=10.0),
        loss=LossSpec(aux=AUX),
        source=f"{PAPER}, table 3",
        expected_miou=37.07,
        protocol="csail-5scale",
    )


def _at_two_scales(recipe: Recipe, name: str, *, stream_channels: int, channels: int) -> Recipe:
    """The model of a recipe as the base, and the loss of each scale beside that of the merged scores, as in section 2.2."""
    base = {"base": recipe.model.name, "base_args": recipe.model.args}
    return replace(
        recipe,
        name=name,
        model=ModelSpec(
            name="AttentionToRefine", args={**base, "stream_channels": stream_channels, "channels": channels}
        ),
        loss=replace(recipe.loss, aux=AUX),
    )
