import json
import sys

import pytest
from PIL import Image

from attseg.cli import main
from attseg.inference.exported.engines import read_description
from onnx_files import picture, strongest


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--out", "model.pb"], "--out is model.pb; a name that ends in .pt2, .onnx or .xml was expected"),
        (
            ["--out", "model.tflite"],
            "--out is model.tflite; a name that ends in .pt2, .onnx or .xml was expected, which says the format. docs/",
        ),
        (["--out", "m.onnx", "--format", "pt2"], "--format is pt2, but --out is m.onnx; end its name with .pt2"),
        (["--out", "m.onnx", "--agreement", "99"], "--agreement is 99; a share from 0 to 1 was expected"),
        (["--out", "m.onnx", "--max-drop", "2"], "--max-drop is for --int8; add that, or leave it out"),
        (["--out", "m.onnx", "--data.name", "camvid"], "--data.name is for --int8"),
        (["--out", "m.pt2", "--int8"], "--int8 makes integers of .onnx and .xml"),
        (
            ["--out", "m.xml", "--int8", "--calibration-pictures", "0"],
            "--calibration-pictures: '0' was given; a whole number from 1 on",
        ),
        (["--out", "m.xml", "--int8", "--unmeasured", "--max-drop", "2"], "--unmeasured measures nothing"),
        (["--out", "m.onnx", "--resize", "512"], "--resize: '512' was given; HEIGHTxWIDTH in pixels"),
        (["--out", "m.onnx", "--size", "8x64"], "size is 8 x 64 (height x width); 32 to 16384 pixels a side"),
        (["--out", "m.onnx", "--pictures", "nowhere.png"], "there is no file or folder 'nowhere.png'"),
        (["--out", "m.onnx", "--gives", "label"], '"label" for --gives. Choose from: "labels"'),
    ],
)
def test_what_does_not_go_together_is_refused(trained, arguments, message, capsys):
    assert main(["export", str(trained), *arguments]) == 2
    assert message in capsys.readouterr().err


def test_a_missing_package_is_said_before_any_work(trained, tmp_path, monkeypatch, capsys):
    for package, arguments in (("onnxscript", []), ("nncf", ["--int8"])):
        monkeypatch.setitem(sys.modules, package, None)
        assert main(["export", str(trained), "--out", str(tmp_path / "m.onnx"), *arguments]) == 2
        assert f"needs the package {package}" in capsys.readouterr().err


@pytest.mark.slow
def test_integers_without_data_say_what_to_give(trained, tmp_path, capsys):
    call = ["export", str(trained), "--out", str(tmp_path / "m.xml"), "--int8", "--data.name", "camvid"]
    assert main(call) == 2
    error = capsys.readouterr().err
    assert "--int8 calibrates on the training split, and the data set 'camvid' lies in a folder" in error
    assert "(--calibrate DIR)" in error


def test_files_of_attseg_are_predicted_and_explained_away(tmp_path, capsys):
    Image.fromarray(picture()).save(tmp_path / "a.png")
    model = strongest(tmp_path / "model.onnx")
    assert main(["predict", str(model), str(tmp_path / "a.png"), "--out", str(tmp_path / "out")]) == 0
    assert capsys.readouterr().out.endswith(": 1 segmented\n")
    assert main(["export", str(model), "--out", str(tmp_path / "m.pt2")]) == 2
    assert "an exported file cannot be exported again" in capsys.readouterr().err
    assert main(["evaluate", str(model), "--data.name", "scenes"]) == 2
    assert "knows 3 classes (red, green, blue), and the data set has 12" in capsys.readouterr().err
    assert main(["evaluate", str(model)]) == 2
    assert "does not say which data it was trained on" in capsys.readouterr().err


@pytest.mark.compile
@pytest.mark.slow
def test_a_run_becomes_a_file_with_a_report_that_evaluates_alike(trained, tmp_path, capsys):
    file = tmp_path / "model.pt2"
    call = ["export", str(trained), "--out", str(file), "--size", "64x64"]
    assert main(call) == 0
    printed = capsys.readouterr().out
    assert "takes  `images` uint8 (N, 64, 64, 3), red, green, blue" in printed
    assert "sizes  64 x 64 (height x width) alone" in printed
    assert "not a benchmark" in printed
    report = json.loads((tmp_path / "model.pt2.report.json").read_text())
    assert report["parity"]["passed"] is True
    assert [row["size"] for row in report["parity"]["rows"]] == [[64, 64]]
    assert read_description(file).info["recipe"]["name"] == "pan-scenes"
    scores = []
    for run in (trained, file):
        assert main(["evaluate", str(run), "--json", "--out", str(tmp_path / f"of-{run.name}")]) == 0
        scores.append(json.loads(capsys.readouterr().out))
    assert scores[0]["miou"] == pytest.approx(scores[1]["miou"], abs=1e-3)
    assert scores[1]["recipe"] == "pan-scenes"


@pytest.mark.compile
@pytest.mark.slow
def test_integers_are_calibrated_measured_and_refused_if_they_lose_too_much(trained, tmp_path, capsys):
    file = tmp_path / "model.onnx"
    call = ["export", str(trained), "--out", str(file), "--size", "64x64", "--int8", "--calibration-pictures", "2"]
    assert main([*call, "--max-drop", "-101"]) == 1
    assert f"more than --max-drop -101: {file} is not written" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
    assert main([*call, "--max-drop", "100", "--agreement", "1"]) == 1  # integers never agree wholly
    captured = capsys.readouterr()
    assert "8-bit integers, calibrated with 2 pictures: mIoU " in captured.out
    assert "falls short of its network: at 64 x 64 only" in captured.err
    report = json.loads((tmp_path / "model.onnx.report.json").read_text())
    assert report["int8"]["calibrated_with"] == 2
    assert report["int8"]["drop"]["pictures"] == 5
    assert read_description(file).quantised
