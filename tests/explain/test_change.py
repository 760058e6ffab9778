"""Changes without a map, beside counts made pixel by pixel."""

import numpy as np
import pytest
import torch

from attseg.errors import UsageError
from attseg.explain import look
from attseg.explain.change import without
from attseg.models import PAN
from watched import build, pictures


@pytest.fixture(scope="module")
def looked():
    return look(build("PAN"), pictures())


def test_numbers_are_those_of_a_count_by_hand(looked):
    change = without(looked, ["fpa"], "off")
    model = looked.model
    handle = model.context.pyramid.register_forward_hook(lambda tap, inputs, weights: torch.ones_like(weights))
    with torch.no_grad():
        after = model(pictures()).logits[0]
    handle.remove()
    before = looked.logits
    pairs = {}
    for y in range(64):
        for x in range(96):
            pair = int(before[:, y, x].argmax()), int(after[:, y, x].argmax())
            pairs[pair] = pairs.get(pair, 0) + 1
    moved = {pair: count for pair, count in pairs.items() if pair[0] != pair[1]}
    assert moved
    assert {(m.before, m.after): m.pixels for m in change.moves} == moved
    assert [m.pixels for m in change.moves] == sorted(moved.values(), reverse=True)
    assert change.changed.sum() == sum(moved.values())
    values = change.to_dict(["a", "b", "c", "d", "e"])
    assert values["changed"] == sum(moved.values())
    for row in values["classes"]:
        index = "abcde".index(row["name"])
        assert row["before"] == sum(count for (one, _), count in pairs.items() if one == index)
        assert row["gained"] == sum(count for (_, other), count in moved.items() if other == index)
        assert row["before"] - row["lost"] + row["gained"] == row["after"]
    total = np.abs(before.softmax(0).numpy() - after.softmax(0).numpy()).sum(0) / 2
    np.testing.assert_allclose(change.shift, total, atol=1e-6)
    assert values["probability_moved"] == pytest.approx(total.mean(), rel=1e-4)


def test_what_was_continued_does_not_count(looked):
    change = without(looked, ["fpa"])
    assert (change.within(10, 20).changed == change.changed[:10, :20]).all()


def test_maps_of_the_model_itself_change_nothing_and_those_of_another_do(looked):
    names = ["fpa", "gau"]
    assert without(looked, names, "other", other=look(looked.model, pictures())).shift.max() < 1e-5
    torch.manual_seed(5)
    other = PAN(5, encoder="test_resnet", channels=8).eval()
    change = without(looked, ["fpa"], "other", other=look(other, pictures()))
    theirs = look(other, pictures()).maps[0].weights
    handle = looked.model.context.pyramid.register_forward_hook(lambda tap, inputs, weights: theirs)
    with torch.no_grad():
        expected = looked.model(pictures()).logits[0]
    handle.remove()
    torch.testing.assert_close(change.after, expected)


def test_another_architecture_is_refused(looked):
    with pytest.raises(UsageError, match="the other model has other maps"):
        without(looked, ["fpa"], "other", other=look(build("DFDAM"), pictures()))
    wide = PAN(5, encoder="test_resnet", channels=16).eval()
    with pytest.raises(UsageError, match=r"\(1, 16, 1, 1\).*\(1, 8, 1, 1\)"):
        without(looked, ["gau"], "other", other=look(wide, pictures()))
    with pytest.raises(UsageError, match="other"):
        without(looked, ["gau"], "other")
