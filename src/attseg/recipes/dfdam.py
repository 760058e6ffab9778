"""Recipes of DF-DAM (Xiong et al., 2019, arXiv 1911.08149).

``dfdam_voc_50``, ``dfdam_voc_101``, ``dfdam_voc_test`` and ``dfdam_cityscapes`` are the paper's; ``attseg.recipes.tables.dfdam``
has its rows. The others run on data that is at hand, from scratch, with a small encoder.
"""

from __future__ import annotations

from dataclasses import replace

from attseg.losses import LossSpec
from attseg.recipes.pan import pan_camvid, pan_scenes
from attseg.recipes.recipe import AugmentSpec, DataSpec, ModelSpec, OptimSpec, Recipe

PAPER = "Xiong et al. 2019, arXiv 1911.08149"
SCALES = (0.75, 1.0, 1.25, 1.5, 1.75, 2.0)
AUX = {"context": 0.4, "spatial": 0.1}
"""Factors of the auxiliary losses, below equation 12."""


def dfdam_scenes() -> Recipe:
    """`pan-scenes` with DF-DAM and its auxiliary losses; everything else is equal.

    Not measured: anything about real pictures.
    """
    return _with_dfdam(pan_scenes(), "dfdam-scenes")


def dfdam_camvid() -> Recipe:
    """`pan-camvid` with DF-DAM and its auxiliary losses; everything else is equal.

    Not measured: all of its steps, and the test split.
    """
    return _with_dfdam(pan_camvid(), "dfdam-camvid")


def dfdam_voc_50() -> Recipe:
    """DF-DAM with ResNet-50 on VOC 2012 with SBD: table 1; `--data.root` holds VOCdevkit, `--data.options.sbd` SBD.

    Assumed, as the paper does not say: 30,000 steps, one learning rate for all layers. The first weights are those of
    torchvision.

    Not measured: this recipe has not been run.
    """
    return _voc(50, 74.6)


def dfdam_voc_101() -> Recipe:
    """`dfdam-voc-50` with ResNet-101: tables 1 and 5.

    Not measured: this recipe has not been run.
    """
    return _voc(101, 77.9)


def dfdam_voc_test() -> Recipe:
    """`dfdam-voc-101` fine-tuned on trainval, for the test server of VOC 2012: table 6.

    Begins with the best weights of `--init`, a run of `dfdam-voc-101`. Assumed, as the paper says only that it is done: 5,000
    steps, at a tenth of the learning rate. The paper's figure is of the test split; val is among what this trains on, and its
    score says nothing.

    Not measured: this recipe has not been run.
    """
    recipe = dfdam_voc_101()
    return replace(
        recipe,
        name="dfdam-voc-test",
        init="runs/dfdam-voc-101",
        model=ModelSpec(name="DFDAM", args={"encoder": "resnet101.tv_in1k"}),
        data=replace(recipe.data, train="trainval"),
        steps=5_000,
        optim=replace(recipe.optim, lr=1e-4),
        source=f"{PAPER}, table 6 (test split)",
        expected_miou=82.3,
        protocol="dfdam-multiscale",
    )


def dfdam_cityscapes() -> Recipe:
    """DF-DAM with ResNet-18 on the fine labels of Cityscapes: tables 2 and 3.

    Assumed, as the paper does not say: 90,000 steps, one learning rate for all layers. It speaks of 2,979 training pictures; the
    release has 2,975. On the test split the paper has 73.6 (table 4).

    Not measured: this recipe has not been run.
    """
    return replace(
        dfdam_voc_50(),
        name="dfdam-cityscapes",
        model=ModelSpec(name="DFDAM", args={"encoder": "resnet18.tv_in1k", "pretrained": True}),
        data=DataSpec(name="cityscapes"),
        crop_size=(1024, 1024),
        batch_size=8,
        steps=90_000,
        optim=OptimSpec(name="sgd", lr=0.01, momentum=0.9, weight_decay=5e-4, power=0.9),
        source=f"{PAPER}, table 2",
        expected_miou=73.1,
    )


def _voc(depth: int, miou: float) -> Recipe:
    return Recipe(
        name=f"dfdam-voc-{depth}",
        model=ModelSpec(name="DFDAM", args={"encoder": f"resnet{depth}.tv_in1k", "pretrained": True}),
        data=DataSpec(name="voc2012", train="train_aug"),
        augment=AugmentSpec(scales=SCALES),
        crop_size=(512, 512),
        batch_size=16,
        steps=30_000,
        optim=OptimSpec(name="sgd", lr=1e-3, momentum=0.9, weight_decay=1e-5, power=0.9),
        loss=LossSpec(aux=AUX),
        source=f"{PAPER}, table 1",
        expected_miou=miou,
    )


def _with_dfdam(recipe: Recipe, name: str) -> Recipe:
    """DF-DAM on the same encoder, as wide, in the same recipe; auxiliary outputs are weighed as in equation 12 of the paper."""
    return replace(recipe, name=name, model=replace(recipe.model, name="DFDAM"), loss=replace(recipe.loss, aux=AUX))
