import shutil

import numpy as np
import pytest
from PIL import Image
from torchvision.datasets import VOCSegmentation

from attseg.data.catalog import open_data, open_files, open_pictures
from attseg.data.classes import IGNORE
from attseg.data.sample import DataError
from attseg.data.sets.voc import VOC
from layouts import write_mat, write_noise, write_paletted


def home(voc):
    return voc / "VOCdevkit" / "VOC2012"


def names(data):
    return [data.name(index) for index in range(len(data))]


def test_the_colours_follow_the_bit_rule_of_the_development_kit():
    for index, color in enumerate(VOC.colors):
        bits = f"{index:08b}"[::-1]  # bit 0, 3, 6 are red, 1, 4, 7 green, 2, 5 blue, the lowest the brightest
        expected = [
            sum(128 >> place for place, bit in enumerate(bits[channel::3]) if bit == "1") for channel in range(3)
        ]
        assert list(color) == expected
    assert len(VOC) == 21
    assert dict(zip(VOC.names, VOC.colors, strict=True))["person"] == (192, 128, 128)
    assert VOC.names[0] == "background" and VOC.names[-1] == "tvmonitor"


def test_the_root_may_be_any_folder_on_the_way(voc):
    for root in (voc, voc / "VOCdevkit", home(voc), str(voc)):
        assert names(open_data("voc2012", "train", root=root)) == ["2007_000032", "2007_000039"]


def test_palettes_are_read_as_indices_with_255_ignored(voc):
    sample = open_data("voc2012", "val", root=voc)[1]
    assert sample.name == "2007_000042"
    assert sample.labels[0, :5].tolist() == [0, 5, 20, IGNORE, 0]
    assert np.array_equal(sample.image, np.asarray(Image.open(home(voc) / "JPEGImages" / "2007_000042.jpg")))


def test_the_test_split_is_there_to_predict_alone(voc):
    with pytest.raises(
        DataError,
        match=r"the split 'test' of .* has pictures but no labels: they are not released\. Training and evaluation need "
        r"labels; to predict, name the data: attseg predict RUN --data\.name voc2012 --data\.root .*voc --split test --out",
    ):
        open_data("voc2012", "test", root=voc)
    (picture,) = open_pictures("voc2012", "test", root=voc)
    assert (picture.name, picture.path) == ("2008_000006", home(voc) / "JPEGImages" / "2008_000006.jpg")
    assert len(open_pictures("voc2012", "val", root=voc)) == 2


def test_train_aug_is_all_of_sbd_but_vocs_val(voc, sbd):
    data = open_data("voc2012", "train_aug", root=voc, sbd=sbd)
    assert names(data) == ["2007_000032", "2007_000039", "2008_000002", "2008_000003"]
    assert [pair.labels.suffix for pair in data.pairs] == [".png", ".png", ".mat", ".mat"], (
        "VOC's labels go before SBD's"
    )
    assert data[2].labels[0, :4].tolist() == [0, 1, 15, 0]
    assert data.pairs[2].image.parent.name == "img", "VOC's folder lacks the picture, and SBD has it"
    (remark,) = data.remarks
    assert "train.txt + " in remark and remark.partition(" - ")[2].startswith(str(home(voc) / "ImageSets"))
    assert remark.endswith(f"its labels are 2 from SegmentationClass, 2 from {sbd / 'benchmark_RELEASE/dataset/cls'}")


def test_sbd_is_found_in_and_beside_the_root(voc, sbd, tmp_path):
    assert "train_aug" not in open_files("voc2012", voc).splits()
    shutil.move(sbd / "benchmark_RELEASE", tmp_path)
    assert len(open_data("voc2012", "train_aug", root=voc)) == 4
    shutil.move(tmp_path / "benchmark_RELEASE", voc)
    assert (
        len(open_data("voc2012", "train_aug", root=voc)) == len(open_data("voc2012", "train_aug", root=home(voc))) == 4
    )


def test_a_wrong_sbd_folder_is_named(voc, tmp_path):
    with pytest.raises(
        DataError, match=r"more is not the folder of SBD: benchmark_RELEASE/dataset/cls/\*\.mat was expected"
    ):
        open_data("voc2012", "train_aug", root=voc, sbd=tmp_path / "more")


def test_pngs_go_before_matlab_files_and_are_enough(voc, sbd):
    for name in ("2008_000002", "2007_000033"):
        write_paletted(home(voc) / "SegmentationClassAug" / f"{name}.png", (0, 7))
    data = open_data("voc2012", "train_aug", root=voc, sbd=sbd)
    assert [pair.labels.suffix for pair in data.pairs] == [".png", ".png", ".png", ".mat"]
    assert data[2].labels[0, :2].tolist() == [0, 7]
    assert "2 from SegmentationClass, 1 from SegmentationClassAug, 1 from" in data.remarks[0]
    write_noise(home(voc) / "JPEGImages" / "2008_000002.jpg", 5)
    assert names(open_data("voc2012", "train_aug", root=voc)) == ["2007_000032", "2007_000039", "2008_000002"]


