import numpy as np
import pytest
from PIL import Image

from attseg.data.catalog import open_data
from attseg.data.sample import DataError


def names(data):
    return [data.name(index) for index in range(len(data))]


def test_splits_stand_behind_each_other_and_give_their_own_samples(cityscapes):
    parts = [open_data("cityscapes", split, root=cityscapes) for split in ("val", "train")]
    union = open_data("cityscapes", "val+train", root=cityscapes)
    assert (union.split, len(union)) == ("val+train", 3)
    assert names(union) == names(parts[0]) + names(parts[1])
    for ours, theirs in zip(union, [*parts[0], *parts[1]], strict=True):
        assert ours.name == theirs.name
        np.testing.assert_array_equal(ours.image, theirs.image)
        np.testing.assert_array_equal(ours.labels, theirs.labels)
    with pytest.raises(IndexError):
        union[3]


def test_fine_and_coarse_labels_are_read_from_their_own_folders(cityscapes):
    fine = open_data("cityscapes", "train", root=cityscapes)
    union = open_data("cityscapes", "train+train_extra", root=cityscapes)
    assert len(union) == len(fine) + len(open_data("cityscapes", "train_extra", root=cityscapes))
    assert {path.labels.name.split("_")[3] for path in union.pairs} == {"gtFine", "gtCoarse"}


def test_voc_is_joined_by_its_lists(voc):
    whole, union = (open_data("voc2012", split, root=voc) for split in ("train", "train+val"))
    assert names(union)[: len(whole)] == names(whole)
    assert len(union) == 4


def test_what_makes_no_union_is_told(cityscapes):
    with pytest.raises(DataError, match=r"train\+train of .* has pictures twice"):
        open_data("cityscapes", "train+train", root=cityscapes)
    with pytest.raises(DataError, match="no split 'vla'"):
        open_data("cityscapes", "train+vla", root=cityscapes)
    with pytest.raises(DataError, match="'test' of .* no labels"):
        open_data("cityscapes", "train+test", root=cityscapes)
    for path in (cityscapes / "gtFine" / "val").rglob("*_labelIds.png"):
        path.rename(path.with_name(path.name.replace("labelIds", "labelTrainIds")))
    with pytest.raises(DataError, match="train and val .* by other values"):
        open_data("cityscapes", "train+val", root=cityscapes)


def test_a_split_whose_name_has_a_plus_is_that_split(tmp_path):
    write = np.random.default_rng(0).integers(0, 2, (8, 8), np.uint8)
    for split in ("a", "b", "a+b"):
        for kind in ("images", "labels"):
            (tmp_path / kind / split).mkdir(parents=True)
            Image.fromarray(write).save(tmp_path / kind / split / f"{split}.png")
    (tmp_path / "classes.csv").write_text("index,name,r,g,b\n0,one,0,0,0\n1,two,255,0,0\n")
    assert names(open_data("folder", "a+b", root=tmp_path)) == ["a+b"]
    assert names(open_data("folder", "b+a", root=tmp_path)) == ["b", "a"]
