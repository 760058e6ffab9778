"""Half precision beside 32 bits: what the bundled network decides on scenes."""

import numpy as np
import pytest
import torch

from attseg.data.sets.scenes import Scenes
from attseg.inference.segmenter import load
from attseg.prediction.protocols import SINGLE
from attseg.prediction.stream import Predictor


@pytest.mark.parametrize(("precision", "least", "margin"), [("bf16", 0.995, 0.1), ("fp16", 0.999, 0.02)])
def test_half_precision_decides_otherwise_only_where_two_classes_are_close(precision, least, margin):
    segmenter = load("demo", device="cpu")

    def probabilities(image, precision):
        given = (segmenter.model, len(segmenter.classes), segmenter.preprocessing, torch.device("cpu"), SINGLE)
        return Predictor(*given, precision, None).probabilities(image)

    equal, pixels = 0, 0
    for scene in Scenes("val", size=(96, 128), count=3):
        full, half = (probabilities(scene.image, one) for one in ("32", precision))
        assert not np.array_equal(full, half)  # it was computed in half precision
        same = full.argmax(0) == half.argmax(0)
        second, first = np.sort(full, axis=0)[-2:]
        assert (first - second)[~same].max(initial=0) < margin
        equal, pixels = equal + same.sum(), pixels + same.size
    assert equal >= least * pixels
