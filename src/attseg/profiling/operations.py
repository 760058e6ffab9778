"""Cost of one PyTorch operation, where it is known."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch._ops import OpOverload
from torch.utils._pytree import tree_leaves
from torch.utils.flop_counter import flop_registry

_MAKING = """
    empty empty_like empty_strided new_empty new_empty_strided zeros zeros_like new_zeros ones ones_like new_ones full full_like
    new_full arange linspace eye scalar_tensor copy clone contiguous _to_copy lift_fresh fill zero _unsafe_view _reshape_alias
    cat stack repeat repeat_interleave flip roll tril triu constant_pad_nd reflection_pad2d replication_pad2d im2col col2im
    pixel_shuffle pixel_unshuffle channel_shuffle native_channel_shuffle rand rand_like randn randn_like bernoulli uniform normal
"""
_LOOKING_UP = """
    index index_select index_put _unsafe_index _unsafe_index_put index_add index_copy index_fill gather scatter scatter_add
    scatter_reduce masked_fill masked_select masked_scatter where embedding one_hot nonzero bucketize searchsorted
"""
_REDUCING = """
    sum mean amax amin max min aminmax prod norm linalg_vector_norm var var_mean std std_mean any all argmax argmin logsumexp
    sort topk kthvalue median cumsum cumprod
"""
_NORMALISING = """
    native_batch_norm _native_batch_norm_legit _native_batch_norm_legit_no_training _batch_norm_with_update
    _batch_norm_no_update cudnn_batch_norm native_layer_norm native_group_norm _fused_rms_norm native_dropout
    _softmax _safe_softmax _log_softmax hardswish hardtanh hardsigmoid leaky_relu elu gelu silu mish threshold glu _prelu_kernel
"""
_RESIZING = """
    avg_pool1d avg_pool2d max_pool2d_with_indices adaptive_avg_pool2d _adaptive_avg_pool2d adaptive_max_pool2d
    upsample_nearest1d upsample_nearest2d _upsample_nearest_exact2d upsample_linear1d upsample_bilinear2d upsample_bicubic2d
    _upsample_bilinear2d_aa _upsample_bicubic2d_aa grid_sampler_2d affine_grid_generator
"""

FREE = frozenset(f"{_MAKING} {_LOOKING_UP} {_REDUCING} {_NORMALISING} {_RESIZING}".split())
"""Operations of a few steps a value, beside those that PyTorch itself marks as views or as going value by value.

By custom they count nothing: only convolutions and products of matrices do.
"""


def flops_of(operation: OpOverload, args: tuple[Any, ...], kwargs: dict[str, Any], result: Any) -> int | None:
    """Floating-point operations of a call, two for each multiply-add; None where nobody has said what it costs.

    An operation of one's own says so with ``torch.utils.flop_counter.register_flop_formula``; docs/modules/profile.md shows how.
    """
    packet = operation.overloadpacket
    if packet in flop_registry:
        return int(flop_registry[packet](*args, **kwargs, out_val=result))
    if operation.namespace not in ("aten", "prim", "prims"):
        return None
    if not any(isinstance(value, Tensor) and value.dtype.is_floating_point for value in tree_leaves(result)):
        return 0  # indices, sizes and the like
    free = operation.is_view or torch.Tag.pointwise in operation.tags or packet.__name__.rstrip("_") in FREE
    return 0 if free else None
