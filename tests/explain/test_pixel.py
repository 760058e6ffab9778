import numpy as np
import pytest
import torch

from attseg.explain.capture import AttentionMap
from attseg.explain.pixel import read_pixel


def read(kind, weights, x, y, size):
    (one,) = read_pixel([AttentionMap("decoder.tap", kind, weights)], x=x, y=y, size=size)
    assert (one.name, one.kind) == ("decoder.tap", kind)
    assert one.values.dtype == np.float32
    return one.values


@pytest.mark.parametrize("kind", ["scale", "class", "spatial"])
def test_positions_are_those_of_the_cell_that_holds_the_pixel(kind):
    weights = torch.rand(1, 3, 4, 8)
    for y in range(40):
        for x in range(80):
            assert np.array_equal(read(kind, weights, x, y, (40, 80)), weights[0, :, y // 10, x // 10])


def test_sizes_that_do_not_divide_stay_inside():
    weights = torch.rand(1, 1, 3, 3)
    assert read("spatial", weights, 36, 36, (37, 37)) == weights[0, 0, 2, 2]
    assert read("spatial", weights, 0, 0, (37, 37)) == weights[0, 0, 0, 0]


def test_channels_are_equal_at_all_pixels():
    weights = torch.rand(1, 5, 1, 1, dtype=torch.float64)
    assert np.array_equal(read("channel", weights, 9, 5, (10, 10)), weights[0, :, 0, 0].float())


def test_pairwise_is_the_map_of_sources_for_this_target():
    height, width = 2, 3
    weights = torch.rand(1, height * width, height, width)
    values = read("pairwise", weights, 20, 5, (20, 30))
    for row in range(height):
        for column in range(width):
            assert values[row, column] == weights[0, row * width + column, 0, 2]
