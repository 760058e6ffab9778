"""Dilated convolutions that are trained in bfloat16 by a processor."""

from __future__ import annotations

import torch
from torch import Tensor, nn

LANES = 16
"""Channels that oneDNN computes together."""


def keep_planar(model: nn.Module) -> list[str]:
    """Have each dilated convolution whose groups are no multiple of ``LANES`` wide see its input plane by plane.

    With channels innermost, oneDNN gets the gradient of such weights wrong at many sizes of maps, dilated depth-wise convolutions
    included: part of it is what was in the memory before, which may be no number. Seen with torch 2.15 on AVX-512 BF16, in
    bfloat16 alone. What comes out, and the gradient of what goes in, are right, and plane by plane all is. The rest of the
    network keeps its layout.

    Args:
        model: Its convolutions are changed in place; it computes the same.

    Returns:
        Names of the convolutions.

    Example:
        >>> convs = [nn.Conv2d(24, 8, 3, dilation=2), nn.Conv2d(24, 8, 3), nn.Conv2d(32, 8, 3, dilation=2)]
        >>> keep_planar(nn.Sequential(*convs, nn.Conv2d(32, 32, 3, dilation=2, groups=32)))
        ['0', '3']
    """
    found = []
    for name, module in model.named_modules():
        if isinstance(module, nn.Conv2d) and max(module.dilation) > 1 and module.in_channels // module.groups % LANES:
            module.weight.data = module.weight.data.clone(memory_format=torch.contiguous_format)
            module.__class__ = type(f"Planar{type(module).__name__}", (_Planar, type(module)), {})
            found.append(name)
    return found


class _Planar(nn.Module):
    """Stands before the class of a convolution, and outside of what is compiled, where the compiler would choose the layout."""

    @torch.compiler.disable  # type: ignore[untyped-decorator] # torch gives it no types
    def forward(self, maps: Tensor) -> Tensor:
        return super().forward(maps.clone(memory_format=torch.contiguous_format))
