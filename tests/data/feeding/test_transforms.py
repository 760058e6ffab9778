import math
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torchvision.transforms.v2 import functional as v2

from attseg.data.feeding.transforms import BLUR_SIGMA, TrainTransform
from attseg.data.sample import Sample
from attseg.errors import UsageError

COLORS = np.array([(20, 40, 60), (200, 30, 90), (60, 220, 40), (90, 100, 240)], np.uint8)


def regions(height, width, seed=0):
    """A picture in patches of 16 x 16, whose colour is that of its label."""
    patches = np.random.default_rng(seed).integers(0, len(COLORS), (height // 16 + 1, width // 16 + 1), np.uint8)
    labels = np.kron(patches, np.ones((16, 16), np.uint8))[:height, :width]
    return Sample(COLORS[labels], labels, "regions")


def addressed(height, width):
    """A picture in which every pixel says where it lies."""
    y, x = np.mgrid[:height, :width].astype(np.uint8)
    return Sample(np.stack([y, x, y ^ x], -1), y ^ x, "addressed")


def numbers(*, scale=0.5, y=0.5, x=0.5, angle=0.5, flip=0.9, blur=0.9, sigma=0.5, colors=(0.5, 0.5, 0.5)):
    """A generator that draws these numbers."""
    drawn = np.array([scale, y, x, angle, flip, blur, sigma, *colors])
    return SimpleNamespace(random=lambda count: drawn[:count])


@settings(max_examples=60, deadline=None)
@given(
    size=st.tuples(st.integers(1, 90), st.integers(1, 90)),
    crop=st.tuples(st.integers(32, 60), st.integers(32, 60)),
    rotate=st.sampled_from([0.0, 10.0, 180.0]),
    effects=st.sampled_from([0.0, 1.0]),
    seed=st.integers(0, 2**32),
)
def test_any_picture_gives_a_crop_of_the_size_asked_for(size, crop, rotate, effects, seed):
    transform = TrainTransform(crop, rotate=rotate, blur=effects, color=effects)
    image, labels = transform(regions(*size), np.random.default_rng(seed))
    assert image.shape == (3, *crop) and labels.shape == crop
    assert image.dtype == labels.dtype == torch.uint8
    assert set(labels.unique().tolist()) <= {0, 1, 2, 3, 255}


@settings(max_examples=60, deadline=None)
@given(rotate=st.sampled_from([0.0, 10.0, 90.0]), seed=st.integers(0, 2**32))
def test_colours_stay_with_their_labels(rotate, seed):
    transform = TrainTransform((64, 80), scale=(0.7, 2.5), rotate=rotate)
    image, labels = transform(regions(100, 130), np.random.default_rng(seed))
    values = torch.stack([labels.roll((dy, dx), (0, 1)) for dy in (-2, -1, 0, 1, 2) for dx in (-2, -1, 0, 1, 2)])
    alike = (values == values[:1]).all(0)  # no other label within two pixels
    alike[:2] = alike[-2:] = alike[:, :2] = alike[:, -2:] = False
    expected = torch.from_numpy(np.vstack([COLORS, np.tile((124, 116, 104), (252, 1))]))[labels.long()]  # 255: the mean
    assert alike.float().mean() > 0.1
    assert (image.permute(1, 2, 0)[alike].int() - expected[alike].int()).abs().max() <= 1


def test_nothing_changes_the_bytes_of_a_plain_crop():
    sample = addressed(90, 120)
    transform = TrainTransform((40, 50), scale=(1, 1), flip=False)
    corners = set()
    for seed in range(50):
        image, labels = transform(sample, np.random.default_rng(seed))
        top, left = int(image[0, 0, 0]), int(image[1, 0, 0])
        corners.add((top, left))
        assert np.array_equal(image.permute(1, 2, 0), sample.image[top : top + 40, left : left + 50])
        assert np.array_equal(labels, sample.labels[top : top + 40, left : left + 50])
    assert len(corners) > 40


def test_crops_lie_anywhere_and_never_outside_of_a_picture_that_is_large_enough():
    sample = addressed(36, 40)
    transform = TrainTransform((32, 32), scale=(1, 1), flip=False)
    rng = np.random.default_rng(0)
    seen = [transform(sample, rng) for _ in range(400)]
    assert {int(image[0, 0, 0]) for image, _ in seen} == set(range(5))
    assert {int(image[1, 0, 0]) for image, _ in seen} == set(range(9))
    assert not any((labels == 255).any() for _, labels in seen)


def test_a_picture_smaller_than_the_crop_stands_in_its_middle():
    sample = Sample(np.zeros((20, 31, 3), np.uint8), np.zeros((20, 31), np.uint8), "small")
    image, labels = TrainTransform((40, 50), scale=(1, 1), fill=(1, 2, 3))(sample, np.random.default_rng(0))
    rows, columns = (np.flatnonzero((labels == 0).any(dim)).tolist() for dim in (1, 0))
    assert rows == list(range(10, 30))
    assert columns in (list(range(9, 40)), list(range(10, 41)))
    assert (torch.tensor([1, 2, 3]) == image[:, labels == 255].T).all()
    assert (image[:, labels == 0] == 0).all()


def test_flip_mirrors_picture_and_labels_half_of_the_time():
    sample = regions(60, 70)
    straight = TrainTransform((32, 32), flip=False)
    mirrored = 0
    for seed in range(200):
        image, labels = straight(sample, np.random.default_rng(seed))
        other, other_labels = TrainTransform((32, 32))(sample, np.random.default_rng(seed))
        if torch.equal(other, image.flip(-1)) and torch.equal(other_labels, labels.flip(-1)):
            mirrored += 1
        else:
            assert torch.equal(other, image) and torch.equal(other_labels, labels)
    assert 70 < mirrored < 130


def test_quarter_turns_and_vertical_flips_move_bytes_and_change_none():
    """Of a picture that the crop shows whole, each of the eight ways it can lie comes about equally often."""
    sample = addressed(40, 56)
    lies = {}
    for turns in range(4):
        for flip in (False, True):
            labels = np.rot90(sample.labels, turns)
            lies[(turns, flip)] = np.flipud(labels) if flip else labels
    for turned, crop in ((False, (40, 56)), (True, (56, 40))):
        found = dict.fromkeys(lies, 0)
        transform = TrainTransform(crop, scale=(1.0, 1.0), flip=False, flip_vertical=True, quarter_turns=True)
        for seed in range(400):
            image, labels = transform(sample, np.random.default_rng(seed))
            shown = [lie for lie, whole in lies.items() if whole.shape == crop and (whole == labels.numpy()).all()]
            if shown:
                found[shown[0]] += 1
                rows = np.rot90(sample.image[..., 0], shown[0][0])
                assert (image[0].numpy() == (np.flipud(rows) if shown[0][1] else rows)).all()
        expected = [lie for lie, whole in lies.items() if whole.shape == crop]
        assert {turns % 2 for turns, _ in expected} == {int(turned)}
        assert all(30 < found[lie] < 75 for lie in expected)


def test_without_them_the_crops_are_those_of_before():
    sample = regions(60, 70)
    plain, off = TrainTransform((32, 32)), TrainTransform((32, 32), flip_vertical=False, quarter_turns=False)
    for seed in range(5):
        for one, other in zip(
            plain(sample, np.random.default_rng(seed)), off(sample, np.random.default_rng(seed)), strict=True
        ):
            assert torch.equal(one, other)


def slope(transform, rng):
    """How many crop pixels a pixel of the picture became."""
    x = np.broadcast_to(np.arange(200, dtype=np.uint8), (200, 200))
    image, _ = transform(Sample(np.stack([x] * 3, -1), x.copy(), "ramp"), rng)
    row = image[0, 30].float()
    return 59 / float(row[-3] - row[2])  # columns 2..61 of 64


def test_scale_is_drawn_uniformly():
    transform = TrainTransform((64, 64), scale=(0.5, 2.0), flip=False)
    rng = np.random.default_rng(0)
    factors = np.array([slope(transform, rng) for _ in range(300)])
    assert factors.min() == pytest.approx(0.5, abs=0.05) and factors.max() == pytest.approx(2, abs=0.1)
    assert np.mean(factors) == pytest.approx(1.25, abs=0.08)
    assert np.mean(factors < 1) == pytest.approx(1 / 3, abs=0.08)


def test_scales_are_used_instead_of_scale():
    scales = (0.75, 1.0, 1.25, 1.5, 1.75, 2.0)  # DF-DAM
    transform = TrainTransform((64, 64), scales=scales, flip=False)
    rng = np.random.default_rng(0)
    found = [
        min(scales, key=lambda scale: abs(scale - factor)) for factor in (slope(transform, rng) for _ in range(120))
    ]
    assert set(found) == set(scales)
    for number, scale in zip((0, 0.2, 0.4, 0.55, 0.7, 0.999), scales, strict=True):
        assert slope(transform, numbers(scale=number)) == pytest.approx(scale, rel=0.05)


@pytest.mark.parametrize(("number", "degrees"), [(0.0, -30), (0.5, 0), (1.0, 30), (0.75, 15)])
def test_rotation_turns_about_the_middle_by_up_to_the_angle(number, degrees):
    y, x = np.mgrid[:81, :81] - 40.0
    picture = (np.hypot(y, x) < 30) & (abs(y) < 2) & (x > 0)  # a hand that points to three o'clock
    sample = Sample(np.zeros((81, 81, 3), np.uint8), picture.astype(np.uint8), "hand")
    _, labels = TrainTransform((81, 81), scale=(1, 1), rotate=30)(sample, numbers(angle=number))
    rows, columns = np.nonzero(labels.numpy() == 1)
    assert math.degrees(math.atan2(40 - rows.mean(), columns.mean() - 40)) == pytest.approx(degrees, abs=1.5)


def test_the_same_numbers_give_the_same_crop_and_always_ten_are_drawn():
    sample = regions(80, 90)
    after = []
    for options in ({}, {"rotate": 10.0, "blur": 0.5, "color": 0.3}, {"scales": (1.0, 2.0), "flip": False}):
        transform = TrainTransform((48, 48), **options)
        first, again, other = (np.random.default_rng(seed) for seed in (7, 7, 8))
        one, two, three = transform(sample, first), transform(sample, again), transform(sample, other)
        assert torch.equal(one[0], two[0]) and torch.equal(one[1], two[1])
        assert not torch.equal(one[0], three[0])
        after.append(first.random())
    assert set(after) == {np.random.default_rng(7).random(11)[-1]}


@pytest.mark.parametrize("number", [0.0, 0.5, 1.0])
def test_blur_is_a_gaussian(number):
    picture = np.random.default_rng(0).integers(0, 256, (140, 37, 3), np.uint8)
    sample = Sample(picture, np.zeros((140, 37), np.uint8), "noise")
    transform = TrainTransform((140, 37), scale=(1, 1), blur=1)
    image, _ = transform(sample, numbers(blur=0.0, sigma=number))
    sigma = BLUR_SIGMA[0] + number * (BLUR_SIGMA[1] - BLUR_SIGMA[0])
    line = np.exp(-(np.arange(-2, 3) ** 2) / (2 * sigma**2))
    line /= line.sum()
    padded = np.pad(picture.astype(float), ((2, 2), (2, 2), (0, 0)), mode="edge")
    expected = sum(
        line[dy] * line[dx] * padded[dy : dy + 140, dx : dx + 37] for dy in range(5) for dx in range(5)
    ).transpose(2, 0, 1)
    # Weights are rounded to 1/256 and sums to whole numbers, along each axis.
    assert np.abs(image.numpy() - expected).max() < 3
    assert np.abs(image.numpy() - expected).mean() < 0.6
    assert abs(image.numpy().mean() - expected.mean()) < 0.1


def test_blur_keeps_flat_colours_and_happens_as_often_as_asked():
    flat = Sample(np.full((40, 40, 3), 255, np.uint8), np.zeros((40, 40), np.uint8), "flat")
    assert (TrainTransform((40, 40), scale=(1, 1), blur=1)(flat, np.random.default_rng(0))[0] == 255).all()
    sample = regions(60, 60)
    changed = sum(
        not torch.equal(
            *(TrainTransform((32, 32), blur=blur)(sample, np.random.default_rng(s))[0] for blur in (0, 0.3))
        )
        for s in range(200)
    )
    assert 40 < changed < 80


@pytest.mark.parametrize("colors", [(1.0, 0.5, 0.5), (0.5, 0.0, 0.5), (0.5, 0.5, 1.0), (0.2, 0.9, 0.1)])
def test_colours_change_like_torchvisions(colors):
    picture = np.random.default_rng(0).integers(90, 160, (40, 40, 3), np.uint8)  # far from black and white: no clipping
    sample = Sample(picture, np.zeros((40, 40), np.uint8), "gray")
    image, _ = TrainTransform((40, 40), scale=(1, 1), color=0.4)(sample, numbers(colors=colors))
    brightness, contrast, saturation = (1 + 0.4 * (2 * number - 1) for number in colors)
    expected = torch.from_numpy(picture).permute(2, 0, 1).float() / 255
    expected = v2.adjust_saturation(
        v2.adjust_contrast(v2.adjust_brightness(expected, brightness), contrast), saturation
    )
    assert (image.float() - expected * 255).abs().max() < 1.5


def test_colours_are_clipped_not_wrapped():
    sample = Sample(np.full((40, 40, 3), 250, np.uint8), np.zeros((40, 40), np.uint8), "bright")
    image, _ = TrainTransform((40, 40), scale=(1, 1), color=1)(sample, numbers(colors=(1.0, 0.5, 0.5)))
    assert (image == 255).all()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"crop_size": (16, 64)}, r"crop_size is \(16, 64\); \(height, width\) of at least 32 pixels"),
        ({"scale": (2.0, 0.5)}, r"scale is \(2.0, 0.5\); the smallest and the largest factor"),
        ({"scale": (-1.0, 1.0)}, "scale is .* between 0.1 and 10.0"),
        ({"scale": (0.5, math.nan)}, "scale is .*nan"),
        ({"scales": (1.0, 0.0)}, "scales holds 0.0; factors between 0.1 and 10.0"),
        ({"rotate": -5}, "rotate is -5; the largest angle .* between 0 and 180 degrees"),
        ({"blur": 1.5}, "blur is 1.5; the probability"),
        ({"color": -0.1}, "color is -0.1; the largest relative change"),
        ({"fill": (0, 0, 256)}, r"fill is \(0, 0, 256\); a value in 0..255 for each channel"),
    ],
)
def test_arguments_that_make_no_sense_are_refused(arguments, message):
    with pytest.raises(UsageError, match=message):
        TrainTransform(**{"crop_size": (64, 64)} | arguments)


@pytest.mark.parametrize(("size", "factor"), [((50, 200), 64 / 50), ((100, 40), 80 / 40), ((400, 400), 0.5)])
def test_a_covered_crop_shows_no_outside(size, factor):
    sample = regions(*size)
    _, labels = TrainTransform((64, 80), scale=(0.5, 0.5), cover=True)(sample, numbers())
    assert not (labels == 255).any()
    _, plain = TrainTransform((64, 80), scale=(factor, factor))(sample, numbers())
    assert torch.equal(labels, plain)
    assert ((TrainTransform((64, 80), scale=(0.5, 0.5))(sample, numbers())[1] == 255).any()) == (factor > 0.5)
