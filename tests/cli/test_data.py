import json

import numpy as np
import pytest
from PIL import Image

import layouts
from attseg.cli import main
from attseg.data.catalog import CATALOG


@pytest.fixture
def mine(tmp_path, monkeypatch):
    """A folder of one's own with two classes and a picture a split; where the command runs is another."""
    monkeypatch.chdir(tmp_path)
    root = tmp_path / "mine"
    for split in ("train", "val"):
        for kind in ("images", "labels"):
            (root / kind / split).mkdir(parents=True)
        noise = np.random.default_rng(len(split)).integers(0, 256, (40, 50, 3), dtype=np.uint8)
        Image.fromarray(noise).save(root / "images" / split / f"{split}.png")
        Image.fromarray((noise[..., 0] > 127).astype(np.uint8)).save(root / "labels" / split / f"{split}.png")
    (root / "classes.csv").write_text("index,name,r,g,b\n0,land,0,128,0\n1,water,0,0,255\n")
    return root


def test_a_good_folder_passes(mine, capsys):
    assert main(["data", "check", str(mine)]) == 0
    text = capsys.readouterr().out
    assert text.startswith(f"folder in {mine}\n")
    assert text.endswith(
        "\n\nassumed about the data:\n"
        "  bands read: 1, 2, 3 of 3 (2)\n"
        "  value range: 0..255 in 8-bit images (2; found 0..255)\n"
        "  orientation: every image is stored upright\n"
        "  label files: gray PNG (2)\n"
        "  ignored label values: no value; every pixel has a class\n"
        "  classes that never occur: none, over all splits\n"
        "  hidden files and folders skipped: none\n"
        "  identical images between splits: none\n"
        "nothing is wrong\n"
    )
    assert [path.name for path in mine.parent.iterdir()] == ["mine"], "nothing is written without --out"
    assert [line.split()[:2] for line in text.splitlines() if line.startswith(("train", "val"))] == [
        ["train", "1"],
        ["val", "1"],
    ]
    assert {"land", "water"} <= set(text.split())


def test_a_folder_can_be_named_in_two_ways(mine, capsys):
    assert main(["data", "check", str(mine)]) == 0
    short = capsys.readouterr().out
    assert main(["data", "check", "folder", "--data.root", str(mine)]) == 0
    assert capsys.readouterr().out == short


def test_what_is_wrong_is_named_and_the_status_says_so(mine, capsys):
    labels = np.zeros((40, 50), np.uint8)
    labels[0] = 7
    Image.fromarray(labels).save(mine / "labels" / "val" / "val.png")
    assert main(["data", "check", str(mine)]) == 1
    text = capsys.readouterr().out
    assert f"error: {mine / 'labels' / 'val' / 'val.png'}" in text
    assert text.endswith("\n1 error, to be mended before training: unknown label (1)\n")
    assert ["7", "0.00", "2.50"] in [line.split() for line in text.splitlines()]  # one row of 40


def test_many_findings_of_a_kind_are_shortened_but_all_are_in_the_json(mine, capsys):
    for index in range(8):
        (mine / "images" / "train" / f"broken{index}.png").write_text("no picture")
        Image.new("L", (50, 40)).save(mine / "labels" / "train" / f"broken{index}.png")
    assert main(["data", "check", str(mine)]) == 1
    text = capsys.readouterr().out
    assert text.count("cannot be read as a picture") == 5
    assert "and 3 more of the kind 'unreadable picture' in train (--json lists all)" in text
    assert main(["data", "check", str(mine), "--json"]) == 1
    values = json.loads(capsys.readouterr().out)
    assert values["counts"]["unreadable picture"] == 8
    assert values["ok"] is False
    assert values["assumed"]["label files"] == "gray PNG (10)"


def test_warnings_alone_do_not_fail(mine, capsys):
    (mine / "classes.csv").write_text("index,name,r,g,b\n0,land,0,128,0\n1,water,0,0,255\n2,ice,255,255,255\n")
    assert main(["data", "check", str(mine)]) == 0
    text = capsys.readouterr().out
    assert "\n  classes that never occur: 1 of 3: ice\n" in text
    assert "\nnothing stands against training; warnings: " in text


def test_without_a_table_of_classes_the_values_are_counted(mine, capsys):
    (mine / "classes.csv").unlink()
    assert main(["data", "check", str(mine)]) == 1
    text = capsys.readouterr().out
    counts = [line.split() for line in text.splitlines() if len(line.split()) == 3 and line.split()[0] in "01"]
    assert [value for value, *_ in counts] == ["0", "1"]
    assert sum(float(share) for _, share, _ in counts) == pytest.approx(100)
    assert "classes.csv; it says what the numbers in label files mean" in text


