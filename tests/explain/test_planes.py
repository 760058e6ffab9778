import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from attseg.errors import UsageError
from attseg.explain.planes import decode, encode, encode_bytes, encode_rows

SHAPES = st.tuples(st.integers(1, 4), st.integers(1, 9), st.integers(1, 9))


@given(SHAPES, st.integers(0, 2**32 - 1), st.floats(-100, 100), st.floats(1e-6, 1e6))
def test_values_come_back_within_half_a_step(shape, seed, offset, spread):
    values = (offset + spread * np.random.default_rng(seed).random(shape)).astype(np.float32)
    step = (values.max() - values.min()) / 255
    assert np.abs(decode(encode(values)) - values).max() <= step / 2 + 1e-6 * np.abs(values).max()


def test_equal_values_come_back_as_they_are():
    assert (decode(encode(np.full((2, 3), 0.25))) == 0.25).all()


def test_bytes_come_back_as_they_are():
    values = np.random.default_rng(0).integers(0, 256, (7, 5), np.uint8)
    plane = encode_bytes(values)
    assert (np.rint(decode(plane)) == values).all() and (plane["low"], plane["high"]) == (0, 255)


@given(st.integers(0, 2**32 - 1), st.floats(0, 12))
def test_rows_keep_their_own_range_and_small_weights(seed, sharpness):
    scores = sharpness * np.random.default_rng(seed).standard_normal((5, 6, 8))
    weights = np.exp(scores)
    weights /= weights.sum((1, 2), keepdims=True)
    read = decode(encode_rows(weights))
    highest = weights.max((1, 2), keepdims=True)
    assert (np.abs(read - weights) <= highest / 254 + 1e-7).all()
    low = weights < highest / 100
    assert (np.abs(read - weights)[low] <= (0.11 * highest / 254 + 1e-7 + 0 * weights)[low]).all()
    assert np.abs(read.sum((1, 2)) - 1).max() < 0.02


def test_rows_may_be_negative():
    values = np.array([[[-2.0, 0.5]], [[0.0, 4.0]], [[-3.0, -1.0]]])
    assert np.abs(decode(encode_rows(values)) - values).max() <= 4 / 254


def test_smooth_maps_pack_well():
    smooth = np.add.outer(np.linspace(0, 1, 200), np.linspace(0, 1, 200))
    assert len(encode(smooth)["data"]) < smooth.size / 4


@pytest.mark.parametrize("make", [encode, encode_rows])
def test_what_is_no_number_is_refused(make):
    with pytest.raises(UsageError, match="2 of 4 values of a map are infinite or not numbers"):
        make(np.array([[1.0, np.nan], [np.inf, 0.0]]))
