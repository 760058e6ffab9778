"""Networks in the forms of other libraries, built from our parts, and any network that a recipe or a checkpoint names.

The models have the arguments of their papers. Further arguments that only weights from elsewhere need are read here, and so
files that have them keep their meaning.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from torch import nn

from attseg.arguments import InertOption, check_arguments
from attseg.attention.pyramid import FeaturePyramidAttention, Rounding
from attseg.context.pointwise import Variant
from attseg.context.pyramid_pooling import PyramidPooling
from attseg.decoders.topdown import TopDownDecoder
from attseg.encoders.dilation import dilate_evenly
from attseg.errors import UsageError
from attseg.models import PAN, Model, PSANet, build_model
from attseg.models.psanet import auxiliary_head


def pan(
    num_classes: int,
    own: Mapping[str, Any],
    *,
    even_dilation: bool = False,
    pyramid_rounding: Rounding = "up",
    global_relu: bool = False,
    gau_relu: bool = False,
    align_corners: bool = False,
) -> Model:
    """PAN with parts in the form of segmentation_models_pytorch.

    Args:
        num_classes: Classes K.
        own: Arguments of ``PAN``.
        even_dilation: One rate for all blocks of a dilated stage of a ResNet, instead of timm's.
        pyramid_rounding: Whether FPA halves odd sides rounding up or down.
        global_relu: Whether a ReLU follows FPA's pooled branch.
        gau_relu: Whether a ReLU follows the convolution on each low-level map.
        align_corners: How maps and logits are resized.
    """
    model = build_model("PAN", own, num_classes)
    assert isinstance(model, PAN)
    given = {**_defaults(PAN), **own}
    if even_dilation:
        dilate_evenly(model.encoder)
    *lows, deep = model.encoder.channels
    if isinstance(model.context, FeaturePyramidAttention):
        model.context = FeaturePyramidAttention(
            deep,
            given["channels"],
            kernels=given["pyramid_kernels"],
            pool=given["pyramid_pool"],
            pyramid_channels=given["pyramid_channels"],
            global_branch=given["global_branch"],
            global_merge=given["global_merge"],
            global_relu=global_relu,
            rounding=pyramid_rounding,
            align_corners=align_corners,
        )
    elif isinstance(model.context, PyramidPooling):
        model.context.align_corners = align_corners
    if isinstance(model.decoder, TopDownDecoder):
        model.decoder = TopDownDecoder(
            lows,
            given["channels"],
            context=given["gau_context"],
            kernel=given["gau_kernel"],
            gate=given["gate"],
            skip_relu=gau_relu,
            align_corners=align_corners,
        )
    model.align_corners = align_corners
    return model


def psanet(
    num_classes: int,
    own: Mapping[str, Any],
    *,
    context_width: int | None = None,
    max_offset: Sequence[int] | None = None,
    aux_channels: int | None = None,
    variant: Variant = "semseg",
) -> Model:
    """PSANet and PSPNet with parts in the forms of semseg, mmsegmentation and CSAIL.

    Args:
        num_classes: Classes K.
        own: Arguments of ``PSANet``.
        context_width: Channels of each level of ``psp``, where they are not its share of the input's.
        max_offset: Largest offset with a filter, in rows and columns of the shrunk map, instead of what follows from the crop.
        aux_channels: Channels within the auxiliary head; None takes half of ``channels``.
        variant: PSA as its authors released it, or as mmsegmentation has it.

    Raises:
        UsageError: ``max_offset`` is no pair.
    """
    context = own.get("context", "psa")
    options = dict(own.get("context_args") or {})
    if context == "psp" and context_width is not None:
        options["width"] = context_width
    if context == "psa" and own.get("directions", True):
        if max_offset is not None:
            if len(max_offset) != 2:
                raise UsageError(
                    f"max_offset is {tuple(max_offset)}; a number of rows and one of columns were expected"
                )
            options["reach"] = tuple(max_offset)
        if variant != "semseg":
            options["variant"] = variant
    model = build_model("PSANet", {**own, "context_args": options} if options else own, num_classes)
    assert isinstance(model, PSANet)
    if aux_channels is not None and "encoder" in model.aux:
        dropout = {**_defaults(PSANet), **own}["dropout"]
        model.aux["encoder"] = auxiliary_head(model.encoder.channels[-2], aux_channels, num_classes, dropout)
    return model


FORMS: dict[str, Callable[..., Model]] = {"PAN": pan, "PSANet": psanet}
"""Models with further arguments."""


def build_network(name: str, args: Mapping[str, Any], num_classes: int, *, stored: bool = False) -> Model:
    """The model that a recipe or a checkpoint names, also in the form of another library.

    Args:
        name: Key of ``attseg.models.MODELS``.
        args: Keyword arguments of its constructor, all but ``num_classes``, or of ``pan`` and ``psanet`` here.
        num_classes: Classes K.
        stored: Whether the arguments were stored with weights. Those that do nothing are then left out: attseg took them
            without a word until they were refused, and the network is the same.

    Raises:
        UsageError: As of ``build_model``; an option that does nothing.
    """
    while True:
        try:
            return _build(name, args, num_classes)
        except InertOption as error:
            if not stored:
                raise
            args = error.without(args)


def _build(name: str, args: Mapping[str, Any], num_classes: int) -> Model:
    base = args.get("base") if name == "AttentionToRefine" else None
    within = args.get("base_args")
    if isinstance(base, str) and isinstance(within, Mapping) and _further(base, within):
        try:
            made = _build(base, within, num_classes)
        except InertOption as error:
            raise error.below("base_args") from None
        kept = {key: value for key, value in args.items() if key not in ("base", "base_args")}
        return build_model(name, {**kept, "base": made}, num_classes)
    further = _further(name, args)
    if not further:
        return build_model(name, args, num_classes)
    form = FORMS[name]
    check_arguments(name, form, further, without=("num_classes", "own"))
    return form(num_classes, {key: value for key, value in args.items() if key not in further}, **further)


def _further(name: str, args: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments that a form has and the model has not."""
    if not isinstance(name, str) or name not in FORMS:  # a damaged file may hold anything
        return {}
    known = [*inspect.signature(FORMS[name]).parameters][2:]
    return {key: value for key, value in args.items() if key in known}


def _defaults(model: type[nn.Module]) -> dict[str, Any]:
    return {name: parameter.default for name, parameter in inspect.signature(model).parameters.items()}
