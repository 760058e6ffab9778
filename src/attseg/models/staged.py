"""Protocol of networks that scale fusion can wrap: they return their stages beside their logits."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol, runtime_checkable

from torch import Tensor, nn

from attseg.arguments import InertOption
from attseg.errors import UsageError, unknown
from attseg.models.frame import Staged
from attseg.models.named import NETWORKS, build

LARGE_FOV = {"encoder": "vgg16-largefov", "output_stride": 8, "head": "linear"}
"""Arguments that make ``FCN`` DeepLab-LargeFOV, the base ``largefov``."""


@runtime_checkable
class StagedModel(Protocol):
    """Requirements for a base network; every network here meets them.

    Example:
        >>> import torch
        >>> class Tiny(nn.Module):
        ...     stage_channels = (8,)
        ...
        ...     def __init__(self):
        ...         super().__init__()
        ...         self.encoder = nn.Conv2d(3, 8, 4, stride=4)
        ...         self.head = nn.Conv2d(8, 2, 1)
        ...
        ...     def staged(self, images):
        ...         maps = self.encoder(images)
        ...         return Staged(self.head(maps), {}, [maps])
        >>> from attseg.models import AttentionToRefine
        >>> AttentionToRefine(2, base=Tiny()).eval()(torch.zeros(1, 3, 64, 64)).logits.shape
        torch.Size([1, 2, 64, 64])
    """

    @property
    def encoder(self) -> nn.Module:
        """The part that is usually pretrained; all else are new layers, which may learn faster."""
        ...

    @property
    def stage_channels(self) -> tuple[int, ...]:
        """Channels of each map in ``Staged.stages``."""
        ...

    def staged(self, images: Tensor) -> Staged:
        """Logits and stages, finest first, of pictures (N, 3, H, W), each at its own resolution."""
        ...


def make_base(base: str | StagedModel, args: Mapping[str, Any], num_classes: int) -> StagedModel:
    """The base by its name, or the ready one that was handed in.

    Args:
        base: ``largefov``, the name of a network, or a module.
        args: Arguments of the constructor of a base given by name, all but ``num_classes``.
        num_classes: Classes K.

    Raises:
        UsageError: There is no such base or argument, a value does not fit, or the module lacks what a base needs.
    """
    if isinstance(base, str):
        if base not in ("largefov", *NETWORKS):
            raise unknown("base", base, ("largefov", *NETWORKS))
        try:
            if base == "largefov":
                return build(NETWORKS, "FCN", {**LARGE_FOV, **args}, num_classes)
            return build(NETWORKS, base, args, num_classes)
        except InertOption as error:
            raise error.below("base_args") from None
    if args:
        raise UsageError("base_args are for a base given by name; build a ready module with its arguments yourself")
    if not isinstance(base, nn.Module) or not isinstance(base, StagedModel):
        raise UsageError(
            f"the base is a {type(base).__name__}; a module with encoder, stage_channels and staged was expected, such as a PAN "
            "or an FCN: see attseg.models.staged.StagedModel"
        )
    return base
