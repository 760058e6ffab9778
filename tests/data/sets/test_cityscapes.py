import pickle
import shutil

import numpy as np
import pytest
import torchvision.datasets
from cityscapesscripts.helpers.labels import labels as official

from attseg.data.catalog import open_data, open_files, open_pictures
from attseg.data.classes import IGNORE
from attseg.data.sample import DataError
from attseg.data.sets.cityscapes import LABEL_IDS, TRAIN_IDS
from attseg.errors import UsageError
from layouts import write_frame


def test_the_table_is_the_official_one():
    assert len(LABEL_IDS) == 19
    for label in official:
        meaning = int(LABEL_IDS.lookup[label.id % 256])  # a byte stores -1 as 255
        counts = not label.ignoreInEval
        assert meaning == (label.trainId if counts else IGNORE), label.name
        if counts:
            assert (LABEL_IDS.names[meaning], LABEL_IDS.colors[meaning]) == (label.name, label.color)
    assert np.flatnonzero(LABEL_IDS.lookup >= 0).tolist() == [*range(34), 255]
    assert np.flatnonzero(TRAIN_IDS.lookup >= 0).tolist() == [*range(19), 255]
    assert LABEL_IDS == TRAIN_IDS, "they differ in what files hold, not in the classes"


def test_pictures_and_labels_meet_by_city_and_frame(cityscapes):
    data = open_data("cityscapes", "train", root=cityscapes)
    assert [data.name(index) for index in range(len(data))] == [
        "aachen/aachen_000000_000019",
        "bochum/bochum_000000_000313",
    ]
    assert data.classes is LABEL_IDS
    assert data[1].labels[0, :5].tolist() == [IGNORE, 0, 18, 13, IGNORE]
    assert data.remarks == [
        "labels of train are read from *_gtFine_labelIds.png, whose values are mapped by the official table"
    ]


def test_it_reaches_worker_processes(cityscapes):
    data = open_data("cityscapes", "train", root=cityscapes)
    sent = pickle.loads(pickle.dumps(data))
    assert sent.classes == data.classes and np.array_equal(sent[1].labels, data[1].labels)


def test_train_ids_pass_as_they_are(cityscapes):
    data = open_data("cityscapes", "val", root=cityscapes, labels="trainIds")
    assert data.classes is TRAIN_IDS
    assert data[0].labels[0, :4].tolist() == [255, 0, 18, 13]
    assert data.remarks == [
        "labels of val are read from *_gtFine_labelTrainIds.png, whose values are the classes themselves"
    ]


def test_the_kind_that_all_pictures_have_is_used(cityscapes):
    (cityscapes / "gtFine/train/bochum/bochum_000000_000313_gtFine_labelIds.png").unlink()
    assert open_data("cityscapes", "train", root=cityscapes).classes is TRAIN_IDS
    assert open_data("cityscapes", "val", root=cityscapes).classes is LABEL_IDS
    with pytest.raises(DataError, match=r"has no labels: .*bochum_000000_000313_gtFine_labelIds\.png does not exist"):
        open_data("cityscapes", "train", root=cityscapes, labels="labelIds")
    (cityscapes / "gtFine/train/aachen/aachen_000000_000019_gtFine_labelTrainIds.png").unlink()
    with pytest.raises(DataError, match=r"has no labels: .*bochum_000000_000313_gtFine_labelIds\.png does not exist"):
        open_data("cityscapes", "train", root=cityscapes)


def test_another_kind_of_labels_is_refused(cityscapes):
    with pytest.raises(UsageError, match="there is no kind of Cityscapes labels 'trainId'; did you mean 'trainIds'"):
        open_data("cityscapes", "val", root=cityscapes, labels="trainId")


