import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from attseg.data.importing.runs import decode_brush, decode_counts, rows_of
from attseg.data.sample import DataError
from labelling import brush

OF_THE_TOOL = [
    0, 0, 0, 216, 57, 27, 254, 43, 0, 194, 127, 247, 192, 48, 159, 252, 96, 17, 131, 206, 1, 132, 255, 241, 88, 4, 127, 248,
    124, 0,
]  # fmt: skip
"""What ``mask2rle`` of label-studio-sdk 2.1.2 makes of the mask below, whose last value in row 2 is 7 of 255."""


def test_a_brush_that_label_studio_wrote():
    mask = np.zeros((6, 9), bool)
    mask[1:4, 2:7] = mask[5, 0] = mask[2, 8] = True
    assert (decode_brush(OF_THE_TOOL, 6, 9) == mask).all()


@given(st.integers(1, 40), st.integers(1, 40), st.integers(0, 2**32), st.floats(0, 1))
@settings(max_examples=100, deadline=None)
def test_brushes(height, width, seed, share):
    mask = np.random.default_rng(seed).random((height, width)) < share
    assert (decode_brush(brush(mask), height, width) == mask).all()


def test_values_that_are_not_repeated():
    """A block of four single values: the three colours and the opacity of a pixel, and of the next."""
    bits = (
        f"{8:032b}{7:05b}"
        + "0010" * 4
        + "0"
        + "00"
        + "111"
        + "".join(f"{value:08b}" for value in (9, 9, 9, 0, 1, 2, 3, 255))
    )
    bits += "0" * (-len(bits) % 8)
    packed = [int(bits[place : place + 8], 2) for place in range(0, len(bits), 8)]
    assert decode_brush(packed, 1, 2).tolist() == [[False, True]]


@pytest.mark.parametrize(
    ("packed", "said"),
    [
        ([], "cut off"),
        (OF_THE_TOOL[:-6], "cut off"),
        ([0, 0, 0, 215, *OF_THE_TOOL[4:]], "215 values of 8 bits, and its picture 216"),
        ([300], "list of bytes"),
        ("text", "list of bytes"),
        ([[1]], "list of bytes"),
        (None, "list of bytes"),
        ([*OF_THE_TOOL[:7], *[255] * 40], "more values than it states"),
    ],
)
def test_damaged_brushes(packed, said):
    with pytest.raises(DataError, match=said):
        decode_brush(packed, 6, 9)


def test_a_brush_of_a_huge_picture_is_refused_before_memory_is_taken():
    with pytest.raises(DataError, match="at most"):
        decode_brush(OF_THE_TOOL, 100_000, 100_000)


def test_runs_along_rows():
    assert rows_of(decode_counts([1, 2, 1, 2]), 2, 3).tolist() == [[False, True, True], [False, True, True]]
    assert not rows_of(decode_counts([6]), 2, 3).any()
    with pytest.raises(DataError, match="at most"):
        rows_of(decode_counts([6]), 10**6, 10**6)
