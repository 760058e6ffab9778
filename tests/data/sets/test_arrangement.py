"""Folders as people have them give the samples that the usual layout gives, bit for bit."""

import shutil

import numpy as np
import pytest

import arranging
from attseg.data.sample import DataError
from attseg.data.sets.folder import Folder, FolderFiles
from attseg.data.sets.own import RECORD
from attseg.errors import UsageError
from conftest import data_root


def check_equal(root, out, options, most=None):
    """Every sample of the usual layout is there once, with equal pixels and labels."""
    usual = {}
    for split in ("train", "val"):
        data = Folder(root, split)
        for index in range(len(data) if most is None else min(most, len(data))):
            usual[data.pairs[index].image.stem] = split, data[index]
    found = set()
    for split in ("train", "val"):
        data = Folder(out, split, **options)
        assert data.classes.names == Folder(root, "train").classes.names
        for sample in (data[index] for index in range(len(data))):
            stem = sample.name.rpartition("/")[2]
            expected, other = usual[stem]
            assert "split" in options or split == expected
            assert np.array_equal(sample.image, other.image)
            assert np.array_equal(sample.labels, other.labels), stem
            assert stem not in found
            found.add(stem)
    assert found == set(usual)


@pytest.fixture
def many(tmp_path):
    """Eight pictures to train and four to validate, in the usual layout, with three classes and an ignored value."""
    return arranging.write_noise(tmp_path / "usual", train=8, val=4)


@pytest.mark.parametrize("form", arranging.FORMS)
def test_each_arrangement_gives_equal_samples(form, many, tmp_path):
    options = arranging.arrange(form, many, tmp_path / "mine")
    check_equal(many, tmp_path / "mine", options)


@pytest.mark.data
@pytest.mark.parametrize("form", arranging.FORMS)
def test_real_pictures_in_each_arrangement_give_equal_samples(form, tmp_path):
    root = data_root() / "voc_animals"
    if not root.is_dir():
        pytest.skip(f"no voc_animals at {root}: set ATTSEG_DATA to a folder that holds voc_animals/")
    options = arranging.arrange(form, root, tmp_path / "mine", most=12)
    check_equal(root, tmp_path / "mine", options, most=12)


def test_a_picture_without_labels_and_labels_without_a_picture_are_named(many, tmp_path):
    options = arranging.arrange("suffix", many, tmp_path / "mine")
    (tmp_path / "mine/p03_mask.png").unlink()
    (tmp_path / "mine/p05.png").rename(tmp_path / "mine/p99.png")
    with pytest.raises(
        DataError, match=r"2 pictures in .* without labels \(.*\{stem\}_mask\.png\): p03, p99; 1 label file .*: p05"
    ):
        Folder(tmp_path / "mine", "train", **options)


def test_two_label_files_of_one_stem_are_refused(many, tmp_path):
    options = arranging.arrange("suffix", many, tmp_path / "mine") | {"labels": "{stem}_mask.*"}
    shutil.copy(tmp_path / "mine/p03_mask.png", tmp_path / "mine/p03_mask.bmp")
    with pytest.raises(DataError, match=r"of the same stem lies beside .*p03_mask\.png; keep one"):
        Folder(tmp_path / "mine", "train", **options)


def test_the_ends_of_names_may_be_in_capitals(many, tmp_path):
    options = arranging.arrange("suffix", many, tmp_path / "mine")
    for file in list((tmp_path / "mine").glob("*_mask.png")):
        file.rename(file.with_suffix(".PNG"))
    assert len(Folder(tmp_path / "mine", "train", **options)) + len(Folder(tmp_path / "mine", "val", **options)) == 12


def test_label_folders_inside_the_folder_of_pictures_are_no_pictures(many, tmp_path):
    for image, labels in arranging.pairs_of(many)["train"]:
        arranging.copy(image, tmp_path / "mine" / image.name)
        arranging.copy(labels, tmp_path / "mine/masks" / labels.name)
    shutil.copy(many / "classes.csv", tmp_path / "mine")
    data = FolderFiles(RECORD, tmp_path / "mine", images=".", labels="masks", split=0.5)
    assert len(data.whole.pairs) == len(data.whole.pictures) == 8


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"labels": "{stem}"}, "which every picture beside it fits too"),
        ({"labels": "images", "images": "images", "split": 0.8}, "which every picture beside it fits too"),
        ({"images": "../elsewhere", "split": 0.8}, "a path below the data set was expected"),
        ({"images": "/etc", "split": 0.8}, "a path below the data set was expected"),
        ({"images": "*.jpg", "split": 0.8}, "a path below the data set was expected"),
        ({"images": "images/{split}", "split": 0.8}, "split or fold divides all pictures anew"),
        ({"images": "images", "labels": "labels"}, "nothing says what train and val are"),
        ({"images": "images", "labels": "labels/{split}", "split": 0.8}, "both or none was expected"),
        ({"lists": "train.txt"}, r"lists is 'train.txt'; a path with \{split\} was expected"),
        ({"lists": "{split}.txt", "split": 0.8}, "name one list, without"),
        ({"roots": 3}, "folders with commas between them"),
        ({"split": 0.8}, "is divided into train and val already"),
        ({"masks": "colour"}, "did you mean 'color'"),
        ({"unknown": "ignore"}, "add masks color"),
        ({"group": "folder"}, "no effect without split or fold"),
        ({"split": 80}, "the share to train on, such as 0.8"),
        ({"split": 0.8, "fold": "1/5", "images": "images"}, "split and fold were both given"),
        ({"fold": "6/5", "images": "images"}, "a fold of several, such as 2/5"),
    ],
)
def test_options_that_cannot_be_are_refused(options, said, many):
    with pytest.raises(UsageError, match=said):
        FolderFiles(RECORD, many, **options)


def test_a_root_that_is_not_there_is_named(many):
    with pytest.raises(DataError, match=r"there is no folder .*day9, which the option roots names"):
        Folder(many.parent, "train", roots="usual,day9")
