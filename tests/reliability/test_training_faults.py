"""Runs that are killed, starved of disk and memory, fed with numbers that are none, and begun twice."""

import re
import resource
import signal
import subprocess
from contextlib import suppress
from dataclasses import replace
from itertools import islice

import numpy as np
import pytest
import torch
from torch import nn

from attseg.checkpoint import read_weights
from attseg.data.catalog import open_data
from attseg.data.feeding.loader import eval_loader
from attseg.data.feeding.samplers import TrainSampler
from attseg.data.sample import DataError
from attseg.losses import LossSpec
from attseg.models import Segmentation
from attseg.recipes.recipe import DataSpec
from attseg.runs.errors import RunError
from attseg.runs.state import load_state
from fitting import HERE, fit_into
from reliability.breaking import wait_until
from reliability.deadly import DEADLY, Deadly, Large

NAMES = ("best.safetensors", "last.safetensors")


def assert_same(run, straight):
    for name in NAMES:
        found, expected = (read_weights(folder / name).state for folder in (run, straight))
        assert found.keys() == expected.keys()
        assert [key for key in expected if not torch.equal(found[key], expected[key])] == []


def course(run):
    """The steps in the log of a run, and its scores; a run that goes on writes one more row, after its first step."""
    rows = [line.split(",") for line in (run / "metrics.csv").read_text().splitlines()[1:]]
    return [int(row[0]) for row in rows], [(row[0], *row[4:]) for row in rows if row[4]]


# Kills


def kill_and_resume(nursery, yaml, tmp_path, *, kills, steps, longest, least):
    """Kill runs, and let them go on, until they end by themselves; returns how many kills met a checkpoint half written.

    In turn: some time after a first checkpoint, in the middle of writing a later one, and at any moment from the start.
    """
    file = yaml(steps=steps, val_every=steps // 4, machine={"save_every": 3})
    straight = tmp_path / "straight"
    assert nursery.start("train", file, "--out", straight).wait() == 0
    rng, killed, writing, number = np.random.default_rng(0), 0, 0, 0
    while killed < kills or writing < least:
        run = tmp_path / f"run{number}"
        number += 1
        status = None
        while status != 0:
            child = nursery.start("train", *(["--resume"] if (run / "recipe.yaml").exists() else [file]), "--out", run)
            before = [*run.glob("state/*.pt")]
            if killed < kills or writing < least:
                if killed % 3 < 2:
                    pause(child, lambda: set(run.glob("state/*.pt")) - set(before))  # noqa: B023
                if killed % 3 == 1:
                    pause(child, lambda: [*run.glob("state/.*.part")])  # noqa: B023
                else:
                    pause(child, seconds=rng.uniform(0, longest))
                if child.running():
                    child.kill()
            status = child.wait()
            killed += status == -signal.SIGKILL
            writing += status == -signal.SIGKILL and bool(before) and bool([*run.glob("state/.*.part")])
            assert status in (0, -signal.SIGKILL), child.said
            assert "Traceback" not in child.said
            if before and status == 0:
                assert "going on after step" in child.said
        assert_same(run, straight)
        (seen, scores), (expected, expected_scores) = course(run), course(straight)
        assert scores == expected_scores
        assert set(seen) >= set(expected)
        assert seen == sorted(set(seen))
        assert (run / "report.json").read_bytes() == (straight / "report.json").read_bytes()
        assert not [*run.rglob(".*.part")]
    print(f"{killed} kills, {writing} of them while a checkpoint was being written")
    return writing


def pause(child, until=lambda: False, seconds=60):
    """Wait, at most until the process ends."""
    with suppress(AssertionError):
        wait_until(lambda: until() or not child.running(), seconds, "nothing")


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_run_killed_3_times_ends_with_the_weights_of_one_that_was_not(nursery, yaml, tmp_path):
    assert kill_and_resume(nursery, yaml, tmp_path, kills=3, steps=20, longest=0.3, least=1) >= 1


@pytest.mark.soak
@pytest.mark.timeout(7200)
def test_a_run_killed_20_times_ends_with_the_weights_of_one_that_was_not(nursery, yaml, tmp_path):
    assert kill_and_resume(nursery, yaml, tmp_path, kills=20, steps=120, longest=3, least=5) >= 5


# Disks


@pytest.fixture
def small_disk(tmp_path):
    """A real file system of 40 MB."""
    folder = tmp_path / "small"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=40m", "tmpfs", folder], capture_output=True, text=True
    )
    if mounted.returncode:
        pytest.skip(
            f"a small disk cannot be mounted here ({mounted.stderr.strip()}); the limit on files is tested instead"
        )
    yield folder
    subprocess.run(["umount", "--lazy", folder], check=True)


