"""``attseg explain`` without maps, and what maps are worth."""

import csv
import json

import numpy as np
import pytest
from PIL import Image

from attseg import load
from attseg.cli import main
from attseg.data.catalog import open_data
from attseg.explain import ablate, without

MAPS = ["context.pyramid", *(f"decoder.steps.{step}.attention" for step in range(3))]


def test_names_are_listed(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "120")
    assert main(["explain", "demo", "--maps"]) == 0
    lines = capsys.readouterr().out.splitlines()[2:]
    assert [line.split()[:3] for line in lines] == [
        ["context.pyramid", "fpa", "spatial"],
        *([name, "gau", "channel"] for name in MAPS[1:]),
    ]


def test_numbers_and_figure_are_those_of_the_library(tmp_path, capsys):
    image = open_data("scenes", "val", size=(64, 96))[1].image
    Image.fromarray(image).save(tmp_path / "street.png")
    out = tmp_path / "change.png"
    arguments = [
        "explain",
        "demo",
        str(tmp_path / "street.png"),
        "--without",
        "fpa",
        "--without",
        MAPS[2],
        "--how",
        "even",
    ]
    assert main([*arguments, "--json", "--out", str(out)]) == 0
    found = json.loads(capsys.readouterr().out)
    result = load("demo")(image)
    change = without(result.looked, ["fpa", MAPS[2]], "even")
    assert found == {"run": "demo", "against": None, "image": "street", **change.to_dict(result.classes.names)}
    assert found["changed"] > 0
    with Image.open(out) as figure:
        assert np.asarray(figure.convert("L")).std() > 10
    assert main(arguments) == 0
    shown = capsys.readouterr().out
    assert f"{found['changed']} of {64 * 96} pixels change class" in shown
    assert "even: every weight is the mean of the map\n" in shown


def test_what_a_picture_smaller_than_the_network_takes_changes_is_counted_in_its_own_pixels(tmp_path, capsys):
    Image.fromarray(open_data("scenes", "val", size=(64, 96))[1].image[:20, :40]).save(tmp_path / "small.png")
    assert main(["explain", "demo", str(tmp_path / "small.png"), "--without", "fpa", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["pixels"] == 20 * 40


def test_what_maps_are_worth_is_written(trained, tmp_path, capsys):
    out = tmp_path / "ablation"
    assert main(["explain", str(trained), "--ablate", "--limit", "2", "--how", "even", "--out", str(out)]) == 0
    printed = capsys.readouterr().out
    found = json.loads((out / "ablation.json").read_text())
    segmenter = load(trained)
    expected = ablate(segmenter, open_data("scenes", "val", size=(64, 64), count=5), hows=["even"], limit=2).to_dict()
    assert found["maps"] == expected["maps"]
    assert found["pictures"] == 2 and found["model"] == type(segmenter.model).__name__
    with (out / "ablation.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == len(found["maps"])
    for row, one in zip(rows, found["maps"], strict=True):
        assert row["switched"] == one["how"] == "even"
        assert float(row["worth"]) == pytest.approx(one["worth"]["value"], abs=1e-6)
        assert row["map"] in printed


def test_maps_of_another_run_are_taken(trained, tmp_path, capsys):
    arguments = ["explain", str(trained), "--ablate", "--limit", "1", "--how", "other", "--against", str(trained)]
    assert main([*arguments, "--out", str(tmp_path / "out")]) == 0
    found = json.loads((tmp_path / "out" / "ablation.json").read_text())
    assert {one["how"] for one in found["maps"]} == {"other"}
    assert all(one["changed"] < 1e-3 for one in found["maps"])


@pytest.mark.parametrize(
    ("arguments", "facts"),
    [
        (["demo", "scene:1", "--without", "fpx"], ["'fpx'", "'fpa'"]),
        (["demo", "--without", "fpa"], ["picture is missing"]),
        (["demo", "scene:1", "--how", "even", "--out", "x.html"], ["--how", "--without"]),
        (["demo", "scene:1", "--without", "fpa", "--how", "other"], ["--against"]),
        (["demo", "scene:1", "--without", "fpa", "--against", "demo"], ["--how other"]),
        (["demo", "scene:1", "--without", "fpa", "--out", "x.html"], ["x.html", ".png"]),
        (["demo", "scene:1", "--without", "fpa", "--claims", "--out", "x"], ["--claims and --without"]),
        (["demo", "--ablate", "--out", "x.csv"], ["x.csv", "folder"]),
        (["demo", "--ablate", "--how", "other", "--out", "x"], ["--against"]),
        (["demo", "--ablate", "--without", "gua", "--out", "x"], ["'gua'", "'gau'"]),
        (["demo", "--ablate"], ["--out is missing"]),
        (["demo", "scene:1", "--maps"], ["IMAGE", "--maps"]),
    ],
)
def test_wrong_arguments_say_what_to_do(arguments, facts, capsys):
    assert main(["explain", *arguments]) == 2
    message = capsys.readouterr().err
    assert all(fact in message for fact in facts), message
