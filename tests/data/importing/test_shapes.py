"""The pixels of shapes, against the programs whose rules they follow, and against rasterio, which shares no code with them."""

import warnings

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw
from pycocotools import mask as coco
from rasterio.features import rasterize

from attseg.data.importing.runs import decode_counts
from attseg.data.importing.shapes import (
    Bitmap,
    CocoPolygons,
    Ellipse,
    OpenCvPolygon,
    PillowShape,
    Runs,
    read_points,
)
from attseg.data.sample import DataError

HEIGHT, WIDTH = 37, 53


def filled(shape):
    """The pixels of a shape in a picture."""
    mask = np.zeros((HEIGHT, WIDTH), bool)
    if (window := shape.window(HEIGHT, WIDTH)) is not None:
        rows, columns = window.mask.shape
        mask[window.top : window.top + rows, window.left : window.left + columns] = window.mask
    return mask


coordinate = st.one_of(
    st.floats(-30, 90, allow_nan=False),
    st.integers(-30, 90).map(float),
    st.integers(-60, 180).map(lambda value: value / 2),
)
corners = st.lists(st.tuples(coordinate, coordinate), min_size=3, max_size=9).map(np.array)
whole_corners = st.lists(st.tuples(st.integers(-30, 90), st.integers(-30, 90)), min_size=3, max_size=9).map(
    lambda points: np.array(points, float)
)


@given(st.lists(corners, min_size=1, max_size=3))
@settings(max_examples=300, deadline=None)
@pytest.mark.slow
def test_polygons_of_coco_are_those_of_pycocotools(parts):
    """Any polygons: concave, crossing themselves, of no area, and outside of the picture."""
    runs = coco.merge(coco.frPyObjects([part.ravel().tolist() for part in parts], HEIGHT, WIDTH))
    assert (filled(CocoPolygons(parts)) == decoded(runs)).all()


