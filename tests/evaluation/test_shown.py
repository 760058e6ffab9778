import numpy as np
import pytest

from attseg.data.classes import IGNORE, ClassTable
from attseg.data.sample import Sample
from attseg.evaluation.boundary import BoundaryMeter
from attseg.evaluation.report import Report
from attseg.evaluation.shown import report_parts

CLASSES = ClassTable(("ground", "cat", "cow", "sofa"), ((0, 0, 0),) * 4)
VALUES = {"recipe": "pan", "data": "folder", "split": "val"}


def text_of(report):
    return "\n".join(part for part in report_parts(report, VALUES) if isinstance(part, str))


def test_zeros_of_classes_without_labels_are_explained():
    counts = np.array([[90, 0, 5, 0], [3, 7, 0, 0], [0, 0, 0, 0], [0, 0, 0, 0]])
    report = Report(classes=CLASSES, counts=counts, pictures=1)
    assert report.miou == pytest.approx((90 / 98 + 7 / 10 + 0) / 3)
    lines = text_of(report).splitlines()
    (zero,) = [line for line in lines if "predicted" in line]
    (absent,) = [line for line in lines if line.startswith("absent")]
    assert "cow" in zero and "sofa" not in zero
    assert "sofa" in absent and "cow" not in absent


@pytest.mark.parametrize("ring", [True, False])
def test_contours_that_a_ring_of_ignored_pixels_separates_mean_nothing(ring):
    labels = np.zeros((60, 80), np.uint8)
    if ring:
        labels[17:43, 17:53] = IGNORE
    labels[20:40, 20:50] = 1
    prediction = np.where(labels == IGNORE, 0, labels).astype(np.uint8)
    meter = BoundaryMeter(CLASSES)
    found = meter.result(meter.count(Sample(np.zeros((60, 80, 3), np.uint8), labels, "one"), prediction, None))
    counts = np.zeros((4, 4), np.int64)
    counts[0, 0] = counts[1, 1] = 600
    text = text_of(Report(classes=CLASSES, counts=counts, pictures=1, meters={"boundary": found}))
    assert ("F-score of contours means nothing" in text) == ring