@pytest.mark.parametrize("file", ["train_aug.txt", "trainaug.txt"])
def test_a_list_of_train_aug_is_followed(voc, sbd, file):
    lines = "/JPEGImages/2008_000003.jpg /SegmentationClassAug/2008_000003.png\n2007_000039\n\n"
    (home(voc) / "ImageSets/Segmentation" / file).write_text(lines)
    data = open_data("voc2012", "train_aug", root=voc, sbd=sbd)
    assert names(data) == ["2007_000039", "2008_000003"]
    assert data.remarks[0].startswith(f"train_aug is listed by {home(voc) / 'ImageSets/Segmentation' / file}; ")


def test_a_list_of_train_aug_without_any_labels_of_sbd_says_what_is_needed(voc):
    (home(voc) / "ImageSets/Segmentation/train_aug.txt").write_text("2007_000032\n")
    with pytest.raises(
        DataError, match=r"no labels: neither .*SegmentationClassAug nor SBD is there \(say where SBD lies"
    ):
        open_data("voc2012", "train_aug", root=voc)


def test_a_split_that_is_not_there_says_what_it_needs(voc):
    with pytest.raises(
        DataError,
        match=r"has no split 'trainval': VOCdevkit/VOC2012/ImageSets/Segmentation/trainval\.txt, .* would be needed",
    ):
        open_data("voc2012", "trainval", root=voc)
    with pytest.raises(DataError, match=r"has no split 'tests'; did you mean 'test'\? It has: train, val, test"):
        open_data("voc2012", "tests", root=voc)
    with pytest.raises(
        DataError, match=r"has no split 'train_extra', nor has PASCAL VOC 2012\. It has: train, val, test"
    ):
        open_data("voc2012", "train_extra", root=voc)


def test_another_folder_is_compared_with_the_release(tmp_path):
    (tmp_path / "VOC2007").mkdir()
    with pytest.raises(DataError) as caught:
        open_data("voc2012", "val", root=tmp_path)
    lines = str(caught.value).splitlines()
    assert lines[0] == f"{tmp_path} does not look like PASCAL VOC 2012:"
    assert lines[2].split() == [
        "VOCdevkit/VOC2012/ImageSets/Segmentation/val.txt",
        "VOC2007/",
        "(0",
        "folders,",
        "0",
        "files)",
    ]
    with pytest.raises(DataError, match=r"there is no folder .*none; give the one in which PASCAL VOC 2012 lies"):
        open_data("voc2012", "val", root=tmp_path / "none")


def test_a_part_of_the_released_pictures_can_be_used(voc):
    released = [f"2009_{number:06d}" for number in range(1447)] + ["2007_000033", "2007_000042"]
    (home(voc) / "ImageSets/Segmentation/val.txt").write_text("\n".join(released))
    data = open_data("voc2012", "val", root=voc)
    assert len(data) == 2
    assert data.remarks[0].startswith("1447 pictures that ")
    (home(voc) / "ImageSets/Segmentation/val.txt").write_text(
        "\n".join([*released[:1447], "2010_000001", "2010_000002"])
    )
    with pytest.raises(
        DataError, match=r"the split 'val' of .* has no picture: 1449 pictures that .*val\.txt lists are not"
    ):
        open_data("voc2012", "val", root=voc)


def test_broken_matlab_labels_are_named(voc, sbd):
    file = sbd / "benchmark_RELEASE/dataset/cls/2008_000002.mat"
    file.write_bytes(file.read_bytes()[:200])
    with pytest.raises(DataError, match=r"2008_000002\.mat is a damaged MATLAB file"):
        open_data("voc2012", "train_aug", root=voc, sbd=sbd)[2]
    write_mat(file, (0, 21))
    with pytest.raises(DataError, match=r"2008_000002\.mat: .* hold the value 21, but the classes know only 0\.\.20"):
        open_data("voc2012", "train_aug", root=voc, sbd=sbd)[2]


@pytest.mark.data
@pytest.mark.parametrize("split", ["train", "val", "trainval"])
def test_real_pictures_are_read_as_torchvision_reads_them(samples_root, split):
    data = open_data("voc2012", split, root=samples_root / "voc")
    other = VOCSegmentation(samples_root / "voc", image_set=split)
    by_name = dict(zip((path.rsplit("/")[-1][:-4] for path in other.images), other, strict=True))
    assert names(data) == sorted(by_name)
    for sample in map(data.__getitem__, range(len(data))):
        image, labels = by_name[sample.name]
        np.testing.assert_array_equal(sample.image, np.asarray(image))
        np.testing.assert_array_equal(sample.labels, np.asarray(labels))
        assert IGNORE in sample.labels


@pytest.mark.data
def test_real_train_aug_has_sbds_labels_where_voc_has_none(samples_root):
    data = open_data("voc2012", "train_aug", root=samples_root / "voc")
    assert names(data) == ["2007_000904", "2007_001185", "2008_002176"]
    assert [IGNORE in data[index].labels for index in range(3)] == [True, True, False]
