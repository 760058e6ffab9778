"""What a notebook prints of each object: one short line."""

import numpy as np
import pytest
import torch

from attseg import FCN, PAN, ConfusionMatrix, Segmenter, capture
from attseg.data import ClassTable, Preprocessing, Sample, open_data
from attseg.data.sets.ade20k import ADE20K
from attseg.evaluation import Report
from attseg.explain import look

CLASSES = ClassTable(("sky", "road", "car"), ((0, 0, 200), (90, 90, 90), (200, 0, 0)))
IMAGE = np.zeros((48, 64, 3), np.uint8)


@pytest.fixture(scope="module")
def result():
    return Segmenter(FCN(3, encoder="resnet18", context="psa"), CLASSES, Preprocessing(), device="cpu", data="scenes")(
        IMAGE
    )


def test_segmenter_and_result(result):
    segmenter = Segmenter(FCN(3, encoder="resnet18"), CLASSES, Preprocessing(), device="cpu", data="scenes")
    assert repr(segmenter) == "Segmenter(FCN, 3 classes, trained on scenes, cpu)"
    assert repr(result).startswith("Result('picture', 48 x 64, ")


def test_attention_maps(result):
    assert repr(result.looked) == "Looked(48 x 64, 3 classes, 2 attention maps)"
    assert repr(result.looked.pairs[0]) == "Pairs('context.psa.branches.collect.attention', collect, image 48 x 64)"
    assert (
        repr(result.attention(0, 0)[0])
        == "PixelAttention('context.psa.branches.collect.attention', pairwise, collect, (2, 2))"
    )
    model = PAN(3, encoder="resnet18").eval()
    with capture(model) as maps:
        output = model(torch.zeros(1, 3, 64, 64))
    assert repr(maps[0]) == "AttentionMap('context.pyramid', spatial, (1, 1, 4, 4))"
    assert repr(output) == "Segmentation(logits=(1, 3, 64, 64), aux={})"
    assert repr(look(model, torch.zeros(1, 3, 64, 64)).found) == repr(look(model, torch.zeros(1, 3, 64, 64)).maps)


def test_scores():
    confusion = ConfusionMatrix(2)
    confusion.update(torch.tensor([[0, 1], [1, 1]]), torch.tensor([[0, 0], [1, 255]]))
    assert repr(confusion) == "ConfusionMatrix(2 classes, 3 pixels, mIoU 0.5000)"
    counts = np.array([[1, 1, 0], [0, 1, 0], [0, 0, 0]])
    assert repr(Report(CLASSES, counts, pictures=4)) == "Report(mIoU 0.5000, 3 classes, 4 images)"


def test_data():
    assert repr(CLASSES) == "ClassTable(3 classes: sky, road, car)"
    assert repr(ADE20K).endswith(", ...)") and len(repr(ADE20K)) < 100
    assert repr(Sample(IMAGE, IMAGE[..., 0], "a/b")) == "Sample('a/b', 48 x 64)"
    data = open_data("scenes", "val", size=(64, 96), count=10)
    assert repr(data) == "Scenes(val, 10 samples of 64 x 96, seed 0)"
