import numpy as np
import pytest
import torch
from PIL import Image

from attseg.data.sample import DataError, check_sample
from attseg.data.wrapped import WrappedData

IMAGE = np.random.default_rng(0).integers(0, 256, (8, 12, 3), np.uint8)
LABELS = np.random.default_rng(1).integers(0, 3, (8, 12), np.uint8)
NAMES = ["a", "b", "c"]


@pytest.mark.parametrize(
    "image",
    [
        IMAGE,
        Image.fromarray(IMAGE),
        torch.from_numpy(IMAGE).permute(2, 0, 1),
        torch.from_numpy(IMAGE).permute(2, 0, 1) / 255,
        IMAGE.astype(np.float32) / 255,
    ],
    ids=["array", "pillow", "bytes", "floats", "float array"],
)
@pytest.mark.parametrize(
    "labels",
    [LABELS, Image.fromarray(LABELS), torch.from_numpy(LABELS).long(), torch.from_numpy(LABELS)[None]],
    ids=["array", "pillow", "tensor", "with channel"],
)
def test_pairs_of_every_form_are_the_same_sample(image, labels):
    sample = WrappedData([(image, labels)], NAMES)[0]
    check_sample(sample, 3, "it")
    assert np.array_equal(sample.image, IMAGE) and np.array_equal(sample.labels, LABELS)


@pytest.mark.parametrize(
    ("item", "told"),
    [
        ((torch.randn(3, 8, 12), LABELS), "leave out the normalisation"),
        ((torch.from_numpy(IMAGE), LABELS), r"8 x 12 x 3.*permute\(2, 0, 1\)"),
        ((torch.from_numpy(IMAGE).permute(2, 0, 1).float(), LABELS), "divide by 255"),
        ((IMAGE, LABELS.astype(float)), "labels.long()"),
        ((IMAGE, LABELS.astype(int) - 1), "-1..1.*= 255"),
        ((IMAGE, np.zeros((8, 12, 5), int)), "whole numbers"),
        ({"image": IMAGE, "mask": LABELS}, "a pair"),
    ],
)
def test_items_that_would_be_misread_are_refused(item, told):
    with pytest.raises(DataError, match=told):
        WrappedData([item], NAMES)[0]


def test_bfloat16_is_read_and_an_empty_image_is_told():
    white = WrappedData([(torch.ones(3, 8, 12, dtype=torch.bfloat16), LABELS)], NAMES)[0]
    assert (white.image == 255).all()
    empty = WrappedData([(torch.zeros(3, 0, 12), LABELS[:0])], NAMES)[0]
    with pytest.raises(DataError, match="without a pixel"):
        check_sample(empty, 3, "it")
