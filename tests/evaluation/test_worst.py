import csv

import numpy as np
import pytest
import torch
from PIL import Image
from torchmetrics.functional.classification import multiclass_jaccard_index

from attseg.data.classes import IGNORE, ClassTable
from attseg.data.sample import Sample
from attseg.errors import UsageError
from attseg.evaluation.job import MeasuredModel
from attseg.evaluation.kept import KeptCounts
from attseg.evaluation.meter import ConfusionMeter
from attseg.evaluation.report import Report
from attseg.evaluation.worst import check_worst, picture_means, picture_scores, write_worst

CLASSES = ClassTable(("sky", "road", "car"), ((10, 20, 200), (90, 90, 90), (0, 200, 0)))


class Split(list):
    def name(self, index):
        return self[index].name


@pytest.fixture
def measured(tmp_path):
    """Five pictures of which the later ones have fewer errors, and one without a pixel that counts."""
    rng = np.random.default_rng(0)
    split, predictions = Split(), []
    for number in range(6):
        labels = rng.integers(0, 2 if number == 2 else 3, (30, 40)).astype(np.uint8)
        labels[:2] = IGNORE
        if number == 5:
            labels[:] = IGNORE
        wrong = rng.random(labels.shape) < 0.5 - number / 10
        predictions.append(np.where(wrong, rng.integers(0, 3, labels.shape), labels % 3).astype(np.uint8))
        split.append(Sample(rng.integers(0, 256, (30, 40, 3), np.uint8), labels, f"p{number}"))
    kept, total = KeptCounts(tmp_path / "pictures.jsonl", {}), 0
    meter = ConfusionMeter(3)
    for index in (3, 0, 5, 1, 2, 4):
        counts = meter.count(split[index], predictions[index], None)
        total = total + counts["counts"].numpy()
        kept.add(index, f"p{index}", {f"confusion/{name}": value for name, value in counts.items()})

    class Predictor:
        def labels(self, image):
            return predictions[next(place for place, one in enumerate(split) if one.image is image)]

    return MeasuredModel(Report(CLASSES, total, 6), kept, split, Predictor(), None, {}), predictions


def test_scores_are_those_of_torchmetrics_the_worst_first(measured):
    one, predictions = measured
    scores = picture_scores(one.kept)
    assert scores[-1].name == "p5" and np.isnan(scores[-1].miou)
    assert [score.miou for score in scores[:-1]] == sorted(score.miou for score in scores[:-1])
    for score in scores[:-1]:
        labels, prediction = torch.from_numpy(one.data[score.index].labels), torch.from_numpy(predictions[score.index])
        expected = multiclass_jaccard_index(prediction[None], labels[None], 3, average="macro", ignore_index=IGNORE)
        assert score.miou == pytest.approx(float(expected), abs=1e-6)
        valid = labels != IGNORE
        assert score.wrong == int((prediction != labels)[valid].sum())
        assert score.accuracy == pytest.approx(float((prediction == labels)[valid].float().mean()))


def test_means_over_pictures_leave_out_what_is_absent(measured):
    from attseg.evaluation.comparison import picture_parts

    one, _ = measured
    scores = [score for score in picture_scores(one.kept) if not np.isnan(score.miou)]
    means = picture_means(picture_parts(one.kept), CLASSES.names)
    assert means["pictures"] == 5
    assert means["miou"] == pytest.approx(np.mean([score.miou for score in scores]))
    assert means["pixel_accuracy"] == pytest.approx(np.mean([score.accuracy for score in scores]))
    assert means["per_class"].keys() == set(CLASSES.names)
    parts = np.array([[[3, 0], [4, 0], [3, 1]], [[0, 0], [0, 0], [0, 0]]])
    assert picture_means(parts, ("a", "b")) == {
        "miou": 0.375,
        "pixel_accuracy": 0.75,
        "per_class": {"a": 0.75, "b": 0.0},
        "pictures": 1,
    }


def test_the_sheet_and_the_table(measured, tmp_path):
    one, _ = measured
    assert write_worst(tmp_path, one, 2) == ["worst.csv", "worst.png"]
    rows = list(csv.DictReader((tmp_path / "worst.csv").read_text().splitlines()))
    assert [row["picture"] for row in rows] == [score.name for score in picture_scores(one.kept)]
    assert float(rows[0]["miou"]) == pytest.approx(picture_scores(one.kept)[0].miou, abs=1e-6)
    assert rows[-1]["miou"] == rows[-1]["worst_class"] == ""
    page = np.asarray(Image.open(tmp_path / "worst.png").convert("RGB"))
    red = (page == (220, 30, 30)).all(axis=2)
    columns = np.flatnonzero(red.any(axis=0))
    assert len(columns) and columns.min() > page.shape[1] * 0.7  # errors stand in the last column alone


@pytest.mark.parametrize("count", [0, -1, 201])
def test_numbers_that_make_no_sheet_are_refused(count):
    with pytest.raises(UsageError, match=f"worst is {count}"):
        check_worst(count)
