"""The frame that all models share: encoder, context, decoder, head."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from jaxtyping import Float
from torch import Tensor, nn

from attseg.context.base import WithSides
from attseg.encoders.base import Encoder
from attseg.errors import UsageError
from attseg.layers import resize
from attseg.models.arguments import KeepsArguments

SMALLEST = 32
"""Least height and width of a picture, in pixels: one step on the deepest map of an encoder."""


def smallest_side(model: nn.Module) -> int:
    """The side to which smaller images are continued by their border before a network sees them.

    It is 32, and 33 where a map has stride 32: a deepest map of one value a side would fix all sizes in an exported file, and a
    file and its network see the same. Models of other kinds may say it themselves by an attribute of this name.
    """
    own = getattr(model, "smallest_side", None)
    if isinstance(own, int):
        return own
    strides = [module.strides[-1] for module in model.modules() if isinstance(module, Encoder)]
    return SMALLEST + 1 if max(strides, default=0) >= SMALLEST else SMALLEST


class Segmentation(NamedTuple):
    """Output of every model, in training and in evaluation.

    Args:
        logits: (N, K, H, W), at the size of the pictures.
        aux: Further logits of the same shape by name, for auxiliary losses; empty in evaluation.
    """

    logits: Tensor
    aux: dict[str, Tensor]

    def __repr__(self) -> str:
        aux = {name: tuple(logits.shape) for name, logits in self.aux.items()}
        return f"Segmentation(logits={tuple(self.logits.shape)}, aux={aux})"


class Staged(NamedTuple):
    """Outputs of a network before upsampling to the image size; scale fusion starts from here.

    Args:
        logits: (N, K, H', W'), at the decoder's resolution.
        aux: Auxiliary logits by name, each at its own resolution; empty in evaluation.
        stages: The encoder's maps, finest first.
    """

    logits: Tensor
    aux: dict[str, Tensor]
    stages: list[Tensor]


class SegmentationModel(KeepsArguments, nn.Module):
    """Encoder, context on its deepest map, decoder back to finer maps, and a head that gives logits.

    Args:
        encoder: Maps of a picture, finest first.
        context: Takes the deepest map, (N, encoder.channels[-1], H, W), to (N, C, H, W), or gives ``WithSides``.
        decoder: Takes the other maps (finest first) and the context's result, and gives ``Decoded``.
        head: Takes the decoder's result to (N, K, H', W').
        aux: Auxiliary heads by the name of the map that they read: ``encoder`` is the encoder's deepest map but one, every
            other name is one of the sides of the decoder or the context. They are used in training alone. Sides that are logits
            already, as the context says in ``logit_sides``, need none.
        align_corners: How logits are brought to the size of the picture; only networks that were trained so want it.
    """

    def __init__(
        self,
        encoder: Encoder,
        context: nn.Module,
        decoder: nn.Module,
        head: nn.Module,
        aux: Mapping[str, nn.Module] | None = None,
        *,
        align_corners: bool = False,
    ) -> None:
        super().__init__()
        self.encoder = encoder
        self.context = context
        self.decoder = decoder
        self.head = head
        logits = {name: nn.Identity() for name in getattr(context, "logit_sides", ())}
        self.aux = nn.ModuleDict({**logits, **(aux or {})})
        self.align_corners = align_corners

    @property
    def stage_channels(self) -> tuple[int, ...]:
        """Channels of each map in ``Staged.stages``."""
        return self.encoder.channels

    def forward(self, images: Float[Tensor, "n c h w"]) -> Segmentation:
        """Segment pictures (N, C, H, W), normalised, of any height and width from 32 on, with the channels C of the encoder.

        Raises:
            ValueError: The pictures have other channels, or are too small; in training, a single picture leaves one value a
                channel on the deepest map of an encoder with batch normalisation.
        """
        logits, aux, _ = self.staged(images)
        return Segmentation(self._fit(logits, images), {name: self._fit(side, images) for name, side in aux.items()})

    def staged(self, images: Tensor) -> Staged:
        """Logits at the decoder's resolution, and the encoder's maps, of pictures (N, C, H, W)."""
        check_size(images)
        check_image_channels(images, self.encoder)
        stages = self._encode(images)
        *lows, deep = stages
        made = self.context(deep)
        features, own = made if isinstance(made, WithSides) else (made, {})
        fused, sides = self.decoder(lows, features)
        aux = {}
        if self.training:
            sides = {"encoder": lows[-1], **own, **sides}
            aux = {name: head(sides[name]) for name, head in self.aux.items()}
        return Staged(self.head(fused), aux, stages)

    def _fit(self, logits: Tensor, images: Tensor) -> Tensor:
        return resize(logits, images.shape[-2:], align_corners=self.align_corners)

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


def check_image_channels(images: Tensor, encoder: nn.Module) -> None:
    """Refuse pictures of another number of channels than an encoder takes, where it says so."""
    wanted = getattr(encoder, "in_channels", None)
    if isinstance(wanted, int) and images.ndim == 4 and images.shape[1] != wanted:
        raise ValueError(
            f"pictures of {images.shape[1]} channels were given, and the network takes {wanted}: read the bands that it was "
            f"built for, or build it with in_channels={images.shape[1]}"
        )


def check_classes(num_classes: int) -> None:
    """Refuse a number of classes that no label can name."""
    if num_classes < 1:
        raise UsageError(f"num_classes is {num_classes}; at least 1 was expected")
