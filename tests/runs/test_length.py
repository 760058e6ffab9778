import io
import math
from dataclasses import replace
from time import sleep

import pytest
import torch
from rich.console import Console

from attseg.checkpoint import read_weights
from attseg.errors import UsageError
from attseg.recipes.recipe import OptimSpec
from attseg.runs.errors import RunError
from attseg.runs.length import FIRST, MEASURED, Patience, RunPace, decide_steps, is_done, measure_pace, steps_within
from attseg.runs.state import load_state
from attseg.training.run import train
from fitting import HERE, Pixelwise, fit_into


def weights(folder, name="last"):
    return read_weights(folder / f"{name}.safetensors").state


def different(one, other):
    return [name for name in one if not torch.equal(one[name], other[name])]


def trained(recipe, out, **options):
    said = io.StringIO()
    train(recipe, HERE, out=out, console=Console(file=said, width=250), **options)
    return said.getvalue()


def test_epochs_are_passes_over_the_images(tiny):
    assert decide_steps(tiny(steps=0, epochs=3), 10, None).steps == 8  # 30 images, 4 a step
    assert decide_steps(tiny(steps=0, epochs=0.01), 10, None).steps == 1
    assert decide_steps(tiny(), 10, None) == tiny()


@pytest.mark.parametrize(
    ("lengths", "message"),
    [
        ({"steps": 6, "minutes": 2.0}, "steps is 6 and minutes is 2; give the length of a run as one of"),
        ({"steps": 6, "epochs": 2.0}, "steps is 6 and epochs is 2; give"),
        ({"steps": 0}, "steps, epochs and minutes are 0; give"),
        (
            {"steps": 6, "patience": 3},
            "patience is 3 evaluations, and in 6 steps there are 3 .one every 2.*would never end",
        ),
        ({"patience_on": "val_loss"}, "patience_on is val_loss, and patience is 0, .* evaluations too .--patience 5"),
        ({"steps": 50, "val_every": 0, "patience": 1}, "in 50 steps there are 1 .one every 100"),
    ],
)
def test_lengths_that_cannot_be_are_refused(tiny, tmp_path, lengths, message):
    with pytest.raises(UsageError, match=message):
        train(tiny(**lengths), HERE, out=tmp_path / "run")
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("seconds", [0.1, 1.0, 29.9, 1000.0, 86_400.0])
def test_as_many_steps_as_fit_with_their_evaluations(tiny, seconds):
    recipe, pace = tiny(val_every=0), RunPace(step=0.5, evaluation=3.0)
    steps = steps_within(seconds, pace, recipe)

    def takes(count):
        return 0.5 * count + 3 * math.ceil(count / max(math.ceil(count / 10), 100))

    assert not steps or takes(steps) <= seconds
    assert takes(steps + 1) > seconds


@pytest.fixture
def paced(monkeypatch):
    """Steps and evaluations are done as they are measured, and take as long as is said here."""

    def measure(step, evaluate, minutes, agree):
        for _ in range(agree(4)):
            step()
        assert evaluate() > 0
        return RunPace(step=40.0, evaluation=10.0)

    monkeypatch.setattr("attseg.training.pace.measure_pace", measure)


@pytest.mark.slow
def test_a_run_of_minutes_is_a_run_of_as_many_steps(tiny, tmp_path, paced):
    """What was measured is undone: weights, optimizer, average and batches are those of a run that was given the steps."""
    recipe = tiny(steps=0, minutes=10.0, val_every=0, ema=0.9, optim=OptimSpec(name="adamw", lr=1e-3, warmup=0.2))
    said = trained(recipe, tmp_path / "minutes")
    steps = read_weights(tmp_path / "minutes" / "last.safetensors").info["recipe"]["steps"]
    assert 4 < steps <= 14  # 14 * 40 + 10 < 600, less what was spent
    assert f"10 minutes: {steps} steps (40 s a step, 10 s an evaluation)" in said
    train(replace(recipe, minutes=0.0, steps=steps), HERE, out=tmp_path / "steps")
    for name in ("best", "last"):
        assert different(weights(tmp_path / "minutes", name), weights(tmp_path / "steps", name)) == []


@pytest.mark.slow
def test_what_was_decided_is_kept_by_a_resumed_run(tiny, tmp_path, paced, monkeypatch):
    recipe = tiny(steps=0, minutes=10.0, val_every=0)
    trained(recipe, tmp_path / "run")
    before = weights(tmp_path / "run")
    state, _ = load_state(tmp_path / "run" / "state")
    (tmp_path / "run" / "state" / f"{state['step']:08}.pt").unlink()
    monkeypatch.setattr("attseg.training.pace.measure_pace", None)
    said = trained(recipe, tmp_path / "run", resume=True)
    assert f"of {state['step']}" in said
    assert different(weights(tmp_path / "run"), before) == []


