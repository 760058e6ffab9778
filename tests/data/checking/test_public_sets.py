"""Public data sets, whole and damaged: what is there is checked, what is missing is said, and every wrong file is named."""

import shutil
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from attseg.data.catalog import CATALOG, open_data
from attseg.data.checking.check import check
from attseg.data.checking.sheet import samples_picture
from attseg.errors import UsageError
from layouts import write_mat, write_noise, write_paletted

NAMES = ("voc2012", "sbd", "ade20k", "cityscapes")


class Case:
    """A data set in its official layout, with a picture and its labels to damage."""

    def __init__(self, name, root, pictures, labels, lists=None):
        self.name, self.root, self.lists = name, root, lists
        self.picture, self.labels = (sorted(root.glob(pattern))[0] for pattern in (pictures, labels))

    def check(self):
        return check(self.name, self.root)


@pytest.fixture(params=NAMES)
def case(request):
    if request.param == "voc2012":
        home = "VOCdevkit/VOC2012"
        root = request.getfixturevalue("voc")
        lists = root / home / "ImageSets/Segmentation"
        return Case(
            "voc2012", root, f"{home}/JPEGImages/2007_000033.jpg", f"{home}/SegmentationClass/2007_000033.png", lists
        )
    if request.param == "sbd":
        home = "benchmark_RELEASE/dataset"
        root = request.getfixturevalue("sbd")
        return Case("sbd", root, f"{home}/img/2008_000003.jpg", f"{home}/cls/2008_000003.mat", root / home)
    if request.param == "ade20k":
        inside = "ADEChallengeData2016/{}/validation/*"
        return Case("ade20k", request.getfixturevalue("ade20k"), inside.format("images"), inside.format("annotations"))
    root = request.getfixturevalue("cityscapes")
    return Case("cityscapes", root, "leftImg8bit/val/*/*.png", "gtFine/val/*/*_labelIds.png")


def of(result, severity):
    return [finding for finding in result.findings if finding.severity == severity]


def the_error(result):
    """The one error, which names its file."""
    assert not result.ok
    (finding,) = of(result, "error")
    assert finding.file is None or finding.file in finding.message
    return finding


def test_a_part_that_is_sound_is_ok_and_said_to_be_a_part(case):
    result = case.check()
    assert result.ok and of(result, "error") == []
    notes = [finding.message for finding in of(result, "note")]
    released = {"voc2012": "1,449", "sbd": "2,857", "ade20k": "2,000", "cityscapes": "500"}[case.name]
    there = 2 if case.lists else 1
    assert f"val is a part: {there} of the {released} pictures released are there" in notes
    assert result.splits["val"].unknown == 0 and result.splits["val"].pictures == there
    assert {finding.kind for finding in result.findings if finding.severity == "warning"} <= {"absent class"} | (
        {"leak", "same name"} if case.name == "voc2012" else set()
    )


def test_what_is_not_there_at_all_is_listed(case):
    missing = {
        "voc2012": "trainval (2,913 pictures), train_aug (10,582 pictures)",
        "ade20k": None,
        "sbd": None,
        "cityscapes": "train_coarse (2,975 pictures), val_coarse (500 pictures)",
    }[case.name]
    found = [finding.message for finding in of(case.check(), "note") if finding.split is None]
    assert found == ([f"of what was released, this is not there: {missing}"] if missing else [])


def test_only_val_is_enough(case):
    result = case.check()
    for split in set(result.splits) - {"val"}:
        if case.lists:
            (case.lists / f"{split}.txt").unlink()
        else:
            folders = {"train": "training", "test": "testing"} if case.name == "ade20k" else {}
            parent = case.picture.parents[1] if case.name == "ade20k" else case.picture.parents[2]
            shutil.rmtree(parent / folders.get(split, split))
    result = case.check()
    assert result.ok and list(result.splits) == ["val"]
    train = {"voc2012": "1,464", "sbd": "8,498", "ade20k": "20,210", "cityscapes": "2,975"}[case.name]
    assert any(f"not there: train ({train} pictures)" in finding.message for finding in of(result, "note"))
    assert samples_picture(case.name, case.root).width > 0


def test_opening_a_split_opens_no_picture(case):
    for file in case.root.rglob("*.*"):
        if file.suffix in (".jpg", ".png", ".mat"):
            file.write_bytes(b"")
    assert len(open_data(case.name, "val", root=case.root)) == (2 if case.lists else 1)


def test_a_truncated_picture_is_named(case):
    case.picture.write_bytes(case.picture.read_bytes()[:-60])
    finding = the_error(case.check())
    assert (finding.kind, finding.split, finding.file) == ("unreadable picture", "val", str(case.picture))
    assert "cannot be read as a picture" in finding.message


def test_a_truncated_picture_without_labels_is_named_too(voc):
    picture = voc / "VOCdevkit/VOC2012/JPEGImages/2008_000006.jpg"
    picture.write_bytes(picture.read_bytes()[:-60])
    assert the_error(check("voc2012", voc)).file == str(picture)


