import numpy as np
import pytest
import torch
from torchmetrics.functional.classification import (
    multiclass_confusion_matrix,
    multiclass_f1_score,
    multiclass_jaccard_index,
    multiclass_precision,
    multiclass_recall,
)

from attseg.data.classes import IGNORE, ClassTable
from attseg.errors import UsageError
from attseg.evaluation.report import Report
from attseg.metrics import ConfusionMatrix

CLASSES = ClassTable(("background", "road", "car", "bus"), ((0, 0, 0),) * 4)


@pytest.fixture
def maps():
    """Labels and predictions of which the last class is in neither."""
    rng = np.random.default_rng(0)
    labels = rng.choice(np.array([0, 1, 2, IGNORE], np.uint8), (3, 20, 30), p=[0.6, 0.2, 0.1, 0.1])
    noise = rng.integers(0, 3, labels.shape).astype(np.uint8)
    return torch.from_numpy(np.where(rng.random(labels.shape) < 0.4, noise, labels % 3)), torch.from_numpy(labels)


def report(maps, **options):
    confusion = ConfusionMatrix(4)
    confusion.update(*maps)
    return Report(CLASSES, confusion.counts.numpy(), 3, **options)


@pytest.mark.parametrize(
    ("name", "theirs"),
    [
        ("iou", multiclass_jaccard_index),
        ("precision", multiclass_precision),
        ("recall", multiclass_recall),
        ("f1", multiclass_f1_score),
    ],
)
def test_scores_of_classes_are_those_of_torchmetrics(maps, name, theirs):
    one = report(maps)
    expected = theirs(*maps, num_classes=4, average="none", ignore_index=IGNORE).numpy()
    found = getattr(one, name)
    assert found[:3] == pytest.approx(expected[:3], abs=1e-6)
    assert np.isnan(found[3])  # torchmetrics says 0 of a class that is in neither
    key = "per_class" if name == "iou" else f"{name}_per_class"
    assert list(one.to_dict()[key].values()) == [*found[:3], None]


def test_the_confusion_matrix_is_that_of_torchmetrics(maps):
    expected = multiclass_confusion_matrix(*maps, num_classes=4, ignore_index=IGNORE)
    assert np.array_equal(report(maps).counts, expected.numpy())


def test_excluded_classes_are_in_no_mean_and_their_pixels_count_for_the_others(maps):
    one = report(maps, excluded=("background",))
    ious = multiclass_jaccard_index(*maps, num_classes=4, average="none", ignore_index=IGNORE)
    assert one.miou_without == pytest.approx(float(ious[1:3].mean()), abs=1e-6)
    assert one.miou == report(maps).miou
    assert one.to_dict()["miou_without"] == {"excluded": ["background"], "miou": one.miou_without}
    assert "miou_without" not in report(maps).to_dict()


@pytest.mark.parametrize(
    ("excluded", "message"), [(("rode",), "did you mean 'road'"), (CLASSES.names, "all 4 classes are excluded")]
)
def test_classes_that_cannot_be_excluded_are_refused(maps, excluded, message):
    with pytest.raises(UsageError, match=message):
        report(maps, excluded=excluded)
