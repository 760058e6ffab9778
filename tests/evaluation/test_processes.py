"""Evaluation in processes of its own: two that share the work, one that is killed, and one that may use little memory."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest

SCRIPT = """
import json, sys, time, warnings
from pathlib import Path

warnings.simplefilter("error")

import numpy as np
import torch
import torch.nn.functional as F
from torch import distributed, nn

from attseg.data.classes import ClassTable, distinct_colors
from attseg.data.preprocessing import Preprocessing
from attseg.data.sample import Sample
from attseg.evaluation.run import evaluate
from attseg.evaluation.kept import KeptCounts
from attseg.models import Segmentation
from attseg.prediction.protocol import Protocol

CLASSES = 19


class Pictures:
    classes = ClassTable(tuple(map(str, range(CLASSES))), distinct_colors(CLASSES))
    split = "val"

    def __init__(self, count, size):
        self.count, self.size = count, size

    def __len__(self):
        return self.count

    def name(self, index):
        return f"picture-{index}"

    def __getitem__(self, index):
        rng = np.random.default_rng(index)
        labels = np.resize(rng.integers(0, CLASSES, (97, 89)).astype(np.uint8), (self.size, self.size))
        probes = {f"probe-{index % 3}": labels == 3} if index else None
        return Sample(np.stack([labels * 10] * 3, 2), labels, self.name(index), probes)


class Model(nn.Module):
    '''Cheap: the class whose value is nearest to the red channel.'''

    def __init__(self, wait=0.0):
        super().__init__()
        self.wait = wait

    def forward(self, images):
        time.sleep(self.wait)
        values = torch.arange(CLASSES).view(1, -1, 1, 1) * 0.04
        return Segmentation(images[:, :1] * values * 99 - 99 * values**2 / 2, {})


class Confidence:
    name, needs_scores = "confidence", True

    def count(self, sample, prediction, scores):
        return {"sum": scores.max(0).values.double().sum()}

    def result(self, counts):
        return {name: float(value) for name, value in counts.items()}


PLAIN = Preprocessing((0.0, 0.0, 0.0), (1.0, 1.0, 1.0))


def share(out):
    distributed.init_process_group("gloo")
    rank, world = distributed.get_rank(), distributed.get_world_size()
    report = evaluate(Model(), Pictures(5, 40), PLAIN, meters=[Confidence()], rank=rank, world=world)
    Path(out, f"{world}-{rank}.json").write_text(json.dumps(report.to_dict()))
    distributed.destroy_process_group()


def resume(out, wait):
    kept = KeptCounts(Path(out, "pictures.jsonl"), {"wait": 0}, resume=True)
    model, protocol = Model(float(wait)), Protocol(window=40, flip=True, scales=(1.0, 1.5))
    report = evaluate(model, Pictures(12, 60), PLAIN, protocol=protocol, meters=[Confidence()], kept=kept)
    Path(out, "report.json").write_text(json.dumps(report.to_dict()))


def huge(size, scales, stride, flip):
    scales = tuple(map(float, scales.split(",")))
    protocol = Protocol(window=512, scales=scales, stride=float(stride), flip=bool(int(flip)))
    start = time.perf_counter()
    report = evaluate(Model(), Pictures(1, int(size)), PLAIN, protocol=protocol)
    assert report.counts.sum() == int(size) ** 2
    status = Path("/proc/self/status").read_text()
    peak = int(status.partition("VmHWM:")[2].split()[0])
    print(peak / 2**20, report.pixel_accuracy, time.perf_counter() - start)


if __name__ == "__main__":
    torch.set_num_threads(1)
    globals()[sys.argv[1]](*sys.argv[2:])
"""


@pytest.fixture(scope="module")
def script(tmp_path_factory):
    path = tmp_path_factory.mktemp("script") / "evaluate.py"
    path.write_text(SCRIPT)
    return path


def run(*command):
    done = subprocess.run(
        [str(word) for word in command],
        capture_output=True,
        text=True,
        timeout=800,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_two_processes_count_every_picture_once(script, tmp_path):
    for world in (1, 2):
        launcher = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", world]
        run(*launcher, script, "share", tmp_path)
    one, *others = (json.loads(path.read_text()) for path in sorted(tmp_path.glob("*.json")))
    assert len(others) == 2
    assert one["pixels"] == 5 * 40 * 40
    assert set(one["probes"]) == {"probe-0", "probe-1", "probe-2"}
    for other in others:
        assert other.pop("meters")["confidence"]["sum"] == pytest.approx(one["meters"]["confidence"]["sum"], rel=1e-12)
        assert other == {name: value for name, value in one.items() if name != "meters"}


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_killed_evaluation_goes_on_and_ends_with_the_same_bits(script, tmp_path):
    for name in ("whole", "killed"):
        (tmp_path / name).mkdir()
    run(sys.executable, script, "resume", tmp_path / "whole", 0)
    kept = tmp_path / "killed" / "pictures.jsonl"
    with subprocess.Popen([sys.executable, script, "resume", tmp_path / "killed", "0.05"]) as process:
        deadline = time.monotonic() + 120
        while not (kept.exists() and kept.read_bytes().count(b"\n") > 3) and time.monotonic() < deadline:
            time.sleep(0.01)
        process.send_signal(signal.SIGKILL)
    before = kept.read_bytes()
    assert 3 < before.count(b"\n") < 12
    kept.write_bytes(before + before.splitlines()[-1][:40])  # as if the kill had cut a line short
    run(sys.executable, script, "resume", tmp_path / "killed", 0)
    assert kept.read_bytes().startswith(before)
    reports = [(tmp_path / name / "report.json").read_bytes() for name in ("whole", "killed")]
    assert reports[0] == reports[1]


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads the peak of its memory from /proc")
def test_a_huge_picture_takes_little_memory(script):
    gibibytes, accuracy, _ = map(float, run(sys.executable, script, "huge", 8192, "0.5,1", 1, 0).split())
    assert gibibytes < 4  # the scores alone would take 4.75, without those of any scale or window
    assert accuracy > 0.3
