"""Logits of pictures of any size, as bytes go in: the one way in which evaluation and use run a model."""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from attseg.data.preprocessing import Preprocessing
from attseg.data.sample import Array
from attseg.models.frame import SMALLEST, smallest_side
from attseg.prediction.outputs import logits_of

PRECISIONS = {"32": None, "bf16": torch.bfloat16, "fp16": torch.float16}


def predict_logits(
    model: nn.Module, image: Array, preprocessing: Preprocessing, *, device: torch.device, precision: str = "32"
) -> Tensor:
    """Logits (K, H, W) of one picture (H, W, C) in 0..255, seen once and whole.

    A picture with a side below ``smallest_side`` of the model is continued by its border pixels, and the logits are cut back.

    Args:
        model: A model of ours in evaluation mode, on ``device``.
        image: The picture, of any size.
        preprocessing: What the model was trained with.
        device: Where to compute; the logits stay there.
        precision: ``32``, ``bf16`` or ``fp16``; the logits are 32-bit floats in any case.
    """
    height, width = image.shape[:2]
    half = PRECISIONS[precision]
    with torch.inference_mode(), torch.autocast(device.type, dtype=half, enabled=half is not None):
        images = as_batch(image, preprocessing, device, least=smallest_side(model))
        logits = logits_of(model(images), images)
    return logits[0, :, :height, :width].float()


def as_batch(image: Array, preprocessing: Preprocessing, device: torch.device, *, least: int = SMALLEST) -> Tensor:
    """The network's input for one image (H, W, C): (1, C, H', W'), its sides padded to ``least`` where they are shorter."""
    height, width = image.shape[:2]
    pixels = torch.from_numpy(np.ascontiguousarray(image)).to(device).permute(2, 0, 1)[None]
    missing = (0, max(0, least - width), 0, max(0, least - height))
    return F.pad(preprocessing(pixels), missing, mode="replicate") if any(missing) else preprocessing(pixels)
