import json
import shutil

import numpy as np
import pytest
from PIL import Image

from attseg.data.checking.doctor import SCENES_CHECKED, check
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
    assert "the labels are 4 pixels wide and 4 high, and their picture 12 wide" in found(result, "different size")[0]
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
    assert [message.partition(" is empty")[0] for message in found(result, "pairs")] == [
        str(folder / "images/val"),
        str(folder / "labels/val"),
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
