"""A folder as a person has it: the check says what to type, and that trains, evaluates, goes on and is measured in folds."""

import json
import shlex
import shutil

import numpy as np
import pytest
from PIL import Image

from attseg.cli import main
from attseg.data.splitting import read_splits

TRAIN = (
    *("--model.args.encoder", "test_resnet", "--model.args.channels", "8", "--crop_size", "64,64", "--batch_size", "2"),
    *("--steps", "2", "--val_every", "2", "--machine.workers", "0", "--machine.device", "cpu"),
)


CLASSES = "index,name,r,g,b\n0,background,0,0,0\n1,crack,250,50,80\n"


@pytest.fixture(scope="module")
def mine(tmp_path_factory):
    """Twelve pictures and colour masks in one folder, and no table of classes."""
    root = tmp_path_factory.mktemp("own") / "mine"
    root.mkdir()
    random = np.random.default_rng(0)
    for index in range(12):
        add(root, f"photo{index:02d}", random)
    return root


def add(root, name, random):
    Image.fromarray(random.integers(0, 256, (64, 64, 3), np.uint8)).save(root / f"{name}.jpg")
    labels = random.integers(0, 2, (64, 64), np.uint8)
    Image.fromarray(np.array([[0, 0, 0], [250, 50, 80]], np.uint8)[labels]).save(root / f"{name}_mask.png")


def commands(capsys, *arguments):
    """What ``attseg data check`` says to type."""
    assert main(["data", "check", *arguments]) == 1
    lines = capsys.readouterr().out.splitlines()
    return [shlex.split(line)[1:] for line in lines if line.startswith("  attseg ")]


@pytest.fixture(scope="module")
def trained(mine, tmp_path_factory):
    return tmp_path_factory.mktemp("own") / "run"


@pytest.mark.slow
def test_doing_what_the_check_says_trains_a_model(mine, trained, capsys):
    propose, train = commands(capsys, str(mine))
    assert main(propose) == 0
    assert "2 rows; their names are placeholders" in capsys.readouterr().out
    assert (mine / "classes.csv").read_text().splitlines()[1:] == ["0,background,0,0,0,", "1,class fa3250,250,50,80,"]
    assert main(propose) == 0, "what attseg wrote itself may be written again"
    (mine / "classes.csv").write_text(CLASSES)
    assert main(propose) == 2, "and what a person has changed may not"
    capsys.readouterr()
    check = propose[: propose.index("--propose")]
    assert main(check) == 0
    text = capsys.readouterr().out
    assert "RGB PNG, read by colour (12)" in text
    assert "10 train, 2 val" in text
    assert main([*train, *TRAIN, "--out", str(trained)]) == 0
    splits = read_splits(trained / "splits.csv")
    assert sorted(splits) == [f"photo{index:02d}" for index in range(12)]
    assert sorted(splits.values()).count("val") == 2


@pytest.mark.slow
def test_the_run_is_measured_on_its_own_split_when_pictures_were_added(mine, trained, tmp_path, capsys):
    val = sorted(name for name, split in read_splits(trained / "splits.csv").items() if split == "val")
    random = np.random.default_rng(1)
    for index in range(12, 24):
        add(mine, f"photo{index:02d}", random)
    try:
        assert main(["evaluate", str(trained), "--json"]) == 0
        assert json.loads(capsys.readouterr().out)["pictures"] == 2
        counted = (trained / "evaluation/pictures.jsonl").read_text()
        assert all(name in counted for name in val)
        shutil.copytree(trained, tmp_path / "run")
        assert main(["train", "--resume", "--out", str(tmp_path / "run")]) == 0
        assert read_splits(tmp_path / "run/splits.csv") == read_splits(trained / "splits.csv")
        (tmp_path / "run/splits.csv").unlink()
        assert main(["evaluate", str(tmp_path / "run"), "--json"]) == 0
        captured = capsys.readouterr()
        assert "are divided anew by its options" in captured.err
        assert main(["evaluate", str(trained), "--json", "--data.options.split", "0.5"]) == 0
        assert json.loads(capsys.readouterr().out)["pictures"] == 12
    finally:
        for index in range(12, 24):
            (mine / f"photo{index:02d}.jpg").unlink()
            (mine / f"photo{index:02d}_mask.png").unlink()


