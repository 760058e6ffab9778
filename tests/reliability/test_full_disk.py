"""A disk that becomes full while a verb writes: one sentence, status 1, nothing half-written and no folder without a file.

No file may become larger than 8 KiB. The write that crosses this takes a part first and fails then, as on a full disk.
"""

import importlib.util

import numpy as np
import pytest
import torch
from PIL import Image

from attseg.cli import main
from attseg.files import PART
from reliability.breaking import wait_until

MOST = 8192
TINY = (
    *("--model.args.encoder", "test_resnet", "--model.args.channels", "8", "--data.options.size", "64,64"),
    *(
        "--data.options.count",
        "2",
        "--crop_size",
        "64,64",
        "--batch_size",
        "2",
        "--steps",
        "1",
        "--machine.workers",
        "0",
    ),
)
REPRODUCE = ("--only", "50-baseline", "--steps", "1", "--data.options.count", "2", "--machine.workers", "0")

RUN = {"recipe.yaml", "metrics.csv", "lock", "data.json"}
"""What a run leaves that had saved nothing, and that the next one replaces."""

VERBS = {
    "train": (["train", "pan-scenes", *TINY, "--out", "OUT/run"], RUN),
    "evaluate": (
        ["evaluate", "WEIGHTS", "--out", "OUT/e"],
        {"report.json", "pictures.jsonl", "classes.csv", "confusion.csv"},
    ),
    "predict": (["predict", "WEIGHTS", "large.png", "--out", "OUT/p"], set()),
    "export, onnx": (["export", "WEIGHTS", "--out", "OUT/d/m.onnx"], set()),
    "export, openvino": (["export", "WEIGHTS", "--out", "OUT/d/m.xml"], set()),
    "export, pt2": (["export", "WEIGHTS", "--out", "OUT/d/m.pt2"], set()),
    "explain": (["explain", "WEIGHTS", "scene:1", "--out", "OUT/d/p.html"], set()),
    "explain --figure": (["explain", "WEIGHTS", "scene:1", "--figure", "pan-gau", "--out", "OUT/d/f.png"], set()),
    "explain --claims": (
        ["explain", "WEIGHTS", "--claims", "--limit", "1", "--out", "OUT/c"],
        {"claims.json", "claims.md"},
    ),
    "publish": (["publish", "WEIGHTS", "--out", "OUT/card"], set()),
    "profile --plot": (["profile", "WEIGHTS", "--size", "64x64", "--plot", "OUT/d/t.png"], set()),
    "reproduce": (["reproduce", "psanet:4", *REPRODUCE, "--out", "OUT/r"], RUN),
    "data show": (["data", "show", "scenes", "--out", "OUT/d/a.png"], set()),
    "data check": (["data", "check", "scenes", "--data.options.count", "2", "--out", "OUT/d/a.png"], set()),
    "convert": (["convert", "pan.pth", "--from", "smp", "--data", "camvid", "--out", "OUT/c"], set()),
    "demo": (["demo", "--minutes", "0.1", "--out", "OUT/demo"], set()),
}
"""Words of each verb, and whole files that it may leave."""
NEEDS = {"export, onnx": "onnxscript", "export, openvino": "openvino", "convert": "segmentation_models_pytorch"}


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A folder with a run, a large image, and weights from elsewhere."""
    folder = tmp_path_factory.mktemp("place")
    assert main(["train", "pan-scenes", *TINY, "--machine.device", "cpu", "--out", str(folder / "run")]) == 0
    noise = np.random.default_rng(0).integers(0, 256, (300, 400, 3), np.uint8)
    Image.fromarray(noise).save(folder / "large.png")
    if importlib.util.find_spec("segmentation_models_pytorch"):
        from segmentation_models_pytorch import PAN

        torch.save(PAN("resnet18", encoder_weights=None, classes=11).state_dict(), folder / "pan.pth")
    return folder


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("verb", VERBS)
def test_a_full_disk_in_each_verb(nursery, place, tmp_path, verb):
    if verb in NEEDS:
        pytest.importorskip(NEEDS[verb])
    words, whole = VERBS[verb]
    out, scratch = tmp_path / "out", tmp_path / "scratch"
    out.mkdir()
    scratch.mkdir()
    names = {"OUT": str(out), "WEIGHTS": str(place / "run")}
    words = [names.get(word, word.replace("OUT/", f"{out}/")) for word in words]
    child = nursery.start(MOST, scratch, *words, call="small disk", cwd=place)
    wait_until(lambda: not child.running(), 400, f"{verb} to end")
    assert child.wait() == 1, child.said
    assert "Traceback" not in child.said
    assert child.said.count("attseg: ") == 1, child.said
    assert "the limit on the size of files" in child.said or "the limit on the size of a file" in child.said
    assert list(scratch.iterdir()) == []
    left = [path for path in out.rglob("*") if path.is_file() and "tensorboard" not in path.parts]
    assert not [path for path in left if PART.fullmatch(path.name)]
    assert {path.name for path in left} - {".attseg-written.jsonl"} <= whole
    assert not [path for path in out.rglob("*") if path.is_dir() and not list(path.iterdir())]
