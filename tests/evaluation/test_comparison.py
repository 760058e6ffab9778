import json

import numpy as np
import pytest
import torch

from attseg.errors import UsageError
from attseg.evaluation.comparison import compare
from attseg.evaluation.kept import KeptCounts
from attseg.metrics import iou, mean_present, pixel_accuracy

NAMES = ("sky", "road", "car")


def keep(path, counts, names="abcdef"):
    kept = KeptCounts(path, {})
    for index, one in enumerate(counts):
        kept.add(index, names[index], {"confusion/counts": torch.from_numpy(one), "confusion/ignored": torch.tensor(0)})
    return kept


def some_counts(seed):
    rng = np.random.default_rng(seed)
    counts = rng.integers(0, 20, (6, 3, 3)) + np.diag((200, 100, 0))
    counts[:, 2] = counts[:, :, 2] = 0
    return counts


def test_a_comparison_says_what_moved_and_where(tmp_path):
    before = some_counts(0)
    after = before.copy()
    after[4, 0] = (0, 200, 0)  # one picture is much worse
    found = compare(NAMES, keep(tmp_path / "a", after), keep(tmp_path / "b", before))
    assert found.before[0] == pytest.approx(mean_present(iou(before.sum(0))))
    assert found.after[1:3] == pytest.approx(iou(after.sum(0))[:2])
    assert found.miou.value == pytest.approx(found.after[0] - found.before[0])
    assert found.changes[0].name == "e"
    assert found.changes[0].after == pytest.approx(pixel_accuracy(after[4]))
    assert {change.name for change in found.changes} == set("abcdef")
    values = json.loads(json.dumps(found.to_dict()))
    assert values["miou"]["change"]["value"] == found.miou.value
    assert values["per_class"]["car"] == {
        **{"before": None, "after": None},
        "change": {"value": None, "low": None, "high": None},
    }
    assert values["pictures"][0]["name"] == "e"


def test_other_pictures_are_refused(tmp_path):
    counts = some_counts(0)
    with pytest.raises(UsageError, match="count other pictures; evaluate both models on the same split"):
        compare(NAMES, keep(tmp_path / "a", counts), keep(tmp_path / "b", counts, "abcdeX"))
