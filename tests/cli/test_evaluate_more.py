"""``attseg evaluate`` with all that it can measure beside mIoU, and two runs against each other."""

import importlib.util
import json
from contextlib import redirect_stdout
from io import StringIO

import pytest
from PIL import Image

from attseg.checkpoint import read_weights, save_weights
from attseg.cli import main
from attseg.data.classes import ClassTable
from attseg.prediction import crf

MORE = ("--boundary", "--sizes", "--calibration", "--interval", "--block", "2")


@pytest.fixture(scope="module")
def measured(trained, tmp_path_factory):
    """The folder of an evaluation of everything, against the run's last weights, and what was printed."""
    out = tmp_path_factory.mktemp("everything")
    with redirect_stdout(StringIO()) as text:
        against = ("--against", str(trained / "last.safetensors"))
        assert main(["evaluate", str(trained), *MORE, *against, "--out", str(out)]) == 0
    return out, text.getvalue()


@pytest.mark.slow
def test_the_report_holds_all_meters_and_the_interval(measured):
    out, printed = measured
    values = json.loads((out / "report.json").read_text())
    assert set(values["meters"]) == {"boundary", "sizes", "calibration"}
    assert values["interval"]["low"] <= values["miou"] <= values["interval"]["high"]
    counted = values["meters"]["calibration"]["bins"]
    assert sum(one["pixels"] for one in counted) == values["pixels"]
    assert values["meters"]["calibration"]["accuracy"] == pytest.approx(values["pixel_accuracy"])
    assert sum(size["pixels"] for size in values["meters"]["sizes"]["sizes"]) == values["pixels"]
    for text in ("boundary IoU", "pixels around boundaries", "F-score of contours", "area of a region", "calibration"):
        assert text in printed
    assert f"mIoU {100 * values['miou']:.2f} %, over blocks of 2 pictures" in printed
    assert values["interval"]["block"] == values["against"]["block"] == 2


def test_pictures_stand_beside_the_report(measured):
    out, printed = measured
    for name in ("trimap.png", "reliability.png", "comparison.png"):
        with Image.open(out / name) as picture:
            assert min(picture.size) > 200
        assert name in printed.splitlines()[-1]


def test_a_comparison_on_the_same_pictures(measured):
    out, printed = measured
    values = json.loads((out / "comparison.json").read_text())
    assert values["miou"]["after"] == json.loads((out / "report.json").read_text())["miou"]
    assert len(values["pictures"]) == 5
    assert "with 95 % intervals over blocks of 2 pictures\n" in printed
    assert "moved beyond chance: none" in printed  # best and last are the same weights after one evaluation
    assert values["miou"]["change"] == {"value": 0, "low": 0, "high": 0}


def rewritten(trained, folder, **changes):
    """The run's weights with something else said about them."""
    weights = read_weights(trained / "best.safetensors")
    said = {"model": weights.model, "classes": weights.classes, "info": weights.info} | changes
    file = folder / "other.safetensors"
    save_weights(file, weights.state, preprocessing=weights.preprocessing, **said)
    return file


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--block", "2"], "--block is about intervals; give --interval or --against too"),
        (
            ["--interval", "--block", "9"],
            "blocks of 9 pictures were to be drawn from 5; blocks of 1 to 2 were expected",
        ),
    ],
)
def test_blocks_that_cannot_be_drawn_are_refused_before_anything_is_measured(
    options, message, trained, tmp_path, capsys
):
    assert main(["evaluate", str(trained), *options, "--out", str(tmp_path / "out")]) == 2
    assert message in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_models_of_other_classes_or_data_are_not_compared(trained, tmp_path, capsys):
    weights = read_weights(trained / "best.safetensors")
    renamed = ClassTable(tuple(reversed(weights.classes.names)), weights.classes.colors)
    other = rewritten(trained, tmp_path, classes=renamed)
    assert main(["evaluate", str(trained), "--against", str(other)]) == 2
    assert "only models of the same classes can be compared" in capsys.readouterr().err
    recipe = weights.info["recipe"]
    moved = weights.info | {"recipe": recipe | {"data": recipe["data"] | {"name": "camvid"}}}
    other = rewritten(trained, tmp_path, info=moved)
    assert main(["evaluate", str(trained), "--against", str(other)]) == 2
    assert "was trained on scenes and" in (text := capsys.readouterr().err)
    assert "on camvid; say with --data.name and --data.root on which data both are to be compared" in text


@pytest.mark.parametrize("verb", [("evaluate",), ("predict", "x.png", "--out", "y")], ids=lambda verb: verb[0])
def test_a_crf_that_is_not_installed_gets_a_sentence(verb, trained, capsys, monkeypatch):
    monkeypatch.setattr(crf, "find_spec", lambda name: None)
    assert main([verb[0], str(trained), *verb[1:], "--crf"]) == 2
    assert (
        "needs the package pydensecrf2, which is not installed: pip install 'pydensecrf2>=1.1'"
        in capsys.readouterr().err
    )


