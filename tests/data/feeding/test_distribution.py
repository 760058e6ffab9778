"""The whole transform against the papers' literal order: scale the picture, turn it, cut the crop, mirror it, blur it."""

import importlib.util
import math
import sys
from pathlib import Path

import numpy as np
import pytest

from attseg.data.feeding.transforms import TrainTransform
from attseg.data.sample import Sample

BENCHMARK = Path(__file__).parents[3] / "benchmarks" / "transforms.py"


@pytest.fixture(scope="module")
def sides():
    """The sides of the benchmark, on pictures of a quarter of their height and width."""
    spec = importlib.util.spec_from_file_location("transforms_benchmark", BENCHMARK)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up
    sys.path.insert(0, str(BENCHMARK.parent))  # for what benchmarks share
    try:
        spec.loader.exec_module(module)
    finally:
        sys.path.remove(str(BENCHMARK.parent))
    module.HEIGHT, module.WIDTH, module.CROP = 256, 512, 178
    yield module
    del sys.modules[spec.name]


def naive_labels(labels, crop, rotate, seed):
    """Where each pixel of a crop comes from, pixel by pixel; None where two pixels of the picture are about equally near."""
    scale, y, x, angle, flip, *_ = np.random.default_rng(seed).random(10)
    height, width = labels.shape
    factor = 0.5 + 1.5 * scale
    source = max(1, round(crop / factor))  # a crop shows whole pixels of the picture
    room_y, room_x = height - source, width - source
    top = int(y * (room_y + 1)) if room_y >= 0 else room_y // 2
    left = int(x * (room_x + 1)) if room_x >= 0 else room_x // 2
    radians = math.radians(rotate * (2 * angle - 1))
    result = [[None] * crop for _ in range(crop)]
    for i in range(crop):
        for j in range(crop):
            down = top + (i + 0.5) * source / crop - height / 2
            right = left + ((crop - 1 - j if flip < 0.5 else j) + 0.5) * source / crop - width / 2
            row = height / 2 + right * math.sin(radians) + down * math.cos(radians)
            column = width / 2 + right * math.cos(radians) - down * math.sin(radians)
            if min(row % 1, 1 - row % 1, column % 1, 1 - column % 1) > 0.02:
                inside = 0 <= row < height and 0 <= column < width
                result[i][j] = int(labels[int(row), int(column)]) if inside else 255
    return result


@pytest.mark.parametrize("size", [(60, 90), (40, 34)])
@pytest.mark.parametrize("rotate", [0.0, 10.0, 180.0])
def test_labels_are_the_nearest_ones_of_the_literal_order(size, rotate):
    labels = np.random.default_rng(0).integers(0, 200, size, np.uint8)
    transform = TrainTransform((36, 36), rotate=rotate)
    outside = 0
    for seed in range(12):
        _, found = transform(Sample(np.zeros((*size, 3), np.uint8), labels, "a"), np.random.default_rng(seed))
        expected = naive_labels(labels, 36, rotate, seed)
        clear = [(i, j) for i in range(36) for j in range(36) if expected[i][j] is not None]
        assert len(clear) > 36 * 36 * 0.6 or not rotate  # upright crops may lie exactly between pixels
        assert [int(found[i, j]) for i, j in clear] == [expected[i][j] for i, j in clear]
        outside += sum(expected[i][j] == 255 for i, j in clear)
    assert outside > 100 or size == (60, 90)  # the crop is larger than the picture, or turned beyond it


@pytest.mark.slow
@pytest.mark.parametrize(("rotate", "blur"), [(0.0, 0.0), (10.0, 0.0), (10.0, 1.0)])
def test_torchvision_in_the_literal_order_gives_the_same_crops(sides, rotate, blur):
    sample, corners = sides.street(), 0
    for seed in range(15):
        (image, labels), (other, other_labels) = (
            side(sample, seed, rotate, blur) for side in (sides.ours, sides.literal)
        )
        assert (labels == other_labels).float().mean() > 0.97  # the literal order rounds the size of the scaled picture
        corners += int(((labels == 255) & (other_labels == 255)).sum())
        # Grey levels are 1/57 apart; blurs differ, because ours draws its width.
        assert (image - other).abs().mean() < (0.03 if blur else 0.02)
    assert corners > 1000


def test_opencv_gives_the_same_labels(sides):
    pytest.importorskip("cv2")
    sample = sides.street()
    for seed in range(15):
        labels, others = (side(sample, seed, 10.0, 1.0)[1] for side in (sides.ours, sides.opencv))
        assert (labels == others).float().mean() > 0.97
