import math

import pytest

from attseg.training import Callback, train
from fitting import HERE


class Notes(Callback):
    def __init__(self):
        self.steps, self.scores, self.ends = [], {}, []

    def on_step(self, learner, loss):
        self.steps.append((learner.step, loss.item()))

    def on_validation(self, learner, scores):
        self.scores[learner.step] = scores

    def on_end(self, learner):
        self.ends.append((learner.step, (self.folder / "last.safetensors").exists()))


@pytest.mark.slow
def test_hooks_see_each_step_each_evaluation_and_the_end(tiny, tmp_path):
    notes, plain = Notes(), Callback()
    notes.folder = tmp_path / "run"
    train(tiny(), HERE, out=tmp_path / "run", callbacks=[notes, plain])
    assert [step for step, _ in notes.steps] == [1, 2, 3, 4, 5, 6]
    rows = [line.split(",") for line in (tmp_path / "run" / "metrics.csv").read_text().splitlines()[1:]]
    assert [loss for _, loss in notes.steps] == pytest.approx([float(row[1]) for row in rows], rel=1e-5)
    assert list(notes.scores) == [2, 4, 6]
    last = notes.scores[6]
    present = [value for name, value in last.items() if name.startswith("iou/")]
    assert last["miou"] == pytest.approx(sum(present) / len(present))
    assert 0 < last["val_loss"] < 10 and not any(math.isnan(value) for value in last.values())
    assert notes.ends == [(6, True)]


@pytest.mark.slow
def test_hooks_change_no_weights(tiny, tmp_path):
    train(tiny(), HERE, out=tmp_path / "without")
    notes = Notes()
    notes.folder = tmp_path / "with"
    train(tiny(), HERE, out=tmp_path / "with", callbacks=[notes])
    one, other = ((tmp_path / name / "last.safetensors").read_bytes() for name in ("with", "without"))
    assert one == other


def test_an_error_in_a_hook_ends_the_run_and_leaves_what_was_saved(tiny, tmp_path):
    class Breaks(Callback):
        def on_step(self, learner, loss):
            if learner.step == 5:
                raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        train(tiny(), HERE, out=tmp_path / "run", callbacks=[Breaks()])
    train(tiny(), HERE, out=tmp_path / "run", resume=True)
    train(tiny(), HERE, out=tmp_path / "straight")
    one, other = ((tmp_path / name / "last.safetensors").read_bytes() for name in ("run", "straight"))
    assert one == other
