from typing import get_args

import numpy as np
import pytest

from attseg.data.catalog import DATA_NAMES, open_data, open_pictures
from attseg.data.sample import DataError
from attseg.data.sets.camvid import CAMVID
from attseg.errors import UsageError
from attseg.recipes.recipe import DataName


def test_every_name_opens(folder, camvid_root):
    assert open_data("folder", "val", root=folder).classes.names == ("water", "land", "boat")
    assert open_data("camvid", "val", root=camvid_root).classes is CAMVID
    assert {"scenes", "camvid", "folder", "voc2012", "sbd", "ade20k", "cityscapes"} <= {*DATA_NAMES}


def test_options_reach_the_scenes():
    data = open_data("scenes", "train", size=[32, 48], count=3, seed=5)
    assert len(data) == 3
    assert data[0].image.shape == (32, 48, 3)
    assert not np.array_equal(data[0].image, open_data("scenes", "train", size=[32, 48], count=3)[0].image)


def test_recipes_know_every_name():
    assert get_args(DataName) == DATA_NAMES


@pytest.mark.parametrize("name", ["voc2012", "ade20k", "cityscapes"])
def test_a_split_without_labels_is_refused_but_its_pictures_are_there(name, request):
    root = request.getfixturevalue("voc" if name == "voc2012" else name)
    with pytest.raises(
        DataError, match=r"pictures but no labels: they are not released\. Training and evaluation need labels"
    ):
        open_data(name, "test", root=root)
    (picture,) = open_pictures(name, "test", root=root)
    assert picture.path.is_file() and "/" not in picture.name.removeprefix("berlin/")
    assert len(open_data(name, "train", root=root)) == len(open_pictures(name, "train", root=root)) == 2


def test_pictures_of_ones_own_need_no_labels(folder):
    (folder / "images/train/b.png").rename(folder / "images/more.png")
    assert [picture.name for picture in open_pictures("folder", "train", root=folder)] == ["a", "paris/c"]
    (folder / "images/test").mkdir()
    with pytest.raises(DataError, match=r"the split 'test' of .* has no picture"):
        open_pictures("folder", "test", root=folder)
    (folder / "images/more.png").rename(folder / "images/test/more.png")
    assert [picture.name for picture in open_pictures("folder", "test", root=folder)] == ["more"]


def test_scenes_have_no_files():
    with pytest.raises(
        UsageError, match="scenes are generated and lie in no folder; a data set of files was expected: camvid, folder"
    ):
        open_pictures("scenes", "test")


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("camvit", {}, "there is no data set 'camvit'; did you mean 'camvid'"),
        ("camvid", {}, r"'camvid' lies in a folder, and none was given: say which \(--data\.root DIR\)"),
        ("scenes", {"root": "here"}, "scenes are generated and lie in no folder, but the root here was given"),
        ("scenes", {"sizes": 3}, "there is no option of scenes 'sizes'; did you mean 'size'"),
        ("voc2012", {"root": "here", "sdb": "there"}, "there is no option of voc2012 'sdb'; did you mean 'sbd'"),
        ("folder", {"root": "here", "size": 3}, r"there is no option of folder 'size'.*orientation"),
    ],
)
def test_wrong_names_and_options_are_sentences(name, options, message):
    with pytest.raises(UsageError, match=message):
        open_data(name, "train", **options)
