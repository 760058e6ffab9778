"""The one call, and which implementation answers it."""

from __future__ import annotations

from typing import cast

import torch
from jaxtyping import Float
from torch import Tensor
from torch.autograd.function import FunctionCtx
from torch.utils.flop_counter import register_flop_formula

from attseg.attention.pointwise import dense, tiled
from attseg.attention.pointwise.cost import backward_flops, forward_flops
from attseg.attention.pointwise.terms import Direction, Normalize, Outside, check_filters, check_terms, check_values


def point_attention(
    values: Float[Tensor, "n c h w"],
    features: Float[Tensor, "n d h w"],
    filters: Float[Tensor, "d mh mw"],
    *,
    direction: Direction,
    normalize: Normalize = "softmax",
    outside: Outside = "exclude",
) -> Float[Tensor, "n c h w"]:
    """Attend to every position from every other, by relative offset.

    Time grows with the square of the number of positions, memory only linearly: no map is stored, and the way back computes them
    again, tile by tile. While a model is exported, plain operators stand in that any runtime knows.

    Args:
        values: (N, C, H, W), what is gathered or given.
        features: (N, D, H, W), from which each position's scores are predicted.
        filters: (D, MH, MW), odd sizes. The filter of the offset (dy, dx), in rows and columns, is
            ``filters[:, dy + MH // 2, dx + MW // 2]``: it gives the map of position p its score for position p + (dy, dx).
        direction: ``collect``: position p is the target, it gathers from p + offset; ``distribute``: it is the source, and gives
            to p + offset.
        normalize: ``softmax`` over the sources of each target; ``count`` divides by H * W; ``none`` leaves the scores.
        outside: What pairs do whose offset has no filter: ``exclude`` leaves them out; ``zero`` gives them the score 0, with
            which they take part in a softmax.

    Returns:
        (N, C, H, W).

    Raises:
        UsageError: Even filters, sizes that do not match, an unknown word.

    Source:
        Zhao et al., PSANet, ECCV 2018, eq. 8 and 9, figure 3.
    Reading:
        Eq. 8 divides by the number of positions ("count"); the released code takes a softmax over the sources in both directions.
        Eq. 9 counts rows and columns from 1 on one side and from 0 on the other; offset zero is in the middle of the filters.

    Example:
        >>> x = torch.randn(1, 8, 5, 7)
        >>> point_attention(x, torch.randn(1, 4, 5, 7), torch.randn(4, 9, 13), direction="collect").shape
        torch.Size([1, 8, 5, 7])
    """
    check_terms(direction, normalize, outside)
    check_filters(features, filters)
    check_values(values, features)
    values, features, filters = one_type(values, features, filters)
    if torch.compiler.is_exporting():
        return dense.point_attention(
            values, features, filters, direction=direction, normalize=normalize, outside=outside
        )
    return cast(Tensor, _attend(values, features, filters, direction, normalize, outside)[0])


def one_type(*tensors: Tensor) -> tuple[Tensor, ...]:
    """All in the type of autocast where that is on, else in the widest that occurs."""
    kind = tensors[0].device.type
    if torch.amp.is_autocast_available(kind) and torch.is_autocast_enabled(kind) and tensors[0].dtype != torch.float64:
        wanted = torch.get_autocast_dtype(kind)
    else:
        wanted = tensors[0].dtype
        for tensor in tensors:
            wanted = torch.promote_types(wanted, tensor.dtype)
    return tuple(tensor.to(wanted) for tensor in tensors)


# Registered as operators, so that a compiled model calls them as they are and a profile can count what they do.


FORWARD = (
    "(Tensor values, Tensor features, Tensor filters, str direction, str normalize, str outside) -> (Tensor, Tensor)"
)
BACKWARD = (
    "(Tensor gradient, Tensor attended, Tensor sums, Tensor values, Tensor features, Tensor filters, "
    "str direction, str normalize, str outside) -> (Tensor, Tensor, Tensor)"
)


@torch.library.custom_op("attseg::point_attention", mutates_args=(), schema=FORWARD)
def _attend(
    values: Tensor, features: Tensor, filters: Tensor, direction: str, normalize: str, outside: str
) -> tuple[Tensor, Tensor]:
    return tiled.forward(values, features, filters, direction, normalize, outside)  # type: ignore[arg-type] # schemas have str


@_attend.register_fake
def _(
    values: Tensor, features: Tensor, filters: Tensor, direction: str, normalize: str, outside: str
) -> tuple[Tensor, Tensor]:
    n, _, height, width = values.shape
    shape = (n, height, width) if direction == "distribute" and normalize == "softmax" else (0,)
    exact = torch.float64 if values.dtype == torch.float64 else torch.float32
    return torch.empty_like(values), values.new_empty(shape, dtype=exact)


@torch.library.custom_op("attseg::point_attention_backward", mutates_args=(), schema=BACKWARD)
def _attend_backward(
    gradient: Tensor,
    attended: Tensor,
    sums: Tensor,
    values: Tensor,
    features: Tensor,
    filters: Tensor,
    direction: str,
    normalize: str,
    outside: str,
) -> tuple[Tensor, Tensor, Tensor]:
    terms = direction, normalize, outside
    return tiled.backward(gradient, attended, sums, values, features, filters, *terms)  # type: ignore[arg-type] # schemas have str


@_attend_backward.register_fake
def _(
    gradient: Tensor,
    attended: Tensor,
    sums: Tensor,
    values: Tensor,
    features: Tensor,
    filters: Tensor,
    direction: str,
    normalize: str,
    outside: str,
) -> tuple[Tensor, Tensor, Tensor]:
    return torch.empty_like(values), torch.empty_like(features), torch.empty_like(filters)


def _keep(ctx: FunctionCtx, inputs: tuple[object, ...], output: tuple[Tensor, Tensor]) -> None:
    *tensors, ctx.direction, ctx.normalize, ctx.outside = inputs  # type: ignore[attr-defined] # torch declares no attributes
    ctx.save_for_backward(*output, *tensors)  # type: ignore[arg-type] # the inputs are objects to torch


def _back(ctx: FunctionCtx, gradient: Tensor, _: Tensor) -> tuple[Tensor | None, ...]:
    terms = ctx.direction, ctx.normalize, ctx.outside  # type: ignore[attr-defined] # as _keep has put them
    saved = ctx.saved_tensors  # type: ignore[attr-defined] # torch declares it in another class
    return *_attend_backward(gradient, *saved, *terms), None, None, None


_attend.register_autograd(_back, setup_context=_keep)

register_flop_formula(torch.ops.attseg.point_attention)(forward_flops)
register_flop_formula(torch.ops.attseg.point_attention_backward)(backward_flops)
