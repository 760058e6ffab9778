"""Files of strangers are data: nothing in them is run, nothing leads out of its folder, and no name does more than be shown."""

import ast
import io
import os
import pickle
import socket
import sys
import zlib
from hashlib import sha256
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image, PngImagePlugin

from attseg.checkpoint import WeightsError
from attseg.cli import main
from attseg.converters.source import read_tensors
from attseg.data.catalog import open_data
from attseg.data.classes import ClassTable
from attseg.data.reading.image import read_image, read_raw_labels
from attseg.data.sample import DataError
from attseg.encoders.timm import TimmEncoder
from attseg.errors import UsageError
from attseg.explain.bundle import Side, make_bundle
from attseg.explain.looked import look
from attseg.explain.page.page import make_page
from attseg.inference.segmenter import load
from attseg.models import PAN, build_model
from attseg.recipes.files import parse_yaml, read_recipe
from attseg.runs.errors import RunError
from attseg.runs.state import load_state
from reliability.corpus_pictures import png
from reliability.corpus_texts import HOSTILE
from reliability.test_inputs import time_limit

SOURCE = Path(__file__).parents[2] / "src" / "attseg"
EVIL_NAME = "</script ><script >alert(1)</script >"
"""With spaces, for an element ends without the bracket too."""


# --- nothing is run ---------------------------------------------------------------------------------------------------------


