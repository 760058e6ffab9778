"""Reading, predicting and counting: what goes wrong in one picture is told of that picture, and meters get what they ask for."""

import re

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from PIL import Image
from torch import nn

from attseg.data.classes import ClassTable
from attseg.data.preprocessing import Preprocessing
from attseg.data.sample import DataError, Sample
from attseg.data.sets.folder import Folder
from attseg.errors import UsageError
from attseg.evaluation.kept import KeptCounts
from attseg.evaluation.run import evaluate
from attseg.models import Segmentation
from attseg.prediction.protocol import Protocol
from attseg.prediction.stream import Predictor

CLASSES = ClassTable(("a", "b", "c"), ((0, 0, 255), (90, 90, 90), (255, 0, 0)))
CPU = torch.device("cpu")


class Pictures:
    """Noise of different sizes; ``wrong`` says what is wrong with which picture."""

    classes = CLASSES
    split = "val"

    def __init__(self, count=5, wrong=None):
        self.count, self.wrong, self.read = count, wrong or {}, []

    def __len__(self):
        return self.count

    def name(self, index):
        return f"picture-{index}"

    def __getitem__(self, index):
        self.read.append(index)
        wrong = self.wrong.get(index)
        if wrong == "file":
            raise DataError(f"{self.name(index)}.png cannot be read as a picture: truncated; replace or remove it")
        rng = np.random.default_rng(index)
        size = (60 + 9 * index, 80 - 7 * (index % 5))
        labels = rng.integers(0, 9 if wrong == "class" else 3, size).astype(np.uint8)
        labels[rng.random(size) < 0.1] = 255
        return Sample(
            rng.integers(0, 256, (*size, 3), np.uint8), labels[:-1] if wrong == "size" else labels, self.name(index)
        )


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.conv = nn.Conv2d(3, 3, 5, padding=2)
        self.count = 0

    def forward(self, images):
        self.count += 1
        return Segmentation(self.conv(images), {})


class Confidence:
    """Sums of probabilities of right and of all classes: needs the scores of every pixel."""

    name, needs_scores = "confidence", True

    def __init__(self):
        self.bands = []

    def count(self, sample, prediction, scores):
        assert scores.shape[1:] == prediction.shape == sample.labels.shape == sample.image.shape[:2]
        assert np.array_equal(scores.max(0).indices.numpy(), prediction)
        self.bands.append(len(prediction))
        valid = torch.from_numpy(sample.labels != 255)
        right = F.one_hot(torch.from_numpy(sample.labels).clamp(max=2).long(), 3).permute(2, 0, 1)
        return {"right": (scores * right)[:, valid].double().sum(), "all": scores.double().sum()}

    def result(self, counts):
        return {name: float(value) for name, value in counts.items()}


class Sizes:
    """How many pictures there are of which height: needs whole pictures."""

    name, needs_scores = "sizes", False

    def count(self, sample, prediction, scores):
        assert scores is None
        return {f"height {len(prediction)}": torch.tensor(1)}

    def result(self, counts):
        return {name: int(value) for name, value in counts.items()}


PROTOCOLS = {"single": Protocol(), "windows": Protocol(window=40, flip=True, scales=(1.0, 1.5))}


@pytest.mark.parametrize("protocol", PROTOCOLS.values(), ids=PROTOCOLS)
def test_meters_get_every_pixel_with_its_scores_once(protocol):
    data, model, confidence = Pictures(), Model(), Confidence()
    report = evaluate(model, data, Preprocessing(), protocol=protocol, meters=[confidence, Sizes()])
    expected = {"right": 0.0, "all": 0.0}
    for index in range(5):
        sample = data[index]
        bands = list(Predictor(model, 3, Preprocessing(), CPU, protocol).bands(sample.image))
        scores = torch.cat([band.probabilities() for band in bands], dim=1).detach().double().numpy()
        for label in range(3):
            expected["right"] += scores[label][sample.labels == label].sum()
        expected["all"] += sample.labels.size
    assert report.meters["confidence"] == pytest.approx(expected, rel=1e-6)
    assert report.meters["sizes"] == {f"height {60 + 9 * index}": 1 for index in range(5)}
    assert report.to_dict()["meters"] == report.meters
    assert np.array_equal(report.counts, evaluate(model, data, Preprocessing(), protocol=protocol).counts)
    assert sum(confidence.bands) == sum(60 + 9 * index for index in range(5))
    assert protocol.is_plain or len(confidence.bands) > 5


def test_without_a_place_to_keep_counts_the_first_wrong_picture_ends_it():
    data = Pictures(9, wrong={2: "file"})
    with pytest.raises(DataError, match=r"picture-2\.png cannot be read as a picture: truncated; replace or remove it"):
        evaluate(Model(), data, Preprocessing())
    assert max(data.read) <= 5


@pytest.fixture
def folder(tmp_path):
    """A folder of four pictures on the disk, of which the second is broken."""
    rng = np.random.default_rng(0)
    (tmp_path / "classes.csv").write_text("index,name\n0,a\n1,b\n2,c\n")
    for kind, shape, high in (("images", (40, 50, 3), 256), ("labels", (40, 50), 3)):
        (tmp_path / kind / "val").mkdir(parents=True)
        for name in "abcd":
            Image.fromarray(rng.integers(0, high, shape, np.uint8)).save(tmp_path / kind / "val" / f"{name}.png")
    file = tmp_path / "images" / "val" / "b.png"
    file.write_bytes(file.read_bytes()[:300])
    return Folder(tmp_path, "val")


