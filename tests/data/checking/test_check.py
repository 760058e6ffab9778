import json
import shutil
import unicodedata

import numpy as np
import pytest
from PIL import Image

from attseg.data.catalog import open_data
from attseg.data.checking.check import SCENES_CHECKED, check
from attseg.errors import UsageError


def save(path, values):
    Image.fromarray(np.asarray(values, np.uint8)).save(path)


def found(result, kind):
    """Messages of one kind."""
    return [finding.message for finding in result.findings if finding.kind == kind]


def test_a_folder_in_order_has_no_findings_and_is_counted(folder):
    result = check("folder", folder)
    assert result.ok and result.findings == []
    train = result.splits["train"]
    assert (train.pictures, train.pixels, train.pictures_with) == (3, [72, 72, 72], [3, 3, 3])
    assert (train.ignored, train.unknown, train.values) == (72, 0, {0: 72, 1: 72, 2: 72, 9: 72})
    assert train.smallest == train.largest == (8, 12)


def test_all_damage_is_found_in_one_go(folder):
    save(folder / "labels/train/a.png", np.full((8, 12), 3))
    save(folder / "labels/train/b.png", np.zeros((8, 12, 3)))
    save(folder / "labels/train/paris/c.png", np.zeros((4, 4)))
    (folder / "images/val/d.png").write_bytes(b"")
    (folder / "images/val/more.png").touch()
    (folder / "images/test").mkdir()
    result = check("folder", folder)
    assert not result.ok
    assert result.counts == {
        "pairs": 1,
        "unknown label": 1,
        "unreadable labels": 1,
        "different size": 1,
        "unreadable picture": 1,
        "no labels": 1,
        "absent class": 1,
    }
    assert "a.png: 100 % of the pixels hold the value 3" in found(result, "unknown label")[0]
    assert "b.png holds colours (mode RGB)" in found(result, "unreadable labels")[0]
    assert "the labels are 4 pixels wide and 4 high, and their image 12 wide" in found(result, "different size")[0]
    assert "d.png cannot be read as a picture: it is empty" in found(result, "unreadable picture")[0]
    assert "1 picture in" in found(result, "pairs")[0] and found(result, "pairs")[0].endswith(": more")
    assert "test has no labels" in found(result, "no labels")[0]
    severities = [finding.severity for finding in result.findings]
    assert severities == sorted(severities), "errors come first"
    assert {finding.file for finding in result.findings} >= {str(folder / "labels/train/a.png"), None}
    assert result.splits["train"].unknown == 96


def test_a_broken_class_file_hides_nothing_else(folder):
    (folder / "classes.csv").write_text("index,name\nx,water\n0,\n")
    (folder / "images/val/d.png").write_bytes(b"")
    result = check("folder", folder)
    assert set(result.counts) == {"classes", "unreadable picture"}
    assert "line 2: the index is 'x'" in found(result, "classes")[0] and "line 3:" in found(result, "classes")[0]
    assert result.classes is None
    assert result.splits["train"].values == {0: 72, 1: 72, 2: 72, 9: 72}


@pytest.mark.parametrize("split", ["train", "val"])
def test_what_there_is_of_a_part_is_checked_and_the_rest_is_missed(folder, split):
    shutil.rmtree(folder / "images" / split)
    result = check("folder", folder)
    assert found(result, "missing split")[0].startswith(
        f"{folder} has no split {split!r}: images/{split}/*.jpg, labels/{split}/*.png, classes.csv would be needed. It has: "
    )
    assert len(result.splits) == 1 and not result.ok


def test_a_wrong_folder_shows_what_was_expected(tmp_path):
    result = check("camvid", tmp_path)
    assert "does not look like CamVid:\n  expected" in found(result, "missing split")[0]
    assert result.splits == {}
    assert "there is no folder" in found(check("folder", tmp_path / "none"), "no folder")[0]