def calls(path):
    """Names of the functions that a file calls, with their keywords."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call):
            yield ast.unparse(node.func), {word.arg: ast.unparse(word.value) for word in node.keywords}


@pytest.mark.slow
def test_no_line_of_ours_unpickles_or_evaluates():
    imported = {"pickle", "dill", "cloudpickle", "marshal", "shelve", "joblib"}
    for path in SOURCE.rglob("*.py"):
        for name, words in calls(path):
            assert name not in ("eval", "exec", "compile", "__import__", "yaml.unsafe_load", "yaml.full_load"), path
            if name in ("torch.load", "timm.models.load_state_dict"):
                assert words.get("weights_only") == "True", path
            if name == "yaml.load":
                assert words["Loader"] == "_Loader", path
            if name in ("np.load", "numpy.load"):
                assert "allow_pickle" not in words, path
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                assert not imported & {alias.name.split(".")[0] for alias in node.names}, path
            if isinstance(node, ast.ImportFrom):
                assert (node.module or "").split(".")[0] not in imported, path


class Evil:
    """What touches a file as soon as it is unpickled."""

    def __init__(self, canary):
        self.canary = str(canary)

    def __reduce__(self):
        return Path.touch, (Path(self.canary),)


@pytest.fixture(params=["pickle", "torch", "state dict"])
def poison(request, tmp_path):
    """Content of a file that touches the canary, and the canary."""
    canary = tmp_path / "CANARY"
    buffer = io.BytesIO()
    if request.param == "pickle":
        buffer.write(pickle.dumps(Evil(canary)))
    else:
        value = Evil(canary)
        torch.save({"state_dict": {"conv1.weight": value}} if request.param == "state dict" else value, buffer)
    return buffer.getvalue(), canary


def test_the_poison_would_work(poison, tmp_path):
    content, canary = poison
    torch.load(io.BytesIO(content), weights_only=False) if content[:2] == b"PK" else pickle.loads(content)
    assert canary.exists()


@pytest.mark.slow
@pytest.mark.parametrize("suffix", [".safetensors", ".pth", ".pt", ".bin", ".ckpt", ""])
def test_weights_are_never_unpickled(poison, suffix, tmp_path):
    content, canary = poison
    file = tmp_path / f"weights{suffix}"
    file.write_bytes(content)
    with pytest.raises(WeightsError, match="a pickle can run code"):
        load(file)
    with pytest.raises(UsageError, match="cannot be read as weights|is not a safetensors file"):
        read_tensors(file)
    with pytest.raises(UsageError, match="cannot be read as weights alone|is not a safetensors file"):
        TimmEncoder("test_resnet", weights=file)
    folder = tmp_path / "run"
    folder.mkdir()
    (folder / "best.safetensors").write_bytes(content)
    assert main(["train", "pan-scenes", "--init", str(folder), "--out", str(tmp_path / "out")]) == 1
    assert main(["predict", str(folder), str(file), "--out", str(tmp_path / "out")]) == 1
    assert not canary.exists()


def test_states_are_never_unpickled_even_with_the_right_digest(poison, tmp_path):
    content, canary = poison
    (tmp_path / "00000001.pt").write_bytes(sha256(content).digest() + content)
    with pytest.raises(RunError, match=r"no state in .* is whole \(00000001\.pt\)"):
        load_state(tmp_path)
    assert not canary.exists()


@pytest.mark.parametrize("line", [line for line in HOSTILE if not line.startswith("steps: ") or "inf" in line])
def test_a_recipe_is_data(line, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    Path("evil.yaml").write_text(f"name: a\n{line}\n")
    with pytest.raises(UsageError, match=r"evil\.yaml"):
        read_recipe("evil.yaml")
    assert main(["train", "evil.yaml"]) == 2
    assert "Traceback" not in capsys.readouterr().err
    assert sorted(path.name for path in tmp_path.iterdir()) == ["evil.yaml"]


IMPORTABLE = (
    "os.system",
    "os:system",
    "subprocess.Popen",
    "builtins.eval",
    "attseg.cli.main",
    "timm.create_model",
    "hf-hub:owner/name",
    "hf_hub:owner/name",
    "local-dir:/tmp",
    "../../evil",
    "resnet18:/tmp",
)


@pytest.mark.parametrize("name", IMPORTABLE)
def test_names_are_looked_up_and_never_imported(name, monkeypatch):
    def refuse(*given, **more):
        raise AssertionError(f"{name} was imported, or asked for on the network")

    monkeypatch.setattr("importlib.import_module", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    with pytest.raises(UsageError, match="there is no encoder"):
        build_model("FCN", {"encoder": name}, 2)
    with pytest.raises(UsageError, match="there is no model"):
        build_model(name, {}, 2)
    for argument in ("context", "decoder", "class_path"):
        with pytest.raises(UsageError, match=f"{argument}"):
            build_model("FCN", {"encoder": "test_resnet", argument: name}, 2)
    with pytest.raises(UsageError, match="there is no data set"):
        open_data(name, "train")


def test_a_nested_list_of_aliases_is_not_unfolded():
    levels = "".join(f"a{n}: &a{n} [{', '.join(['*a' + str(n - 1)] * 9)}]\n" for n in range(1, 20))
    with time_limit(), pytest.raises(UsageError, match="an alias or a tag was found"):
        parse_yaml("a0: &a0 [x]\n" + levels)


def test_postscript_named_as_a_picture_starts_no_program(tmp_path, monkeypatch):
    tools = tmp_path / "bin"
    tools.mkdir()
    for name in ("gs", "gswin64c", "gswin32c"):
        (tools / name).write_text(f"#!/bin/sh\ntouch {tmp_path}/CANARY\n")
        (tools / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{tools}:{os.environ['PATH']}")
    file = tmp_path / "a.png"
    file.write_bytes(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n%%EndComments\nshowpage\n%%EOF\n")
    with pytest.raises(DataError, match="of no picture format that is known here"):
        read_image(file)
    assert not (tmp_path / "CANARY").exists()


# --- bombs and odd sizes ----------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_bombs_are_refused_before_they_go_off(tmp_path):
    zeros = zlib.compress(bytes(2**20), 9)
    matlab = b"MATLAB 5.0 MAT-file".ljust(124) + b"\x00\x01IM"
    packed = zlib.compressobj(9)
    bomb = b"".join(packed.compress(bytes(2**24)) for _ in range(17)) + packed.flush()
    (tmp_path / "a.mat").write_bytes(matlab + (15).to_bytes(4, "little") + len(bomb).to_bytes(4, "little") + bomb)
    (tmp_path / "a.png").write_bytes(png(8, 2, [bytes(3)], size=(100_000, 100_000)))
    (tmp_path / "b.png").write_bytes(png(1, 0, [bytes(1)], size=(8193, 8192)))
    info = PngImagePlugin.PngInfo()
    info.add_text("a", "x" * 70_000_000, zip=True)
    Image.new("L", (2, 2)).save(tmp_path / "c.png", pnginfo=info)
    assert (tmp_path / "c.png").stat().st_size < 200_000 and len(zeros) < 2000
    with time_limit():
        for name, why in (
            ("a.mat", "variables of more than 268435456 bytes"),
            ("a.png", "far too many pixels"),
            ("b.png", "8192 x 8193 pixels; at most 67108864"),
            ("c.png", "Decompressed data too large"),
        ):
            with pytest.raises(DataError, match=f"{name} .*{why}"):
                read_raw_labels(tmp_path / name)


@pytest.mark.slow
@pytest.mark.parametrize("shape", [(1, 1), (1, 30_000), (30_000, 1)])
def test_thin_pictures_are_seen_as_they_are(shape, tmp_path):
    values = np.random.default_rng(0).integers(0, 256, (*shape, 3), np.uint8)
    Image.fromarray(values).save(tmp_path / "thin.png")
    assert np.array_equal(read_image(tmp_path / "thin.png"), values)
    result = load("demo", device="cpu")(tmp_path / "thin.png")
    assert result.labels.shape == shape and np.isfinite(result.scores).all()


# --- names are shown and do nothing ------------------------------------------------------------------------------------------


class Scripts(HTMLParser):
    """Elements that a browser would run, and how often each occurs."""

    def __init__(self, page):
        super().__init__()
        self.found = []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.found += [tag] * (tag in ("script", "iframe", "object", "embed"))
        self.found += [
            name for name, value in attrs if name.startswith("on") or (value or "").startswith("javascript:")
        ]


def demo_page(name):
    from attseg.demo import page
    from demo.test_page import a_look, a_side

    classes = ClassTable((name, "land"), ((70, 130, 180), (128, 64, 128)))
    sides = [a_side("pan", "PAN", 80), a_side("fcn", "FCN", 40)]
    for side in sides:
        side.report["per_class"][name] = side.report["per_class"]["land & sand"]
        side.report["per_class"]["land"] = 0.5
    look = a_look()
    return page.build_page(sides, [look], [look.spatial], classes, out=Path(name), machine=name)


def explain_page(name):
    torch.manual_seed(0)
    looked = look(PAN(2, encoder="test_resnet", channels=4).eval(), torch.randn(1, 3, 40, 56))
    side = Side(name, name, ClassTable((name, "land"), ((70, 130, 180), (128, 64, 128))), looked)
    return make_page(make_bundle(np.zeros((40, 56, 3), np.uint8), [side], name=name))


@pytest.mark.parametrize("make", [demo_page, explain_page])
def test_a_class_called_script_is_shown_and_not_run(make):
    harmless, evil = make("sea"), make(EVIL_NAME)
    assert Scripts(evil).found == Scripts(harmless).found
    assert evil.count("<script") == harmless.count("<script") and evil.count("</script") == harmless.count("</script")


def test_our_scripts_put_names_into_pages_as_text_alone():
    scripts = [path for path in SOURCE.rglob("*") if path.suffix in (".js", ".html")]
    assert len(scripts) >= 4
    for path in scripts:
        text = path.read_text()
        for way in (
            "innerHTML",
            "outerHTML",
            "insertAdjacentHTML",
            "document.write",
            "eval(",
            "new Function",
            "srcdoc",
        ):
            assert way not in text, f"{path.name} uses {way}"


def test_names_do_not_command_terminals(mine, tmp_path, capsys):
    evil = "red\x1b[31m\x07"
    (mine / "classes.csv").write_text(f"index,name\n0,{evil}\n1,land\n")
    assert main(["data", "check", str(mine)]) == 1
    (mine / "images" / "train" / f"{evil}.png").write_bytes(b"no picture")
    assert main(["data", "check", str(mine)]) == 1
    arguments = [
        "predict",
        "demo",
        str(mine / "images"),
        "--out",
        str(tmp_path / "out"),
        "--device",
        "cpu",
        "--no-overlay",
    ]
    assert main(arguments) == 1
    assert main(["evaluate", f"{tmp_path}/{evil}"]) == 2
    said = "".join(capsys.readouterr())
    assert r"red\x1b[31m\x07" in said and "\x1b" not in said and "\x07" not in said
    with pytest.raises(ValueError, match="holds control characters"):
        ClassTable((evil,), ((0, 0, 0),))


NAMES = (
    "ä ö.png",
    "日本.png",
    "a\u0301.png",
    "'quoted' \"twice\".png",
    "-n.png",
    "x" * 250 + ".png",
    "%s {} $HOME.png",
    "[red].png",
)


@pytest.mark.skipif(sys.platform != "linux", reason="other systems do not have all of these names")
def test_files_may_have_any_name(tmp_path, capsys):
    pictures = tmp_path / "pictures"
    pictures.mkdir()
    for name in (*NAMES, os.fsdecode(b"\xff\xfe.png")):
        Image.new("RGB", (33, 40)).save(pictures / name)
    out = tmp_path / "out"
    arguments = ["predict", "demo", str(pictures), "--out", str(out), "--device", "cpu", "--no-overlay"]
    assert main(arguments) == 0, capsys.readouterr().err
    assert len(list((out / "labels").iterdir())) == len(NAMES) + 1
