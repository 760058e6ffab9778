"""Recipes of PSANet (Zhao et al., ECCV 2018).

``psanet_ade20k``, ``psanet_voc`` and ``psanet_cityscapes``, each on ResNet-50 and ResNet-101, are the paper's;
``attseg.recipes.tables.psanet`` has its rows. The others run on data that is at hand, from scratch, with small encoders.

Reading:
    The paper gives the base learning rate. That new layers learn ten times as fast, the sizes of the crops, aligned corners and
    the stem of 64, 64 and 128 channels are those of the released code. Its Caffe version, which gave the paper's figures, decays
    neither normalisation nor biases but that of the last layer, and we decay none; its PyTorch version decays all. One rate of
    dilation for a whole stage is the paper's words and the released network. How often pictures are blurred is not said: half
    of them. "Single scale" averages the mirrored picture too in the released evaluation.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

from attseg.losses import LossSpec
from attseg.recipes.pan import PRETRAINED, pan_camvid, pan_scenes
from attseg.recipes.recipe import AugmentSpec, DataSpec, ModelSpec, OptimSpec, Recipe

PAPER = "Zhao et al., ECCV 2018"
Depth = Literal[50, 101]


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


def psanet_where_scenes() -> Recipe:
    """`psanet-scenes` on scenes where a balloon above one of two things decides: a test of whether attention knows places.

    The scenes are smaller; the balloon is still beyond what the encoder sees from a thing.

    Not measured: anything about real pictures.
    """
    recipe, size = psanet_scenes(), (96, 224)
    return replace(
        recipe,
        name="psanet-where-scenes",
        model=replace(recipe.model, args={**recipe.model.args, "crop_size": size}),
        data=replace(recipe.data, options={"size": size, "decides": "where"}),
        crop_size=size,
    )


def psanet_camvid() -> Recipe:
    """`pan-camvid` with PSANet at stride 8 and its auxiliary loss; everything else is equal.

    A step takes about three times as long as one of PAN at stride 16.

    Not measured: all of its steps, and the test split.
    """
    recipe = pan_camvid()
    args = {**PRETRAINED, "crop_size": recipe.crop_size, "inner": 128, "channels": 128}
    return replace(
        recipe,
        name="psanet-camvid",
        model=ModelSpec(name="PSANet", args=args),
        loss=replace(recipe.loss, aux={"encoder": 0.4}),
    )


def psanet_ade20k_50() -> Recipe:
    """PSANet with ResNet-50 on ADE20K, both directions: table 1.

    Assumed: what the paper leaves to the released code; see the module. The first weights are timm's of ImageNet.

    Not measured: this recipe has not been run.
    """
    return _ade20k(50, 41.92)


def psanet_ade20k_101() -> Recipe:
    """`psanet-ade20k-50` with ResNet-101: table 1.

    Not measured: this recipe has not been run.
    """
    return _ade20k(101, 42.75)


def psanet_voc_50() -> Recipe:
    """PSANet with ResNet-50 on VOC 2012 with SBD, both directions: table 4.

    Assumed: what the paper leaves to the released code; see the module.

    Not measured: this recipe has not been run.
    """
    return _voc(50, 77.24)


def psanet_voc_101() -> Recipe:
    """`psanet-voc-50` with ResNet-101: table 4.

    Not measured: this recipe has not been run.
    """
    return _voc(101, 78.51)


def psanet_coco() -> Recipe:
    """`psanet-voc-101` on MS-COCO with the classes of VOC, with which table 3 begins; docs/train/data.md makes the folder of it.

    Assumed: the setting of VOC, with the 150,000 steps of ADE20K. The paper says only that it is done.

    Not measured: this recipe has not been run.
    """
    return replace(
        psanet_voc_101(),
        name="psanet-coco",
        data=DataSpec(name="folder"),
        steps=150_000,
        source=f"{PAPER}, table 3, before VOC",
        expected_miou=None,
        protocol="single",
    )


def psanet_voc_test() -> Recipe:
    """`psanet-voc-101` after MS-COCO, on train_aug and val, for the test server of VOC 2012: table 3.

    Begins with the best weights of `--init`, a run of `psanet-coco`. That val is trained on is from the released code. The
    paper's figure is of the test split; val is among what this trains on, and its score says nothing.

    Not measured: this recipe has not been run.
    """
    recipe = psanet_voc_101()
    return replace(
        recipe,
        name="psanet-voc-test",
        init="runs/psanet-coco",
        model=replace(recipe.model, args={**recipe.model.args, "pretrained": False}),
        data=replace(recipe.data, train="train_aug+val"),
        source=f"{PAPER}, table 3 (test split)",
        expected_miou=85.7,
        protocol="psanet-multiscale",
    )


def psanet_cityscapes_50() -> Recipe:
    """PSANet with ResNet-50 on the fine labels of Cityscapes, both directions: table 5.

    Assumed: what the paper leaves to the released code; see the module. The 78.6 of table 6 (test split, fine labels of train)
    are of this setting on ResNet-101, as far as the paper says.

    Not measured: this recipe has not been run.
    """
    return _cityscapes(50, 76.65)


def psanet_cityscapes_101() -> Recipe:
    """`psanet-cityscapes-50` with ResNet-101: table 5.

    Not measured: this recipe has not been run.
    """
    return _cityscapes(101, 77.94)


def psanet_cityscapes_test() -> Recipe:
    """`psanet-cityscapes-101` on the fine labels of train and val, for the test server: table 6.

    Assumed: as many steps as on train alone, from ImageNet weights. The paper's figure is of the test split; val is among what
    this trains on, and its score says nothing.

    Not measured: this recipe has not been run.
    """
    return _cityscapes_test("psanet-cityscapes-test", "train+val", 80.1)


def psanet_cityscapes_coarse_test() -> Recipe:
    """`psanet-cityscapes-test` with the 19,998 coarse labels of train_extra among the rest, for the test server: table 6.

    Assumed: all labels together, drawn alike, for as many steps; the paper says "coarse+fine" and no schedule. val is among what
    this trains on, and its score says nothing.

    Not measured: this recipe has not been run.
    """
    return _cityscapes_test("psanet-cityscapes-coarse-test", "train+val+train_extra", 81.4)


def _cityscapes_test(name: str, train: str, miou: float) -> Recipe:
    recipe = psanet_cityscapes_101()
    return replace(
        recipe,
        name=name,
        data=replace(recipe.data, train=train),
        source=f"{PAPER}, table 6 (test split)",
        expected_miou=miou,
        protocol="psanet-multiscale",
    )


def _ade20k(depth: Depth, miou: float) -> Recipe:
    args = {
        "encoder": f"resnet{depth}s",
        "pretrained": True,
        "even_dilation": True,
        "crop_size": (465, 465),
        "align_corners": True,
    }
    return Recipe(
        name=f"psanet-ade20k-{depth}",
        model=ModelSpec(name="PSANet", args=args),
        data=DataSpec(name="ade20k"),
        augment=AugmentSpec(scale=(0.5, 2.0), rotate=10.0, blur=0.5),
        crop_size=(465, 465),
        batch_size=16,
        steps=150_000,
        optim=OptimSpec(
            name="sgd",
            lr=0.01,
            momentum=0.9,
            weight_decay=1e-4,
            power=0.9,
            new_layers_factor=10.0,
            decay_norm_and_bias=False,
        ),
        loss=LossSpec(aux={"encoder": 0.4}),
        source=f"{PAPER}, table 1",
        expected_miou=miou,
        protocol="psanet-sliding",
    )


def _voc(depth: Depth, miou: float) -> Recipe:
    return replace(
        _ade20k(depth, miou),
        name=f"psanet-voc-{depth}",
        data=DataSpec(name="voc2012", train="train_aug"),
        steps=30_000,
        source=f"{PAPER}, table 4",
    )


def _cityscapes(depth: Depth, miou: float) -> Recipe:
    recipe = _ade20k(depth, miou)
    return replace(
        recipe,
        name=f"psanet-cityscapes-{depth}",
        model=replace(recipe.model, args={**recipe.model.args, "crop_size": (705, 705)}),
        data=DataSpec(name="cityscapes"),
        augment=AugmentSpec(scale=(0.5, 2.0)),
        crop_size=(705, 705),
        steps=90_000,
        source=f"{PAPER}, table 5",
    )
