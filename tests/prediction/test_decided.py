"""NaN and infinite scores are no classes: wherever a network's scores become labels, they end in a sentence."""

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from attseg.bulk.images import predict_files
from attseg.data.classes import ClassTable, distinct_colors
from attseg.data.preprocessing import Preprocessing
from attseg.data.sample import DataError, Sample
from attseg.evaluation.calibration import CalibrationMeter
from attseg.evaluation.run import evaluate
from attseg.inference.segmenter import Segmenter
from attseg.models import Segmentation
from attseg.prediction.bands import ScoreBand
from attseg.prediction.decided import DecidedBand, ScoresError
from attseg.prediction.protocol import Protocol

CLASSES = ClassTable(tuple("abcd"), distinct_colors(4))


class Breaks(nn.Module):
    """Gives a value that is no number for one class of the bright pixels."""

    def __init__(self, value, index=2):
        super().__init__()
        self.value, self.index = value, index

    def forward(self, images):
        logits = torch.linspace(-3, 3, 4).view(1, 4, 1, 1) * images.mean(1, keepdim=True)
        logits[:, self.index] = logits[:, self.index].masked_fill(images.mean(1) > 2, self.value)
        return Segmentation(logits, {})


class Pictures:
    classes, split = CLASSES, "val"

    def __len__(self):
        return 3

    def name(self, index):
        return f"picture-{index}"

    def __getitem__(self, index):
        image = np.full((40, 48, 3), 90, np.uint8)
        image[3, 4:6] = 255 if index == 1 else 90
        return Sample(image, np.zeros((40, 48), np.uint8), self.name(index))


PROTOCOLS = {
    "plain": Protocol(),
    "windows": Protocol(window=32),
    "mirrored logits": Protocol(flip=True, average="logits"),
}


@pytest.mark.parametrize("protocol", PROTOCOLS.values(), ids=PROTOCOLS)
@pytest.mark.parametrize("value", [float("nan"), float("inf")])
@pytest.mark.parametrize("index", [0, 3])
def test_a_picture_with_nan_is_told_and_the_others_are_segmented(protocol, value, index, tmp_path):
    segmenter = Segmenter(Breaks(value, index), CLASSES, Preprocessing(), device="cpu")
    data = Pictures()
    with pytest.raises(ScoresError, match="at 2 of .* pixels"):
        segmenter.segment(data[1].image, protocol=protocol)
    for meters in ((), (CalibrationMeter(),)):
        with pytest.raises(DataError, match="picture-1: the network gave NaN or infinite scores"):
            evaluate(segmenter.model, data, Preprocessing(), protocol=protocol, meters=meters)
    for number in range(3):
        Image.fromarray(data[number].image).save(tmp_path / f"{number}.png")
    summary = predict_files(segmenter, [tmp_path], tmp_path / "out", protocol=protocol)
    ((path, problem),) = summary.failed
    assert (summary.done, path.name) == (2, "1.png") and "NaN or infinite" in problem
    assert not (tmp_path / "out" / "labels" / "1.png").exists()


def test_looking_into_a_network_and_whole_probabilities_tell_too():
    segmenter = Segmenter(Breaks(float("nan")), CLASSES, Preprocessing(), device="cpu")
    for ask in (segmenter.look, segmenter.predictor().probabilities):
        with pytest.raises(ScoresError):
            ask(Pictures()[1].image)
        ask(Pictures()[0].image)


def test_a_class_that_is_ruled_out_is_no_harm():
    values = torch.tensor([[[0.5, 0.1]], [[-torch.inf, 2.0]]])
    labels, scores = ScoreBand(0, values, "logits").decide()
    assert labels.tolist() == [[0, 1]] and scores[0, 0] == 1.0


def test_bands_that_were_decided_elsewhere_are_looked_at():
    best = torch.tensor([[0.5, torch.nan]])
    with pytest.raises(ScoresError, match="at 1 of 2 pixels"):
        DecidedBand(0, torch.zeros(1, 2, dtype=torch.uint8), best).decide()
