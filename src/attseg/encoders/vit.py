"""Plain vision transformers from timm (ViT, DeiT, DINO and their kin), whose one resolution is made into four strides."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import torch.nn.functional as F
from torch import Tensor

from attseg.encoders.base import STRIDES, Encoder, check_channels, check_output_stride
from attseg.encoders.from_file import load_encoder
from attseg.encoders.weights import from_timm, pretrained_file
from attseg.errors import UsageError
from attseg.layers import resize

PLAIN = ("vision_transformer", "deit", "eva")
"""timm's files of transformers that keep one grid of patches throughout and take grids of any size."""


class VitEncoder(Encoder):
    """A plain transformer, read at four depths, one for each stride.

    The network looks at patches (of 14 or 16 pixels, mostly) and keeps their grid from the first block to the last. What the
    blocks at a quarter, half, three quarters and the whole of its depth give is normalised and resized to the strides 4, 8,
    16 and 32: early blocks for the fine maps, late ones for the coarse.

    Args:
        name: Name in timm, such as ``vit_small_patch16_224``, ``deit_tiny_patch16_224`` or ``vit_small_patch14_dinov2``.
        output_stride: Stride of the deepest map: 32, 16 or 8. It is the grid that is resized; the patches stay what they are,
            so that below the patch's size a smaller stride gives more positions and no finer view.
        pretrained: Whether to take timm's weights, from the local cache or the network.
        weights: File with the encoder's weights, instead of ``pretrained``; see ``attseg.encoders.from_file.find_tensors``.
        in_channels: Channels of the image; the patch embedding of weights for three is adapted to others as timm does it.

    Raises:
        UsageError: The name is no plain transformer of timm, or the stride is none of these.
        UsageError: The file lacks tensors that the network needs, or holds them in another shape.
        FileNotFoundError: There is no file of weights, or pretrained weights are neither here nor reachable.

    Source:
        Li et al., Exploring Plain Vision Transformer Backbones for Object Detection (ViTDet), ECCV 2022: strides 4, 8, 16 and
        32 from one grid. Ranftl et al., Vision Transformers for Dense Prediction, ICCV 2021: reading blocks at four depths.
    Reading:
        ViTDet resizes the last map alone, by learned deconvolutions. Here the maps come from four depths and are resized
        bilinearly, which adds nothing to train: contexts and decoders keep their meaning, and differ in nothing else.
        Each map goes through a layer normalisation, as ViTDet's do, since what blocks give grows with their depth. It learns
        nothing, so that a decoder without use for a map leaves no parameter idle.
        Pictures are resized to whole patches rather than padded, so that grid and picture cover the same; position
        embeddings are resized to the grid as timm does it.
        Limits of what lies below: ``torch.compile`` takes dynamic sizes without gradients only, as torch cannot yet trace back
        through the resized position embeddings, and ``torch.export`` takes none for DINOv3, as timm's code fixes its grid.

    Example:
        >>> import torch
        >>> encoder = VitEncoder("test_vit", output_stride=16)
        >>> encoder.channels, encoder.strides
        ((64, 64, 64, 64), (4, 8, 16, 16))
        >>> [tuple(level.shape[-2:]) for level in encoder(torch.zeros(1, 3, 70, 101))]
        [(18, 26), (9, 13), (5, 7), (5, 7)]
    """

    def __init__(
        self,
        name: str,
        *,
        output_stride: int = 32,
        pretrained: bool = False,
        weights: str | Path | None = None,
        in_channels: int = 3,
    ) -> None:
        import timm

        check_channels(in_channels)
        if not is_vit(name):
            raise UsageError(f"the encoder {name!r} is none of timm's plain transformers; vit_*, deit* and eva* are")
        check_output_stride(output_stride)
        if pretrained and weights is None:
            weights = pretrained_file(name)
        loads = pretrained and weights is None
        network = _create(name, in_channels, pretrained=loads)
        super().__init__(
            channels=(network.embed_dim,) * len(STRIDES),
            strides=tuple(min(stride, output_stride) for stride in STRIDES),
            in_channels=in_channels,
        )
        self.depths = _depths(network)
        # Pictures come in whole patches. timm's check of that writes sizes into a message, which would fix them in torch.compile.
        network.patch_embed.img_size = None
        self.network = network
        self.patch: tuple[int, int] = network.patch_embed.patch_size
        if weights is not None:
            whole = partial(timm.create_model, name)
            self.began_with(load_encoder(network, name, weights, whole, lambda: _create(name, 3), in_channels))
        elif loads:
            self.began_with(from_timm(name, network))

    def forward(self, images: Tensor) -> list[Tensor]:
        """Maps of (N, in_channels, H, W), finest first, each (N, C, ceil(H / stride), ceil(W / stride))."""
        height, width = images.shape[-2:]
        grid = _steps(height, self.patch[0]), _steps(width, self.patch[1])
        whole = resize(images, (grid[0] * self.patch[0], grid[1] * self.patch[1]))
        tokens = self.network.forward_intermediates(
            whole, indices=self.depths, output_fmt="NLC", intermediates_only=True
        )
        maps = []
        for level, channels, stride in zip(tokens, self.channels, self.strides, strict=True):
            # (N, C, rows, columns of patches)
            seen = F.layer_norm(level, (channels,)).transpose(1, 2).unflatten(2, grid)
            maps.append(resize(seen, (_steps(height, stride), _steps(width, stride))))
        return maps


def _create(name: str, in_channels: int, *, pretrained: bool = False) -> Any:
    """Timm's network without what comes after its last block."""
    import timm

    network: Any = timm.create_model(name, dynamic_img_size=True, pretrained=pretrained, in_chans=in_channels)
    network.prune_intermediate_layers(_depths(network), prune_norm=True, prune_head=True)
    return network


def _depths(network: Any) -> list[int]:
    """Blocks at a quarter, half, three quarters and the whole of the depth."""
    depth = len(network.blocks)
    return [-(-depth * quarter // 4) - 1 for quarter in (1, 2, 3, 4)]


def is_vit(name: str) -> bool:
    """Whether timm has a plain transformer of this name."""
    import timm

    bare = name.split(".")[0]
    return timm.is_model(bare) and timm.models.is_model_in_modules(bare, PLAIN)


def _steps(length: int, stride: int) -> int:
    """How many steps cover a side, the last one perhaps in part; the length may be symbolic."""
    return (length + stride - 1) // stride
