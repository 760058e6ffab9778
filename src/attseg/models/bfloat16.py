"""Convolutions that are trained in bfloat16 by a processor, where oneDNN gets the gradient of their weights wrong, or is slow."""

from __future__ import annotations

import torch
from torch import Tensor, nn

LANES = 16
"""Channels that oneDNN computes together."""


def repair_convolutions(model: nn.Module) -> list[str]:
    """Have convolutions get the right gradient of their weights under autocast to bfloat16 on a CPU, and get it quickly.

    oneDNN leaves part of that gradient as it found the memory, which may hold NaN, in three cases:

    - *Dilated* convolutions whose groups are no multiple of ``LANES`` wide, with channels innermost: these see their input plane
      by plane, and depthwise ones compute in 32 bits.
    - Kernels that reach *past the map* above and below by more than a row (5 rows on a map of 1, 7 on 2), from 128 channels on:
      computed in 32 bits, which costs little on such a map.
    - Maps *narrower than the stride*, with a kernel above 1x1: likewise.

    *Depthwise* convolutions whose kernel is above 3x3, or that have a stride, compute in 32 bits as well while their weights are
    trained: their backward pass takes 1.4 to 6 times as long in bfloat16.

    Seen on AVX-512 BF16, with torch 2.14 and 2.15. The output and the gradient of the input are right, and in 32 bits everything
    is. Code in 32 bits computes as before, and the weights stay in 32 bits.

    Args:
        model: Its convolutions are changed in place; it computes the same.

    Returns:
        Names of the convolutions that are changed, or would be on a map that is small enough.

    Example:
        >>> convs = [nn.Conv2d(24, 8, 3, dilation=2), nn.Conv2d(24, 8, 3), nn.Conv2d(32, 8, 3, dilation=2)]
        >>> repair_convolutions(nn.Sequential(*convs, nn.Conv2d(32, 8, 7), nn.Conv2d(32, 8, 3, stride=2)))
        ['0', '3', '4']
    """
    found = []
    for name, module in model.named_modules():
        if not isinstance(module, nn.Conv2d):
            continue
        if _is_depthwise(module) and (max(*module.dilation, *module.stride) > 1 or max(module.kernel_size) > 3):
            _put_before(_Depthwise, module)
        elif max(module.dilation) > 1 and module.in_channels // module.groups % LANES:
            module.weight.data = module.weight.data.clone(memory_format=torch.contiguous_format)
            _put_before(_Planar, module)
        elif module.kernel_size[0] // 2 > 1 or max(module.kernel_size) > 1 < max(module.stride):
            _put_before(_Small, module)
        else:
            continue
        found.append(name)
    return found


def _is_depthwise(module: nn.Conv2d) -> bool:
    return module.groups == module.in_channels > 1


def _put_before(first: type[nn.Module], module: nn.Module) -> None:
    module.__class__ = type(f"{first.__name__[1:]}{type(module).__name__}", (first, type(module)), {})


class _Planar(nn.Module):
    """Stands before the class of a convolution, and outside of what is compiled, where the compiler would choose the layout."""

    @torch.compiler.disable  # type: ignore[untyped-decorator] # torch gives it no types
    def forward(self, maps: Tensor) -> Tensor:
        return super().forward(maps.clone(memory_format=torch.contiguous_format))


class _In32Bits(nn.Module):
    """Stands before the class of a convolution that computes some maps in 32 bits."""

    @torch.compiler.disable  # type: ignore[untyped-decorator] # torch gives it no types
    def forward(self, maps: Tensor) -> Tensor:
        if not (torch.is_autocast_enabled("cpu") and self.takes(maps)):
            return super().forward(maps)
        with torch.autocast("cpu", enabled=False):
            return super().forward(maps.float()).to(torch.get_autocast_dtype("cpu"))

    def takes(self, maps: Tensor) -> bool:
        """Whether these maps are computed in 32 bits."""
        raise NotImplementedError(f"{type(self).__name__} must say which maps it computes in 32 bits")


class _Small(_In32Bits):
    kernel_size: tuple[int, int]
    stride: tuple[int, int]

    def takes(self, maps: Tensor) -> bool:
        height, width = maps.shape[-2:]
        return self.kernel_size[0] // 2 > height or self.stride[1] > width


class _Depthwise(_In32Bits):
    weight: Tensor

    def takes(self, maps: Tensor) -> bool:
        return torch.is_grad_enabled() and self.weight.requires_grad
