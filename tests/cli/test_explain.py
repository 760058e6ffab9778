import json
import re

import numpy as np
import pytest
from PIL import Image

from attseg.cli import main
from attseg.data.sample import DataError
from attseg.data.sets.scenes import Scenes
from attseg.explain.subject import read_picture


def bundle_of(path):
    return json.loads(re.search(r'id="bundle">(.*?)</script>', path.read_text(), re.S)[1])


@pytest.fixture(scope="module")
def picture(tmp_path_factory):
    path = tmp_path_factory.mktemp("pictures") / "a street.png"
    Image.fromarray(Scenes("val", size=(64, 96))[1].image).save(path)
    return path


def test_a_page_of_one_model(picture, tmp_path, capsys):
    out = tmp_path / "new" / "page.html"
    assert main(["explain", "demo", str(picture), "--at", "90, 12", "--out", str(out)]) == 0
    assert capsys.readouterr().out == f"{out}: {len(out.read_bytes()) / 1e6:.1f} MB; open it in a browser\n"
    bundle = bundle_of(out)
    assert (bundle["name"], bundle["at"], bundle["notes"]) == ("a street", [90, 12], [])
    assert [(side["title"], side["source"]) for side in bundle["sides"]] == [("PAN", "demo")]
    assert [one["kind"] for one in bundle["sides"][0]["maps"]] == ["spatial", "channel", "channel", "channel"]
    assert str(picture.parent) not in out.read_text()


def test_a_page_of_two_models_names_runs_without_their_folders(trained, tmp_path):
    out = tmp_path / "page.html"
    assert main(["explain", "demo", "scene:2", "--against", str(trained), "--longest", "100", "--out", str(out)]) == 0
    bundle = bundle_of(out)
    assert [side["source"] for side in bundle["sides"]] == ["demo", "tiny run"]
    assert (bundle["picture"]["width"], bundle["picture"]["height"], bundle["name"]) == (100, 75, "scene 2")
    assert str(trained.parent) not in out.read_text()


@pytest.mark.slow
def test_a_page_of_480_x_360_is_small(tmp_path):
    noise = np.random.default_rng(0).integers(0, 256, (360, 480, 3), np.uint8)  # nothing packs worse
    Image.fromarray(noise).save(tmp_path / "noise.png")
    assert main(["explain", "demo", str(tmp_path / "noise.png"), "--out", str(tmp_path / "page.html")]) == 0
    assert (tmp_path / "page.html").stat().st_size < 5_000_000


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--at", "96,3"], "the pixel x=96, y=3 is outside the picture: x goes from 0 to 95, y from 0 to 63"),
        (["--at", "3"], "Invalid value for --at: '3' was given; something like 120,80 was expected"),
        (["--at=-3,4"], "Invalid value for --at: '-3,4' was given; something like 120,80 was expected"),
        (["--longest", "big"], "Invalid value for --longest: 'big' was given; a whole number from 32 on was expected"),
        (["--longest", "31"], "Invalid value for --longest: '31' was given; a whole number from 32 on was expected"),
        (["--out", "page.pdf"], "--out is page.pdf; a name that ends in .html or .htm was expected"),
        (["--against", "/nowhere/my/run"], "there is no file or folder"),
    ],
)
def test_what_is_wrong_is_said_and_nothing_is_written(arguments, message, picture, tmp_path, capsys):
    out = tmp_path / "page.html"
    assert main(["explain", "demo", str(picture), "--out", str(out), *arguments]) == 2
    assert capsys.readouterr().err.startswith(f"attseg: {message}")
    assert not out.exists()


@pytest.mark.slow
def test_pictures_that_are_none(tmp_path, capsys):
    broken = tmp_path / "broken.jpg"
    broken.write_bytes(b"no picture")
    with pytest.raises(DataError, match=r"broken\.jpg"):
        read_picture(str(broken))
    for source, message in (
        (str(tmp_path), "is a folder; a page shows one picture: give a file"),
        ("scene:x", "'scene:x' names no scene; scene:0, scene:1 and so on were expected, up to scene:1000000"),
        (str(tmp_path / "brokn.jpg"), "broken.jpg"),
    ):
        assert main(["explain", "demo", source, "--out", str(tmp_path / "page.html")]) == 2
        assert message in capsys.readouterr().err


def test_pictures_are_scaled_down_and_never_up(picture):
    assert read_picture(str(picture), 48)[0].shape == (32, 48, 3)
    assert read_picture(str(picture), 200)[0].shape == (64, 96, 3)
