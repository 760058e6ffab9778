"""How a picture is seen, as the command line says it: the same words for evaluation and prediction."""

import json

import numpy as np
import pytest
from PIL import Image

from attseg.cli import main
from attseg.inference.segmenter import load
from attseg.prediction.protocol import Protocol
from attseg.prediction.protocols import NAMES


@pytest.fixture(scope="module")
def multiscale(trained):
    """The report of an evaluation at several scales, in its folder."""
    assert main(["evaluate", str(trained), "--protocol", "csail-5scale"]) == 0
    return trained / "evaluation-csail-5scale"


@pytest.mark.slow
def test_a_protocol_has_a_folder_of_its_own_and_all_of_it_is_in_the_report(trained, multiscale):
    assert main(["evaluate", str(trained)]) == 0
    values = json.loads((multiscale / "report.json").read_text())
    assert values["protocol"] == Protocol(name="csail-5scale", scales=(0.5, 0.75, 1.0, 1.25, 1.5)).to_dict()
    single = json.loads((trained / "evaluation" / "report.json").read_text())
    assert single["protocol"] == Protocol().to_dict()
    assert values["counts"] != single["counts"]
    assert (multiscale / "samples.png").is_file()


@pytest.mark.slow
def test_the_tables_say_how_pictures_were_seen(trained, tmp_path, capsys):
    out = ["--out", str(tmp_path)]
    assert (
        main(["evaluate", str(trained), "--window", "48", "--stride", "1/2", "--no-flip", "--average", "logits", *out])
        == 0
    )
    second = capsys.readouterr().out.splitlines()[1]
    assert second == "free: at scale 1 in windows of 48 at steps of 24, logits averaged"


def test_options_change_a_named_protocol(trained, capsys):
    arguments = ["--protocol", "pan-multiscale", "--no-flip", "--scales", "0.5,1", "--memory", "8", "--json"]
    assert main(["evaluate", str(trained / "best.safetensors"), *arguments]) == 0
    protocol = json.loads(capsys.readouterr().out)["protocol"]
    assert (protocol["name"], protocol["scales"], protocol["flip"]) == ("pan-multiscale, changed", [0.5, 1.0], False)


@pytest.mark.parametrize("verb", ["evaluate", "predict"])
def test_help_names_every_protocol(verb, capsys):
    assert main([verb, "--help"]) == 0
    text = capsys.readouterr().out
    assert all(f"   {name} " in text for name in NAMES)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--protocol", "pan"], "there is no protocol 'pan'"),
        (["--scales", "0.5;1"], "--scales: '0.5;1' was given; a list of numbers"),
        (["--scales", "0"], "scales are 0; one or more numbers above 0"),
        (["--window", "16"], "window is 16; at least 32 pixels were expected"),
        (["--stride", "1/0"], "--stride: '1/0' was given; a number such as 0.5 or 2/3"),
        (["--window", "64", "--stride", "2"], "stride is 2; a share of the window above 0 and up to 1"),
        (["--memory", "1.5"], "--memory: '1.5' was given; a whole number of MiB"),
        (["--average", "mean"], '"mean" for --average. Choose from: "probabilities", "logits"'),
        (
            ["--protocol", "psanet-sliding"],
            "psanet-sliding has sizes for voc2012, ade20k, cityscapes, but not for 'scenes'",
        ),
    ],
)
@pytest.mark.parametrize("verb", ["evaluate", "predict"])
def test_what_makes_no_sense_is_explained(verb, arguments, message, trained, tmp_path, capsys):
    Image.new("RGB", (40, 40)).save(tmp_path / "a.png")
    pictures = [str(tmp_path / "a.png"), "--out", str(tmp_path / "out")] if verb == "predict" else []
    assert main([verb, str(trained), *pictures, *arguments]) == 2
    assert message in capsys.readouterr().err


@pytest.mark.slow
def test_predicted_files_are_those_of_the_segmenter_and_know_their_protocol(trained, tmp_path, capsys):
    image = np.random.default_rng(0).integers(0, 256, (90, 120, 3), np.uint8)
    Image.fromarray(image).save(tmp_path / "a.png")
    call = ["predict", str(trained), str(tmp_path / "a.png"), "--out", str(tmp_path / "out"), "--device", "cpu"]
    assert main([*call, "--window", "64", "--flip"]) == 0
    with Image.open(tmp_path / "out" / "labels" / "a.png") as labels:
        expected = load(trained, device="cpu")(image, protocol=Protocol(window=64, flip=True)).labels
        assert np.array_equal(np.asarray(labels), expected)
    assert main([*call, "--window", "64", "--flip"]) == 0
    assert main([*call, "--window", "64"]) == 1
    captured = capsys.readouterr()
    assert "1 done before" in captured.out
    assert "comes from another picture, another protocol or other weights" in captured.err
