import numpy as np
import pytest

from attseg.data.catalog import DATA_NAMES, open_data
from attseg.data.sets.camvid import CAMVID
from attseg.errors import UsageError


def test_every_name_opens(folder, camvid_root):
    assert open_data("folder", "val", root=folder).classes.names == ("water", "land", "boat")
    assert open_data("camvid", "val", root=camvid_root).classes is CAMVID
    assert DATA_NAMES == ("scenes", "camvid", "folder", "voc2012", "sbd", "ade20k", "cityscapes")


def test_options_reach_the_scenes():
    data = open_data("scenes", "train", size=[32, 48], count=3, seed=5)
    assert len(data) == 3
    assert data[0].image.shape == (32, 48, 3)
    assert not np.array_equal(data[0].image, open_data("scenes", "train", size=[32, 48], count=3)[0].image)


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("camvit", {}, "there is no data set 'camvit'; did you mean 'camvid'"),
        ("camvid", {}, r"'camvid' lies in a folder, and none was given: say which \(--data\.root DIR\)"),
        ("scenes", {"root": "here"}, "scenes are generated and lie in no folder, but the root here was given"),
        ("scenes", {"sizes": 3}, "there is no option of scenes 'sizes'; did you mean 'size'"),
        ("folder", {"root": "here", "size": 3}, r"there is no option of folder 'size'\. folder has no options"),
    ],
)
def test_wrong_names_and_options_are_sentences(name, options, message):
    with pytest.raises(UsageError, match=message):
        open_data(name, "train", **options)