def test_coarse_labels_are_splits_of_their_own(cityscapes):
    assert open_files("cityscapes", cityscapes).splits() == ["train", "val", "test", "train_extra"]
    assert open_data("cityscapes", "train_extra", root=cityscapes).name(0) == "augsburg/augsburg_000000_000000"
    write_frame(cityscapes, "gtCoarse", "val", "frankfurt_000000_000294", "labelIds", values=(8,))
    assert open_files("cityscapes", cityscapes).splits()[-1] == "val_coarse"
    assert set(open_data("cityscapes", "val_coarse", root=cityscapes)[0].labels.ravel().tolist()) == {1}
    assert len(set(open_data("cityscapes", "val", root=cityscapes)[0].labels.ravel().tolist())) == 4
    shutil.rmtree(cityscapes / "gtCoarse")
    with pytest.raises(DataError, match=r"'train_extra' .* but no labels: .*gtCoarse/train_extra does not exist"):
        open_data("cityscapes", "train_extra", root=cityscapes)


def test_the_dummy_labels_of_the_test_split_are_not_read(cityscapes):
    with pytest.raises(DataError, match=r"the split 'test' of .* has pictures but no labels: they are not released"):
        open_data("cityscapes", "test", root=cityscapes)
    (remark,) = open_files("cityscapes", cityscapes).survey("test").remarks
    assert remark == f"the label files in {cityscapes / 'gtFine/test'} are dummies and are not read"
    (picture,) = open_pictures("cityscapes", "test", root=cityscapes)
    assert (picture.name, picture.path.name) == ("berlin/berlin_000000_000019", "berlin_000000_000019_leftImg8bit.png")


def test_labels_without_a_picture_are_remarked(cityscapes):
    (cityscapes / "leftImg8bit/train/aachen/aachen_000000_000019_leftImg8bit.png").unlink()
    data = open_data("cityscapes", "train", root=cityscapes)
    assert len(data) == 1
    assert (
        data.remarks[0]
        == "the picture of 1 gtFine_labelIds file is not there: aachen_000000_000019_gtFine_labelIds.png"
    )


def test_pictures_with_other_names_are_told(cityscapes):
    file = cityscapes / "leftImg8bit/val/frankfurt/frankfurt_000000_000294_leftImg8bit.png"
    file.rename(file.with_name("frankfurt_000000_000294.png"))
    with pytest.raises(DataError, match=r"none of the 1 pictures in .*leftImg8bit/val is called \*_leftImg8bit\.png"):
        open_data("cityscapes", "val", root=cityscapes)


def test_another_folder_is_compared_with_the_release(cityscapes):
    with pytest.raises(
        DataError, match=r"does not look like Cityscapes:\n.*\n  leftImg8bit/val/CITY/\*_leftImg8bit\.png"
    ):
        open_data("cityscapes", "val", root=cityscapes / "leftImg8bit")


@pytest.mark.data
@pytest.mark.parametrize("split", ["train", "val"])
def test_real_labels_are_those_of_torchvision_by_the_table_of_its_own(samples_root, split):
    other = torchvision.datasets.Cityscapes(samples_root / "cityscapes", split=split, target_type="semantic")
    meanings = np.full(256, IGNORE)
    for kind in other.classes:
        if kind.train_id not in (-1, 255):
            meanings[kind.id] = kind.train_id
    by_name = dict(
        zip((path.rsplit("/")[-1].removesuffix("_leftImg8bit.png") for path in other.images), other, strict=True)
    )
    data = open_data("cityscapes", split, root=samples_root / "cityscapes")
    assert len(data) == len(other) > 0
    for sample in map(data.__getitem__, range(len(data))):
        image, labels = by_name[sample.name.partition("/")[2]]
        np.testing.assert_array_equal(sample.image, np.asarray(image))
        np.testing.assert_array_equal(sample.labels, meanings[np.asarray(labels)])


@pytest.mark.data
def test_real_train_ids_differ_from_label_ids_along_borders_alone(samples_root):
    root = samples_root / "cityscapes"
    by_kind = [
        open_data("cityscapes", "train", root=root, labels=labels)[0].labels for labels in ("labelIds", "trainIds")
    ]
    assert (by_kind[0] != by_kind[1]).mean() < 0.01