def test_a_check_can_draw_samples_too_and_says_where(mine, tmp_path, capsys):
    assert main(["data", "check", str(mine), "--out", "samples.png"]) == 0
    assert capsys.readouterr().out.endswith(f"\nsamples are drawn in {tmp_path / 'samples.png'}\n")
    with Image.open("samples.png") as picture:
        assert picture.width > 3 * 50
    assert main(["data", "check", str(mine), "--json", "--out", "again.png"]) == 0
    json.loads(capsys.readouterr().out)
    assert (tmp_path / "again.png").is_file()


def test_samples_go_to_the_folder_of_runs_where_nothing_else_is_said(mine, tmp_path, capsys):
    assert main(["data", "show", str(mine)]) == 0
    assert capsys.readouterr().out == f"{tmp_path / 'runs' / 'mine-samples.png'}\n"
    assert [path.name for path in (tmp_path / "runs").glob("[!.]*")] == ["mine-samples.png"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["mine", "runs"]


def test_samples_are_drawn(mine, capsys, tmp_path):
    out = tmp_path / "new" / "samples.png"
    assert main(["data", "show", str(mine), "--split", "val", "--out", str(out)]) == 0
    assert capsys.readouterr().out == f"{out}\n"
    with Image.open(out) as picture:
        assert picture.format == "PNG"


def test_a_part_of_a_public_data_set_passes_and_is_said_to_be_one(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    layouts.make_cityscapes(tmp_path / "streets")
    assert main(["data", "check", "cityscapes", "--data.root", "streets", "--data.options.labels", "trainIds"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert ["train", "2", "of", "2,975", "8", "x", "12"] in [line.split()[:7] for line in lines]
    assert "(16 of 19 classes never occur)" in lines
    assert "note: val is a part: 1 of the 500 pictures released are there" in lines
    assert any(line.startswith("note: labels of train are read from *_gtFine_labelTrainIds.png") for line in lines)
    assert lines[-1].startswith("nothing stands against training; warnings: ")
    assert not (tmp_path / "streets-samples.png").exists()


def test_damage_to_a_public_data_set_fails(tmp_path, capsys):
    layouts.make_ade20k(tmp_path)
    labels = tmp_path / "ADEChallengeData2016/annotations/validation/ADE_val_00000001.png"
    labels.unlink()
    assert main(["data", "check", "ade20k", "--data.root", str(tmp_path)]) == 1
    assert f"ADE_val_00000001.jpg has no labels: {labels} does not exist\n" in capsys.readouterr().out


def test_a_split_without_labels_can_be_shown(tmp_path, capsys):
    layouts.make_voc(tmp_path)
    out = tmp_path / "test.png"
    assert main(["data", "show", "voc2012", "--data.root", str(tmp_path), "--split", "test", "--out", str(out)]) == 0
    assert out.is_file()


def test_what_there_is_of_a_part_is_shown(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    layouts.make_voc(tmp_path / "voc")
    (tmp_path / "voc/VOCdevkit/VOC2012/ImageSets/Segmentation/train.txt").unlink()
    assert main(["data", "show", "voc2012", "--data.root", "voc"]) == 0
    assert capsys.readouterr().out == f"{tmp_path / 'runs/voc-samples.png'}\n"
    assert main(["data", "check", "voc2012", "--data.root", "voc"]) == 0


def test_help_lists_the_data_sets_with_their_options(capsys):
    assert main(["data", "check", "--help"]) == 0
    text = capsys.readouterr().out
    for name, record in CATALOG.items():
        assert f"{name:<11} {record.about}" in text
        assert all(f"--data.options.{option} " in text for option in record.options)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["check", "cityscapes", "--data.root", "x", "--data.options.label", "fine"],
            "there is no option of cityscapes 'label'",
        ),
        (["check", "voc2012", "--data.rot", "x"], "there is no option '--data.rot'; did you mean '--data.root DIR'"),
        (
            ["check", "camvi"],
            "there is no data set 'camvi'; did you mean 'camvid'? There are: scenes, camvid, folder, voc2012, sbd, ade20k, "
            "cityscapes; nor is",
        ),
        (["check", "camvi", "--data.root", "x"], "there is no data set 'camvi'"),
        (["check", "camvid"], "the data set 'camvid' lies in a folder, and none was given"),
        (
            ["chekc", "scenes"],
            'Invalid value "chekc" for ACTION. Choose from: "check", "show", "split", "download", "import".',
        ),
    ],
)
def test_wrong_use_is_explained(arguments, message, capsys):
    assert main(["data", *arguments]) == 2
    assert capsys.readouterr().err.startswith(f"attseg: {message}")


def test_a_file_of_a_labelling_tool_is_to_be_imported(tmp_path, capsys):
    (tmp_path / "my task.zip").write_bytes(b"PK")
    assert main(["data", "check", str(tmp_path / "my task.zip")]) != 0
    assert f"attseg data import '{tmp_path}/my task.zip' --out DIR" in capsys.readouterr().err
