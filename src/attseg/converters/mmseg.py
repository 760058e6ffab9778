"""The door for PSANet as OpenMMLab trains it: github.com/open-mmlab/mmsegmentation."""

from __future__ import annotations

from typing import Any, cast

import torch.nn.functional as F
from torch import Tensor

from attseg.attention.pointwise.terms import Direction
from attseg.converters.foreign import Foreign, Given, Renaming
from attseg.converters.resnet import find_resnet, sequential_stem
from attseg.converters.semseg import BOTH, as_filters, check_branches, mask_shape
from attseg.converters.source import Source, read_tensors
from attseg.models.psanet import PSANet

WHAT = "a PSANet of mmsegmentation"


def load_mmseg(
    source: Source,
    *,
    directions: tuple[Direction, ...] = BOTH,
    compact: bool = False,
    mask_size: tuple[int, int] | None = None,
    shrink: int = 2,
    align_corners: bool = False,
) -> PSANet:
    """A PSANet of mmsegmentation with its weights, in evaluation mode, giving the logits that it gives there.

    Depth, stem, classes, the number of branches and whether there is an auxiliary head follow from the weights.

    Args:
        source: As in ``load_semseg``.
        directions: ``psa_type`` of its configuration: ``bi-direction`` is both.
        compact: As there.
        mask_size: As there; None takes as many rows as columns.
        shrink: ``shrink_factor`` there.
        align_corners: As there: True in the configurations for crops of 769 x 769, False in all others.

    Raises:
        UsageError: There is no such file, it would run code, the tensors are not those of such a network, or do not agree
            with the arguments.

    Source:
        ``mmseg/models/decode_heads/psa_head.py``, ``fcn_head.py`` and ``mmseg/models/backbones/resnet.py`` there; ``PSAMask``
        of mmcv.
    Differs:
        From what the authors released: see ``ParityPointwiseSpatialAttention``. Dilation is timm's, and the stem has 32, 32 and
        64 channels. Masks may have an even number of rows or columns (66 x 66 for ADE20K): the middle is then the filter
        before the half, and ours have a row and a column of zeros more, which score 0 as pairs without a filter do.
        With ``compact`` and one branch it transposes the other direction than the authors do; that is met too.
    """
    found = read_mmseg(
        source,
        directions=directions,
        compact=compact,
        mask_size=mask_size,
        shrink=shrink,
        align_corners=align_corners,
    )
    return cast(PSANet, found.build())


def read_mmseg(
    source: Source,
    *,
    directions: tuple[Direction, ...] = BOTH,
    compact: bool = False,
    mask_size: tuple[int, int] | None = None,
    shrink: int = 2,
    align_corners: bool = False,
) -> Foreign:
    """The model that ``load_mmseg`` builds; arguments and errors as there."""
    given = Given(WHAT, read_tensors(source))
    rows, columns = mask_shape(given.shape("decode_head.attention.1.weight")[0], mask_size)
    check_branches("decode_head.reduce_p.conv.weight" in given, directions)
    if compact and len(directions) == 1:
        directions = ("distribute",) if directions == ("collect",) else ("collect",)
    args: dict[str, Any] = {
        "encoder": find_resnet(given, prefix="backbone.", last_stem="backbone.stem.6.weight"),
        "directions": directions,
        "max_offset": (rows - 1, columns - 1) if compact else (rows // 2, columns // 2),
        "compact": compact,
        **({} if compact else {"outside": "zero"}),  # absolute places have no pairs without a filter
        "shrink": shrink,
        "inner": given.shape("decode_head.reduce.conv.weight")[0],
        "channels": given.shape("decode_head.bottleneck.conv.weight")[0],
        "aux": "auxiliary_head.conv_seg.weight" in given,
        "align_corners": align_corners,
        "variant": "mmseg",
    }
    names: Renaming = [
        *sequential_stem("backbone.stem"),
        ("encoder.network.", "backbone."),
        ("head.2.", "decode_head.conv_seg."),
        *_unit("context.psa.project", "decode_head.proj"),
        *_unit("context.fuse", "decode_head.bottleneck"),
    ]
    if args["aux"]:
        args["aux_channels"] = given.shape("auxiliary_head.conv_seg.weight")[1]
        names += [*_unit("aux.encoder.0", "auxiliary_head.convs.0"), ("aux.encoder.2.", "auxiliary_head.conv_seg.")]
    made = {}
    for direction in directions:
        suffix = "_p" if direction == "distribute" and len(directions) == 2 else ""
        branch = f"context.psa.branches.{direction}"
        filters = as_filters(given.take(f"decode_head.attention{suffix}.1.weight"), (rows, columns))
        made[f"{branch}.filters"] = filters if compact else _odd(filters)
        names += _unit(f"{branch}.reduce", f"decode_head.reduce{suffix}")
        names += _unit(f"{branch}.adapt", f"decode_head.attention{suffix}.0")
    return given.fit("PSANet", given.shape("decode_head.conv_seg.weight")[0], args, renaming=names, made=made)


def _unit(ours: str, theirs: str) -> Renaming:
    """The names of a convolution and the normalisation behind it."""
    return [(f"{ours}.0.", f"{theirs}.conv."), (f"{ours}.1.", f"{theirs}.bn.")]


def _odd(filters: Tensor) -> Tensor:
    """Filters (inner, rows, columns) with the one for no offset in the middle, a row and a column of zeros before even ones."""
    rows, columns = filters.shape[1:]
    return F.pad(filters, (1 - columns % 2, 0, 1 - rows % 2, 0))
