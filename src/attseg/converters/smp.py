"""The door for PAN as segmentation_models_pytorch has it: github.com/qubvel-org/segmentation_models.pytorch."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, cast

import torch
from torch import Tensor

from attseg.converters.foreign import Foreign, Given, Renaming
from attseg.converters.resnet import find_resnet
from attseg.converters.source import Source, read_tensors
from attseg.data.preprocessing import Preprocessing
from attseg.errors import UsageError
from attseg.files import read_text
from attseg.models.pan import PAN

WHAT = "a PAN of segmentation_models_pytorch"
TIMM = "tu-"
"""Prefix of timm's networks there."""
CONFIG, WEIGHTS = "config.json", "model.safetensors"
"""The files of a folder that ``save_pretrained`` wrote."""
FIXED: dict[str, Any] = {
    "pyramid_pool": "max",
    "pyramid_rounding": "down",
    "global_relu": True,
    "gau_relu": True,
    "align_corners": True,
}
UNITS = (
    *(("context.main", "fpa.mid.0"), ("context.down.0", "fpa.down1.1"), ("context.down.1", "fpa.down2.1")),
    *(("context.down.2", "fpa.down3.1"), ("context.lateral.0", "fpa.conv1"), ("context.lateral.1", "fpa.conv2")),
    ("context.lateral.2", "fpa.down3.2"),
    *((f"decoder.steps.{step}.reduce", f"gau{step + 1}.conv2") for step in range(3)),
    *((f"decoder.steps.{step}.weigh", f"gau{step + 1}.conv1.1") for step in range(3)),
)
"""A convolution with its normalisation in ours, and in theirs below ``decoder``."""


def load_smp(source: Source, *, encoder: str | None = None, output_stride: Literal[16, 32] | None = None) -> PAN:
    """A PAN of segmentation_models_pytorch with its weights, in evaluation mode, giving the logits that it gives there.

    Channels and classes follow from the weights, and so does the encoder if it is one of its own ResNets or ResNeXts.

    Args:
        source: A folder that ``save_pretrained`` wrote, whose ``config.json`` tells the rest; a file; or tensors by name.
        encoder: ``encoder_name`` there: a ResNet, a ResNeXt, or ``tu-`` and a name of timm.
        output_stride: ``encoder_output_stride`` there; None takes 16, which is the default there.

    Raises:
        UsageError: There is no such file, it would run code, the tensors are not those of such a network, or it was built
            with what ours has not.

    Source:
        ``segmentation_models_pytorch/decoders/pan``, version 0.5 and 0.6.
    Differs:
        From the paper and from ours: convolutions have biases before their normalisation (taken off its running mean here), the
        pooled branch a normalisation (folded into its convolution) and a ReLU, the skip connections a ReLU; halving takes the
        largest value and rounds down; maps are resized with aligned corners; all blocks of a dilated stage of its own ResNets
        have one rate. A single class becomes two, whose softmax is the sigmoid of the one.
        Pictures have sides of whole output strides there, of 8 at least; its logits are met at such sizes, others work as well.
    """
    return cast(PAN, read_smp(source, encoder=encoder, output_stride=output_stride).build())


def read_smp(source: Source, *, encoder: str | None = None, output_stride: Literal[16, 32] | None = None) -> Foreign:
    """The model that ``load_smp`` builds; arguments and errors as there."""
    config: Mapping[str, Any] = {}
    if not isinstance(source, Mapping) and (Path(source) / CONFIG).exists():
        config = _config(Path(source) / CONFIG)
        source = Path(source) / WEIGHTS
    given = Given(WHAT, read_tensors(source))
    given.drop("classification_head.", "encoder.fc.")
    name = encoder or config.get("encoder_name") or _own_encoder(given)
    timm_names = name.startswith(TIMM)
    if not timm_names and not name.startswith(("resnet", "resnext")):
        raise UsageError(
            f"the encoder {name!r} has names of its own; ResNets, ResNeXts and those of timm (tu-NAME) can be read"
        )
    if "decoder.gau3.conv2.conv.weight" not in given and "decoder.fpa.mid.0.conv.weight" in given:
        raise UsageError("this PAN was built with an encoder_depth below 5, which ours has not")
    args = FIXED | {
        "encoder": name.removeprefix(TIMM),
        "output_stride": output_stride or config.get("encoder_output_stride", 16),
        "channels": given.shape("decoder.fpa.mid.0.conv.weight")[0],
    }
    args["even_dilation"] = not timm_names and args["output_stride"] == 16
    names: Renaming = [
        ("encoder.network.", "encoder.model." if timm_names else "encoder."),
        ("head.", "segmentation_head.0."),
    ]
    made: dict[str, Tensor] = {}
    for ours, below in UNITS:
        theirs = f"decoder.{below}"
        made[f"{ours}.1.running_mean"] = given.mean_without_bias(f"{theirs}.conv", f"{theirs}.bn")
        names += [(f"{ours}.0.", f"{theirs}.conv."), (f"{ours}.1.", f"{theirs}.bn.")]
    made["context.whole.weight"], made["context.whole.bias"] = given.folded_convolution(
        "decoder.fpa.branch1.1.conv", "decoder.fpa.branch1.1.bn"
    )
    weight, bias = (given.take(f"segmentation_head.0.{part}") for part in ("weight", "bias"))
    if len(weight) == 1:
        weight, bias = (torch.cat([torch.zeros_like(one), one]) for one in (weight, bias))
    made |= {"head.weight": weight, "head.bias": bias}
    preprocessing = _preprocessing(name.removeprefix(TIMM)) if timm_names else Preprocessing()
    return given.fit("PAN", len(weight), args, renaming=names, made=made, preprocessing=preprocessing)


def _preprocessing(name: str) -> Preprocessing:
    """Preprocessing of timm's pretrained weights, as smp's ``get_preprocessing_params`` gives it."""
    import timm

    config = timm.get_pretrained_cfg(name)
    return Preprocessing() if config is None else Preprocessing.from_dict({"mean": config.mean, "std": config.std})


def _own_encoder(given: Given) -> str:
    if any(name.startswith("encoder.model.") for name in given.tensors):
        raise UsageError("the encoder is one of timm, and the weights do not say which; give encoder='tu-NAME'")
    if "encoder.layer1.0.conv2.weight" not in given and any(name.startswith("encoder.") for name in given.tensors):
        raise UsageError(
            "the encoder is no ResNet and no ResNeXt, and has names of its own; those and timm's (tu-NAME) can be read"
        )
    return find_resnet(given, prefix="encoder.")


def _config(path: Path) -> Mapping[str, Any]:
    """The network's configuration as ``save_pretrained`` wrote it, if it can be converted."""
    try:
        config = json.loads(read_text(path))
    except ValueError as error:
        raise UsageError(f"{path} is no JSON: {error}") from None
    expected = {
        "_model_class": "PAN",
        "encoder_depth": 5,
        "decoder_interpolation": "bilinear",
        "in_channels": 3,
        "upsampling": 4,
        "activation": None,
    }
    for key, value in expected.items():
        if config.get(key, value) != value:
            raise UsageError(f"{path}: {key} is {config[key]!r}; only {value!r} can be read")
    return cast(Mapping[str, Any], config)
