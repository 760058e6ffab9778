import numpy as np
import pytest
import torch

from attseg.data.reading.arrays import from_array, from_tensor
from attseg.errors import UsageError

RGB = np.random.default_rng(0).integers(0, 256, (5, 7, 3), np.uint8)


def test_bytes_are_copied_as_they_are():
    picture = from_array(RGB)
    assert np.array_equal(picture, RGB)
    picture[:] = 0
    assert RGB.any()


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_fractions_are_0_to_1(dtype):
    assert np.array_equal(from_array((RGB / 255).astype(dtype)), RGB)


def test_sixteen_bits_are_scaled():
    assert np.array_equal(from_array(RGB.astype(np.uint16) * 257), RGB)


def test_grey_becomes_three_equal_channels():
    grey = RGB[..., 0]
    for values in (grey, grey[..., None], grey / 255):
        assert np.array_equal(from_array(values), np.stack([grey] * 3, axis=-1))


def test_transparent_pixels_are_white():
    values = np.zeros((2, 2, 4), np.uint8)
    values[0, :, 3] = 255
    assert from_array(values)[:, 0].tolist() == [[0, 0, 0], [255, 255, 255]]


def test_arrays_with_any_strides_are_read():
    assert np.array_equal(from_array(RGB[::-1, ::2]), RGB[::-1, ::2].copy())


def test_tensors_have_channels_first():
    tensor = torch.from_numpy(RGB).permute(2, 0, 1)
    for values in (tensor, tensor.float() / 255, (tensor / 255).double(), (tensor / 255).requires_grad_()):
        assert np.array_equal(from_tensor(values), RGB)
    assert np.array_equal(from_tensor(tensor[:1]), from_tensor(tensor[0]))
    assert np.array_equal(from_tensor(torch.full((3, 2, 2), 0.5, dtype=torch.bfloat16)), np.full((2, 2, 3), 128))


def test_what_resizing_adds_to_fractions_is_cut():
    assert from_array(np.array([[1.0005, -0.0005]])).tolist() == [[[255] * 3, [0] * 3]]


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (
            np.zeros((3, 5, 7), np.uint8),
            r"shape \(3, 5, 7\) .* move the channels to the end with \.transpose\(1, 2, 0\)",
        ),
        (
            np.zeros((5, 7, 2), np.uint8),
            r"shape \(5, 7, 2\) was given; \(H, W, 3\), \(H, W, 4\) or \(H, W\) was expected$",
        ),
        (np.zeros(5, np.uint8), r"shape \(5, 1\)|shape \(5,\)"),
        (np.zeros((0, 5, 3), np.uint8), r"shape \(0, 5, 3\)"),
        (RGB.astype(np.int64), "holds int64, which does not say what is white; convert it to uint8"),
        (RGB > 3, "holds bool"),
        (RGB.astype(np.float32), r"fractions from \d+ to \d+, but a float picture lies in 0..1; divide by 255"),
        (np.full((2, 2), np.nan), r"numbers that are none \(NaN\)"),
        (np.full((2, 2), -0.5), "fractions from -0.5 to -0.5"),
    ],
)
def test_other_arrays_are_refused(values, message):
    with pytest.raises(UsageError, match=message):
        from_array(values)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (
            torch.zeros(2, 3, 5, 7),
            r"a batch of shape \(2, 3, 5, 7\) was given; hand in its pictures with list\(batch\)",
        ),
        (torch.zeros(5, 7, 3), r"shape \(5, 7, 3\) was given; \(3, H, W\)"),
        (torch.zeros(3), r"shape \(3,\)"),
        (torch.zeros(3, 5, 7, dtype=torch.int64), "holds int64"),
        (torch.full((3, 2, 2), -1.5), "leave it to the segmenter to normalise"),
    ],
)
def test_other_tensors_are_refused(values, message):
    with pytest.raises(UsageError, match=message):
        from_tensor(values)