@pytest.mark.slow
@pytest.mark.skipif(importlib.util.find_spec("pydensecrf") is None, reason="pydensecrf2 is not installed")
def test_a_crf_refines_in_both_verbs(trained, tmp_path, capsys):
    out = tmp_path / "refined"
    assert main(["evaluate", str(trained), "--crf", "--calibration", "--out", str(out), "--json"]) == 0
    values = json.loads(capsys.readouterr().out)
    assert values["crf"]["bi_w"] == 3.5
    assert values["meters"]["calibration"]["accuracy"] == pytest.approx(values["pixel_accuracy"])
    Image.new("RGB", (64, 48), (90, 120, 30)).save(tmp_path / "a.png")
    assert main(["predict", str(trained), str(tmp_path / "a.png"), "--crf", "--out", str(tmp_path / "p")]) == 0
    with Image.open(tmp_path / "p" / "labels" / "a.png") as labels:
        assert labels.size == (64, 48)


def test_a_submission_needs_the_classes_of_its_data_set(trained, tmp_path, capsys):
    assert main(["evaluate", str(trained), "--submission", "voc", "--out", str(tmp_path)]) == 2
    assert "PASCAL VOC 2012 is of its 21 classes" in capsys.readouterr().err
    assert main(["evaluate", str(trained / "best.safetensors"), "--submission", "voc"]) == 2
    assert "--submission writes an archive; say with --out where to" in capsys.readouterr().err


@pytest.mark.slow
def test_both_verbs_write_submissions_after_a_break_too(trained, tmp_path, capsys, monkeypatch):
    """The scenes pass for a data set with a server; a second run finds all counted, and predicts again for the archive."""
    from dataclasses import replace

    from attseg.evaluation.submission import RULES

    classes = read_weights(trained / "best.safetensors").classes
    monkeypatch.setitem(RULES, "voc", replace(RULES["voc"], table=classes))
    call = ["evaluate", str(trained), "--submission", "voc", "--out", str(tmp_path / "e")]
    assert main(call) == 0
    assert "submission-voc.tgz: 5 pictures for the server of PASCAL VOC 2012, checked; its test split has 1456" in (
        capsys.readouterr().out
    )
    first = (tmp_path / "e" / "submission-voc.tgz").stat().st_size
    assert main([*call, "--resume"]) == 0
    assert (tmp_path / "e" / "submission-voc.tgz").stat().st_size == first
    Image.new("RGB", (64, 48), (90, 120, 30)).save(tmp_path / "a.png")
    call = ["predict", str(trained), str(tmp_path / "a.png"), "--submission", "voc", "--out", str(tmp_path / "p")]
    for _ in range(2):
        assert main(call) == 0
        assert "submission-voc.tgz: 1 pictures" in capsys.readouterr().out


@pytest.mark.slow
def test_classes_left_out_means_over_pictures_and_the_worst_ones(trained, tmp_path, capsys):
    more = ("--exclude", "sky,road", "--per-picture", "--worst", "3")
    assert main(["evaluate", str(trained), *more, "--out", str(tmp_path)]) == 0
    printed, values = capsys.readouterr().out, json.loads((tmp_path / "report.json").read_text())
    kept = [iou for name, iou in values["per_class"].items() if name not in ("sky", "road") and iou is not None]
    assert values["miou_without"] == {"excluded": ["sky", "road"], "miou": pytest.approx(sum(kept) / len(kept))}
    assert f"mIoU without sky, road: {100 * values['miou_without']['miou']:.2f} %" in printed
    assert f"pictures: mIoU {100 * values['per_picture']['miou']:.2f} %" in printed
    rows = (tmp_path / "worst.csv").read_text().splitlines()
    assert len(rows) == 1 + values["pictures"]
    with Image.open(tmp_path / "worst.png") as sheet:
        assert sheet.width > 4 * 200
    table = [row.split(",") for row in (tmp_path / "confusion.csv").read_text().splitlines()]
    assert [[int(count) for count in row[1:]] for row in table[1:]] == values["counts"]
    table = [row.split(",") for row in (tmp_path / "classes.csv").read_text().splitlines()]
    assert table[0] == ["class", "iou", "recall", "precision", "f1", "labelled_pixels"]
    for name, iou, recall, *_ in table[1:]:
        expected = values["per_class"][name]
        assert iou == "" if expected is None else float(iou) == pytest.approx(expected, abs=1e-6)
        assert bool(recall) == (values["recall_per_class"][name] is not None)
    assert main(["evaluate", str(trained), *more, "--out", str(tmp_path)]) == 0  # its own files are replaced


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--exclude", "skyy"], "did you mean 'sky'"),
        (["--worst", "0", "--out", "x"], "worst is 0"),
    ],
)
def test_measures_that_make_no_sense_are_wrong_use(trained, tmp_path, monkeypatch, arguments, message, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["evaluate", str(trained), *arguments]) == 2
    assert message in capsys.readouterr().err
