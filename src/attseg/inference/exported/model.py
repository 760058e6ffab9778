"""An exported file in the place of a network: what predicts, evaluates and shows calls it as it calls a model of ours."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor, nn

from attseg.data.preprocessing import Preprocessing
from attseg.errors import UsageError
from attseg.files import digest_file
from attseg.inference.exported.contract import Contract, Size
from attseg.inference.exported.description import Description
from attseg.inference.exported.engines import Engine, Numbers, read_description, start
from attseg.models.frame import SMALLEST, Segmentation
from attseg.prediction.decided import DecidingModel

TINY = 1e-30
"""Least probability of which a logarithm is taken."""


class Runner:
    """Runs a file on normalised pictures, in the form in which it takes them.

    Args:
        engine: What computes.
        contract: What the file takes and gives.
        preprocessing: How pictures were normalised.

    Reading:
        A file that takes bytes is given bytes: pixels that were blended, as where a protocol scales pictures, are rounded.
    """

    def __init__(self, engine: Engine, contract: Contract, preprocessing: Preprocessing) -> None:
        self.engine = engine
        self.contract = contract
        self.preprocessing = preprocessing

    def __call__(self, images: Tensor) -> list[Tensor]:
        """The outputs of the file, of normalised pictures (N, C, H, W) on the processor.

        Raises:
            UsageError: The file takes pictures of another size only, or larger ones, half precision was asked for, or the engine
                gave up, as where memory ends.
        """
        if torch.is_autocast_enabled("cpu"):
            raise UsageError(
                "an exported file computes in the precision that it was exported in; leave out the precision"
            )
        self.preprocessing.check_channels(images.shape[1])
        height, width = images.shape[-2:]
        self._check_size((height, width))
        try:
            found = self.engine.compute(self._given(images))
        except Exception as error:  # each engine has its own
            first = next(iter(str(error).strip().splitlines()), type(error).__name__)
            raise UsageError(
                f"{self.engine.name} cannot compute {len(images)} of {height} x {width} pixels (height x width): {first[:300]}"
            ) from error
        return [torch.from_numpy(found[name]) for name in self.contract.outputs]

    def _given(self, images: Tensor) -> Numbers:
        if self.contract.takes == "floats":
            return images.contiguous().numpy()
        mean, std = (
            torch.tensor(values).view(-1, 1, 1) * 255 for values in (self.preprocessing.mean, self.preprocessing.std)
        )
        pixels = (images * std + mean).round_().clamp_(0, 255).byte()
        return pixels.permute(0, 2, 3, 1).contiguous().numpy()

    @property
    def smallest_side(self) -> int:
        """The side to which ``as_batch`` continues smaller images: that of the network, so that both see the same.

        A file whose least side is above 33 says nothing about its network's; no image is continued up to it.
        """
        return 1 if self.contract.resize else min(self.contract.least, SMALLEST + 1)

    def _check_size(self, given: Size) -> None:
        wanted, least = self.contract.size, self.contract.smallest
        if wanted is None and min(given) < least:
            raise UsageError(
                f"the file takes pictures from {least} x {least} (height x width) on, and this one has {given[0]} x {given[1]}; "
                "use the run that it was exported from, or export that with --resize, for pictures of any size"
            )
        if wanted is None or wanted == given:
            return
        advice = "scale it, or export the model anew without --size, or with --resize in its place"
        if wanted[0] == wanted[1] and self.contract.gives != "labels":
            advice += f"; or see pictures in windows of this size (--window {wanted[0]})"
        raise UsageError(
            f"the file takes pictures of {wanted[0]} x {wanted[1]} (height x width) alone, and this one has "
            f"{given[0]} x {given[1]}; {advice}"
        )


class _FromFile(nn.Module):
    """A model that a file is.

    Args:
        runner: What runs it.
        digest: A few bytes that change with the file.
    """

    digest: Tensor

    def __init__(self, runner: Runner, digest: Tensor) -> None:
        super().__init__()
        self.runner = runner
        self.smallest_side = runner.smallest_side
        self.register_buffer("digest", digest)


class ExportedModel(_FromFile):
    """An exported file that gives scores of all classes; what it is called with, and what it returns, is as of any model."""

    def forward(self, images: Tensor) -> Segmentation:
        """Segment pictures (N, 3, H, W), normalised. Of probabilities, their logarithms stand for the logits."""
        (scores,) = self.runner(images)
        if self.runner.contract.gives == "probabilities":
            scores = scores.clamp(min=TINY).log()
        return Segmentation(scores, {})


class ExportedDecidingModel(_FromFile, DecidingModel):
    """An exported file with the arg-max inside."""

    def decide(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Classes and their probabilities, each (N, H, W), of normalised pictures (N, 3, H, W)."""
        labels, scores = self.runner(images)
        return labels, scores


def open_exported(path: Path, *, threads: int | None = None) -> tuple[nn.Module, Description]:
    """The model that a file holds, and what the file says about itself.

    Args:
        path: ``.onnx``, ``.xml`` or ``.pt2``, written by ``attseg export``.
        threads: To compute with; None takes as many as PyTorch does.

    Raises:
        UsageError: There is no such file, or a package is missing.
        ExportedError: The file is damaged, foreign or too new.
    """
    description = read_description(path)
    contract = description.contract
    runner = Runner(start(path, contract.outputs, threads=threads), contract, description.preprocessing)
    digest = torch.frombuffer(bytearray.fromhex(digest_file(path)), dtype=torch.uint8)
    kind = ExportedDecidingModel if contract.gives == "labels" else ExportedModel
    return kind(runner, digest), description
