"""What the README shows runs."""

import re
import shlex
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from attseg.cli import main
from attseg.data.sets.scenes import Scenes

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()


def blocks(language):
    return re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)


@pytest.mark.slow
def test_the_python_runs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Image.fromarray(Scenes("val")[0].image).save("street.jpg")
    names = {"images": torch.randn(1, 3, 64, 96), "torch": torch}
    for block in blocks("python"):
        exec(block, names)
    with Image.open("overlay.png") as overlay:
        assert overlay.width >= 128
    assert names["maps"][0].name == "context.pyramid"
    assert names["logits"].shape == (1, 21, 64, 96)


@pytest.mark.slow
def test_the_commands_for_your_own_pictures_run(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    for kind in ("images", "labels"):
        for split in ("train", "val"):
            Path("mine", kind, split).mkdir(parents=True)
    for split, count in (("train", 9), ("val", 1)):
        for index in range(count):
            sample = Scenes(split, size=(48, 64))[index]
            Image.fromarray(sample.image).save(f"mine/images/{split}/{index}.jpg")
            Image.fromarray(np.minimum(sample.labels, 12)).save(f"mine/labels/{split}/{index}.png")
    rows = [f"{index},{name}" for index, name in enumerate((*Scenes.classes.names, "void"))]
    Path("mine/classes.csv").write_text("\n".join(["index,name", *rows]))
    Path("photos").mkdir()
    Image.fromarray(Scenes("test")[0].image).save("photos/one.png")

    [block] = blocks("sh")
    for line in block.splitlines():
        command = shlex.split(line, comments=True)
        assert command[0] == "attseg"
        if command[1] == "train":
            command += ["--steps", "2", "--crop_size", "64,64"]
        assert main(command[1:]) == 0, capsys.readouterr().err
    with Image.open("predicted/labels/one.png") as labels:
        assert labels.size == (128, 128)


def test_links_and_pictures_are_there():
    for document in (ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").glob("*.md")):
        for target in re.findall(r"\]\((?!https?://)([^)#]+)\)", document.read_text()):
            assert (document.parent / target).exists(), f"{document.name} links to {target}, which is not there"
