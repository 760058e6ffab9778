import shutil

import numpy as np
import pytest
from PIL import Image

import layouts
from attseg.data.checking.check import check
from attseg.data.sets.voc import VOC


def assumed(root, name="folder"):
    return check(name, root).to_dict()["assumed"]


def test_a_folder_in_order_is_described(folder):
    assert assumed(folder) == {
        "bands read": "1, 2, 3 of 3 (5)",
        "value range": "0..255 in 8-bit images (5; found 0..255)",
        "orientation": "every image is stored upright",
        "label files": "gray PNG (5)",
        "ignored label values": "9 (25 % of the pixels)",
        "classes that never occur": "none, over all splits",
        "hidden files and folders skipped": "none",
        "identical images between splits": "none",
    }


@pytest.mark.parametrize(
    ("classes", "text"),
    [
        ("0,a\n1,b\n2,c\n9,d\n", "no value; every pixel has a class"),
        ("0,a\n1,b\n2,void\n9,void\n", "2, 9 (50 % of the pixels)"),
        ("0,a\n1,b\n2,c\n9,d\n7,void\n8,void\n", "7..8 (0 % of the pixels)"),
    ],
)
def test_ignored_values_are_those_of_the_table(folder, classes, text):
    (folder / "classes.csv").write_text(f"index,name\n{classes}")
    assert assumed(folder)["ignored label values"] == text


def test_kinds_of_label_files_are_counted(folder):
    for path, mode in ((folder / "labels/train/a.png", "P"), (folder / "labels/val/d.png", "I;16")):
        values = np.array(Image.open(path))
        image = Image.fromarray(values.astype(np.uint16) if mode == "I;16" else values)
        if mode == "P":
            image.putpalette(VOC.palette.tobytes())
        image.save(path)
    values = np.array(Image.open(folder / "labels/val/e.png"))
    (folder / "labels/val/e.png").unlink()
    Image.fromarray(values).save(folder / "labels/val/e.tif")
    assert assumed(folder)["label files"] == "gray PNG (2), palette PNG (1), 16-bit PNG (1), gray TIFF (1)"


def test_classes_that_occur_in_one_split_alone_are_not_absent(folder):
    (folder / "classes.csv").write_text("index,name\n0,water\n1,land\n2,boat\n3,ice\n4,crane\n9,void\n")
    layouts.save(folder / "labels/val/d.png", np.full((8, 12), 4))
    assert assumed(folder)["classes that never occur"] == "1 of 5: ice"


def test_what_attseg_wrote_is_no_hidden_file_of_a_person(folder):
    (folder / ".attseg-written.jsonl").write_text("")
    assert dict(check("folder", folder).assumed)["hidden files and folders skipped"] == "none"


def test_hidden_things_are_counted_and_change_nothing_else(folder):
    before = check("folder", folder)
    for place in ("images/train", "labels/train", "images/val", "."):
        for hidden in (".ipynb_checkpoints", "@eaDir", "__MACOSX", ".Trash-1000"):
            (folder / place / hidden).mkdir()
            shutil.copy(folder / "images/train/a.png", folder / place / hidden / "a-checkpoint.png")
        for hidden in ("._b.png", ".DS_Store", "Thumbs.db"):
            (folder / place / hidden).write_bytes(b"\x00\x05\x16\x07")
    after = check("folder", folder)
    assert after.findings == [] and after.splits == before.splits
    text = dict(after.assumed)["hidden files and folders skipped"]
    assert text.startswith("28: ") and ".ipynb_checkpoints (4)" in text and text.endswith(" and 2 more")


def test_images_that_two_splits_share_are_named(folder):
    shutil.copy(folder / "images/train/a.png", folder / "images/val/d.png")
    shutil.copy(folder / "images/train/a.png", folder / "images/val/e.png")
    shutil.copytree(folder / "images/val", folder / "images/test")
    shutil.copytree(folder / "labels/val", folder / "labels/test")
    assert assumed(folder)["identical images between splits"] == (
        "2 images in both train and val: a = d, a = e; 2 images in both train and test: a = d, a = e; "
        "4 images in both val and test: d, d = e, e and 1 more"
    )


def test_splits_that_overlap_on_purpose_share_nothing(voc):
    lists = voc / "VOCdevkit/VOC2012/ImageSets/Segmentation"
    (lists / "trainval.txt").write_text((lists / "train.txt").read_text() + (lists / "val.txt").read_text())
    result = assumed(voc, "voc2012")
    assert result["identical images between splits"] == "none"
    assert result["label files"] == "palette PNG (8)"
    assert result["ignored label values"] == "255 (25 % of the pixels)"


def test_matlab_files_are_labels_too(sbd):
    assert assumed(sbd, "sbd")["label files"] == "MATLAB (4)"


def test_where_nothing_could_be_read_nothing_is_said_of_it(folder):
    (folder / "classes.csv").unlink()
    assert set(assumed(folder)) == {
        "bands read",
        "value range",
        "orientation",
        "label files",
        "hidden files and folders skipped",
        "identical images between splits",
    }
    assert assumed(folder / "none") == {}
