"""Attention to Refine (A2R): Yang and Peng, Attention to Refine through Multi-Scales, 2018, arXiv 1807.02917."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, cast, get_args

import torch
from jaxtyping import Float
from torch import Tensor, nn

from attseg.arguments import refuse_inert
from attseg.attention.location import LocationAttention
from attseg.attention.scale import AttentionToScale, AverageOverScales, MaxOverScales
from attseg.errors import UsageError, unknown
from attseg.layers import resize
from attseg.models.arguments import KeepsArguments
from attseg.models.frame import SMALLEST, Segmentation, check_classes, check_size
from attseg.models.staged import StagedModel, make_base

Merge = Literal["location", "attention", "average", "max"]
RecalibrationName = Literal["multiply", "bias", "signed-bias", "none"]


class AttentionToRefine(KeepsArguments, nn.Module):
    """One network at several image scales, whose score maps are recalibrated and merged by weights found at each position.

    The defaults are the paper's best setting on VOC; each row of its tables names what differs. ``R`` stands for
    ``{"encoder": "resnet34", "output_stride": 8, "head": "linear"}``, ``P`` for ``{"encoder": "resnet34", "output_stride": 8,
    "context": "psp", "context_args": {"width": 512}, "channels": 512, "aux": False}``:

    ==================================  ===================================================================
    table 1, baseline                   ``FCN(21, encoder="vgg16-largefov", output_stride=8, head="linear")``
    table 1, MaxPooling                 ``merge="max", supervise=False``
    table 1, AvgPooling                 ``merge="average", supervise=False``
    tables 1 and 2, attention-to-scale  ``merge="attention"``
    table 2, Base model+                ``dilations=None, recalibration="none"``
    table 2, Base model++               ``recalibration="none"``
    section 2.2, bias                   ``recalibration="signed-bias"``
    table 3, ResNet34-dilated8          ``FCN(150, **R)``
    table 3, + attention-to-scale       ``base="FCN", base_args=R, merge="attention"``
    table 3, + PSP                      ``PSANet(150, **P)``
    table 3, + our attention model      ``base="FCN", base_args=R``
    table 3, + our attention + PSP      ``base="PSANet", base_args=P``
    ==================================  ===================================================================

    The loss is that of the merged scores plus that of each scale's own, with equal weights: the auxiliary outputs
    ``scale_100`` and ``scale_50`` (percent of the picture's size) want the factor 1. Taps within the base are passed once a
    scale, in the order of ``image_scales``.

    Args:
        num_classes: Classes K.
        base: The network that all scales share: ``largefov`` (FCN in the form of DeepLab-LargeFOV), the name of another
            model, or a ready module with ``encoder``, ``stage_channels`` and ``staged``.
        base_args: Arguments of a base that is given by name.
        in_channels: Channels of the image, which a base given by name is built for; a ready module has its own.
        image_scales: What the picture's height and width are multiplied with, largest first; whole percentages.
        merge: ``location`` reads several stages, ``attention`` (attention-to-scale) the deepest; ``average`` and ``max`` none.
        multi_stage: Which stages ``location`` reads: all, the deepest alone, or those of these indices (0 is the finest).
        dilations: Of the convolution that ``location`` has for each scale; None makes them standard convolutions.
        recalibration: What the recalibrating branch of ``location`` does to the scores; see ``Recalibration``.
        stream_channels: Channels that ``location`` keeps of each scale.
        channels: Channels between the two convolutions of each branch of ``location`` and ``attention``.
        attention_norm: Whether ``attention`` has batch normalisation between its two convolutions.
        supervise: Whether the score map of each scale is an auxiliary output in training.

    Raises:
        UsageError: An unknown name, or values that do not fit.

    Source:
        Figure 1, equations 1 to 4, tables 1 to 3.
    Reading:
        Which dilation belongs to which scale: section 2.1 and figure 2 give the large one to the small picture, where large
        objects are looked for. "2 for small scale and 12 for large scale" in section 3 agrees if it speaks of the objects, and so
        the picture itself has 2 and its half 12 here; ``dilations=(12, 2)`` is the other reading, row
        ``a2r:readings/dilations-12-2``.
        All stages from stride 4 on are read; the paper says "different stages".
        A scaled picture is never smaller than 32 x 32, whatever the scale: the base takes nothing smaller.
        Scores are merged at stride 4 of the largest scale, or where they are finer at their own resolution.
        The auxiliary outputs are the scores before recalibration. Those that the base has itself are of the largest scale alone.
        Whether the rows that pool over the scales supervise each of them is not said; the text names only the other two methods.
        In training, batch normalisation within the base sees one scale after the other.

    Example:
        >>> import torch
        >>> model = AttentionToRefine(21, base="FCN", base_args={"encoder": "resnet18"})
        >>> out = model(torch.zeros(2, 3, 65, 97))
        >>> out.logits.shape, sorted(out.aux)
        (torch.Size([2, 21, 65, 97]), ['scale_100', 'scale_50'])
    """

    def __init__(
        self,
        num_classes: int,
        *,
        base: str | StagedModel = "largefov",
        base_args: Mapping[str, Any] | None = None,
        in_channels: int = 3,
        image_scales: Sequence[float] = (1.0, 0.5),
        merge: Merge = "location",
        multi_stage: bool | Sequence[int] = True,
        dilations: Sequence[int] | None = (2, 12),
        recalibration: RecalibrationName = "multiply",
        stream_channels: int = 256,
        channels: int = 512,
        attention_norm: bool = True,
        supervise: bool = True,
    ) -> None:
        super().__init__()
        check_classes(num_classes)
        self.num_classes = num_classes
        self.percents = _percents(image_scales)
        self.base = make_base(base, _with_channels(base, base_args or {}, in_channels), num_classes)
        self.supervise = supervise
        stage_channels = self.base.stage_channels
        if merge != "attention":
            refuse_inert(
                AttentionToRefine,
                {"attention_norm": attention_norm},
                beside=f"merge={merge!r}",
                needs="merge='attention'",
            )
        self.merge: nn.Module
        match merge:
            case "location":
                if recalibration not in get_args(RecalibrationName):
                    raise unknown("recalibration", recalibration, get_args(RecalibrationName))
                self.merge = LocationAttention(
                    stage_channels,
                    num_classes,
                    dilations=_one_a_scale(dilations, len(self.percents)),
                    stages=_stages(multi_stage, len(stage_channels)),
                    recalibration=None if recalibration == "none" else recalibration,
                    stream_channels=stream_channels,
                    channels=channels,
                )
            case "attention":
                self._refuse_location(merge, multi_stage, dilations, recalibration)
                self.merge = AttentionToScale(
                    stage_channels, len(self.percents), channels=channels, norm=attention_norm
                )
            case "average":
                self._refuse_location(merge, multi_stage, dilations, recalibration)
                self.merge = AverageOverScales()
            case "max":
                self._refuse_location(merge, multi_stage, dilations, recalibration)
                self.merge = MaxOverScales()
            case _:
                raise unknown("merge", merge, get_args(Merge))

    @staticmethod
    def _refuse_location(merge: Merge, multi_stage: Any, dilations: Any, recalibration: Any) -> None:
        given = {"multi_stage": multi_stage, "dilations": dilations, "recalibration": recalibration}
        refuse_inert(AttentionToRefine, given, beside=f"merge={merge!r}", needs="merge='location'")

    @property
    def encoder(self) -> nn.Module:
        """The base's encoder."""
        return self.base.encoder

    def forward(self, images: Float[Tensor, "n c h w"]) -> Segmentation:
        """Segment pictures (N, C, H, W), normalised, of any height and width from 32 on.

        Raises:
            ValueError: The pictures are too small, for the base or for a step of training.
            UsageError: The base has another number of classes.
        """
        check_size(images)
        streams = [self.base.staged(_scaled(images, percent)) for percent in self.percents]
        largest = streams[0]
        self._check_classes(largest.logits)
        size = tuple(map(_larger, largest.logits.shape[-2:], largest.stages[0].shape[-2:]))
        scores = [resize(stream.logits, size) for stream in streams]  # P of equation 1, each (N, K, H', W')
        merged = self.merge(scores, [stream.stages for stream in streams])
        aux = dict(largest.aux)
        if self.training and self.supervise:
            names = (f"scale_{percent}" for percent in self.percents)
            aux |= {name: stream.logits for name, stream in zip(names, streams, strict=True)}
        whole = images.shape[-2:]
        return Segmentation(resize(merged, whole), {name: resize(side, whole) for name, side in aux.items()})

    def _check_classes(self, logits: Tensor) -> None:
        if logits.shape[1] != self.num_classes:
            raise UsageError(
                f"the base gives {logits.shape[1]} classes, but num_classes is {self.num_classes}; give both the same number"
            )


def _with_channels(base: str | StagedModel, args: Mapping[str, Any], in_channels: int) -> Mapping[str, Any]:
    """The arguments of a base, with the channels that it is built for."""
    if in_channels == 3:
        return args
    stated = args.get("in_channels", in_channels)
    if not isinstance(base, str):
        stated = getattr(base.encoder, "in_channels", in_channels)
    if stated != in_channels:
        raise UsageError(
            f"in_channels is {in_channels}, and the base takes {stated} channels; give both the same number"
        )
    return {**args, "in_channels": in_channels} if isinstance(base, str) else args


def _scaled(images: Tensor, percent: int) -> Tensor:
    """Pictures at a percentage of their size, to the nearest pixel; in integers, as their sides may be symbolic."""
    if percent == 100:
        return images
    return resize(images, [_larger(SMALLEST, (percent * side + 50) // 100) for side in images.shape[-2:]])


def _larger(one: int, other: int) -> int:
    return cast(int, torch.sym_max(one, other))


def _percents(image_scales: Sequence[float]) -> tuple[int, ...]:
    percents = tuple(round(100 * scale) for scale in image_scales)
    if len(percents) == 1:
        raise UsageError(
            f"image_scales is {tuple(image_scales)}; at one scale there is nothing to merge: give two or more, or train the base "
            "itself"
        )
    whole = all(abs(100 * scale - percent) < 1e-6 for scale, percent in zip(image_scales, percents, strict=True))
    if not whole or not percents or percents[-1] < 1 or list(percents) != sorted(set(percents), reverse=True):
        raise UsageError(
            f"image_scales is {tuple(image_scales)}; whole percentages were expected, largest first and none twice, such as "
            "(1.0, 0.75, 0.5)"
        )
    return percents


def _one_a_scale(dilations: Sequence[int] | None, scales: int) -> Sequence[int]:
    if dilations is None:
        return [1] * scales
    if len(dilations) != scales:
        raise UsageError(
            f"there are {scales} image scales and the dilations {tuple(dilations)}; give one dilation a scale, or None for "
            "standard convolutions"
        )
    return dilations


def _stages(multi_stage: bool | Sequence[int], count: int) -> Sequence[int]:
    if isinstance(multi_stage, bool):
        return range(count) if multi_stage else [count - 1]
    return multi_stage
