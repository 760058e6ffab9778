"""What the verbs write, and over what."""

import signal
import subprocess
import sys

import pytest

from attseg.cli import main

EXPLAIN = ["explain", "demo", "scene:1", "--out"]
VERBS = {
    "data show": (["data", "show", "scenes", "--out", "a.png"], "a.png"),
    "data check": (["data", "check", "scenes", "--data.options.count", "2", "--out", "a.png"], "a.png"),
    "explain": ([*EXPLAIN, "index.html"], "index.html"),
    "explain --figure": ([*EXPLAIN, "f.svg", "--figure", "pan-gau"], "f.svg"),
    "publish, weights": (["publish", "demo", "--out", "card"], "card/model.safetensors"),
    "publish, configuration": (["publish", "demo", "--out", "card"], "card/config.json"),
    "publish, recipe": (["publish", "demo", "--out", "card"], "card/recipe.yaml"),
}


@pytest.mark.parametrize("verb", VERBS)
def test_files_of_others_are_replaced_with_overwrite_alone(tmp_path, monkeypatch, capsys, verb):
    monkeypatch.chdir(tmp_path)
    words, name = VERBS[verb]
    (tmp_path / name).parent.mkdir(exist_ok=True)
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


HANG = """
import sys, time
from pathlib import Path
from tempfile import TemporaryDirectory
from attseg import cli
def run(argv):
    with TemporaryDirectory(prefix="attseg-", dir=argv[0]):
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