def begin(nursery, file, run):
    """A run that goes on for long, after its first save."""
    child = nursery.start("train", file, "--out", run)
    wait_until(lambda: [*run.glob("state/*.pt")] or not child.running(), 200, "a saved state")
    assert child.running(), child.said
    return child


def assert_goes_on(nursery, child, run, straight, room):
    """The run has ended in a sentence; what it had saved is whole, and leads to the same weights once there is room."""
    assert child.wait() == 1, child.said
    assert "Traceback" not in child.said
    last = child.said.splitlines()[-1]
    state, damaged = load_state(run / "state")
    assert damaged == []
    assert state["step"] >= 2
    read_weights(run / "last.safetensors")
    room()
    again = nursery.start("train", "--resume", "--out", run)
    assert again.wait() == 0, again.said
    assert f"going on after step {state['step']} of 30" in again.said
    assert_same(run, straight)
    return last


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_disk_that_is_full_stops_a_run_in_words_and_spoils_nothing(nursery, yaml, tmp_path, small_disk):
    file, run, filler = yaml(steps=30, val_every=10), small_disk / "run", small_disk / "filler"
    straight = nursery.start("train", file, "--out", tmp_path / "straight")
    child = begin(nursery, file, run)
    with filler.open("wb", buffering=0) as full:
        while child.running():  # what the run frees is taken too
            with suppress(OSError):
                full.write(bytes(4096))
    assert straight.wait() == 0, straight.said
    said = assert_goes_on(nursery, child, run, tmp_path / "straight", filler.unlink)
    assert re.fullmatch(r"attseg: cannot write .*: no space is left in .*; free some, or choose another folder", said)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_limit_on_files_stops_a_run_in_words_and_spoils_nothing(nursery, yaml, tmp_path):
    file, run = yaml(steps=30, val_every=10), tmp_path / "run"
    straight = nursery.start("train", file, "--out", tmp_path / "straight")
    child = begin(nursery, file, run)
    resource.prlimit(child.pid, resource.RLIMIT_FSIZE, (20_000, 20_000))
    assert straight.wait() == 0, straight.said
    said = assert_goes_on(nursery, child, run, tmp_path / "straight", lambda: None)
    assert re.fullmatch(r"attseg: cannot write .*: the limit on the size of a file is reached; .*", said)


