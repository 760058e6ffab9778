"""The calls of one line, on data, encoders and networks of one's own."""

import inspect
import json
import warnings
from dataclasses import replace

import numpy as np
import pytest
import timm
import torch
from PIL import Image
from torch import nn
from torch.utils.data import Dataset

import attseg
from attseg.errors import UsageError
from attseg.evaluation.run import evaluate as count
from attseg.recipes import find_recipe
from attseg.training import run as training

CLASSES = ["ground", "square", "edge"]
TINY = {
    "model.args.encoder": "test_resnet",
    "model.args.pretrained": False,
    "model.args.channels": 8,
    "crop_size": (64, 64),
    "batch_size": 2,
    "steps": 2,
    "progress": False,
    "device": "cpu",
}


class Squares(Dataset):
    """Pairs of tensors."""

    def __init__(self, size=(64, 64)):
        self.size = size

    def __len__(self):
        return 4

    def __getitem__(self, index):
        generator = torch.Generator().manual_seed(index)
        return torch.rand(3, *self.size, generator=generator), torch.randint(0, 3, self.size, generator=generator)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    out = tmp_path_factory.mktemp("api") / "run"
    return attseg.train("pan-folder", data=(Squares(), Squares()), classes=CLASSES, out=out, **TINY)


@pytest.mark.slow
def test_a_run_of_ones_own_data_set_can_be_loaded_and_measured(run):
    segmenter = attseg.load(run, device="cpu")
    assert segmenter.classes.names == tuple(CLASSES)
    report = attseg.evaluate(run, Squares(), classes=CLASSES, device="cpu", progress=False)
    assert report.miou == pytest.approx(json.loads((run / "report.json").read_text())["miou"])
    with pytest.raises(UsageError, match="data sets of your own"):
        attseg.evaluate(run, device="cpu")


def test_settings_reach_the_recipe_and_a_length_takes_the_place_of_another(monkeypatch, tmp_path):
    seen = {}
    monkeypatch.setattr(
        training, "train", lambda recipe, machine, **rest: seen.update(recipe=recipe, machine=machine, **rest)
    )
    settings = {"optim.lr": 0.5, "model.args.channels": 8}
    attseg.train("pan-camvid", data=tmp_path, epochs=3, device="cpu", progress=False, **settings)
    before = find_recipe("pan-camvid")
    recipe = seen["recipe"]
    assert recipe.optim == replace(before.optim, lr=0.5) and recipe.model.args == before.model.args | {"channels": 8}
    assert (recipe.steps, recipe.epochs, recipe.minutes) == (0, 3, 0)
    assert recipe.data.root == str(tmp_path) and seen["machine"].device == "cpu" and seen["splits"] is None


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ({"recipe": "pan-scenes", "lr": 1}, "did you mean 'optim.lr'"),
        ({"recipe": "pan-scenes", "stepps": 1}, "'steps'"),
        ({"recipe": "pan-scenes", "machine.workers": 1}, "machine=attseg.Machine(workers=..)"),
        ({"recipe": "pan-canvid"}, "'pan-camvid'"),
        ({"recipe": "pan-scenes", "data": "mine"}, "pan-folder"),
        ({"recipe": "pan-folder", "data": Squares()}, "to validate on"),
        ({"recipe": "pan-folder", "data": (Squares(), Squares())}, "classes="),
        ({"recipe": "pan-folder", "data": (Squares(),), "classes": CLASSES}, "two were expected"),
        ({"recipe": "pan-folder", "data": (Squares(), Squares()), "classes": ["one"]}, "two names or more"),
    ],
)
def test_wrong_calls_are_explained_before_anything_is_written(asked, told, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError) as refused:
        attseg.train(asked.pop("recipe"), **asked)
    assert told in str(refused.value)
    assert list(tmp_path.iterdir()) == []


class Painted(nn.Module):
    """Logits that name the class which the red of a pixel says."""

    def __init__(self, form, shrink=1):
        super().__init__()
        self.form, self.shrink = form, shrink

    def forward(self, images):
        red = (images[:, :1] * 255).round()[:, :, :: self.shrink, :: self.shrink]
        logits = -(red - torch.tensor([0.0, 100.0, 200.0])[:, None, None]).abs()
        return {"tensor": logits, "tuple": (logits,), "out": {"out": logits, "aux": logits}, "none": {"loss": logits}}[
            self.form
        ]


PLAIN = attseg.Preprocessing(mean=(0.0, 0.0, 0.0), std=(1.0, 1.0, 1.0))


def painted_pairs(size=(40, 56)):
    labels = np.zeros(size, np.uint8)
    labels[8:24, 16:] = 1
    labels[24:] = 2
    image = np.zeros((*size, 3), np.uint8)
    image[..., 0] = labels * 100
    wrong = labels.copy()
    wrong[:8] = 1  # of 40 rows, 8 are labelled otherwise
    return [(image, labels), (Image.fromarray(image), Image.fromarray(wrong))]


