"""Real processes: one that is killed in the middle, and two that share the work."""

import json
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from PIL import Image

from attseg.cli import main

ENVIRONMENT = os.environ | {"OMP_NUM_THREADS": "1"}


def photos(folder, count):
    folder.mkdir()
    for number in range(count):
        pixels = np.random.default_rng(number).integers(0, 256, (40 + number % 3, 48, 3), np.uint8)
        Image.fromarray(pixels).save(folder / f"{number:02}.png")
    return folder


def command(trained, folder, out):
    return [
        *("-m", "attseg", "predict", str(trained), str(folder), "--out", str(out), "--device", "cpu", "--batch", "1")
    ]


def entries(out):
    return [json.loads(line) for path in sorted(out.glob("manifest*.jsonl")) for line in path.read_text().splitlines()]


def results(out):
    """The content of every file but the manifest."""
    return {
        path.relative_to(out).as_posix(): path.read_bytes()
        for path in out.rglob("*")
        if path.is_file() and path.suffix != ".jsonl"
    }


@pytest.mark.slow
def test_a_killed_process_is_gone_on_with_as_if_nothing_had_been(trained, tmp_path):
    folder, out = photos(tmp_path / "photos", 40), tmp_path / "out"
    call = [sys.executable, *command(trained, folder, out)]
    with subprocess.Popen(call, env=ENVIRONMENT) as process:
        while process.poll() is None and len(list(out.glob("labels/*.png"))) < 5:
            time.sleep(0.002)
        process.send_signal(signal.SIGKILL)
    assert process.returncode == -signal.SIGKILL
    before = len(list(out.glob("labels/*.png")))
    assert 5 <= before < 40
    with (out / "manifest.jsonl").open("ab") as file:
        file.write(b'{"file": "cut sho')
    again = subprocess.run(call, env=ENVIRONMENT, capture_output=True, text=True, timeout=120)
    assert again.stderr == ""
    assert again.stdout == f"{out}: {40 - before} segmented, {before} done before (--overwrite segments them anew)\n"
    whole = tmp_path / "whole"
    assert main(command(trained, folder, whole)[2:]) == 0
    assert results(out) == results(whole)
    passing = ("seconds", "time", "key")
    one, other = (
        sorted(json.dumps({key: entry[key] for key in entry if key not in passing}) for entry in entries(folder))
        for folder in (out, whole)
    )
    assert one == other


@pytest.mark.slow
def test_processes_of_torchrun_take_each_picture_once_and_wait_for_each_other(trained, tmp_path):
    folder, out = photos(tmp_path / "photos", 7), tmp_path / "out"
    for number in range(0, 7, 2):  # all that the first process has, which is ready at once
        (folder / f"{number:02}.png").write_bytes(b"no picture")
    launch = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    done = subprocess.run(
        [*launch, *command(trained, folder, out)], env=ENVIRONMENT, capture_output=True, text=True, timeout=180
    )
    assert done.returncode == 1
    assert done.stdout == f"{out}: 3 segmented, 4 failed, by 2 processes\n"
    assert "00.png cannot be read as a picture" in done.stderr
    assert sorted(path.name for path in out.glob("*.jsonl")) == ["manifest-0-of-2.jsonl", "manifest-1-of-2.jsonl"]
    assert sorted(entry["name"] for entry in entries(out)) == [f"{number:02}" for number in range(7)]
    assert sorted(path.name for path in out.glob("labels/*.png")) == ["01.png", "03.png", "05.png"]
