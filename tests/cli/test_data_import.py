import json

import pytest

from attseg.cli import main
from attseg.data.importing import shapes
from labelling import cvat_folder, labelme_folder, write_picture


def test_two_commands(tmp_path, capsys):
    labelme_folder(tmp_path / "e")
    write_picture(tmp_path / "e" / "later.jpg")
    assert main(["data", "import", str(tmp_path / "e"), "--out", str(tmp_path / "my set")]) == 0
    told = capsys.readouterr().out
    assert "labelme in" in told and "6 pictures: train 5, val 1" in told
    assert "leaf over crack (462 pixels)" in told
    assert "1 picture left out: nobody has labelled them (--unlabeled background takes them): later" in told
    assert f"attseg train pan-folder --data.root '{tmp_path / 'my set'}'" in told
    assert main(["data", "check", str(tmp_path / "my set")]) == 0


def test_a_broken_file_is_told_and_ends_with_1(tmp_path, capsys):
    folder = labelme_folder(tmp_path / "e", 12)
    for index in range(7):
        (folder / f"p{index}.json").write_text("{")
    assert main(["data", "import", str(folder), "--out", str(tmp_path / "out")]) == 1
    told = capsys.readouterr().out
    assert f"skipped: p0: {folder / 'p0.json'} is no JSON" in told
    assert "and 2 more, which" in told and "7 pictures skipped for broken or missing files" in told
    assert len(json.loads((tmp_path / "out" / "import.json").read_text())["broken"]) == 7


def test_json(tmp_path, capsys):
    labelme_folder(tmp_path / "e")
    assert (
        main(
            [
                "data",
                "import",
                str(tmp_path / "e"),
                "--out",
                str(tmp_path / "out"),
                "--split",
                "0.5",
                "--seed",
                "3",
                "--json",
            ]
        )
        == 0
    )
    told = json.loads(capsys.readouterr().out)
    assert told["splits"] == {"train": 3, "val": 3} and told["classes"] == ["background", "crack", "leaf"]
    kept = json.loads((tmp_path / "out" / "import.json").read_text())
    assert {key: kept[key] for key in told} == told


def test_options_reach_the_import(tmp_path, capsys):
    labelme_folder(tmp_path / "e")
    arguments = [
        "--classes",
        "leaf,crack",
        "--overlap",
        "smaller",
        "--uncovered",
        "ignore",
        "--split",
        "0.5",
        "--link",
        "--format",
        "labelme",
    ]
    assert main(["data", "import", str(tmp_path / "e"), "--out", str(tmp_path / "out"), *arguments]) == 0
    assert (tmp_path / "out" / "classes.csv").read_text().splitlines()[1:] == [
        "0,leaf,,,,0",
        "1,crack,,,,0",
        "255,ignore,,,,1",
    ]
    capsys.readouterr()
    splits = str(tmp_path / "out" / "splits.csv")
    assert main(["data", "import", str(tmp_path / "e"), "--out", str(tmp_path / "again"), "--split", splits]) == 0
    assert (tmp_path / "again" / "splits.csv").read_bytes() == (tmp_path / "out" / "splits.csv").read_bytes()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "--out"),
        (["--out", "x", "--overlap", "first"], "later"),
        (["--out", "x", "--split", "none.csv"], "none.csv"),
        (["--out", "x", "--imges", "y"], "did you mean '--images DIR'"),
        (["--out", "x", "--images", "y"], "there is no file or folder 'y'"),
    ],
)
def test_wrong_use(tmp_path, capsys, monkeypatch, arguments, said):
    labelme_folder(tmp_path / "e")
    monkeypatch.chdir(tmp_path)
    assert main(["data", "import", "e", *arguments]) != 0
    assert said in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["e"]


def test_without_the_extra_the_command_that_installs_it_is_told(tmp_path, capsys, monkeypatch):
    cvat_folder(tmp_path / "e")

    def fails():
        raise shapes._missing("pycocotools")

    monkeypatch.setattr(shapes, "pycocotools_mask", fails)
    assert main(["data", "import", str(tmp_path / "e"), "--out", str(tmp_path / "out")]) == 1
    told = capsys.readouterr().err
    assert "need pycocotools: pip install" in told
    assert not (tmp_path / "out").exists()
