"""The frame that all models share: encoder, context, decoder, head."""

from __future__ import annotations

from typing import NamedTuple

from jaxtyping import Float
from torch import Tensor, nn

from attseg.encoders.base import Encoder
from attseg.encoders.timm import TimmEncoder
from attseg.errors import UsageError
from attseg.layers import resize

SMALLEST = 32
"""Least height and width of a picture, in pixels: one step on the deepest map of an encoder."""


class Segmentation(NamedTuple):
    """What every model returns, in training and in evaluation.

    Args:
        logits: (N, K, H, W), at the size of the pictures.
        aux: Further logits of the same shape by name, for auxiliary losses; empty in evaluation.
    """

    logits: Tensor
    aux: dict[str, Tensor]


class SegmentationModel(nn.Module):
    """Encoder, context on its deepest map, decoder back to finer maps, and a head that gives logits.

    Args:
        encoder: Maps of a picture, finest first.
        context: Takes the deepest map, (N, encoder.channels[-1], H, W), to (N, C, H, W).
        decoder: Takes the other maps (finest first) and the context's result, and gives (N, C, H', W').
        head: Takes the decoder's result to (N, K, H', W').
    """

    def __init__(self, encoder: Encoder, context: nn.Module, decoder: nn.Module, head: nn.Module) -> None:
        super().__init__()
        self.encoder = encoder
        self.context = context
        self.decoder = decoder
        self.head = head

    def forward(self, images: Float[Tensor, "n 3 h w"]) -> Segmentation:
        """Segment pictures (N, 3, H, W), normalised, of any height and width from 32 on.

        Raises:
            ValueError: The pictures are too small; in training, a single picture leaves one value a channel on the deepest
                map of an encoder with batch normalisation.
        """
        check_size(images)
        *lows, deep = self._encode(images)
        fused = self.decoder(lows, self.context(deep))
        return Segmentation(resize(self.head(fused), images.shape[-2:]), {})

    def _encode(self, images: Tensor) -> list[Tensor]:
        try:
            return self.encoder(images)
        except ValueError as error:
            if "more than 1 value per channel" not in str(error):
                raise
            n, _, h, w = images.shape
            raise ValueError(
                f"the encoder's batch normalisation cannot be trained on {n} picture of {h} x {w}: its deepest map, at stride "
                f"{self.encoder.strides[-1]}, holds one value a channel. Use a larger crop, two pictures or more a batch, a "
                "smaller output_stride, or an encoder without batch normalisation such as convnext_tiny"
            ) from None


def check_size(images: Tensor) -> None:
    """Refuse pictures that an encoder cannot halve five times."""
    h, w = images.shape[-2:]
    if h < SMALLEST or w < SMALLEST:
        raise ValueError(
            f"pictures of {h} x {w} (height x width) were given; at least {SMALLEST} x {SMALLEST} was expected"
        )


def make_encoder(encoder: str | Encoder, *, output_stride: int, pretrained: bool, weights: str | None) -> Encoder:
    """The encoder by its name in timm, or the ready one that was handed in."""
    if isinstance(encoder, str):
        return TimmEncoder(encoder, output_stride=output_stride, pretrained=pretrained, weights=weights)
    if pretrained or weights is not None:
        raise UsageError(
            "pretrained and encoder_weights are for encoders given by name; load a ready module's weights yourself"
        )
    return encoder


def check_classes(num_classes: int) -> None:
    """Refuse a number of classes that no label can name."""
    if num_classes < 1:
        raise UsageError(f"num_classes is {num_classes}; at least 1 was expected")
