"""The network with all that a file is to do around it: normalising before it, resizing and deciding behind it."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from attseg.data.preprocessing import Preprocessing
from attseg.inference.exported.contract import Contract
from attseg.layers import resize
from attseg.models.frame import Segmentation


class Deployable(nn.Module):
    """The exported module: inputs and outputs follow the contract. Exported files are compared with it.

    Args:
        model: A model of ours in evaluation mode.
        preprocessing: What it was trained with.
        contract: What goes in and out.

    Reading:
        A score is the softmax at its maximum, 1 / sum(exp(logit - largest logit)): nothing else of the softmax is computed.
        Pictures and logits are resized bilinearly without smoothing, as the protocols of evaluation do it.

    Example:
        >>> from attseg.models import FCN
        >>> network = Deployable(FCN(3, encoder="test_resnet").eval(), Preprocessing(), Contract())
        >>> labels, scores = network(torch.zeros(2, 40, 50, 3, dtype=torch.uint8))
        >>> labels.shape, labels.dtype, scores.shape
        (torch.Size([2, 40, 50]), torch.uint8, torch.Size([2, 40, 50]))
    """

    mean: Tensor
    scale: Tensor

    def __init__(self, model: nn.Module, preprocessing: Preprocessing, contract: Contract) -> None:
        super().__init__()
        self.model = model
        self.contract = contract
        mean, std = (torch.tensor(values).view(-1, 1, 1) * 255 for values in (preprocessing.mean, preprocessing.std))
        self.register_buffer("mean", mean, persistent=False)
        self.register_buffer("scale", 1 / std, persistent=False)

    def forward(self, images: Tensor) -> tuple[Tensor, ...]:
        """The outputs of the contract, in its order."""
        pixels = images.permute(0, 3, 1, 2).float() if self.contract.takes == "bytes" else images  # (N, C, H, W)
        whole = pixels.shape[-2:]
        if self.contract.resize:
            pixels = resize(pixels, self.contract.resize)
        if self.contract.takes == "bytes":
            pixels = (pixels - self.mean) * self.scale
        seen: Segmentation = self.model(pixels)
        logits = resize(seen.logits, whole) if self.contract.resize else seen.logits
        match self.contract.gives:
            case "logits":
                return (logits,)
            case "probabilities":
                return (logits.softmax(1),)
            case "labels":
                best, labels = logits.max(dim=1)
                return labels.to(torch.uint8), 1 / (logits - best[:, None]).exp().sum(1)