@pytest.mark.slow
def test_predictions_in_place_of_labels_are_right_where_masks_are_colours(mine, trained, tmp_path):
    assert (
        main(
            [
                "predict",
                str(trained),
                str(mine / "photo00.jpg"),
                str(mine / "photo01.jpg"),
                "--out",
                str(tmp_path / "p"),
            ]
        )
        == 0
    )
    again = tmp_path / "again"
    again.mkdir()
    for name in ("photo00", "photo01"):
        shutil.copy(mine / f"{name}.jpg", again)
        shutil.copy(tmp_path / "p/labels" / f"{name}.png", again / f"{name}_mask.png")
    shutil.copy(mine / "classes.csv", again)
    out = tmp_path / "evaluation"
    options = (
        "--data.name",
        "folder",
        "--data.root",
        str(again),
        "--data.options.labels",
        "{stem}_mask.png",
        "--split",
        "val",
    )
    options += ("--data.options.split", "0.5", "--data.options.images", ".", "--data.options.masks", "color")
    assert main(["evaluate", str(trained), *options, "--out", str(out)]) == 0
    assert json.loads((out / "report.json").read_text())["pixel_accuracy"] == 1


@pytest.mark.slow
def test_folds_are_trained_and_measured_together(mine, tmp_path, capsys):
    options = ("--data.root", str(mine), "--data.options.labels", "{stem}_mask.png", "--data.options.masks", "color")
    runs = [str(tmp_path / f"fold-{number}") for number in (1, 2)]
    for number, run in enumerate(runs, 1):
        assert main(["train", "pan-folder", *options, "--data.options.fold", f"{number}/2", *TRAIN, "--out", run]) == 0
    val = [
        {name for name, split in read_splits(tmp_path / f"fold-{number}/splits.csv").items() if split == "val"}
        for number in (1, 2)
    ]
    assert val[0] | val[1] == {f"photo{index:02d}" for index in range(12)}
    assert val[0].isdisjoint(val[1])
    capsys.readouterr()
    assert main(["evaluate", *runs, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    each = [found["reports"][run]["miou"] for run in runs]
    assert found["folds"]["miou"]["mean"] == pytest.approx(np.mean(each))
    assert found["folds"]["miou"]["std"] == pytest.approx(np.std(each, ddof=1))
    added = sum(np.array(found["reports"][run]["counts"]) for run in runs)
    iou = np.diag(added) / (added.sum(0) + added.sum(1) - np.diag(added))
    assert found["folds"]["miou_of_added_counts"] == pytest.approx(iou.mean())
    assert main(["evaluate", *runs]) == 0
    text = capsys.readouterr().out
    assert "crack" in text
    assert ["class", "fold-1", "fold-2", "mean", "std"] in [line.split() for line in text.splitlines()]
    shutil.rmtree(tmp_path / "fold-1/evaluation")
    assert main(["evaluate", *runs, str(tmp_path / "fold-3")]) == 2
    assert "fold-3" in capsys.readouterr().err
    assert not (tmp_path / "fold-1/evaluation").exists(), "nothing is measured where a name is wrong"
    assert main(["evaluate", *runs, "--out", str(tmp_path / "out")]) == 2
    assert "--out is for one run, and 2 were given" in capsys.readouterr().err


def test_a_split_file_is_written_extended_and_used(mine, tmp_path, capsys):
    options = ("--data.options.labels", "{stem}_mask.png", "--data.options.masks", "color")
    (mine / "classes.csv").write_text(CLASSES)
    file = tmp_path / "splits.csv"
    split = ("data", "split", str(mine), *options, "--data.options.split", "0.75", "--out", str(file))
    assert main(split) == 0
    assert capsys.readouterr().out == f"{file}: 9 train, 3 val\n"
    assert main(split) == 0
    assert "12 pictures stayed, added: none" in capsys.readouterr().out
    assert main(["data", "check", str(mine), *options, "--data.options.split", str(file)]) == 0
    assert main(["data", "split", "camvid", "--out", str(file)]) == 2
    assert "camvid has its own splits" in capsys.readouterr().err
