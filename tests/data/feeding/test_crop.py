import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from attseg.data.feeding.crop import CropBox

FILL = (124, 116, 104)
BILINEAR = Image.Resampling.BILINEAR


def noise(height, width, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)


def waves(height, width):
    """A smooth picture: waves of 60 pixels, so that interpolating twice and once differ by little."""
    y, x = np.mgrid[:height, :width] * (2 * np.pi / 60)
    return np.rint(128 + 100 * np.stack([np.sin(x), np.cos(y), np.sin(x + y)], -1)).astype(np.uint8)


def positions(view, height, width):
    """The equation of a view, in complex numbers: where in the picture (x + iy) each pixel of the crop lies."""
    y, x = (np.arange(side) + 0.5 for side in view.crop_size)
    scaled = (
        view.left
        + x[None] * view.width / view.crop_size[1]
        + 1j * (view.top + y[:, None] * view.height / view.crop_size[0])
    )
    middle = (width + 1j * height) / 2
    return middle + (scaled - middle) * np.exp(1j * view.angle)


def views(height, width):
    side = st.integers(16, 150)
    return st.builds(
        CropBox,
        top=st.integers(-30, height),
        left=st.integers(-30, width),
        height=side,
        width=side,
        angle=st.sampled_from([0.0, 0.1, -0.17, 1.0, math.pi / 2, -3.0]),
        crop_size=st.tuples(st.integers(32, 70), st.integers(32, 70)),
    )


@pytest.mark.parametrize("scale", [0.5, 0.75, 1.0, 4 / 3, 2.0])
def test_upright_equals_scaling_the_whole_picture_and_cutting(scale):
    picture = noise(120, 168)
    side = round(48 / scale)
    view = CropBox(12, 24, side, side, 0.0, (48, 48)).image(picture, FILL)
    whole = Image.fromarray(picture).resize((round(168 * scale), round(120 * scale)), BILINEAR)
    top, left = round(12 * scale), round(24 * scale)
    literal = np.asarray(whole.crop((left, top, left + 48, top + 48)), int).transpose(2, 0, 1)
    # The outermost pixels of the whole picture's version also see what lies beside the crop.
    difference = np.abs(view.numpy() - literal)[:, 2:-2, 2:-2]
    assert difference.max() <= 1


@pytest.mark.parametrize("scale", [0.5, 1.0, 2.0])
@pytest.mark.parametrize("degrees", [-10.0, 7.0, 30.0])
def test_turned_equals_scaling_turning_and_cutting(scale, degrees):
    picture = waves(160, 240)
    side = round(64 / scale)
    view = CropBox(16, 32, side, side, math.radians(degrees), (64, 64))
    size = round(240 * scale), round(160 * scale)
    turned = Image.fromarray(picture).resize(size, BILINEAR).rotate(degrees, BILINEAR, fillcolor=FILL)
    left, top = round(32 * scale), round(16 * scale)
    literal = np.asarray(turned.crop((left, top, left + 64, top + 64)), int).transpose(2, 0, 1)
    source = positions(view, 160, 240)
    inside = (abs(source.real - 120) < 120 - 2 / scale) & (abs(source.imag - 80) < 80 - 2 / scale)
    assert inside.mean() > 0.3
    # Linear interpolation misses a wave of amplitude 100 by at most 100 (2 pi / length)^2 / 8 along each axis: 0.3 at a length
    # of 60 pixels, 1.2 at 30; add the rounding of two steps.
    assert np.abs(view.image(picture, FILL).numpy() - literal)[:, inside].max() <= (4 if scale < 1 else 2)


