import json
import os
import signal
import subprocess
import sys

import pytest

from attseg.cli import main

TINY = (
    *("psanet:4", "--only", "50-baseline,50-collect", "--steps", "4", "--data.options.count", "2"),
    *("--machine.device", "cpu", "--machine.workers", "0", "--machine.save_every", "1"),
)

DIE = """
import os, signal, sys

import torch

from attseg.cli import main
from attseg.training import loop

if __name__ == "__main__":
    torch.set_num_threads(1)
    train_step = loop.train_step

    def die_after_two_steps(learner, *rest):
        if "collect" in learner.recipe.name and learner.step == 2:
            os.kill(os.getpid(), signal.SIGKILL)
        return train_step(learner, *rest)

    loop.train_step = die_after_two_steps
    main(sys.argv[1:])
"""


def results(out):
    """Every result, and the table without the time."""
    found = {
        str(path.relative_to(out)): json.loads(path.read_text()) for path in sorted(out.glob("*/*/*/reproduced/*.json"))
    }
    rows = [line.rsplit("|", 2)[0] for line in (out / "small" / "psanet-4.md").read_text().splitlines()]
    return found, rows


@pytest.mark.slow
def test_a_killed_table_goes_on_and_ends_as_one_that_was_left_in_peace(tmp_path, capfd):
    straight, killed = tmp_path / "straight", tmp_path / "killed"
    assert main(["reproduce", *TINY, "--out", str(straight)]) == 0
    assert "psanet-small-collect, seed 0: training" in capfd.readouterr().err.replace("\n", " ")

    script = tmp_path / "run.py"
    script.write_text(DIE)
    command = [sys.executable, script, "reproduce", *TINY, "--out", killed]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    assert subprocess.run(command, timeout=400, env=environment, capture_output=True).returncode == -signal.SIGKILL
    done = killed / "small" / "psanet-small-baseline" / "seed-0"
    before = {path: path.stat().st_mtime_ns for path in done.rglob("*") if path.is_file()}
    assert done / "reproduced" / "single.json" in before
    assert not list(killed.glob("small/psanet-small-collect/seed-0/reproduced/*"))

    assert main(["reproduce", *TINY, "--report", "--out", str(killed)]) == 0
    assert "training" not in capfd.readouterr().err

    assert main(["reproduce", *TINY, "--out", str(killed)]) == 0
    said = capfd.readouterr().err.replace("\n", " ")
    assert "psanet-small-baseline" not in said
    assert "going on after step 2 of 4" in said
    assert {path: path.stat().st_mtime_ns for path in before} == before
    assert results(killed) == results(straight)

    assert main(["reproduce", *TINY, "--out", str(killed)]) == 0
    printed = capfd.readouterr()
    assert "psanet-small" not in printed.err and "psanet:4: What PSA adds" in printed.out


def test_without_a_table_all_are_listed(capsys):
    assert main(["reproduce"]) == 0
    assert "psanet:1" in capsys.readouterr().out


def test_a_report_of_nothing_shows_the_paper_alone(tmp_path, capsys):
    assert main(["reproduce", "pan:1", "--report", "--out", str(tmp_path)]) == 0
    printed = capsys.readouterr().out
    assert "78.37" in printed
    assert "another task than the paper's" in " ".join(printed.split())
    assert sorted(path.name for path in (tmp_path / "small").glob("[!.]*")) == ["pan-1.csv", "pan-1.md", "pan-1.png"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["pan:11"], "there is no table 'pan:11'; did you mean 'pan:1'"),
        (["pan:1", "--budget", "tiny"], 'Invalid value "tiny" for --budget. Choose from: '),
        (["pan:1", "--budget", "paper", "--data.name", "scenes"], "data.name is for --budget small"),
        (["pan:1", "--budget", "paper"], "the data set 'voc2012' lies in a folder, and none was given"),
        (
            ["pan:1", "--machine.devices", "2"],
            "a table is trained on one device. On several, train its rows one by one",
        ),
        (
            ["readings", "--only", "count"],
            "--only names rows of one table, and readings are a2r:readings, dfdam:readings, ",
        ),
        (["pan:1", "--only", "sse"], "there is no row of pan:1 'sse'; did you mean 'se'"),
    ],
)
def test_what_cannot_be_run_is_told(arguments, message, capsys, tmp_path):
    assert main(["reproduce", *arguments, "--out", str(tmp_path)]) == 2
    assert capsys.readouterr().err.splitlines()[-1].startswith(f"attseg: {message}")