@pytest.mark.slow
def test_a_state_cut_off_anywhere_is_recognised_and_the_one_before_is_used(tiny, tmp_path):
    fit_into(tmp_path / "run", tiny(steps=4))
    folder = tmp_path / "run" / "state"
    newest = folder / "00000004.pt"
    whole = newest.read_bytes()
    for length in (0, 1, 31, 32, 33, 1000, len(whole) // 2, len(whole) - 1):
        newest.write_bytes(whole[:length])
        state, damaged = load_state(folder)
        assert (state["step"], damaged) == (2, [newest]), length
    (folder / "00000002.pt").write_bytes(b"")
    with pytest.raises(RunError, match=r"no state in .* is whole .*start it again in another folder"):
        fit_into(tmp_path / "run", tiny(steps=4))


# Numbers


class Exploding(nn.Module):
    """Its loss, or the gradient alone, is no number in the n-th step of training."""

    def __init__(self, num_classes, at, what):
        super().__init__()
        self.encoder = nn.Conv2d(3, 8, 1)
        self.head = nn.Conv2d(8, num_classes, 1)
        self.spare = nn.Parameter(torch.zeros(()))
        self.at, self.what, self.steps = at, what, 0

    def forward(self, images):
        logits = self.head(self.encoder(images).relu())
        self.steps += self.training
        if self.training and self.steps == self.at:
            match self.what:
                case "nan":
                    logits = logits * float("nan")
                case "inf":  # the cross entropy of finite logits this far apart is more than a number holds
                    logits = logits.sign() * 3e38
                case "gradient":  # finite, with a slope that is not
                    logits = logits + self.spare.sqrt()
        return Segmentation(logits, {})


@pytest.mark.parametrize("what", ["nan", "inf", "gradient"])
def test_losses_and_weights_that_are_not_finite_stop_a_run_before_they_are_kept(tiny, tmp_path, what):
    recipe = tiny(steps=500, val_every=500, loss=LossSpec(), sampling="shuffled")  # a row in the log every 10 steps
    data = open_data("folder", "train", root=recipe.data.root)
    order = [data.name(index) for batch in islice(TrainSampler(5, batch_size=2, seed=0), 58) for index, _ in batch]
    machine = replace(HERE, save_every=58 if what == "gradient" else 29)
    with pytest.raises(RunError) as error:
        fit_into(tmp_path / "run", recipe, machine, model=lambda num_classes: Exploding(num_classes, 58, what))
    if what == "gradient":
        assert re.match(
            r"in step 58 the loss is [\d.]+, but weights became NaN or infinite, over the samples ",
            str(error.value),
        )
        assert "nothing was saved before" in str(error.value)
        assert not [*(tmp_path / "run").glob("*.safetensors")]
        assert not [*(tmp_path / "run" / "state").glob("*.pt")]
    else:
        assert str(error.value).startswith(f"in step 58 the loss is {what}, over the samples ")
        assert "the weights of the last save are untouched" in str(error.value)
        assert load_state(tmp_path / "run" / "state")[0]["step"] == 29
        last = read_weights(tmp_path / "run" / "last.safetensors").state
        assert all(tensor.isfinite().all() for tensor in last.values())
    assert f"over the samples {', '.join(order[-2:])};" in str(error.value)


# Workers


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("how", ["kill", "segfault", "memory"])
def test_a_worker_that_dies_over_a_picture_names_it(tiny, tmp_path, how):
    recipe = tiny(data=DataSpec(), loss=LossSpec(), sampling="shuffled")
    name = Deadly("train", how).name(DEADLY)
    with pytest.raises(
        DataError, match=rf"a process that reads images was killed; the last that were begun are '{name}' \("
    ):
        fit_into(
            tmp_path / "run", recipe, replace(HERE, workers=1), data=Deadly("train", how), val=Deadly("val", "not")
        )
    with pytest.raises(DataError, match=rf"was killed; .* are '{name}' "):
        list(eval_loader(Deadly("train", how), range(6), workers=1))


@pytest.mark.timeout(300)
@pytest.mark.slow
def test_a_worker_that_dies_while_it_sends_is_not_waited_for():
    """One that had written half of a picture into a pipe would be, without end."""
    import psutil

    stream = iter(eval_loader(Large(), range(8), workers=1))
    assert next(stream).name == "large/0"
    me = psutil.Process()
    (worker,) = (process for process in me.children(recursive=True) if process.ppid() != me.pid)
    wait_until(
        lambda: worker.status() == psutil.STATUS_SLEEPING and worker.num_threads() > 2, 60, "samples on their way"
    )
    worker.kill()
    with pytest.raises(DataError, match=r"was killed; .* are 'large/\d' "):
        list(stream)


# Folders


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_second_run_into_a_folder_is_refused(nursery, yaml, tmp_path):
    file, run = yaml(steps=100_000, val_every=100_000), tmp_path / "run"
    together = [nursery.start("train", file, "--out", run) for _ in range(2)]
    wait_until(lambda: not all(child.running() for child in together), 200, "one of two to be refused")
    (refused,) = (child for child in together if not child.running())
    (first,) = (child for child in together if child is not refused)
    told = {  # by status: it met the lock, or started so late that it met the run
        1: f"attseg: process {first.pid} is training in {run}; wait for it to end, or choose",
        2: f"attseg train --resume --out {run}",
    }
    assert told[refused.wait()] in refused.said
    wait_until(lambda: [*run.glob("state/*.pt")], 200, "a saved state")
    for arguments, said, status in (
        (["--resume"], f"process {first.pid} is training in", 1),
        ([file], f"attseg train --resume --out {run}", 2),
    ):
        other = nursery.start("train", *arguments, "--out", run)
        assert other.wait() == status
        assert said in other.said
    assert first.running()
    first.kill()
    first.wait()
    assert "Traceback" not in first.said
    again = nursery.start("train", "--resume", "--out", run)  # the lock of a dead process holds nobody up
    wait_until(lambda: "going on after step" in again.said or not again.running(), 100, "the run to go on")
    assert again.running(), again.said