@pytest.mark.parametrize("form", ["tensor", "tuple", "out"])
@pytest.mark.parametrize("shrink", [1, 8])
def test_any_network_that_gives_logits_is_measured_and_used(form, shrink):
    network = Painted(form, shrink).train()
    report = attseg.evaluate(network, painted_pairs(), classes=CLASSES, preprocessing=PLAIN, progress=False)
    assert network.training and report.pictures == 2
    if shrink == 1:
        assert report.pixel_accuracy == pytest.approx(1 - 8 / 80)
    segmenter = attseg.Segmenter(network, report.classes, PLAIN, device="cpu")
    labels = segmenter(painted_pairs()[0][0]).labels
    assert labels.shape == (40, 56) and labels[16, 40] == 1 and labels[36, 10] == 2


@pytest.mark.parametrize("foreground", [1, 255])
def test_masks_of_0_and_255_are_told(foreground):
    labels = np.zeros((64, 64), np.int64)
    labels[20:40] = foreground
    network, pairs = nn.Conv2d(3, 2, 1), [(np.zeros((64, 64, 3), np.uint8), labels)]
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        evaluate = inspect.unwrap(attseg.evaluate)  # the shape checker's frame would stand between here and the warning
        report = evaluate(network, pairs, classes=["ground", "square"], device="cpu", progress=False)
    assert report.ignored == (20 * 64 if foreground == 255 else 0)
    assert [one.filename for one in told if "divide them by 255" in str(one.message)] == [__file__] * (
        foreground == 255
    )


def test_a_network_without_logits_is_refused():
    with pytest.raises(UsageError, match="'loss'"):
        attseg.evaluate(Painted("none"), painted_pairs(), classes=CLASSES, preprocessing=PLAIN, progress=False)


def test_the_report_is_that_of_the_command_line():
    data = attseg.open_data("scenes", "val", count=2)
    segmenter = attseg.load("demo", device="cpu")
    expected = count(segmenter.model, data, segmenter.preprocessing)
    found = attseg.evaluate(segmenter, data, progress=False)
    assert np.array_equal(found.counts, expected.counts)


def trained_a_little(model):
    for parameter in model.parameters():
        parameter.data.add_(0.01)
    return model


@pytest.mark.parametrize(
    "model",
    [
        attseg.PAN(3, encoder="test_resnet", channels=8),
        attseg.AttentionToRefine(3, base="FCN", base_args={"encoder": "test_resnet"}, stream_channels=8, channels=8),
    ],
    ids=["PAN", "AttentionToRefine"],
)
def test_weights_of_a_loop_of_ones_own_are_loaded_as_they_were(model, tmp_path):
    model = trained_a_little(model).eval()
    parallel = nn.Module()  # as DistributedDataParallel holds it
    parallel.module = model
    file = attseg.save(parallel, tmp_path / "mine.safetensors", classes=CLASSES, info={"epoch": 3})
    segmenter = attseg.load(file, device="cpu")
    loaded = segmenter.model.state_dict()
    assert loaded.keys() == model.state_dict().keys()
    assert all(torch.equal(loaded[name], values) for name, values in model.state_dict().items())
    again = attseg.save(segmenter, tmp_path / "again.safetensors")
    assert attseg.load(again, device="cpu").origin.info["epoch"] == 3


def test_what_a_file_cannot_name_is_not_saved(tmp_path):
    own = attseg.PAN(3, encoder=timm.create_model("test_resnet", features_only=True), channels=8)
    changed = attseg.PAN(3, encoder="test_resnet", channels=8)
    changed.head = nn.Conv2d(8, 5, 3)
    built = attseg.PAN(3, encoder="test_resnet", channels=8)
    for model, asked, told in (
        (own, {"classes": CLASSES}, "encoder"),
        (changed, {"classes": CLASSES}, "was changed"),
        (built, {"classes": CLASSES[:2]}, "3 classes, and 2"),
        (built, {}, "classes are missing"),
        (nn.Conv2d(3, 3, 1), {"classes": CLASSES}, "no model of attseg"),
    ):
        with pytest.raises(UsageError, match=told):
            attseg.save(model, tmp_path / "mine.safetensors", **asked)
    with pytest.raises(UsageError, match="comes first"):
        attseg.save(tmp_path / "mine.safetensors", built, classes=CLASSES)
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_names_no_data_is_told_in_terms_of_python(tmp_path):
    file = attseg.save(attseg.PAN(3, encoder="test_resnet", channels=8), tmp_path / "mine.safetensors", classes=CLASSES)
    with pytest.raises(UsageError, match=r"attseg\.open_data"):
        attseg.evaluate(file, device="cpu", progress=False)
