import numpy as np
import pytest
from PIL import Image, ImageDraw
from rasterio.features import rasterize

from attseg.inference.polygons import keyhole, polygons

masks = pytest.importorskip("pycocotools.mask", reason="needs pycocotools")


def noise(seed):
    rng = np.random.default_rng(seed)
    return rng.integers(0, rng.integers(1, 5), rng.integers(1, 14, 2)).astype(np.uint8)


def blobs(seed):
    coarse = Image.fromarray(np.random.default_rng(seed).integers(0, 256, (7, 9), np.uint8))
    return np.asarray(coarse.resize((57, 43), Image.Resampling.BICUBIC)) // 50


RING = np.array([[1, 1, 1, 1], [1, 0, 2, 1], [1, 2, 0, 1], [1, 1, 1, 1]], np.uint8)
DIAGONAL = np.array([[1, 0, 1], [0, 1, 0], [1, 0, 1]], np.uint8)
LINES = np.array([[0, 0, 0, 0, 0], [0, 1, 1, 1, 0], [0, 0, 0, 1, 0], [2, 0, 0, 0, 255]], np.uint8)
MAPS = [RING, DIAGONAL, LINES, np.zeros((1, 1), np.uint8), *map(noise, range(60)), *map(blobs, range(8))]


def by_pillow(labels, found):
    """As labelme draws polygons: one after another, each with its border."""
    page = Image.new("L", labels.shape[::-1], 77)
    for one in found:
        corners = [(float(x), float(y)) for x, y in one.border]
        ImageDraw.Draw(page).polygon(corners, outline=one.label, fill=one.label)
    return np.asarray(page)


def by_pycocotools(labels, polygon):
    runs = masks.frPyObjects([keyhole(polygon).astype(float).ravel().tolist()], *labels.shape)
    return masks.decode(masks.merge(runs)).astype(bool)


def by_gdal(labels, polygon):
    rings = [[*ring.tolist(), ring[0].tolist()] for ring in (polygon.outer, *polygon.holes)]
    return rasterize([({"type": "Polygon", "coordinates": rings}, 1)], out_shape=labels.shape).astype(bool)


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # of pycocotools 2.0.11
@pytest.mark.parametrize("labels", MAPS)
def test_three_rasterisers_draw_the_same_label_map_again(labels):
    found = polygons(labels)
    assert sum(one.area for one in found) == labels.size
    assert np.array_equal(by_pillow(labels, found), labels)
    for draw in (by_pycocotools, by_gdal):
        covered = np.zeros(labels.shape, int)
        for one in found:
            mask = draw(labels, one)
            assert mask.sum() == one.area and (labels[mask] == one.label).all()
            covered += mask
        assert (covered == 1).all()


def test_holes_hang_on_their_region_and_what_lies_in_them_comes_later():
    ring, *others = polygons(RING)
    assert (ring.label, ring.area, ring.outer.tolist()) == (1, 12, [[0, 0], [4, 0], [4, 4], [0, 4]])
    assert [hole.tolist() for hole in ring.holes] == [[[1, 1], [1, 3], [3, 3], [3, 1]]]
    assert sorted(one.label for one in others) == [0, 0, 2, 2]


def test_a_pixel_and_a_line_have_three_points():
    line, pixel = sorted(polygons(LINES), key=lambda one: one.area)[-2], polygons(np.zeros((1, 1), np.uint8))[0]
    assert pixel.border.tolist() == [[0, 0]] * 3
    assert line.area == 4 and len(line.border) >= 3
