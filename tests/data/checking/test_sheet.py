import numpy as np
import pytest

from attseg.data.checking.sheet import GAP, LINE, PANEL, samples_picture
from attseg.data.classes import IGNORE
from attseg.data.paint import legend
from attseg.data.sets.folder import Folder
from attseg.errors import UsageError


def test_each_row_shows_picture_labels_and_both(folder):
    sheet = np.asarray(samples_picture("folder", folder, "train", 2))
    height = round(8 * PANEL / 12)
    below = legend(Folder(folder, "train").classes, [0, 1, 2, IGNORE], sheet.shape[1])
    assert sheet.shape == (2 * (LINE + height + GAP) + below.height, 3 * PANEL + 4 * GAP, 3)
    assert np.array_equal(sheet[-below.height :], np.asarray(below))
    labels = sheet[LINE : LINE + height, 2 * GAP + PANEL : 2 * GAP + 2 * PANEL]
    assert labels[2, [2, 30, 60]].tolist() == [[0, 0, 255], [0, 255, 0], [255, 0, 0]]


def test_fewer_samples_than_asked_for_are_shown_once(folder):
    assert samples_picture("folder", folder, "val", 9).height == samples_picture("folder", folder, "val", 2).height


def test_scenes_need_no_folder():
    assert samples_picture("scenes", split="val", count=1).width == 3 * PANEL + 4 * GAP


def test_no_sample_is_nothing_to_draw(folder):
    with pytest.raises(UsageError, match="a picture of 0 samples was asked for"):
        samples_picture("folder", folder, "train", 0)
