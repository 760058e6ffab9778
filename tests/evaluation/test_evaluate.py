"""Evaluation counts every picture once, whatever stands between."""

import json

import numpy as np
import pytest
from torch import nn

from attseg.data.classes import ClassTable
from attseg.data.preprocessing import Preprocessing
from attseg.data.sample import Sample
from attseg.evaluation.report import Report
from attseg.evaluation.run import evaluate
from attseg.metrics import ConfusionMatrix
from attseg.models import Segmentation

CLASSES = ClassTable(("sky", "road", "car"), ((0, 0, 255), (90, 90, 90), (255, 0, 0)))


class Pictures:
    """Pictures whose red channel tells the class, of different sizes, some smaller than a network takes."""

    classes = CLASSES
    split = "val"

    def __init__(self, count=5, probes=False):
        self.count, self.probes = count, probes

    def __len__(self):
        return self.count

    def name(self, index):
        return f"picture-{index}"

    def __getitem__(self, index):
        rng = np.random.default_rng(index)
        labels = rng.integers(0, 2, (20 + 9 * index, 50 - 7 * index)).astype(np.uint8)
        image = np.repeat(labels[:, :, None] * 100, 3, 2)
        labels[rng.random(labels.shape) < 0.1] = 255
        probes = (
            {"left": np.arange(labels.shape[1])[None] < np.full((labels.shape[0], 1), 5)} if index in (1, 3) else None
        )
        return Sample(image, labels, self.name(index), probes if self.probes else None)


class Reader(nn.Module):
    """Reads the class back from the red channel; ``wrong`` says "car" in the first column."""

    def __init__(self, wrong=False):
        super().__init__()
        self.wrong = wrong

    def forward(self, images):
        assert min(images.shape[-2:]) >= 32
        classes = (images[:, 0] * 255 / 100).round().long()
        if self.wrong:
            classes[:, :, 0] = 2
        return Segmentation(nn.functional.one_hot(classes, 3).permute(0, 3, 1, 2).float(), {})


PLAIN = Preprocessing((0.0, 0.0, 0.0), (1.0, 1.0, 1.0))


def test_a_reader_of_the_labels_is_always_right():
    report = evaluate(Reader(), Pictures(), PLAIN)
    pixels = sum(int((Pictures()[i].labels != 255).sum()) for i in range(5))
    ignored = sum(int((Pictures()[i].labels == 255).sum()) for i in range(5))
    assert (report.miou, report.pixel_accuracy, report.pictures) == (1, 1, 5)
    assert (report.counts.sum(), report.ignored) == (pixels, ignored)
    assert report.absent == ["car"]


def test_counts_equal_those_of_a_loop_over_pictures():
    report = evaluate(Reader(wrong=True), Pictures(), PLAIN)
    expected = ConfusionMatrix(3)
    for index in range(5):
        labels = Pictures()[index].labels
        predictions = Pictures()[index].image[:, :, 0] // 100
        predictions[:, 0] = 2
        expected.update(predictions, labels)
    assert np.array_equal(report.counts, expected.counts.numpy())


def test_probes_count_their_pixels_alone():
    report = evaluate(Reader(wrong=True), Pictures(probes=True), PLAIN)
    inside = sum(int((Pictures()[i].labels[:, :5] != 255).sum()) for i in (1, 3))
    first = sum(int((Pictures()[i].labels[:, 0] != 255).sum()) for i in (1, 3))
    assert report.probes["left"].sum() == inside
    assert report.probes["left"][:, 2].sum() == first
    counts = report.probes["left"]
    ious = [counts[k, k] / (counts[k].sum() + counts[:, k].sum() - counts[k, k]) for k in (0, 1)]
    assert report.probe_miou("left") == pytest.approx(np.mean(ious))  # "car" is only ever predicted there, and left out


@pytest.mark.parametrize("world", [2, 3])
def test_shares_of_several_processes_add_up(world, monkeypatch):
    whole = evaluate(Reader(wrong=True), Pictures(probes=True), PLAIN)
    monkeypatch.setattr("torch.distributed.all_reduce", lambda counts: None)
    monkeypatch.setattr("torch.distributed.get_world_size", lambda: 1)
    monkeypatch.setattr("torch.distributed.all_gather_object", lambda found, own: found.__setitem__(0, own))
    shares = [evaluate(Reader(wrong=True), Pictures(probes=True), PLAIN, rank=r, world=world) for r in range(world)]
    assert np.array_equal(sum(share.counts for share in shares), whole.counts)
    assert sum(share.ignored for share in shares) == whole.ignored
    assert np.array_equal(sum(share.probes.get("left", 0) for share in shares), whole.probes["left"])


def test_every_picture_is_told_about_and_the_mode_is_restored():
    seen = []
    model = Reader().train()
    evaluate(model, Pictures(3), PLAIN, on_picture=lambda *args: seen.append(args))
    assert [(done, total, sample.name) for done, total, sample, _ in seen] == [
        (i + 1, 3, f"picture-{i}") for i in range(3)
    ]
    assert all(prediction.shape == sample.labels.shape for *_, sample, prediction in seen)
    assert model.training


def test_an_empty_split_gets_a_sentence():
    with pytest.raises(ValueError, match="the split 'val' has no picture"):
        evaluate(Reader(), Pictures(0), PLAIN)


def test_the_report_as_plain_values():
    report = Report(CLASSES, np.array([[3, 1, 0], [0, 4, 0], [0, 0, 0]]), pictures=2, ignored=7)
    values = json.loads(json.dumps(report.to_dict()))
    assert values["per_class"] == {"sky": 0.75, "road": 0.8, "car": None}
    assert values["miou"] == pytest.approx(0.775)
    assert (values["pictures"], values["pixels"], values["ignored_pixels"]) == (2, 8, 7)
    assert (values["protocol"]["name"], values["absent"]) == ("single", ["car"])