def test_missing_labels_are_named(case):
    case.labels.unlink()
    if case.name == "cityscapes":
        case.labels.with_name(case.labels.name.replace("labelIds", "labelTrainIds")).unlink()
    finding = the_error(case.check())
    assert (finding.kind, finding.split, finding.file) == ("pairs", "val", str(case.labels))
    assert finding.message == f"{case.picture} has no labels: {case.labels} does not exist"


def test_truncated_labels_are_named(case):
    case.labels.write_bytes(case.labels.read_bytes()[:-30])
    assert the_error(case.check()).file == str(case.labels)


def damage_labels(case, values):
    if case.name == "sbd":
        write_mat(case.labels, values)
    elif case.name == "voc2012":
        write_paletted(case.labels, values)
    else:
        Image.fromarray(np.resize(np.asarray(values, np.uint8), (8, 12))).save(case.labels)


def test_values_without_a_class_are_named(case):
    damage_labels(case, (0, 1, 1, 200))
    finding = the_error(case.check())
    assert (finding.kind, finding.file) == ("unknown label", str(case.labels))
    known = {
        "voc2012": "0..20, and 255",
        "sbd": "0..20, and 255",
        "ade20k": "1..150, and 0",
        "cityscapes": "7..8, 11..13, 17",
    }
    assert "25 % of the pixels hold the value 200, but the classes know only " + known[case.name] in finding.message
    assert "classes.csv" not in finding.message, "the classes of a public data set are not the user's to change"


@pytest.mark.parametrize("case", ["voc2012", "ade20k", "cityscapes"], indirect=True)
def test_labels_as_colours_are_named(case):
    Image.new("RGB", (12, 8), (128, 64, 128)).save(case.labels)
    finding = the_error(case.check())
    assert (finding.kind, finding.file) == ("unreadable labels", str(case.labels))
    assert "holds colours (mode RGB), but a label file has one whole number a pixel" in finding.message


def test_labels_of_another_size_are_named(case):
    if case.name == "sbd":
        write_noise(case.picture, 3)
        Image.new("RGB", (6, 4)).save(case.picture)
    else:
        Image.new("L", (6, 4), 7).save(case.labels)
    finding = the_error(case.check())
    assert (finding.kind, finding.file) == ("different size", str(case.labels))
    assert "the labels are " in finding.message and "their image" in finding.message


@pytest.mark.parametrize("case", ["voc2012", "sbd"], indirect=True)
def test_a_missing_picture_of_a_cut_list_is_named(case):
    case.picture.unlink()
    finding = the_error(case.check())
    assert finding.file == str(case.picture)
    assert finding.message == f"{case.lists / 'val.txt'} lists {case.picture.stem}, but {case.picture} does not exist"


@pytest.mark.parametrize("case", ["voc2012", "sbd"], indirect=True)
@pytest.mark.parametrize(("content", "message"), [(b"", "is empty"), (b"\xff\xfe\xff", "is no UTF-8 text")])
def test_a_list_that_is_none_is_named(case, content, message):
    (case.lists / "val.txt").write_bytes(content)
    finding = the_error(case.check())
    assert finding.message.startswith(f"{case.lists / 'val.txt'} {message}") and finding.split == "val"


@pytest.mark.parametrize("case", ["voc2012", "sbd"], indirect=True)
def test_the_whole_list_with_a_part_of_the_pictures_is_a_part(case):
    whole = {"voc2012": 1449, "sbd": 2857}[case.name]
    names = (case.lists / "val.txt").read_text().split()
    (case.lists / "val.txt").write_text(
        "\n".join(names + [f"2012_{number:06d}" for number in range(whole - len(names))])
    )
    result = case.check()
    assert result.ok
    remarks = [finding.message for finding in of(result, "note") if finding.kind == "remark"]
    assert any(
        f"{whole - 2} pictures that {case.lists / 'val.txt'} lists are not there" in remark for remark in remarks
    )


def test_more_pictures_than_were_released_are_strange(ade20k, monkeypatch):
    monkeypatch.setitem(CATALOG, "ade20k", replace(CATALOG["ade20k"], released={"train": 1, "val": 1}))
    (warning,) = (finding for finding in check("ade20k", ade20k).findings if finding.kind == "more than released")
    assert warning.message == "train has 2 pictures, but only 1 were released: where do the others come from?"


def test_missing_label_folders_are_errors_and_the_test_split_has_none_to_miss(cityscapes):
    shutil.rmtree(cityscapes / "gtFine" / "val")
    shutil.rmtree(cityscapes / "gtCoarse")
    result = check("cityscapes", cityscapes)
    assert [(finding.split, finding.kind) for finding in of(result, "error")] == [
        ("val", "no labels"),
        ("train_extra", "no labels"),
    ]
    assert of(result, "error")[0].message.startswith(f"val has no labels: {cityscapes / 'gtFine/val'} does not exist")
    assert "test has no labels: they are not released; it can be predicted" in [f.message for f in of(result, "note")]
    assert result.splits["test"].pictures == 1