@settings(max_examples=80, deadline=None)
@given(views(120, 200))
def test_every_pixel_comes_from_where_the_equation_says(view):
    y, x = np.mgrid[:120, :200]
    picture = np.stack([x, y, x // 2 + y], -1).astype(np.uint8)  # linear in x and y, so interpolation is exact
    source = positions(view, 120, 200)
    step = max(view.height / view.crop_size[0], view.width / view.crop_size[1], 1)
    inside = (abs(source.real - 100) < 100 - 2 * step) & (abs(source.imag - 60) < 60 - 2 * step)
    image = view.image(picture, FILL).numpy().astype(float)
    edge = 0 if view.angle else 2  # an upright view does not see beyond its box when it shrinks
    inside &= np.pad(np.ones([side - 2 * edge for side in view.crop_size], bool), edge)
    assert np.abs(image[0] - (source.real - 0.5))[inside].max(initial=0) <= 1.05  # twice rounded, at most
    assert np.abs(image[1] - (source.imag - 0.5))[inside].max(initial=0) <= 1.05


@settings(max_examples=80, deadline=None)
@given(views(50, 40))
def test_labels_are_the_nearest_and_255_outside(view):
    labels = np.random.default_rng(0).integers(0, 20, (50, 40), np.uint8)
    source = positions(view, 50, 40)
    row, column = np.floor(source.imag).astype(int), np.floor(source.real).astype(int)
    inside = (row >= 0) & (row < 50) & (column >= 0) & (column < 40)
    expected = np.where(inside, labels[row.clip(0, 49), column.clip(0, 39)], 255)
    parts = np.stack([source.real, source.imag])
    clear = (np.abs(parts - np.rint(parts)) > 0.02).all(0)  # away from where two pixels are equally near
    assert np.array_equal(view.labels(labels).numpy()[clear], expected[clear])


@settings(max_examples=60, deadline=None)
@given(views(50, 40))
def test_outside_of_the_picture_there_is_the_fill_colour(view):
    image = view.image(np.zeros((50, 40, 3), np.uint8), FILL).numpy()
    source = positions(view, 50, 40)
    reach = 2 * max(view.height / view.crop_size[0], view.width / view.crop_size[1], 1)
    outside = (abs(source.real - 20) > 20 + reach) | (abs(source.imag - 25) > 25 + reach)
    deep = (abs(source.real - 20) < 20 - reach) & (abs(source.imag - 25) < 25 - reach)
    assert (image[:, outside] == np.array(FILL)[:, None]).all()
    assert (image[:, deep] == 0).all()


@pytest.mark.parametrize("angle", [0.0, 0.1])
def test_shrinking_averages_instead_of_aliasing(angle):
    checkerboard = (np.indices((200, 200)).sum(0) % 2 * 255).astype(np.uint8)
    view = CropBox(50, 50, 99, 99, angle, (45, 45)).image(np.stack([checkerboard] * 3, -1), FILL)
    assert (view.float() - 127.5).abs().max() < 30
    assert abs(view.float().mean().item() - 127.5) < 1


@pytest.mark.parametrize(("height", "width"), [(1, 1), (1, 90), (90, 1), (3, 40)])
@pytest.mark.parametrize("angle", [0.0, 0.2])
def test_pictures_of_a_pixel_or_a_line(height, width, angle):
    picture, labels = np.full((height, width, 3), 200, np.uint8), np.full((height, width), 3, np.uint8)
    view = CropBox((height - 16) // 2, (width - 16) // 2, 16, 16, angle, (32, 32))
    image, seen = view.image(picture, FILL), view.labels(labels)
    assert image.shape == (3, 32, 32) and seen.shape == (32, 32)
    assert set(seen.unique().tolist()) == {3, 255}
    assert image[0].max() > 150  # the picture is there


@pytest.mark.parametrize("angle", [0.0, 0.2])
@pytest.mark.parametrize("box", [(0, 0, 40, 60), (4, 6, 20, 30), (-20, -20, 90, 90)])
def test_pictures_are_neither_changed_nor_have_to_be_writable(angle, box):
    picture, labels = noise(40, 60), noise(40, 60)[..., 0].copy()
    before = picture.copy(), labels.copy()
    picture.flags.writeable = labels.flags.writeable = False
    view = CropBox(*box, angle, (40, 60))
    image, seen = view.image(picture, FILL), view.labels(labels)
    image += 1
    seen += 1
    assert np.array_equal(picture, before[0]) and np.array_equal(labels, before[1])
    assert image.is_contiguous() and image.dtype == seen.dtype == torch.uint8