def test_empty_folders_are_errors(folder):
    for kind in ("images", "labels"):
        shutil.rmtree(folder / kind / "val")
        (folder / kind / "val").mkdir()
    result = check("folder", folder)
    assert found(result, "pairs") == [
        f"no picture was found in {folder / 'images/val'}",
        f"no label file was found in {folder / 'labels/val'}",
    ]
    assert result.splits["val"].smallest is None


def test_a_training_picture_in_val_is_a_leak(folder):
    shutil.copy(folder / "images/train/a.png", folder / "images/val/d.png")
    result = check("folder", folder)
    assert result.ok
    assert found(result, "leak") == ["1 image of train found in val too (a = d): scores there mean little"]


def test_equal_names_in_two_splits_are_asked_about(folder):
    for kind in ("images", "labels"):
        (folder / kind / "val/d.png").rename(folder / kind / "val/a.png")
    assert found(check("folder", folder), "same name") == [
        "1 name found in both train and val (a): check that the images differ"
    ]


def test_absent_classes_are_listed(folder):
    for name in ("d", "e"):
        save(folder / f"labels/val/{name}.png", np.full((8, 12), 1))
    (message,) = found(check("folder", folder), "absent class")
    assert message.startswith("2 of 3 classes never occur in val and cannot be measured") and message.endswith(
        ": water, boat"
    )


def test_masks_whose_255_is_ignored_are_suspected(folder):
    (folder / "classes.csv").write_text("index,name\n0,water\n1,land\n255,void\n")
    for path in (folder / "labels").rglob("*.png"):
        save(path, np.resize([0, 255], (8, 12)))
    assert len(found(check("folder", folder), "masks of 0 and 255")) == 2


def test_progress_counts_every_picture_once(folder):
    calls = []
    check("folder", folder, progress=lambda done, total: calls.append((done, total)))
    assert calls == [(done, 5) for done in range(1, 6)]


def test_the_result_is_plain_values(folder):
    values = check("folder", folder).to_dict()
    assert json.loads(json.dumps(values)).keys() == values.keys()
    assert values["ok"] is True and values["splits"]["val"]["pixels"] == [48, 48, 48]


@pytest.mark.slow
def test_scenes_are_counted():
    result = check("scenes")
    assert result.ok and result.root is None
    assert result.splits["val"].pictures == SCENES_CHECKED
    assert all(result.splits["train"].pictures_with)


def test_wrong_names_are_refused(tmp_path):
    with pytest.raises(UsageError, match="there is no data set 'camvit'; did you mean 'camvid'"):
        check("camvit", tmp_path)
    with pytest.raises(UsageError, match="'folder' lies in a folder, and none was given"):
        check("folder")


@pytest.mark.slow
@pytest.mark.data
def test_the_real_camvid_is_in_order(camvid_root):
    result = check("camvid", camvid_root)
    assert {finding.severity for finding in result.findings} <= {"note"}
    train = result.splits["train"]
    assert (train.pictures, train.smallest, train.largest) == (367, (360, 480), (360, 480))
    assert train.pictures_with == [366, 365, 366, 367, 349, 319, 351, 173, 360, 317, 201]
    assert train.ignored / (train.ignored + sum(train.pixels)) == pytest.approx(0.03948, abs=5e-6)


@pytest.mark.parametrize(
    ("classes", "name"),
    [
        ("index,name,ignore\n0,water,1\n1,land,\n2,boat,1\n9,x,1\n", "land"),
        ("index,name\n0,ignore\n1,void\n2,boat\n9,unlabelled\n", "boat"),
    ],
)
def test_one_class_that_counts_is_an_error(folder, classes, name):
    (folder / "classes.csv").write_text(classes)
    result = check("folder", folder)
    (message,) = found(result, "too few classes")
    assert not result.ok and f"only one class counts ({name})" in message and "background is a class too" in message


