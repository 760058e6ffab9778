"""``attseg explain --figure`` and ``--claims``: what they write, and what they refuse."""

import json

import numpy as np
import pytest
from PIL import Image

from attseg.checkpoint import save_weights
from attseg.cli import main
from attseg.data.preprocessing import Preprocessing
from attseg.data.sets.scenes import SCENES
from attseg.models import build_model
from attseg.recipes.recipe import ModelSpec

SMALL = {"encoder": "test_resnet", "channels": 8}
MODELS = {
    "PSANet": {**SMALL, "crop_size": [64, 96], "inner": 8},
    "DFDAM": SMALL,
    "AttentionToRefine": {"base": "FCN", "base_args": SMALL, "stream_channels": 8, "channels": 8},
}
SCENES_OF = ("--data.name", "scenes", "--data.options.size", "64,96", "--data.options.count", "4")


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    """Files of untrained weights by the name of the model."""
    folder = tmp_path_factory.mktemp("weights")
    for name, args in MODELS.items():
        state = build_model(name, args, len(SCENES)).state_dict()
        spec = ModelSpec(name=name, args=args)
        file = folder / f"{name}.safetensors"
        save_weights(file, state, model=spec, classes=SCENES, preprocessing=Preprocessing(), info={})
    return folder


@pytest.fixture
def street(tmp_path):
    path = tmp_path / "street.png"
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (64, 96, 3), np.uint8)).save(path)
    return str(path)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("model", "figure", "more"),
    [
        ("PSANet", "psanet-6", ("--at", "10,10", "--at", "90,60")),
        ("DFDAM", "dfdam-7", ("--second", "scene:1")),
        ("DFDAM", "dfdam-8", ("--channels", "1,5")),
        ("AttentionToRefine", "a2r-scales", ()),
        ("AttentionToRefine", "a2r-recalibration", ()),
    ],
)
def test_one_command_a_figure(model, figure, more, weights, street, tmp_path, capsys):
    out = tmp_path / "deep" / "figure.png"
    call = ["explain", str(weights / f"{model}.safetensors"), street, "--figure", figure, "--out", str(out), *more]
    assert main(call) == 0
    assert capsys.readouterr().out.startswith(f"{out}: ")
    with Image.open(out) as picture:
        assert picture.width > 600


@pytest.mark.slow
@pytest.mark.parametrize(("figure", "suffix", "start"), [("pan-fpa", "pdf", b"%PDF"), ("pan-gau", "svg", b"<?xml")])
def test_figures_of_the_bundled_model_in_every_format(figure, suffix, start, street, tmp_path):
    out = tmp_path / f"figure.{suffix}"
    assert main(["explain", "demo", street, "--figure", figure, "--out", str(out)]) == 0
    assert out.read_bytes().startswith(start)


def test_claims_are_tables_values_and_a_plot(weights, tmp_path, capsys):
    out = tmp_path / "claims"
    call = [
        "explain",
        str(weights / "PSANet.safetensors"),
        "--claims",
        *SCENES_OF,
        "--split",
        "test",
        "--out",
        str(out),
    ]
    assert main([*call, "--limit", "2", "--points", "3", "--seed", "7"]) == 0
    values = json.loads((out / "claims.json").read_text())
    assert (values["model"], values["data"], values["split"]) == ("PSANet", "scenes", "test")
    assert (values["pictures"], values["points"], values["seed"]) == (2, 3, 7)
    assert [one["remarks"] for one in values["claims"]] == [["6 points, 3 a picture"]] * 2
    assert (out / "claims.md").read_text() in capsys.readouterr().out
    with Image.open(out / "claims.png") as picture:
        assert picture.height > 300


@pytest.mark.slow
def test_claims_of_a_run_are_on_the_data_of_the_run(trained, tmp_path):
    assert main(["explain", str(trained), "--claims", "--out", str(tmp_path / "claims"), "--limit", "2"]) == 0
    assert json.loads((tmp_path / "claims" / "claims.json").read_text())["data"] == "scenes"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--figure", "psanet"), "there is no figure 'psanet'; did you mean 'psanet-6'?"),
        (("--figure", "psanet-6"), "this PAN has no attention between positions"),
        (("--figure", "pan-fpa", "--at", "3,4"), "--at has no meaning for pan-fpa; it is for psanet-6"),
        (("--figure", "pan-fpa", "--second", "scene:1"), "--second has no meaning for pan-fpa; it is for dfdam-7"),
        (("--figure", "pan-fpa", "--against", "demo"), "--against has no meaning with --figure"),
        (("--figure", "dfdam-8", "--channels", "a"), "--channels: 'a' was given; a list of whole numbers"),
        (("--figure", "psanet-6", "--at", "3"), "--at: '3' was given; something like 120,80 was expected"),
        (("--figure", "pan-fpa", "--claims"), "give one of them"),
        (("--claims",), "IMAGE has no meaning with --claims"),
        (("--limit", "3"), "--limit is for --claims and --ablate, which were not given"),
        (("--data.name", "scenes"), "--data.name is for --claims and --ablate, which were not given"),
        (("--channels", "3"), "--channels is for --figure, which was not given"),
        (("--at", "3,4", "--at", "5,6"), "--at was given 2 times; a page looks at one pixel first"),
    ],
)
def test_wrong_use_is_explained(arguments, message, street, tmp_path, capsys):
    out = tmp_path / ("figure.png" if "--figure" in arguments else "page.html")
    assert main(["explain", "demo", street, *arguments, "--out", str(out)]) == 2
    assert message in capsys.readouterr().err
    assert not out.exists()


@pytest.mark.parametrize(
    ("arguments", "out", "message"),
    [
        ((), "page.html", "a picture is missing: give a file, or scene:N"),
        (("scene:0", "--figure", "pan-fpa"), "figure.gif", "a name that ends in .png, .pdf or .svg was expected"),
        (("--claims",), "claims.png", "with --claims several files are written: give a folder"),
        (("--claims", "--limit", "0"), "claims", "limit is 0; at least 1 was expected"),
        (("--claims", "--data.name", "camvid"), "claims", "lies in a folder, and none was given"),
    ],
)
def test_wrong_places_and_numbers_are_explained(arguments, out, message, tmp_path, capsys):
    assert main(["explain", "demo", *arguments, "--out", str(tmp_path / out)]) == 2
    assert message in capsys.readouterr().err
