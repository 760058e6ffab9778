"""What the verbs write, and over what."""

import shutil
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from attseg.checkpoint import read_weights
from attseg.cli import main
from attseg.evaluation.submission import RULES

RELEASE = Path(__file__).parents[1] / "release"

EXPLAIN = ["explain", "demo", "scene:1", "--out"]
VERBS = {
    "data show": (["data", "show", "scenes", "--out", "a.png"], "a.png"),
    "data check": (["data", "check", "scenes", "--data.options.count", "2", "--out", "a.png"], "a.png"),
    "explain": ([*EXPLAIN, "index.html"], "index.html"),
    "explain --figure": ([*EXPLAIN, "f.svg", "--figure", "pan-gau"], "f.svg"),
    "profile --plot": (["profile", "RUN", "--size", "64x64", "--plot", "t.png"], "t.png"),
    "explain --claims": (["explain", "RUN", "--claims", "--limit", "1", "--out", "c"], "c/claims.md"),
    "explain --claims, figure": (["explain", "RUN", "--claims", "--limit", "1", "--out", "c"], "c/claims.png"),
    "reproduce": (["reproduce", "psanet:4", "--report", "--out", "r"], "r/small/psanet-4.csv"),
    "publish, weights": (["publish", "demo", "--out", "card"], "card/model.safetensors"),
    "publish, configuration": (["publish", "demo", "--out", "card"], "card/config.json"),
    "publish, recipe": (["publish", "demo", "--out", "card"], "card/recipe.yaml"),
}


@pytest.mark.slow
@pytest.mark.parametrize("verb", VERBS)
def test_files_of_others_are_replaced_with_overwrite_alone(trained, tmp_path, monkeypatch, capsys, verb):
    monkeypatch.chdir(tmp_path)
    words, name = VERBS[verb]
    words = [str(trained) if word == "RUN" else word for word in words]
    (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / name).write_text("mine, attseg")
    assert main(words) == 2
    assert (tmp_path / name).read_text() == "mine, attseg"
    error = capsys.readouterr().err
    assert name in error
    assert "--overwrite" in error
    assert main([*words, "--overwrite"]) == 0
    assert (tmp_path / name).read_bytes() != b"mine, attseg"
    assert main(words) == 0  # our own


@pytest.mark.parametrize("name", ["street.xml", "street.bin", "street.xml.report.json"])
def test_an_export_looks_at_all_its_files_first(tmp_path, monkeypatch, capsys, name):
    monkeypatch.chdir(tmp_path)
    (tmp_path / name).write_text("mine")
    assert main(["export", "demo", "--out", "street.xml"]) == 2
    assert name in capsys.readouterr().err
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [(name, "mine")]


@pytest.mark.slow
def test_an_evaluation_with_out_replaces_nothing_of_others(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    words = ["evaluate", "demo", "--data.options.size", "[64, 64]", "--data.options.count", "2", "--out", "."]
    for name in ("report.json", "samples.png", "pictures.jsonl"):
        (tmp_path / name).write_text("mine\n")
        assert main(words) == 2
        assert name in capsys.readouterr().err
        assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [(name, "mine\n")]
        (tmp_path / name).unlink()
    assert main(words) == 0
    assert main(words) == 0


@pytest.mark.slow
def test_a_submission_replaces_nothing_of_others_and_says_so_before_any_work(trained, tmp_path, monkeypatch, capsys):
    monkeypatch.setitem(RULES, "voc", replace(RULES["voc"], table=read_weights(trained / "best.safetensors").classes))
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned upright
    Image.new("RGB", (48, 64), (90, 120, 30)).save(tmp_path / "a.jpg", exif=exif)
    for place, words in (
        ("e", ["evaluate", str(trained), "--submission", "voc", "--out", str(tmp_path / "e")]),
        ("p", ["predict", str(trained), str(tmp_path / "a.jpg"), "--submission", "voc", "--out", str(tmp_path / "p")]),
    ):
        archive = tmp_path / place / "submission-voc.tgz"
        archive.parent.mkdir()
        archive.write_text("mine")
        assert main(words) == 2
        assert "submission-voc.tgz" in capsys.readouterr().err
        assert [path.name for path in archive.parent.iterdir()] == ["submission-voc.tgz"]
        assert main([*words, "--overwrite"]) == 0
        assert main(words) == 0


@pytest.mark.parametrize("name", ["model.onnx", "model.xml"])
def test_exported_files_of_the_last_release_need_overwrite_once(tmp_path, capsys, name):
    shutil.unpack_archive(RELEASE / "exported.zip", tmp_path)
    words = ["export", "demo", "--size", "64x64", "--out", str(tmp_path / name)]
    assert main(words) == 2
    error = capsys.readouterr().err
    assert all(part in error for part in (name, f"{name}.report.json", "0.1.0", "--overwrite"))


HANG = """
import sys, time
from pathlib import Path
from tempfile import TemporaryDirectory
from attseg import cli
def run(place, /):
    with TemporaryDirectory(prefix="attseg-", dir=place):
        print("ready", flush=True)
        time.sleep(300)
cli.import_module = lambda name: type("Verb", (), {"run": staticmethod(run)})
sys.exit(cli.main(["export", sys.argv[1]]))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGTERM that a process could handle")
def test_sigterm_leaves_no_scratch_folder(tmp_path):
    with subprocess.Popen([sys.executable, "-c", HANG, str(tmp_path)], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "ready\n"
        assert len(list(tmp_path.iterdir())) == 1
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 128 + signal.SIGTERM
    assert list(tmp_path.iterdir()) == []


def test_the_handler_of_before_comes_back(capsys):
    before = signal.getsignal(signal.SIGTERM)
    assert main(["recipes"]) == 0
    assert signal.getsignal(signal.SIGTERM) == before