@pytest.mark.parametrize(("split", "severity"), [("train", "error"), ("val", "error"), ("test", "warning")])
def test_labels_that_are_all_ignored_are_found(folder, split, severity):
    for kind in ("images", "labels"):
        if split == "test":
            shutil.copytree(folder / kind / "val", folder / kind / split)
    for path in (folder / "labels" / split).rglob("*.png"):
        save(path, np.full((8, 12), 9))
    (finding,) = [finding for finding in check("folder", folder).findings if finding.kind not in ("leak", "same name")]
    assert (finding.kind, finding.severity, finding.split) == ("nothing counts", severity, split)
    assert f"no pixel of {split} counts: all {288 if split == 'train' else 192} hold" in finding.message


@pytest.mark.parametrize(("split", "severity"), [("train", "error"), ("val", "warning")])
@pytest.mark.parametrize(("value", "name"), [(0, "water"), (2, "boat")])
def test_labels_of_one_class_are_found(folder, split, severity, value, name):
    for path in (folder / "labels" / split).rglob("*.png"):
        save(path, np.resize((value, 9), (8, 12)))
    (finding,) = [finding for finding in check("folder", folder).findings if finding.kind == "one class"]
    assert (finding.severity, finding.split) == (severity, split) and f"of the class {name}" in finding.message


@pytest.mark.parametrize("values", [(26, 1026), (0, 65535), (0, 1, 300)])
def test_shares_of_unknown_values_are_shares(folder, values):
    for path in (folder / "labels").rglob("*.png"):
        Image.fromarray(np.resize(np.array(values, np.uint16), (8, 12))).save(path)
    for summary in check("folder", folder).splits.values():
        known = sum(count for value, count in summary.values.items() if value in (0, 1, 2, 9))
        assert sum(summary.values.values()) == 96 * summary.pictures
        assert summary.unknown == 96 * summary.pictures - known > 0


def test_classes_of_one_colour_are_told(folder):
    (folder / "classes.csv").write_text("index,name,r,g,b\n0,water,1,2,3\n1,land,,,\n2,boat,1,2,3\n9,void,1,2,3\n")
    (message,) = found(check("folder", folder), "same colour")
    assert message.startswith("water, boat have the same colour (1, 2, 3)")


@pytest.mark.parametrize(("images", "labels"), [("NFD", "NFC"), ("NFC", "NFD"), ("NFD", "NFD")])
@pytest.mark.parametrize("name", ["müll", "Ångström/é", "한국"])
def test_names_match_in_any_normal_form(folder, images, labels, name):
    for kind, form in (("images", images), ("labels", labels)):
        target = folder / kind / "val" / unicodedata.normalize(form, f"{name}.png")
        target.parent.mkdir(parents=True, exist_ok=True)
        (folder / kind / "val/d.png").rename(target)
    assert check("folder", folder).findings == []
    data = open_data("folder", "val", root=folder)
    assert [data.name(index) for index in range(2)] == sorted(["e", unicodedata.normalize("NFC", name)])
    assert data[0].image.shape == (8, 12, 3)


def test_two_files_whose_names_differ_in_their_form_alone_are_doubled(folder):
    for form in ("NFC", "NFD"):
        shutil.copy(folder / "images/val/d.png", folder / "images/val" / unicodedata.normalize(form, "é.png"))
        shutil.copy(folder / "labels/val/d.png", folder / "labels/val" / unicodedata.normalize(form, "é.png"))
    assert "of the same stem lies beside" in " ".join(found(check("folder", folder), "pairs"))


@pytest.mark.parametrize(("listed", "files"), [("NFC", "NFD"), ("NFD", "NFC")])
def test_lists_match_in_any_normal_form(voc, listed, files):
    home = voc / "VOCdevkit/VOC2012"
    for path in (home / "JPEGImages/2007_000033.jpg", home / "SegmentationClass/2007_000033.png"):
        path.rename(path.with_name(unicodedata.normalize(files, f"é{path.suffix}")))
    (home / "ImageSets/Segmentation/val.txt").write_text(unicodedata.normalize(listed, "é\n2007_000042\n"))
    assert check("voc2012", voc).ok
