"""The words that choose among variants of the operator, and what its inputs must be."""

from __future__ import annotations

from typing import Literal, get_args

from torch import Tensor

from attseg.errors import UsageError, unknown

Direction = Literal["collect", "distribute"]
"""``collect``: a position is the target and gathers; ``distribute``: it is the source and gives."""

Normalize = Literal["softmax", "count", "none"]
"""``softmax`` over the sources of each target; ``count`` divides by the number of positions (eq. 8); ``none`` leaves scores."""

Outside = Literal["exclude", "zero"]
"""How pairs whose offset has no filter are treated: excluded, or given the score 0."""


def check_terms(direction: str, normalize: str, outside: str) -> None:
    """Refuse unknown words."""
    for what, given, known in (
        ("direction", direction, get_args(Direction)),
        ("normalisation", normalize, get_args(Normalize)),
        ("treatment of pairs outside the filters", outside, get_args(Outside)),
    ):
        if given not in known:
            raise unknown(what, given, known)


def check_filters(features: Tensor, filters: Tensor) -> None:
    """Refuse features (N, D, H, W) and filters (D, MH, MW) that do not fit each other."""
    if features.ndim != 4 or filters.ndim != 3:
        raise UsageError(
            f"features of shape {tuple(features.shape)} and filters of shape {tuple(filters.shape)} were given; "
            "(N, D, H, W) and (D, MH, MW) were expected"
        )
    if filters.shape[1] % 2 == 0 or filters.shape[2] % 2 == 0:
        raise UsageError(
            f"the filters are {filters.shape[1]} x {filters.shape[2]}; both must be odd, so that one filter stands in the "
            "middle for offset zero"
        )
    if features.shape[1] != filters.shape[0]:
        raise UsageError(
            f"the features have {features.shape[1]} channels, and the filters {filters.shape[0]}; equal numbers were expected"
        )
    if not features.dtype.is_floating_point or not filters.dtype.is_floating_point:
        raise UsageError(
            f"features of {features.dtype} and filters of {filters.dtype} were given; floating point was expected"
        )


def check_values(values: Tensor, features: Tensor) -> None:
    """Refuse values (N, C, H, W) that do not lie on the same positions as features (N, D, H, W)."""
    if values.ndim != 4 or values.shape[0] != features.shape[0] or values.shape[2:] != features.shape[2:]:
        raise UsageError(
            f"values of shape {tuple(values.shape)} and features of shape {tuple(features.shape)} were given; (N, C, H, W) and "
            "(N, D, H, W) with equal N, H and W were expected"
        )
    if not values.dtype.is_floating_point:
        raise UsageError(f"values of {values.dtype} were given; floating point was expected")