def test_what_is_wrong_in_two_splits_is_told_once(voc):
    lists = voc / "VOCdevkit/VOC2012/ImageSets/Segmentation"
    (lists / "trainval.txt").write_text("2007_000032\n2007_000039\n2007_000033\n2007_000042\n")
    labels = voc / "VOCdevkit/VOC2012/SegmentationClass/2007_000033.png"
    labels.write_bytes(b"")
    assert the_error(check("voc2012", voc)).file == str(labels)
    labels.unlink()
    assert the_error(check("voc2012", voc)).file == str(labels)


def test_options_reach_the_data(cityscapes, voc, sbd):
    result = check("cityscapes", cityscapes, options={"labels": "trainIds"})
    assert result.splits["train"].values == {0: 48, 13: 48, 18: 48, 255: 48}
    result = check("voc2012", voc, options={"sbd": sbd})
    assert result.splits["train_aug"].pictures == 4
    with pytest.raises(UsageError, match=r"there is no option of ade20k 'labels'\. ade20k has no options"):
        check("ade20k", voc, options={"labels": "x"})


def test_files_that_splits_share_are_read_once(voc, sbd):
    calls = []
    result = check("voc2012", voc, options={"sbd": sbd}, progress=lambda done, total: calls.append((done, total)))
    assert calls[-1] == (7, 7), "two to train, two to validate, one to test, two of SBD's"
    assert sum(split.pictures for split in result.splits.values()) == 9


def test_splits_that_share_pictures_on_purpose_are_no_leaks_but_others_are(voc, sbd):
    lists = voc / "VOCdevkit/VOC2012/ImageSets/Segmentation"
    (lists / "trainval.txt").write_text("2007_000032\n2007_000039\n2007_000033\n2007_000042\n")
    kinds = {finding.kind for finding in check("voc2012", voc, options={"sbd": sbd}).findings}
    assert not kinds & {"leak", "same name"}
    (lists / "train_aug.txt").write_text("2007_000032\n2007_000033\n")
    leaks = [
        finding.message for finding in check("voc2012", voc, options={"sbd": sbd}).findings if finding.kind == "leak"
    ]
    assert leaks == ["1 image of val found in train_aug too (2007_000033): scores there mean little"]


def test_a_folder_with_lists_alone_has_nothing_to_check(voc):
    for file in (voc / "VOCdevkit/VOC2012/JPEGImages").iterdir():
        file.unlink()
    for split, count in (("train", 1464), ("val", 1449), ("test", 1456)):
        names = "\n".join(f"2007_{number:06d}" for number in range(count))
        (voc / f"VOCdevkit/VOC2012/ImageSets/Segmentation/{split}.txt").write_text(names)
    assert the_error(check("voc2012", voc)).message == f"{voc} holds no picture of PASCAL VOC 2012"


@pytest.mark.parametrize("name", NAMES)
def test_another_folder_is_one_error_that_shows_what_was_expected(name, tmp_path):
    assert "does not look like" in the_error(check(name, tmp_path)).message
    assert "there is no folder" in the_error(check(name, tmp_path / "none")).message


def test_the_sheet_shows_pictures_without_labels(cityscapes):
    labelled = samples_picture("cityscapes", cityscapes, "val")
    sheet = samples_picture("cityscapes", cityscapes, "test")
    assert sheet.width == labelled.width and sheet.height < labelled.height, "there is no legend"
    right = np.asarray(sheet)[:, sheet.width // 2 :]
    assert (right[30:] == 255).all(), "only the picture is drawn"


@pytest.mark.data
@pytest.mark.parametrize(
    ("name", "folder", "pictures"),
    [
        ("voc2012", "voc", {"train": 2, "val": 2, "trainval": 4, "train_aug": 3}),
        ("sbd", "sbd", {"train": 2, "val": 1}),
        ("ade20k", "ade20k", {"train": 1, "val": 2}),
        ("cityscapes", "cityscapes", {"train": 2, "val": 1}),
    ],
)
def test_real_samples_are_sound(samples_root, name, folder, pictures):
    result = check(name, samples_root / folder)
    assert result.ok and of(result, "error") == []
    assert {split: summary.pictures for split, summary in result.splits.items()} == pictures
    assert all(summary.unknown == 0 for summary in result.splits.values())
    assert samples_picture(name, samples_root / folder).width > 0


@pytest.mark.data
@pytest.mark.parametrize(
    ("name", "folder", "labels"),
    [
        ("voc2012", "voc", "**/SegmentationClass/2007_001763.png"),
        ("ade20k", "ade20k", "**/annotations/validation/ADE_val_00000002.png"),
        ("cityscapes", "cityscapes", "gtFine/val/**/*_labelIds.png"),
    ],
)
def test_real_labels_of_another_data_set_are_told(samples_root, tmp_path, name, folder, labels):
    root = tmp_path / folder
    shutil.copytree(samples_root / folder, root, copy_function=shutil.copyfile)
    (file,) = root.glob(labels)
    with Image.open(file) as image:
        Image.new("L", image.size, 170).save(file)
    finding = the_error(check(name, root))
    assert finding.file == str(file) and "hold the value 170" in finding.message
