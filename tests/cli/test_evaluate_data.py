"""Numbers stay those of the data that they were measured on: changed labels, other roots, the run's own report."""

import json
import os
import shutil

import numpy as np
import pytest
from PIL import Image

from attseg.cli import main

TRAIN = (
    *("pan-folder", "--model.args.encoder", "test_resnet", "--model.args.channels", "8", "--crop_size", "64,64"),
    *("--batch_size", "2", "--steps", "2", "--val_every", "2", "--machine.workers", "0", "--machine.device", "cpu"),
)


def make(root, seed):
    random = np.random.default_rng(seed)
    for split in ("train", "val"):
        for place in range(2):
            for part, values in (
                ("images", random.integers(0, 256, (64, 64, 3))),
                ("labels", random.integers(0, 2, (64, 64))),
            ):
                path = root / part / split / f"{place}.png"
                path.parent.mkdir(parents=True, exist_ok=True)
                Image.fromarray(values.astype(np.uint8)).save(path)
    (root / "classes.csv").write_text("index,name\n0,a\n1,b\n")
    return root


@pytest.fixture(scope="module")
def trained_once(tmp_path_factory):
    place = tmp_path_factory.mktemp("own")
    make(place / "mine", 0)
    assert main(["train", *TRAIN, "--data.root", str(place / "mine"), "--out", str(place / "run")]) == 0
    return place


@pytest.fixture
def place(trained_once, tmp_path):
    """A folder with ``mine``, ``run`` and ``other``; the run knows its data by their path in the other folder."""
    shutil.copytree(trained_once / "run", tmp_path / "run")
    make(tmp_path / "other", 1)
    return tmp_path


def evaluate(place, *options):
    return main(["evaluate", str(place / "run"), "--machine.workers", "0", *map(str, options)])


@pytest.mark.slow
def test_every_report_says_on_which_data(trained_once, place):
    assert evaluate(place) == 0
    for file in (place / "run" / "report.json", place / "run" / "evaluation" / "report.json"):
        report = json.loads(file.read_text())
        assert report["root"] == str((trained_once / "mine").resolve())
        assert (report["data"], report["split"], report["pictures"]) == ("folder", "val", 2)
        assert len(report["files"]) == 16


@pytest.mark.slow
def test_other_data_never_go_over_the_runs_own_report(place, capsys):
    assert evaluate(place) == 0
    before = {path: path.read_bytes() for path in (place / "run").rglob("report.json")}
    capsys.readouterr()
    assert evaluate(place, "--data.root", place / "other") == 0
    told = capsys.readouterr().out
    (folder,) = (place / "run").glob("evaluation-folder-other-*")
    assert str(folder) in told and "not on the data of the run" in told
    assert json.loads((folder / "report.json").read_text())["root"] == str((place / "other").resolve())
    assert before == {path: path.read_bytes() for path in before}


@pytest.mark.parametrize("out", ["run", "run/evaluation"])
def test_nor_when_out_names_its_folder(out, place, capsys):
    assert evaluate(place) == 0
    before = {path: path.read_bytes() for path in (place / "run").rglob("report.json")}
    assert evaluate(place, "--data.root", place / "other", "--out", place / out) == 2
    assert "--out" in capsys.readouterr().err
    assert before == {path: path.read_bytes() for path in before}


def test_another_split_has_its_own_folder(place):
    assert evaluate(place, "--split", "train") == 0
    assert json.loads((place / "run" / "evaluation-train" / "report.json").read_text())["split"] == "train"
    assert not (place / "run" / "evaluation").exists()


@pytest.mark.slow
@pytest.mark.parametrize("part", ["images", "labels"])
def test_what_changed_is_measured_anew(part, place, capsys):
    other, out = place / "other", place / "out"
    call = ("--data.root", other, "--out", out)
    assert evaluate(place, *call) == 0
    path = other / part / "val" / "1.png"
    values = 255 - np.asarray(Image.open(path)) if part == "images" else 1 - np.asarray(Image.open(path))
    old = path.stat()
    content = path.read_bytes()
    Image.fromarray(values.astype(np.uint8)).save(path)
    padding = max(0, len(content) - path.stat().st_size)
    path.write_bytes(path.read_bytes() + b"\0" * padding)  # PNG readers stop at its end: often the same size as before
    os.utime(path, ns=(old.st_atime_ns, old.st_mtime_ns + 1_000))
    capsys.readouterr()
    assert evaluate(place, *call, "--resume") == 0
    assert "1 of 2 images or label files may have changed" in capsys.readouterr().err
    resumed = json.loads((out / "report.json").read_text())
    assert evaluate(place, *call) == 0
    assert json.loads((out / "report.json").read_text())["counts"] == resumed["counts"]
    assert evaluate(place, *call, "--resume") == 0
    assert "changed" not in capsys.readouterr().err