def test_the_pace_is_measured_after_the_first_steps(monkeypatch):
    clock, done = [0.0], []

    def step():
        done.append(step)
        clock[0] += 5.0 if len(done) <= FIRST else 0.5

    monkeypatch.setattr("attseg.runs.length.perf_counter", lambda: clock[0])
    pace = measure_pace(step, lambda: 7.0, 10.0, lambda number: number)
    assert pace == RunPace(step=0.5, evaluation=7.0)
    assert len(done) == FIRST + MEASURED + 36  # 3 % of 10 minutes


def test_minutes_that_are_over_before_the_first_step_are_refused(tiny, tmp_path):
    class Slow(Pixelwise):
        def forward(self, images):
            sleep(0.05)
            return super().forward(images)

    with pytest.raises(
        RunError, match=r"minutes is 0.001, and beside what was spent to measure it a step takes .*give more"
    ):
        fit_into(tmp_path, tiny(steps=0, minutes=0.001), model=Slow)


@pytest.mark.slow
def test_a_finished_run_goes_on_for_longer_and_says_at_which_rate(tiny, tmp_path):
    trained(tiny(steps=4), tmp_path / "run")
    said = trained(tiny(steps=8), tmp_path / "run", resume=True)
    assert "going on after step 4 of 8" in said
    assert "8 steps in place of 4: the learning rate goes on at 0.00536, as in a run of 8, and falls to 0" in said
    after = weights(tmp_path / "run")
    (tmp_path / "run" / "state" / "00000008.pt").unlink()
    trained(tiny(steps=8), tmp_path / "run", resume=True)  # from step 6: stopped and gone on
    assert different(weights(tmp_path / "run"), after) == []


@pytest.mark.slow
def test_fewer_steps_than_were_done_are_refused_and_change_nothing(tiny, tmp_path):
    trained(tiny(steps=4), tmp_path / "run")
    before = (tmp_path / "run" / "recipe.yaml").read_bytes()
    with pytest.raises(UsageError, match="this run has done 4 steps, and 3 were asked for; give more: --steps 8"):
        train(tiny(steps=3), HERE, out=tmp_path / "run", resume=True)
    assert (tmp_path / "run" / "recipe.yaml").read_bytes() == before


STILL = OptimSpec(lr=0.0, weight_decay=0.0)


def still(num_classes):
    """Predicts the same whatever it is trained on."""
    torch.manual_seed(0)
    return Pixelwise(num_classes)


@pytest.mark.parametrize("on", ["miou", "val_loss"])
def test_a_run_ends_after_so_many_evaluations_without_a_better_score(tiny, tmp_path, on):
    recipe = tiny(steps=20, val_every=2, patience=3, patience_on=on, optim=STILL)
    said = io.StringIO()
    fit_into(tmp_path, recipe, model=still, said=said)
    reason = {"miou": "mIoU has not risen", "val_loss": "the validation loss has not fallen"}[on]
    assert f"step 8 is the last of 20: {reason} in 3 evaluations (patience)" in said.getvalue()
    assert read_weights(tmp_path / "last.safetensors").info["step"] == 8
    state, _ = load_state(tmp_path / "state")
    assert is_done(recipe, state) and state["stale"] == 3
    assert not is_done(replace(recipe, patience=4), state)
    assert not is_done(replace(recipe, steps=30), state)
    assert not is_done(replace(recipe, patience=0), state)


@pytest.mark.slow
def test_patience_goes_on_where_it_was(tiny, tmp_path):
    recipe = tiny(steps=20, val_every=2, patience=4, optim=STILL)
    fit_into(tmp_path, recipe, model=still)
    (tmp_path / "state" / "00000010.pt").unlink()
    assert load_state(tmp_path / "state")[0]["stale"] == 3
    fit_into(tmp_path, recipe, model=still)
    assert read_weights(tmp_path / "last.safetensors").info["step"] == 10


def test_scores_are_compared_in_their_direction(tiny):
    loss = Patience(tiny(patience=2, patience_on="val_loss"), None)
    assert [loss.take({"val_loss": value}) for value in (2.0, 1.0, 1.5, 1.0)] == [False, False, False, True]
    miou = Patience(tiny(patience=2), None)
    assert [miou.take({"miou": value}) for value in (0.1, 0.2, 0.15, 0.3)] == [False] * 4
    assert [miou.take({}) for _ in range(2)] == [False, True]


def test_a_short_warm_up_is_said(tiny, tmp_path):
    said = io.StringIO()
    fit_into(tmp_path, tiny(optim=OptimSpec(warmup=30)), model=Pixelwise, said=said)
    assert "warm-up: 3 steps, half of the run, not 30" in said.getvalue()