@pytest.mark.parametrize("workers", [0, pytest.param(2, marks=pytest.mark.slow)])
def test_a_broken_file_is_named_and_the_others_are_kept_with_any_number_of_workers(folder, tmp_path, workers):
    with pytest.raises(DataError, match=r"^\S*b\.png cannot be read as a picture"):
        evaluate(Model(), folder, Preprocessing(), workers=workers)
    kept = KeptCounts(tmp_path / "kept.jsonl", {})
    with pytest.raises(DataError, match=r"1 of 4 pictures could not .*\n  \S*b\.png cannot be read as a picture"):
        evaluate(Model(), folder, Preprocessing(), workers=workers, kept=kept)
    assert kept.names == {0: "a", 2: "c", 3: "d"}


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ("size", r"'picture-1': the image is 69 x 73 pixels \(height x width\), but its labels are 68 x 73; scale"),
        (
            "class",
            r"'picture-1': \d+ pixels have a label that is no class: 3, 4, 5, 6, 7, 8; 0..2 were expected",
        ),
    ],
)
def test_labels_that_do_not_fit_are_named(wrong, message):
    with pytest.raises(DataError, match=message):
        evaluate(Model(), Pictures(wrong={1: wrong}), Preprocessing())


def test_a_model_with_other_classes_is_refused():
    data = Pictures()
    data.classes = ClassTable(tuple("abcd"), tuple((index, 0, 0) for index in range(4)))
    with pytest.raises(UsageError, match="the model has 3 classes, but the class table names 4"):
        evaluate(Model(), data, Preprocessing())


def test_the_mode_is_restored_after_an_error():
    model = Model().train()
    with pytest.raises(DataError):
        evaluate(model, Pictures(wrong={0: "file"}), Preprocessing())
    assert model.training


def as_json(report):
    return report.to_dict() | {"meters": {name: dict(values) for name, values in report.meters.items()}}


def test_wrong_pictures_are_all_named_and_the_rest_is_kept(tmp_path):
    meters = [Confidence(), Sizes()]
    whole = evaluate(Model(), Pictures(), Preprocessing(), meters=meters)
    wrong = {0: "file", 2: "size", 3: "class"}
    kept = KeptCounts(tmp_path / "a.jsonl", {})
    with pytest.raises(DataError) as error:
        evaluate(Model(), Pictures(wrong=wrong), Preprocessing(), meters=meters, kept=kept)
    first, *named = str(error.value).splitlines()
    assert first == (
        f"3 of 5 pictures could not be measured; the counts of the other 2 are kept in {kept.path}. Mend these, and go on "
        "with --resume:"
    )
    assert [re.search(r"picture-\d", line)[0] for line in named] == ["picture-0", "picture-2", "picture-3"]

    seen, mended, model = [], Pictures(), Model()
    kept = KeptCounts(tmp_path / "a.jsonl", {}, resume=True)
    report = evaluate(
        model, mended, Preprocessing(), meters=meters, kept=kept, on_picture=lambda *args: seen.append(args[:2])
    )
    assert (mended.read, model.count) == ([0, 2, 3], 3)
    assert seen == [(3, 5), (4, 5), (5, 5)]
    assert as_json(report) == as_json(whole)  # sums of floats too, bit for bit


def test_an_evaluation_that_is_complete_sees_nothing_again(tmp_path):
    kept = KeptCounts(tmp_path / "a.jsonl", {})
    whole = evaluate(Model(), Pictures(), Preprocessing(), meters=[Confidence()], kept=kept)
    data = Pictures()
    again = evaluate(Model(), data, Preprocessing(), meters=[Confidence()], kept=KeptCounts(kept.path, {}, resume=True))
    assert data.read == []
    assert as_json(again) == as_json(whole)


def test_what_was_kept_of_other_pictures_is_refused(tmp_path):
    kept = KeptCounts(tmp_path / "a.jsonl", {})
    evaluate(Model(), Pictures(), Preprocessing(), kept=kept)
    with pytest.raises(
        UsageError, match="belongs to other pictures: number 3 is picture-3 there and nothing in the data set"
    ):
        evaluate(Model(), Pictures(3), Preprocessing(), kept=kept)
    other = Pictures()
    other.name = lambda index: f"{index}"
    with pytest.raises(UsageError, match="number 0 is picture-0 there and 0 in the data set; leave out --resume"):
        evaluate(Model(), other, Preprocessing(), kept=kept)


def test_counts_are_kept_by_one_process_only(tmp_path):
    with pytest.raises(UsageError, match="kept by one process only, and this is one of 2"):
        evaluate(Model(), Pictures(), Preprocessing(), kept=KeptCounts(tmp_path / "a", {}), world=2)


def test_two_meters_of_one_name_are_refused():
    with pytest.raises(UsageError, match="two meters are called 'sizes'"):
        evaluate(Model(), Pictures(), Preprocessing(), meters=[Sizes(), Sizes()])


def test_a_meter_that_fails_in_a_band_fails_the_picture_alone(tmp_path):
    class Fails(Confidence):
        def count(self, sample, prediction, scores):
            if sample.name == "picture-1":
                raise ValueError("too blue")
            return super().count(sample, prediction, scores)

    kept = KeptCounts(tmp_path / "a.jsonl", {})
    with pytest.raises(DataError, match=r"1 of 5 pictures .*\n  picture-1 cannot be measured: too blue$"):
        evaluate(Model(), Pictures(), Preprocessing(), protocol=PROTOCOLS["windows"], meters=[Fails()], kept=kept)
    assert sorted(kept.names) == [0, 2, 3, 4]


def test_long_lists_of_wrong_pictures_are_cut(tmp_path):
    wrong = dict.fromkeys(range(30), "file")
    with pytest.raises(DataError) as error:
        evaluate(Model(), Pictures(31, wrong), Preprocessing(), kept=KeptCounts(tmp_path / "a", {}))
    lines = str(error.value).splitlines()
    assert len(lines) == 22
    assert lines[-1] == "  and 10 more"
