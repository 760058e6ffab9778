"""Every context, by name: what ``attseg.context`` exports, and what the models' ``context`` takes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Literal, get_args

from torch import nn

from attseg.arguments import check_arguments
from attseg.attention.pyramid import FeaturePyramidAttention
from attseg.attention.squeeze import SqueezeExcitation
from attseg.context.aspp import ASPP, rates_at
from attseg.context.base import WithSides
from attseg.context.criss_cross import CrissCrossContext
from attseg.context.dual import DualAttentionContext
from attseg.context.global_context import GlobalContextContext
from attseg.context.global_pooling import GlobalPoolingContext
from attseg.context.non_local import NonLocalContext
from attseg.context.object import ObjectContext
from attseg.context.pointwise import PointwiseContext, reach_of
from attseg.context.pyramid_pooling import PyramidPooling
from attseg.errors import UsageError, unknown
from attseg.layers import ConvNormAct

__all__ = [
    "ASPP",
    "ContextName",
    "CrissCrossContext",
    "DualAttentionContext",
    "GlobalContextContext",
    "GlobalPoolingContext",
    "NonLocalContext",
    "ObjectContext",
    "PointwiseContext",
    "PyramidPooling",
    "WithSides",
    "build_context",
    "rates_at",
    "reach_of",
]

PSA_CROP = (512, 512)
"""Height and width, in pixels, within which ``psa`` has a filter for every offset; ``PSANet`` lets its crop be chosen."""

ContextName = Literal["none", "global", "se", "aspp", "psp", "nonlocal", "fpa", "psa", "ccnet", "danet", "ocr", "gcnet"]


OPTIONS: dict[ContextName, Callable[..., nn.Module]] = {
    "global": GlobalPoolingContext,
    "se": SqueezeExcitation,
    "aspp": ASPP,
    "psp": PyramidPooling,
    "nonlocal": NonLocalContext,
    "fpa": FeaturePyramidAttention,
    "psa": PointwiseContext,
    "ccnet": CrissCrossContext,
    "danet": DualAttentionContext,
    "ocr": ObjectContext,
    "gcnet": GlobalContextContext,
}
"""The class whose keyword arguments are the options of a context."""

FIXED = ("in_channels", "channels", "num_classes", "align_corners")
"""Arguments that follow from the network."""


def build_context(
    name: ContextName,
    in_channels: int,
    channels: int,
    *,
    output_stride: int,
    num_classes: int | None = None,
    options: Mapping[str, Any] | None = None,
    align_corners: bool = False,
) -> nn.Module:
    """A context by name, with its paper's best setting.

    Args:
        name: ``none`` only reduces the channels. ``global`` puts the mean of the picture beside every position (ParseNet);
            ``se`` reweighs the channels; ``aspp`` looks at several reaches at once (DeepLab v3); ``psp`` pools into parts of the
            picture (PSPNet); ``nonlocal`` gathers from all positions by likeness; ``fpa`` is feature pyramid attention (PAN);
            ``psa`` is point-wise spatial attention (PSANet), with filters for the offsets within ``PSA_CROP``. ``ccnet`` gathers
            from rows and columns, ``danet`` from positions and channels by likeness, ``ocr`` from a vector for each class (its
            coarse scores are the auxiliary output ``coarse``), ``gcnet`` from one weighted mean.
        in_channels: Channels of the encoder's deepest map.
        channels: Channels of the result.
        output_stride: Stride of the encoder's deepest map, ``encoder.strides[-1]``; the reach of ``aspp`` depends on it.
        num_classes: Classes K; ``ocr`` alone asks for them.
        options: Keyword arguments of the context's class (``OPTIONS``), instead of its paper's.
        align_corners: How ``psp``, ``fpa`` and ``psa`` resize maps; the others resize none.

    Raises:
        UsageError: There is no such context or option, a value does not fit, or the classes are not given.

    Example:
        >>> build_context("global", 16, 8, output_stride=8, options={"kernel": 3}).merge[0].kernel_size
        (3, 3)
    """
    if name not in get_args(ContextName):
        raise unknown("context", name, get_args(ContextName))
    given = dict(options or {})
    check_arguments(f"the context {name!r}", OPTIONS.get(name, _no_options), given, without=FIXED)
    match name:
        case "none":
            return ConvNormAct(in_channels, channels)
        case "se":
            return nn.Sequential(SqueezeExcitation(in_channels, **given), ConvNormAct(in_channels, channels))
        case "aspp":
            given = {"rates": rates_at(output_stride), **given}
        case "psa":
            shrink = given.get("shrink", 2)
            given = {"reach": reach_of(PSA_CROP, output_stride=output_stride, shrink=shrink), **given}
        case "ocr":
            if num_classes is None:
                raise UsageError("the context 'ocr' has scores of its own; give num_classes, the number of classes")
            given["num_classes"] = num_classes
    if name in ("psp", "fpa", "psa"):
        given["align_corners"] = align_corners
    return OPTIONS[name](in_channels, channels, **given)


def _no_options() -> nn.Module:
    """Stands for contexts without a class of their own where options are checked; only its signature is read."""
    raise NotImplementedError
