import shutil
import time

import numpy as np
import pytest
from PIL import Image

from attseg.data.classes import IGNORE
from attseg.data.sample import DataError
from attseg.data.sets.folder import Folder


def damage(path, values):
    Image.fromarray(np.asarray(values, np.uint8)).save(path)


def test_samples_are_read_by_index_with_their_classes(folder):
    data = Folder(folder, "train")
    assert (len(data), data.split, data.classes.names) == (3, "train", ("water", "land", "boat"))
    assert [data.name(index) for index in range(3)] == ["a", "b", "paris/c"]
    sample = data[2]
    assert sample.name == "paris/c"
    assert np.array_equal(sample.image, np.asarray(Image.open(folder / "images/train/paris/c.png")))
    assert sample.labels[0, :5].tolist() == [0, 1, 2, IGNORE, 0]


def test_the_root_may_be_a_string(folder):
    assert len(Folder(str(folder), "val")) == 2


def test_any_name_of_a_split_will_do(folder):
    for kind in ("images", "labels"):
        shutil.copytree(folder / kind / "train", folder / kind / "trainval")
    assert len(Folder(folder, "trainval")) == 3
    with pytest.raises(
        DataError, match=r"has no split 'tranval'; did you mean 'trainval'\? It has: train, val, trainval"
    ):
        Folder(folder, "tranval")


def test_a_folder_that_does_not_exist_is_named(tmp_path):
    with pytest.raises(DataError, match=r"there is no folder .*nowhere; give the one in which a data folder lies"):
        Folder(tmp_path / "nowhere", "train")


def test_a_wrong_folder_shows_what_was_expected_beside_what_was_found(folder):
    with pytest.raises(DataError) as caught:
        Folder(folder / "images", "train")
    assert str(caught.value).splitlines() == [
        f"{folder / 'images'} does not look like a data folder:",
        "  expected             found",
        "  images/train/*.jpg   train/ (1 folder, 2 files)",
        "  labels/train/*.png   val/ (0 folders, 2 files)",
        "  classes.csv",
        f"`attseg data check {folder / 'images'}` recognises other arrangements and says what to type",
    ]


def test_an_empty_wrong_folder_holds_nothing(tmp_path):
    with pytest.raises(DataError, match=r"images/train/\*\.jpg +\(nothing\)"):
        Folder(tmp_path, "train")


def test_a_split_without_labels_says_what_it_is_good_for(folder):
    (folder / "images/test").mkdir()
    with pytest.raises(
        DataError,
        match=r"the split 'test' of .* has pictures but no labels: .*labels/test does not exist\. .*to predict, name",
    ):
        Folder(folder, "test")


def test_a_missing_split_names_those_that_exist(folder):
    with pytest.raises(DataError, match=r"has no split 'test': images/test/.* would be needed\. It has: train, val"):
        Folder(folder, "test")


def test_a_missing_class_file_is_asked_for(folder):
    (folder / "classes.csv").unlink()
    with pytest.raises(DataError, match=r"there is no .*classes\.csv; it says what the numbers in label files mean"):
        Folder(folder, "train")


def test_pictures_without_labels_are_refused(folder):
    (folder / "labels/train/b.png").unlink()
    with pytest.raises(
        DataError, match=r"1 picture in .*train without labels in .*train: b\. A picture and its labels"
    ):
        Folder(folder, "train")


def test_different_sizes_are_named(folder):
    damage(folder / "labels/train/a.png", np.zeros((8, 11)))
    with pytest.raises(
        DataError,
        match=r"a\.png: the labels are 11 pixels wide and 8 high, and their image 12 wide and 8 high; resize",
    ):
        Folder(folder, "train")[0]


def test_labels_on_their_side_are_recognised(folder):
    damage(folder / "labels/train/a.png", np.zeros((12, 8)))
    with pytest.raises(
        DataError, match=r"8 pixels wide and 12 high, and their image 12 wide and 8 high; they lie on their side"
    ):
        Folder(folder, "train")[0]


def test_an_unknown_label_value_is_named(folder):
    damage(folder / "labels/train/a.png", np.full((8, 12), 3))
    with pytest.raises(
        DataError, match=r"a\.png: 100 % of the pixels hold the value 3, .* and 9 as ignored\. 3 is one above"
    ):
        Folder(folder, "train")[0]


def test_a_broken_picture_is_named(folder):
    (folder / "images/val/d.png").write_bytes(b"")
    with pytest.raises(DataError, match=r"d\.png cannot be read as a picture: it is empty"):
        Folder(folder, "val")[0]


@pytest.mark.slow
def test_twenty_thousand_files_are_listed_quickly(folder):
    for kind in ("images", "labels"):
        for index in range(20_000):
            (folder / kind / "train" / f"{index:05d}.png").touch()
    begin = time.perf_counter()
    assert len(Folder(folder, "train")) == 20_003
    assert time.perf_counter() - begin < 5