def decoded(runs):
    """The mask of runs, by pycocotools, whose 2.0.11 does not know how numpy 2 asks for copies."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        return coco.decode(runs).astype(bool)


def test_polygons_of_labelme_far_from_the_corner():
    """Pillow keeps coordinates in 32 bits: moving a polygon, if by whole pixels, may change its pixels."""
    points = np.array([(137.4133173721545, 101.29457288153367), (16.523814927713367, 87.51815633899801),
                       (95.65116968925919, 76.76107003047368), (137.1413791149556, 85.56374504435807),
                       (117.16633086986252, 102.71965252839443), (17.366478255968175, 80.26651819052998),
                       (48.18420739726789, 5.713444052018758), (19.547643390466636, 80.08749054915177)])  # fmt: skip
    image = Image.new("L", (160, 120))
    ImageDraw.Draw(image).polygon([tuple(point) for point in points], outline=1, fill=1)
    window = PillowShape("polygon", points).window(120, 160)
    rows, columns = window.mask.shape
    place = np.s_[window.top : window.top + rows, window.left : window.left + columns]
    assert (np.array(image).astype(bool)[place] == window.mask).all()
    assert np.array(image).sum() == window.mask.sum()


@given(corners)
@settings(max_examples=300, deadline=None)
@pytest.mark.slow
def test_polygons_of_labelme_are_those_of_pillow_on_the_whole_picture(points):
    image = Image.new("L", (WIDTH, HEIGHT))
    ImageDraw.Draw(image).polygon([tuple(point) for point in points], outline=1, fill=1)
    assert (filled(PillowShape("polygon", points)) == np.array(image).astype(bool)).all()


@given(st.tuples(coordinate, coordinate), st.floats(0, 40))
@settings(max_examples=200, deadline=None)
def test_circles_of_labelme_are_those_of_pillow_on_the_whole_picture(center, radius):
    box = np.array([np.array(center) - radius, np.array(center) + radius])
    image = Image.new("L", (WIDTH, HEIGHT))
    ImageDraw.Draw(image).ellipse([tuple(point) for point in box], outline=1, fill=1)
    assert (filled(PillowShape("ellipse", box)) == np.array(image).astype(bool)).all()


@given(whole_corners, st.lists(whole_corners, max_size=2))
@settings(max_examples=300, deadline=None)
def test_polygons_of_supervisely_are_those_of_opencv_on_the_whole_picture(outside, holes):
    canvas = np.zeros((HEIGHT, WIDTH), np.uint8)
    cv2.fillPoly(canvas, [outside.astype(np.int32)], 1)
    for hole in holes:
        cv2.fillPoly(canvas, [hole.astype(np.int32)], 0)
    assert (filled(OpenCvPolygon(outside, holes)) == canvas.astype(bool)).all()


def random_star(seed):
    """Corners of a polygon that does not cross itself, within the picture: where one leaves it, Pillow loses pixels of row 0."""
    draw = np.random.default_rng(seed)
    count = draw.integers(3, 12)
    angles = np.sort(draw.random(count)) * 2 * np.pi
    radii = draw.uniform(3, 16, count)
    return np.c_[draw.uniform(17, 36) + radii * np.cos(angles), draw.uniform(17, 20) + radii * np.sin(angles)]


def by_rasterio(points, **options):
    ring = [*map(tuple, points), tuple(points[0])]
    shape = {"type": "Polygon", "coordinates": [ring]}
    return rasterize([shape], (HEIGHT, WIDTH), **options).astype(bool)


@pytest.mark.parametrize("rule", [lambda points: CocoPolygons([points]), lambda points: PillowShape("polygon", points)])
def test_rules_differ_from_the_centres_of_pixels_on_borders_alone(rule):
    """Rasterio takes the pixels whose centre lies inside; whatever the rule, none farther than one from the border differs."""
    off = lost = 0
    for seed in range(100):
        points = random_star(seed)
        centres, touched = by_rasterio(points), by_rasterio(points, all_touched=True)
        found = filled(rule(points))
        inner = cv2.erode(centres.astype(np.uint8), np.ones((3, 3)), borderValue=1).astype(bool)
        outer = cv2.dilate(touched.astype(np.uint8), np.ones((3, 3))).astype(bool)
        assert (found <= outer).all(), seed
        lost += (inner & ~found).sum()
        off += (found != centres).sum() / centres.sum()
    assert lost <= 2  # Pillow loses a pixel beside the tip of a slit (seed 5), and labelme with it
    assert off / 100 < 0.35  # thin and small ones, of which a border is a large part


@given(st.floats(-20, 70), st.floats(-20, 60), st.floats(0.5, 30), st.floats(0.5, 30), st.floats(-180, 360))
@settings(max_examples=100, deadline=None)
def test_ellipses_are_the_pixels_whose_centres_lie_inside(x, y, across, down, degrees):
    found = filled(Ellipse((x, y), (across, down), degrees))
    angle = np.deg2rad(degrees)
    for row in range(HEIGHT):
        for column in range(0, WIDTH, 3):
            offset = complex(column + 0.5 - x, row + 0.5 - y) * np.exp(-1j * angle)
            value = (offset.real / across) ** 2 + (offset.imag / down) ** 2
            assert abs(value - 1) < 1e-9 or found[row, column] == (value < 1)


def test_bitmaps_are_cut_at_the_borders():
    mask = np.arange(12).reshape(3, 4) % 2 == 0
    expected = np.zeros((HEIGHT, WIDTH), bool)
    expected[:2, :2] = mask[1:, 2:]
    assert (filled(Bitmap(mask, -1, -2)) == expected).all()
    expected = np.zeros((HEIGHT, WIDTH), bool)
    expected[-1:, -2:] = mask[:1, :2]
    assert (filled(Bitmap(mask, HEIGHT - 1, WIDTH - 2)) == expected).all()
    assert Bitmap(mask, HEIGHT, 0).window(HEIGHT, WIDTH) is None
    assert Bitmap(mask, -3, 0).window(HEIGHT, WIDTH) is None
    assert Bitmap(mask, 0, -4).window(HEIGHT, WIDTH) is None


@given(st.integers(0, 2**32), st.floats(0, 1), st.integers(1, 6))
@settings(max_examples=100, deadline=None)
def test_runs_of_coco(seed, share, block):
    draw = np.random.default_rng(seed)
    mask = np.kron(draw.random((-(-HEIGHT // block), -(-WIDTH // block))) < share, np.ones((block, block)))[
        :HEIGHT, :WIDTH
    ]
    runs = coco.encode(np.asfortranarray(mask.astype(np.uint8)))
    assert (filled(Runs(decode_counts(runs["counts"]), (HEIGHT, WIDTH))) == mask.astype(bool)).all()
    assert (filled(Runs(decode_counts(runs["counts"].decode()), (HEIGHT, WIDTH))) == mask.astype(bool)).all()
    assert (filled(Runs(decode_counts(plain_runs(mask)), (HEIGHT, WIDTH))) == mask.astype(bool)).all()


def plain_runs(mask):
    """Uncompressed runs down the columns, from a loop."""
    counts, last = [0], 0
    for value in mask.T.ravel():
        if value != last:
            counts.append(0)
            last = value
        counts[-1] += 1
    return counts


@pytest.mark.parametrize(
    ("counts", "said"),
    [
        ("", "0 pixels, and 1961 were expected"),
        ([1961, 1], "1962 pixels"),
        ([-1, 1962], "negative"),
        ([2**62, 2**62, 2**62, 2**62, 1961], "more than"),  # their sum is 1961 in 64 bits
        ([0.5], "whole numbers"),
        (["a"], "whole numbers"),
        ([[1]], "whole numbers"),
        ([1e300], "whole numbers"),
        (7, "int; a list or text"),
        (b"\xff", "damaged"),
        ("ooooooooooooooooooooooooooooo", "damaged"),
        ("o", "cut off"),
    ],
)
def test_damaged_runs(counts, said):
    with pytest.raises(DataError, match=said):
        Runs(decode_counts(counts), (HEIGHT, WIDTH)).window(HEIGHT, WIDTH)


def test_runs_of_another_size():
    with pytest.raises(DataError, match=r"2 x 3 \(height x width\), and its picture 37 x 53"):
        Runs(decode_counts([6]), (2, 3)).window(HEIGHT, WIDTH)


@pytest.mark.parametrize(
    ("numbers", "said"),
    [
        ([1, 2, 3], "pairs"),
        ([[1, "a"]], "pairs"),
        ([None, 1], "NaN"),
        ([float("nan"), 1], "NaN"),
        ([1e9, 0], "beyond 100000"),
        ({"x": 1}, "pairs"),
        ([[-100_000, 0], [100_000, 0]] * 100, "outline of more than"),
        ([10**400, 1], "pairs"),
    ],
)
def test_points_that_are_none(numbers, said):
    with pytest.raises(DataError, match=said):
        read_points(numbers)
