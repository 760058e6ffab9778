"""The logits of whatever a network returns: networks of ours, and those of others."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import Tensor

from attseg.errors import UsageError
from attseg.layers import resize

KEYS = ("logits", "out")
"""Names of logits in outputs that are mappings: of Hugging Face, and of torchvision."""


def logits_of(output: Any, images: Tensor) -> Tensor:
    """The logits (N, K, H, W) in the output of a network, at the size of its images.

    Args:
        output: A tensor; an object with ``logits``; a mapping with ``logits`` or ``out``; or a tuple or list whose first item is
            one of these. Smaller logits are upsampled bilinearly.
        images: (N, C, H, W) what the network was given.

    Raises:
        UsageError: There are no logits in it.

    Example:
        >>> import torch
        >>> images = torch.zeros(2, 3, 64, 96)
        >>> logits_of({"out": torch.zeros(2, 5, 16, 24)}, images).shape
        torch.Size([2, 5, 64, 96])
    """
    found = output
    if isinstance(found, Mapping):
        found = next((found[key] for key in KEYS if key in found), None)
    elif not isinstance(found, Tensor) and hasattr(found, "logits"):
        found = found.logits
    elif isinstance(found, tuple | list) and found:
        return logits_of(found[0], images)
    if not isinstance(found, Tensor) or found.ndim != 4 or len(found) != len(images):
        raise UsageError(
            f"the network returned {_described(output)}; logits (N, K, H, W) were expected, as a tensor, as .logits, or under "
            f"{' or '.join(map(repr, KEYS))}"
        )
    if found.shape[-2:] == images.shape[-2:]:
        return found
    return resize(found, images.shape[-2:])


def _described(output: Any) -> str:
    if isinstance(output, Tensor):
        return f"a tensor of shape {tuple(output.shape)}"
    if isinstance(output, Mapping):
        return f"a mapping with {', '.join(map(repr, output))}"
    return f"a {type(output).__name__}"
