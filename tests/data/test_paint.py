import numpy as np
import pytest

from attseg.data.classes import IGNORE, ClassTable
from attseg.data.paint import colorize, legend, overlay
from attseg.errors import UsageError

CLASSES = ClassTable(
    ("sky", "road", "a boat with a name that goes on and on"), ((70, 130, 180), (128, 64, 128), (9, 8, 7))
)


def some_labels():
    return np.random.default_rng(0).choice(np.array([0, 1, 2, IGNORE], np.uint8), (13, 17))


def test_colorize_looks_every_class_up():
    labels = some_labels()
    colors = colorize(labels, CLASSES)
    assert colors.shape == (13, 17, 3) and colors.dtype == np.uint8
    for y, x in np.ndindex(labels.shape):
        if labels[y, x] != IGNORE:
            assert tuple(colors[y, x]) == CLASSES.colors[labels[y, x]]


def test_ignored_pixels_are_hatched_in_greys():
    colors = colorize(np.full((16, 16), IGNORE, np.uint8), CLASSES)
    assert (colors.min(-1) == colors.max(-1)).all()
    assert len(np.unique(colors)) == 2


def test_colorize_leaves_the_table_as_it_is():
    colorize(some_labels(), CLASSES)
    assert (CLASSES.palette[IGNORE] == 0).all()


def test_overlay_mixes_picture_and_colours():
    labels = some_labels()
    image = np.random.default_rng(1).integers(0, 256, (13, 17, 3), np.uint8)
    mixed = overlay(image, labels, CLASSES, 0.25)
    assert mixed.dtype == np.uint8
    assert np.abs(mixed - (0.75 * image + 0.25 * colorize(labels, CLASSES))).max() <= 0.5
    assert (overlay(image, labels, CLASSES, 0) == image).all()
    assert (overlay(image, labels, CLASSES, 1) == colorize(labels, CLASSES)).all()


def test_overlay_says_what_does_not_fit():
    image, labels = np.zeros((4, 5, 3), np.uint8), np.zeros((5, 4), np.uint8)
    with pytest.raises(UsageError, match=r"\(4, 5, 3\).*\(5, 4\).*same height and width"):
        overlay(image, labels, CLASSES)
    with pytest.raises(UsageError, match=r"opacity is 1\.5; a share between 0 and 1"):
        overlay(image, labels.T, CLASSES, 1.5)


@pytest.mark.parametrize("width", [60, 128, 640])
def test_legend_shows_the_colours_that_are_present_and_no_others(width):
    page = legend(CLASSES, [0, 2], width)
    assert page.width == width
    seen = {tuple(color) for color in np.asarray(page).reshape(-1, 3)}
    assert {CLASSES.colors[0], CLASSES.colors[2]} <= seen
    assert CLASSES.colors[1] not in seen


def test_legend_takes_fewer_rows_where_it_is_wide():
    heights = [legend(CLASSES, [0, 1], width).height for width in (60, 600)]
    assert heights[1] < heights[0]


def test_legend_of_nothing_is_an_empty_strip():
    assert np.asarray(legend(CLASSES, [], 100)).min() == 255


def test_legend_names_what_is_ignored():
    assert len(np.unique(np.asarray(legend(CLASSES, [IGNORE], 200)).reshape(-1, 3), axis=0)) > 3
