"""Recipes for a good model from a few photographs: a small network on a pretrained encoder.

The networks are those of ``FAMILY``, by cost. All share PAN's decoder in its cheap form, with 1x1 convolutions on a map at
stride 32, under global pooling: the network of ``mix-global-gau-camvid``, narrower. The encoder stays as it is, which
saves time for more steps: of what was compared on CamVid after a minute of training, that was best, above all on a drive that
was left out (``docs/log.md``). After a longer training, go on with `--init RUN --freeze none`.
"""

from __future__ import annotations

from collections.abc import Mapping

from attseg.losses import LossSpec
from attseg.recipes.recipe import AugmentSpec, DataSpec, ModelSpec, OptimSpec, Recipe


def _network(encoder: str, channels: int) -> ModelSpec:
    args = {"encoder": encoder, "pretrained": True, "output_stride": 32, "gau_kernel": 1, "context": "global"}
    return ModelSpec(name="PAN", args={**args, "channels": channels})


FAMILY: Mapping[str, ModelSpec] = {
    "nano": _network("mobilenetv3_small_100", 64),
    "small": _network("tf_efficientnet_lite0", 128),
    "medium": _network("tf_efficientnet_lite2", 192),
}
"""Networks for processors, cheapest first."""


def finetune_nano() -> Recipe:
    """The cheapest network of the small family on your own pictures: MobileNetV3-Small, whose weights timm alone has.

    Not measured: accuracy; its weights are not in a package, so that without a network it begins from scratch.
    """
    return _finetune("nano")


def finetune_small() -> Recipe:
    """EfficientNet-Lite0 under global pooling and GAU on your own pictures: what `attseg suggest` offers on a processor.

    `--data.root` is a folder with images/, labels/ and classes.csv, or as it is. `docs/train/training.md` has what was measured.

    Not measured: all of its steps.
    """
    return _finetune("small")


def finetune_medium() -> Recipe:
    """`finetune-small` on EfficientNet-Lite2, and wider.

    Not measured: accuracy.
    """
    return _finetune("medium")


def _finetune(size: str) -> Recipe:
    return Recipe(
        name=f"finetune-{size}",
        model=FAMILY[size],
        data=DataSpec(name="folder"),
        augment=AugmentSpec(scale=(0.5, 2.0), color=0.4),
        crop_size=(256, 256),
        batch_size=8,
        steps=600,
        without_weights="scratch",
        freeze="encoder",
        optim=OptimSpec(name="adamw", lr=5e-4, weight_decay=0.05, warmup=0.05),
        loss=LossSpec(class_weights="sqrt-median-frequency"),
        ema=0.99,
    )
