import numpy as np
import pytest
from PIL import Image

from attseg.data.catalog import open_data, open_files, open_pictures
from attseg.data.classes import IGNORE
from attseg.data.sample import DataError
from attseg.data.sets.ade20k import ADE20K
from layouts import write_noise


def test_values_count_from_one_and_zero_is_ignored(ade20k):
    for root in (ade20k, ade20k / "ADEChallengeData2016"):
        data = open_data("ade20k", "train", root=root)
        assert [data.name(index) for index in range(len(data))] == ["ADE_train_00000001", "ADE_train_00000002"]
    assert data[0].labels[0, :5].tolist() == [IGNORE, 0, 1, 149, IGNORE]
    assert len(open_data("ade20k", "val", root=ade20k)) == 1


def test_there_are_150_classes_in_the_order_of_the_files():
    assert len(ADE20K) == 150
    assert [ADE20K.names[index] for index in (0, 12, 149)] == ["wall", "person", "flag"]
    assert [ADE20K.colors[index] for index in (0, 12, 149)] == [(120, 120, 120), (150, 5, 61), (92, 0, 255)]
    assert ADE20K.lookup[[0, 1, 150, 151, 255]].tolist() == [IGNORE, 0, 149, -1, -1]
    shared = {color for color in ADE20K.colors if ADE20K.colors.count(color) > 1}
    assert {name for name, color in zip(ADE20K.names, ADE20K.colors, strict=True) if color in shared} == {
        "road",
        "skyscraper",
    }


def test_the_test_split_is_there_to_predict_alone(ade20k):
    with pytest.raises(DataError, match=r"the split 'test' of .* has pictures but no labels: they are not released"):
        open_data("ade20k", "test", root=ade20k)
    assert [picture.name for picture in open_pictures("ade20k", "test", root=ade20k)] == ["ADE_test_00000001"]


def test_the_archive_of_the_test_pictures_may_lie_beside(ade20k):
    (ade20k / "ADEChallengeData2016/images/testing").rename(ade20k / "ADEChallengeData2016/other")
    assert open_files("ade20k", ade20k).splits() == ["train", "val"]
    write_noise(ade20k / "release_test" / "testing" / "ADE_test_00000007.jpg", 1)
    for root in (ade20k, ade20k / "ADEChallengeData2016"):
        assert [picture.name for picture in open_pictures("ade20k", "test", root=root)] == ["ADE_test_00000007"]


def test_missing_annotations_are_named(ade20k):
    annotations = ade20k / "ADEChallengeData2016" / "annotations"
    (annotations / "training" / "ADE_train_00000002.png").unlink()
    with pytest.raises(
        DataError, match=r"ADE_train_00000002\.jpg has no labels: .*training/ADE_train_00000002\.png does not"
    ):
        open_data("ade20k", "train", root=ade20k)
    (annotations / "validation").rename(annotations / "val")
    with pytest.raises(
        DataError, match=r"'val' .* has pictures but no labels: .*annotations/validation does not exist"
    ):
        open_data("ade20k", "val", root=ade20k)


def test_annotations_without_a_picture_are_remarked(ade20k):
    (ade20k / "ADEChallengeData2016/images/training/ADE_train_00000002.jpg").unlink()
    data = open_data("ade20k", "train", root=ade20k)
    assert data.remarks == ["the picture of 1 label file is not there: ADE_train_00000002.png"]
    assert len(data) == 1


def test_names_of_splits_are_those_of_all_data_sets(ade20k):
    with pytest.raises(DataError, match=r"has no split 'validation', nor has ADE20K\. It has: train, val, test"):
        open_data("ade20k", "validation", root=ade20k)


def test_another_folder_is_compared_with_the_release(tmp_path):
    with pytest.raises(
        DataError, match=r"does not look like ADE20K.*:\n.*\n  ADEChallengeData2016/images/validation/\*\.jpg"
    ):
        open_data("ade20k", "val", root=tmp_path)


def test_an_empty_folder_has_no_picture(ade20k):
    for file in (ade20k / "ADEChallengeData2016/images/validation").iterdir():
        file.unlink()
    with pytest.raises(DataError, match=r"'val' of .* has no picture: the picture of 1 label file is not there"):
        open_data("ade20k", "val", root=ade20k)


@pytest.mark.data
def test_names_are_the_first_ones_of_the_list_that_comes_with_the_data(samples_root):
    text = (samples_root / "ade20k" / "ADEChallengeData2016" / "objectInfo150.txt").read_text()
    rows = [line.split("\t") for line in text.splitlines()[1:]]
    assert [int(row[0]) for row in rows] == list(range(1, 151))
    assert tuple(row[-1].split(",")[0].strip() for row in rows) == ADE20K.names


@pytest.mark.data
def test_real_annotations_are_shifted_by_one(samples_root):
    data = open_data("ade20k", "val", root=samples_root / "ade20k")
    assert len(data) == 2
    for pair, sample in zip(data.pairs, map(data.__getitem__, range(2)), strict=True):
        raw = np.asarray(Image.open(pair.labels)).astype(int)
        np.testing.assert_array_equal(sample.labels, np.where(raw == 0, IGNORE, raw - 1))
        assert sample.image.shape[:2] == raw.shape
    shares = np.bincount(data[0].labels.ravel(), minlength=256)
    assert ADE20K.names[int(shares[:150].argmax())] in ("building", "sky"), "ADE_val_00000001 is an abbey under the sky"
