import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "examples" / "train.slurm"

TINY = (
    *("pan-scenes", "--model.args.encoder", "test_resnet", "--model.args.channels", "8"),
    *("--data.options.size", "64,64", "--data.options.count", "5", "--crop_size", "64,64"),
    *(
        "--batch_size",
        "4",
        "--steps",
        "2",
        "--machine.workers",
        "0",
        "--machine.device",
        "cpu",
        "--machine.timeout",
        "120",
    ),
)


@pytest.fixture
def cluster(tmp_path):
    """The environment of a job on one computer with two GPUs, whose ``srun`` and ``scontrol`` are stand-ins."""
    programs = {
        "srun": 'exec "$@"',
        "scontrol": '[ "$1 $2 $3" = "show hostnames cluster[1-2]" ] && echo localhost && echo another',
    }
    for name, text in programs.items():
        (tmp_path / name).write_text(f"#!/bin/sh\n{text}\n")
        (tmp_path / name).chmod(0o755)
    return os.environ | {
        "PATH": os.pathsep.join([str(tmp_path), str(Path(sys.executable).parent), os.environ["PATH"]]),
        "SLURM_JOB_NODELIST": "cluster[1-2]",
        "SLURM_JOB_ID": str(os.getpid()),
        "SLURM_NNODES": "1",
        "SLURM_GPUS_ON_NODE": "2",
        "OMP_NUM_THREADS": "1",
    }


def submit(environment, *arguments):
    return subprocess.run(
        ["bash", str(SCRIPT), *arguments], env=environment, capture_output=True, text=True, timeout=280
    )


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_job_trains_and_the_same_job_goes_on(cluster, tmp_path):
    out = tmp_path / "a run"
    first = submit(cluster, *TINY, "--out", str(out))
    assert first.returncode == 0, first.stderr
    assert json.loads((out / "report.json").read_text())["pictures"] == 5
    assert first.stdout.count("mIoU") == 1  # the first process alone speaks
    again = submit(cluster, *TINY, "--out", str(out))
    assert again.returncode == 0, again.stderr
    assert "going on after step 2 of 2" in again.stderr


def test_a_job_without_a_folder_is_refused(cluster):
    done = submit(cluster, *TINY)
    assert done.returncode == 2
    assert done.stderr == "give the run folder with --out DIR; it must lie where all computers see it\n"
