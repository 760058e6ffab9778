"""Nothing speaks to the network unasked: neither attseg nor what it is built of, telemetry and looks for new versions included.

Verbs run in a process of their own in which every way to another computer ends in an error and is noted, also in the processes
that it starts, and even where a library would swallow the error.
"""

import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

GUARD = """
import os, socket, sys, traceback

def guard(event, given):
    if event in ("socket.connect", "socket.sendto", "socket.sendmsg", "socket.bind"):
        if given[0].family not in (socket.AF_INET, socket.AF_INET6):
            return
        if event == "socket.bind" and given[1][0] in ("127.0.0.1", "::1"):  # how urllib3 asks whether there is IPv6
            return
        given = given[1:]
    elif event not in ("socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr", "socket.getnameinfo"):
        return
    with open(os.environ["ATTSEG_TEST_CALLS"], "a") as file:
        file.write(f"{event} {given!r}\\n{''.join(traceback.format_stack(limit=12)[:-1])}\\n")
    raise ConnectionRefusedError(f"no network here, but {event} {given!r}")

sys.addaudithook(guard)
"""

WORK = """
import importlib
import pkgutil
import sys
import attseg
import torch
from attseg.cli import main

if __name__ == "__main__":
    torch.set_num_threads(1)
    out = sys.argv[1]
    scenes = ["--data.options.size", "64,64", "--data.options.count", "4", "--machine.device", "cpu"]
    tiny = ["--model.args.encoder", "test_resnet", "--model.args.channels", "8", *scenes]
    tiny += ["--crop_size", "64,64", "--batch_size", "2", "--steps", "2", "--machine.workers", "1"]
    run = f"{out}/run"
    exported = [
        arguments
        for suffix in ("onnx", "xml", "pt2")
        if suffix in sys.argv
        for arguments in (
            ["export", run, "--out", f"{out}/model.{suffix}"],
            ["predict", f"{out}/model.{suffix}", f"{run}/samples.png", "--out", f"{out}/{suffix}", "--device", "cpu"],
        )
    ]
    for arguments in (
        ["doctor"],
        ["recipes"],
        ["models"],
        ["train", "pan-scenes", *tiny, "--out", run],
        ["evaluate", run],
        ["predict", run, f"{run}/samples.png", "--out", f"{out}/predicted", "--device", "cpu"],
        ["explain", run, f"{run}/samples.png", "--longest", "96", "--out", f"{out}/page.html", "--device", "cpu"],
        ["profile", "PAN", "--encoder", "test_resnet"],
        ["data", "check", "scenes", "--out", f"{out}/samples.png"],
        *exported,
        ["reproduce", "psanet:4", "--only", "50-baseline", "--steps", "1", "--data.options.count", "2",
         "--machine.device", "cpu", "--machine.workers", "0", "--out", f"{out}/tables"],
    ):
        print(arguments[0], flush=True)
        status = main(arguments)
        assert status == 0, arguments
    for module in pkgutil.walk_packages(attseg.__path__, "attseg."):  # what looks for a new version does so when it is imported
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
"""

ASK = """
import sys
from attseg.cli import main

sys.exit(main(sys.argv[1:]))
"""


@pytest.fixture
def run(tmp_path):
    """Runs a script where there is no network; returns what became of it, and the calls that were made."""
    (tmp_path / "guard").mkdir()
    (tmp_path / "guard" / "sitecustomize.py").write_text(GUARD)
    (tmp_path / "home").mkdir()

    def start(script, *arguments):
        file = tmp_path / "script.py"
        file.write_text(script)
        calls = tmp_path / "calls"
        calls.write_text("")
        quiet = ("HF_", "WANDB_", "DO_NOT_TRACK", "NNCF_", "COVERAGE", "PYTEST")
        environment = {name: value for name, value in os.environ.items() if not name.startswith(quiet)}
        environment |= {
            "PYTHONPATH": str(tmp_path / "guard"),
            "HOME": str(tmp_path / "home"),
            "XDG_CACHE_HOME": str(tmp_path / "home" / "cache"),
            "ATTSEG_TEST_CALLS": str(calls),
            "OMP_NUM_THREADS": "1",
        }
        command = [sys.executable, str(file), *map(str, arguments)]
        done = subprocess.run(command, env=environment, cwd=tmp_path, capture_output=True, text=True, timeout=800)
        return done, calls.read_text()

    return start


@pytest.mark.slow
def test_the_guard_sees_calls_and_refuses_them(run):
    """What was asked for is tried, and its failure is a sentence."""
    done, calls = run(ASK, "profile", "someone/something")
    assert "socket.getaddrinfo" in calls and "huggingface.co" in calls
    assert done.returncode == 1 and "the hub cannot be reached" in done.stderr and "Traceback" not in done.stderr
    done, calls = run(ASK, "data", "download", "camvid", "--data.root", "data")
    assert "socket.getaddrinfo" in calls and done.returncode == 1 and "Traceback" not in done.stderr


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("suffixes", [("onnx",), pytest.param(("onnx", "xml", "pt2"), marks=pytest.mark.soak)])
def test_no_verb_speaks_to_the_network(suffixes, run, tmp_path):
    packages = {"onnx": ("onnxscript", "onnxruntime"), "xml": ("onnxscript", "openvino"), "pt2": ()}
    possible = [suffix for suffix in suffixes if all(find_spec(name) for name in packages[suffix])]
    done, calls = run(WORK, tmp_path / "out", *possible)
    assert done.returncode == 0, done.stderr[-4000:]
    assert calls == "", calls
    assert Path(tmp_path / "out" / "page.html").is_file()
