"""Every verb takes images and folders whose names are not UTF-8, or command a terminal."""

import json
import os
import sys

import numpy as np
import pytest
from PIL import Image

from attseg.cli import main
from attseg.templates import plain
from attseg.web.folder import PictureFolder
from attseg.web.limits import Limits
from attseg.web.refusal import Refused

NAMES = (b"caf\xe9", b"a\x1b[31m\r\xe2\x80\xa8b", b"plain")
pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="file names here are always Unicode")


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """A data folder and a run, all with such names."""
    home = tmp_path_factory.mktemp("names") / os.fsdecode(b"d\xe9\x1b")
    rng = np.random.default_rng(0)
    for split in ("train", "val"):
        for kind, shape, most in (("images", (48, 64, 3), 256), ("labels", (48, 64), 3)):
            folder = home / "data" / kind / split
            folder.mkdir(parents=True)
            for name in NAMES:
                image = Image.fromarray(rng.integers(0, most, shape).astype(np.uint8))
                image.save(folder / f"{os.fsdecode(name)}.png")
    (home / "data" / "classes.csv").write_text("index,name,r,g,b\n0,sky,0,0,255\n1,road,0,255,0\n2,car,255,0,0\n")
    tiny = ("--model.args.encoder", "test_resnet", "--model.args.channels", "8", "--model.args.pretrained", "false")
    few = ("--crop_size", "32,32", "--batch_size", "2", "--steps", "2", "--val_every", "2", "--machine.workers", "0")
    out = ("--out", str(home.parent / "run"), "--machine.device", "cpu")
    assert main(["train", "pan-folder", "--data.root", str(home / "data"), *tiny, *few, *out]) == 0
    return home


VERBS = {
    "evaluate": "evaluate {run} --out {home}/evaluated --machine.device cpu",
    "predict": "predict {run} {home}/data/images/val --out {home}/predicted --device cpu",
    "explain": "explain {run} {home}/data/images/val/{name}.png --out {home}/{name}.html",
    "figure": "explain {run} {home}/data/images/val/{name}.png --figure pan --out {home}/{name}.png",
    "check": "data check folder --data.root {home}/data --out {home}/{name}-sheet.png",
    "publish": "publish {run} --out {home}/published-{name}",
    "profile": "profile {run} --size 64,64",
}


@pytest.mark.slow
@pytest.mark.parametrize("verb", VERBS)
def test_verbs_take_such_names(verb, home, capsys):
    for name in map(os.fsdecode, NAMES[:2]):
        arguments = [part.format(home=home, run=home.parent / "run", name=name) for part in VERBS[verb].split()]
        assert main(arguments) in (0, 2 if verb == "figure" else 0), capsys.readouterr().err
    told = capsys.readouterr()
    assert (told.out + told.err).replace("\n", "").isprintable()
    assert not any(file.suffix in (".html", ".md") and "\x1b" in file.read_text("utf-8") for file in home.rglob("*.*"))


@pytest.mark.slow
def test_a_run_folder_that_tensorboard_cannot_write_to_is_refused_before_anything_is_written(home, capsys):
    out = home / "new"
    assert main(["train", "pan-folder", "--data.root", str(home / "data"), "--out", str(out)]) == 2
    assert "UTF-8" in capsys.readouterr().err
    assert not out.exists()


def test_weights_below_such_a_name_are_not_called_damaged(home, capsys):
    (home / "weights.safetensors").write_bytes((home.parent / "run" / "best.safetensors").read_bytes())
    assert main(["profile", str(home / "weights.safetensors"), "--size", "64,64"]) == 1
    message = capsys.readouterr().err
    assert "UTF-8" in message
    assert "damaged" not in message


def test_predictions_have_the_names_of_their_images(home):
    out = home / "again"
    assert main(["predict", f"{home.parent}/run", f"{home}/data/images/val", "--out", str(out)]) == 0
    assert {os.fsencode(file.stem) for file in (out / "labels").rglob("*.png")} == set(NAMES)


def test_the_explorer_lists_such_names(home):
    folder = PictureFolder(home / "data" / "images" / "val", Limits())
    shown = json.dumps(folder.names(), ensure_ascii=False).encode()
    assert rb"caf\\udce9" in shown
    assert b"\x1b" not in shown
    for number in range(3):
        name, content = folder.read(number)
        assert name.isprintable()
        assert content.startswith(b"\x89PNG")
    assert Refused(422, f"{os.fsdecode(NAMES[0])} is broken").response().status_code == 422


def test_cards_show_names_as_text():
    assert plain("sky\x1b[31m\u202e\udce9 `x`|") == r"sky\x1b[31m\u202e\udce9 'x'/"
    assert len(plain("x" * 1_000_000)) < 3000


@pytest.mark.parametrize("ending", ["onnx", "xml", "pt2"])
def test_exported_files_get_no_such_name_and_are_not_opened_with_one(ending, home, tmp_path, capsys):
    file = tmp_path / f"{os.fsdecode(NAMES[0])}.{ending}"
    assert main(["export", str(home.parent / "run"), "--out", str(file)]) == 2
    assert not list(tmp_path.iterdir())
    file.write_bytes(b"a file")
    assert main(["predict", str(file), str(home / "data" / "images"), "--out", str(tmp_path / "out")]) == 1
    said = capsys.readouterr().err
    assert said.count(f"caf\\udce9.{ending}") == 2
    assert said.count("not UTF-8") == 2
