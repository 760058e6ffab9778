import csv
import io
import json
import os
import re
import resource
import signal
from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image
from rich.console import Console
from torch import nn

from attseg.checkpoint import load_into, read_weights
from attseg.data.catalog import open_data
from attseg.data.feeding.loader import train_loader
from attseg.data.feeding.transforms import TrainTransform
from attseg.data.preprocessing import Preprocessing
from attseg.data.sample import DataError
from attseg.data.sets.scenes import SCENES
from attseg.errors import UsageError
from attseg.evaluation.run import evaluate
from attseg.files import FileError
from attseg.losses import LossSpec
from attseg.models import build_model
from attseg.recipes.recipe import AugmentSpec, DataSpec, ModelSpec, OptimSpec
from attseg.recipes.values import to_values
from attseg.runs.errors import Interrupted, RunError
from attseg.training.run import train
from fitting import HERE, Pixelwise, Watched, fit_into


@pytest.fixture(scope="module")
def finished(tiny, tmp_path_factory):
    """A run with everything on, and what it said."""
    recipe = tiny(ema=0.9, loss=LossSpec(class_weights="sqrt-median-frequency"), optim=OptimSpec(clip=10.0, warmup=2))
    said = io.StringIO()
    folder = train(
        recipe, HERE, out=tmp_path_factory.mktemp("runs") / "finished", console=Console(file=said, width=200)
    )
    return folder, recipe, said.getvalue()


def rows(folder):
    with (folder / "metrics.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def weights(folder, name="last"):
    return read_weights(folder / f"{name}.safetensors").state


def assert_same(one, other):
    assert one.keys() == other.keys()
    assert [name for name in one if not torch.equal(one[name], other[name])] == []


@pytest.mark.slow
def test_the_folder_holds_what_it_should_and_nothing_else(finished):
    folder, _, _ = finished
    names = "best.safetensors class_weights.json confusion.png curves.png last.safetensors metrics.csv recipe.yaml report.json"
    assert sorted(path.name for path in folder.iterdir()) == [*names.split(), "samples.png", "state", "tensorboard"]
    assert sorted(path.name for path in (folder / "state").iterdir()) == [
        *("00000004.pt", "00000006.pt", "data.json", "lock")
    ]


def test_left_open_a_run_saves_ten_times_and_short_ones_are_evaluated_at_the_end(tiny, tmp_path):
    fit_into(tmp_path, tiny(steps=20, val_every=0), replace(HERE, save_every=0), model=Pixelwise)
    assert sorted(path.name for path in (tmp_path / "state").glob("*.pt")) == ["00000018.pt", "00000020.pt"]
    assert [row["step"] for row in rows(tmp_path) if row["miou"]] == ["20"]


def test_metrics_have_a_row_a_step_and_scores_where_evaluated(finished):
    table = rows(finished[0])
    assert [row["step"] for row in table] == ["1", "2", "3", "4", "5", "6"]
    assert [bool(row["miou"]) for row in table] == [False, True] * 3
    assert float(table[-1]["loss"]) < float(table[0]["loss"])
    assert all(float(row["images_per_second"]) > 0 for row in table)


@pytest.mark.parametrize("name", ["best", "last"])
def test_weights_carry_classes_preprocessing_model_and_recipe(finished, name):
    folder, recipe, _ = finished
    found = read_weights(folder / f"{name}.safetensors")
    assert found.classes == SCENES
    assert found.preprocessing.mean == (0.485, 0.456, 0.406)
    assert found.model == recipe.model
    assert found.info["recipe"] == json.loads(json.dumps(to_values(recipe)))


def test_report_is_that_of_the_best_weights_evaluated_anew(finished):
    folder, recipe, said = finished
    report, best = json.loads((folder / "report.json").read_text()), read_weights(folder / "best.safetensors")
    model = build_model(best.model.name, best.model.args, len(best.classes))
    load_into(model, best.state)
    again = evaluate(model, open_data("scenes", "val", **recipe.data.options), best.preprocessing)
    assert report["counts"] == again.counts.tolist()
    assert report["miou"] == again.miou == best.info["miou"]
    assert max(float(row["miou"] or 0) for row in rows(folder)) == pytest.approx(again.miou, rel=1e-5)
    assert (report["recipe"], report["seed"], report["step"]) == ("tiny", 0, best.info["step"])
    assert f"step {best.info['step']}: mIoU {100 * again.miou:.2f} %, the best so far" in said


def test_a_new_run_in_its_folder_is_refused(finished):
    folder, recipe, _ = finished
    with pytest.raises(UsageError, match="already holds a run"):
        train(recipe, HERE, out=folder)


@pytest.mark.slow
def test_resuming_a_complete_run_changes_no_weights(finished):
    folder, recipe, _ = finished
    before = weights(folder)
    (folder / "samples.png").unlink()
    train(recipe, HERE, out=folder, resume=True)
    assert_same(weights(folder), before)
    assert (folder / "samples.png").exists()


@pytest.mark.slow
def test_the_global_random_state_is_left_alone(tiny, tmp_path):
    torch.manual_seed(5)
    before = torch.get_rng_state()
    train(tiny(steps=1), HERE, out=tmp_path / "run")
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.slow
def test_a_run_that_is_asked_to_stop_saves_first_and_goes_on_to_the_same_weights(tiny, tmp_path):
    recipe = tiny(ema=0.5, optim=OptimSpec(name="adamw", lr=1e-3))

    def with_dropout(num_classes):
        model = build_model(recipe.model.name, recipe.model.args, num_classes)
        model.head = nn.Sequential(nn.Dropout(0.5), model.head)
        return model

    straight = fit_into(tmp_path / "straight", recipe, model=with_dropout)
    scenes = open_data("scenes", "train", **recipe.data.options)
    data = Watched(scenes, at=10, act=lambda: os.kill(os.getpid(), signal.SIGTERM))  # in step 3: four samples a step
    with pytest.raises(Interrupted, match=r"stopped after step 3 of 6; everything is saved in .*--resume") as stop:
        fit_into(tmp_path / "stopped", recipe, model=with_dropout, data=data)
    assert stop.value.signal == signal.SIGTERM
    stopped = fit_into(tmp_path / "stopped", recipe, model=with_dropout)
    for name in ("best", "last"):
        assert_same(weights(stopped, name), weights(straight, name))
    assert [row["loss"] for row in rows(stopped)] == [row["loss"] for row in rows(straight)]


def test_accumulated_parts_make_one_step_as_the_whole_batch_does(tiny, tmp_path):
    recipe = tiny(steps=3, augment=AugmentSpec(scale=(1.0, 1.0)))  # images fill the crop: as many pixels in each part
    one, four = (fit_into(tmp_path / str(n), recipe, replace(HERE, accumulate=n), model=Pixelwise) for n in (1, 4))
    assert [row["step"] for row in rows(four)] == ["1", "2", "3"]
    assert float(rows(four)[2]["loss"]) == pytest.approx(float(rows(one)[2]["loss"]), rel=1e-4)
    torch.testing.assert_close(weights(four), weights(one), rtol=0, atol=1e-4)


@pytest.mark.parametrize(
    "optim",
    [OptimSpec(lr=0.1, clip=0.05, warmup=2), OptimSpec(lr=0.01, name="adamw", power=2.0, new_layers_factor=3.0)],
    ids=["sgd", "adamw"],
)
def test_weights_are_those_of_a_loop_written_by_hand(tiny, tmp_path, optim):
    """Schedule, parameter groups, accumulation, clipping, and the moving average, over batches from the same loader."""
    recipe = tiny(steps=4, optim=optim, ema=0.9, loss=LossSpec())
    found = weights(fit_into(tmp_path, recipe, replace(HERE, accumulate=2), model=Pixelwise))

    data = open_data("scenes", "train", **recipe.data.options)
    batches = iter(train_loader(data, TrainTransform(recipe.crop_size, **vars(recipe.augment)), batch_size=2, seed=0))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = Pixelwise(len(data.classes))
    groups = [[model.encoder.weight], [model.encoder.bias], [model.head.weight], [model.head.bias]]
    decays, factors = (optim.weight_decay, 0, optim.weight_decay, 0), (1, 1, *[optim.new_layers_factor] * 2)
    if optim.decay_norm_and_bias:
        decays = [optim.weight_decay] * 4
    settings = [{"params": params, "weight_decay": decay} for params, decay in zip(groups, decays, strict=True)]
    sgd, adamw = torch.optim.SGD(settings, lr=1, momentum=optim.momentum), torch.optim.AdamW(settings, lr=1)
    optimizer = sgd if optim.name == "sgd" else adamw
    average = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    for step in range(4):
        lr = optim.lr * (1 - step / 4) ** optim.power * (min(1, (step + 1) / optim.warmup) if optim.warmup else 1)
        for group, factor in zip(optimizer.param_groups, factors, strict=True):
            group["lr"] = lr * factor
        optimizer.zero_grad()
        for _ in range(2):
            batch = next(batches)
            logits = model(Preprocessing()(batch["images"])).logits
            loss = nn.functional.cross_entropy(logits, batch["labels"].long(), ignore_index=255)
            (loss / 2).backward()
        if optim.clip:
            nn.utils.clip_grad_norm_(model.parameters(), optim.clip)
        optimizer.step()
        keep = min(0.9, (1 + step) / (10 + step))
        for name, tensor in model.state_dict().items():
            average[name].lerp_(tensor, 1 - keep)
    torch.testing.assert_close(found, average, rtol=0, atol=1e-6)


@pytest.mark.slow
def test_mixed_precision_trains(tiny, tmp_path):
    fit_into(tmp_path, tiny(steps=2), replace(HERE, precision="bf16"))
    assert all(tensor.dtype in (torch.float32, torch.int64) for tensor in weights(tmp_path).values())
    assert all(float(row["loss"]) < 10 for row in rows(tmp_path))


@pytest.mark.parametrize("precision", ["32", "bf16"])
def test_images_are_normalised_in_full_precision_and_the_loss_is_computed_in_it(tiny, tmp_path, precision):
    seen = []

    class Noting(Pixelwise):
        def forward(self, images):
            output = super().forward(images)
            if self.training:
                seen.append((images.dtype, output.logits.dtype))
            return output

    fit_into(tmp_path, tiny(steps=1), replace(HERE, precision=precision), model=Noting)
    assert seen == [(torch.float32, torch.bfloat16 if precision == "bf16" else torch.float32)]


@pytest.mark.compile
def test_the_forward_pass_of_training_is_compiled_where_asked_for(tiny, tmp_path):
    """Whether the models compile is for their own tests to say."""
    compiled = []

    class Noting(Pixelwise):
        def forward(self, images):
            if self.training:
                compiled.append(torch.compiler.is_compiling())
            return super().forward(images)

    for asked in (False, True):
        fit_into(tmp_path / str(asked), tiny(steps=1), replace(HERE, compile=asked), model=Noting)
    assert compiled == [False, True]


def test_a_nan_loss_stops_the_run_and_keeps_what_was_saved(tiny, tmp_path):
    with pytest.raises(RunError) as error:
        fit_into(tmp_path, tiny(optim=OptimSpec(lr=1e30)), replace(HERE, save_every=1))
    message = str(error.value)
    step = int(
        re.match(r"in step (\d) the loss is (nan|inf|\S+, but weights became NaN or infinite), over ", message)[1]
    )
    assert len(re.findall(r"train/\d{5}", message)) == 4, message
    assert "the weights of the last save are untouched" in message
    assert "optim.lr 1e+30" in message
    assert read_weights(tmp_path / "last.safetensors").info["step"] == step - 1


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")  # of TensorBoard's own thread
@pytest.mark.slow
def test_a_file_that_cannot_be_written_is_named_and_the_last_save_is_intact(tiny, tmp_path):
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    scenes = open_data("scenes", "train", **tiny().data.options)
    data = Watched(scenes, at=10, act=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (2000, before[1])))
    try:
        with pytest.raises(FileError, match=r"cannot write .*limit on the size of a file"):
            fit_into(tmp_path, tiny(), data=data)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert read_weights(tmp_path / "last.safetensors").info["step"] == 2
    fit_into(tmp_path, tiny())
    assert rows(tmp_path)[-1]["step"] == "6"


@pytest.mark.slow
def test_a_damaged_newest_state_is_told_and_the_run_goes_on_from_the_one_before(tiny, tmp_path):
    train(tiny(), HERE, out=tmp_path / "run")
    straight, newest = weights(tmp_path / "run"), tmp_path / "run" / "state" / "00000006.pt"
    newest.write_bytes(newest.read_bytes()[:-100])
    said = io.StringIO()
    train(tiny(), HERE, out=tmp_path / "run", resume=True, console=Console(file=said, width=200))
    assert "00000006.pt is damaged" in said.getvalue()
    assert "going on after step 4 of 6" in said.getvalue()
    assert_same(weights(tmp_path / "run"), straight)


@pytest.fixture
def folder_data(tmp_path):
    """A folder of one's own whose label files are as large whatever they hold, and the data of a recipe for it."""
    for split in ("train", "val"):
        for index in range(4):
            rng = np.random.default_rng(index)
            for kind in ("images", "labels"):
                (tmp_path / "mine" / kind / split).mkdir(parents=True, exist_ok=True)
            image = Image.fromarray(rng.integers(0, 256, (64, 64, 3), np.uint8))
            image.save(tmp_path / "mine/images" / split / f"{index}.png")
            write_labels(tmp_path / "mine", split, index, (0, 1, 255))
    (tmp_path / "mine/classes.csv").write_text("index,name\n0,ground\n1,square\n255,void\n")
    return DataSpec(name="folder", root=str(tmp_path / "mine"))


def write_labels(root, split, index, values):
    Image.fromarray(np.resize(np.array(values, np.uint8), (64, 64))).save(root / "labels" / split / f"{index}.pgm")


@pytest.mark.parametrize(
    ("split", "values", "message"),
    [
        ("train", (255,), "no pixel of the split 'train' counts: all of its 4 label files"),
        ("val", (255,), "no pixel of the split 'val' counts: all of its 4 label files"),
        ("train", (0, 255), "of the class 'ground', so there is nothing to learn. The background is a class too"),
        ("train", (1,), "of the class 'square', so there is nothing to learn"),
    ],
)
def test_labels_that_say_nothing_are_refused_before_training(tiny, tmp_path, folder_data, split, values, message):
    for index in range(4):
        write_labels(tmp_path / "mine", split, index, values)
    with pytest.raises(DataError) as error:
        train(tiny(data=folder_data), HERE, out=tmp_path / "run")
    assert message in str(error.value)
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(("split", "values"), [("train", (0, 1)), ("val", (0,)), ("val", (1, 255))])
@pytest.mark.slow
def test_one_label_file_that_counts_is_enough(tiny, tmp_path, folder_data, split, values):
    for index in range(4):
        write_labels(tmp_path / "mine", split, index, values if index == 3 else (255,))
    train(tiny(data=folder_data, steps=1), HERE, out=tmp_path / "run")
    assert (tmp_path / "run" / "best.safetensors").exists()


def test_one_class_is_refused(tiny, tmp_path, folder_data):
    (tmp_path / "mine/classes.csv").write_text("index,name,ignore\n0,ground,1\n1,square,\n255,void,1\n")
    with pytest.raises(
        DataError, match=r"only one class counts \(square\), and at least two are needed.*background is a"
    ):
        train(tiny(data=folder_data), HERE, out=tmp_path / "run")
    with pytest.raises(DataError, match="only one class counts"):
        open_data("folder", "val", root=folder_data.root)


@pytest.mark.slow
def test_evaluations_that_give_no_score_leave_the_last_weights_and_a_sentence(tiny, tmp_path, folder_data):
    class Spoils(io.StringIO):
        """Lets all labels of val be ignored once the run has begun, in files of the same size."""

        def write(self, text):
            if "counting the pixels" in text:
                for index in range(4):
                    write_labels(tmp_path / "mine", "val", index, (255,))
            return super().write(text)

    said = Spoils()
    recipe = tiny(data=folder_data, steps=4, loss=LossSpec(class_weights="median-frequency"))
    with pytest.raises(RunError) as error:
        train(recipe, HERE, out=tmp_path / "run", console=Console(file=said, width=200))
    assert "'val' gave no mIoU" in str(error.value) and "last.safetensors" in str(error.value)
    assert "step 2: no mIoU" in said.getvalue() and "best so far" not in said.getvalue()
    assert read_weights(tmp_path / "run" / "last.safetensors").info["step"] == 4
    assert not any((tmp_path / "run" / name).exists() for name in ("best.safetensors", "report.json"))
    assert (tmp_path / "run" / "curves.png").exists()
    assert [row["miou"] for row in rows(tmp_path / "run")] == [""] * 4


def test_unknown_names_are_told_before_anything_is_written(tiny, tmp_path):
    with pytest.raises(UsageError, match="did you mean 'test_resnet'|no encoder"):
        train(tiny(model=ModelSpec(name="PAN", args={"encoder": "test_resnett"})), HERE, out=tmp_path / "run")
    with pytest.raises(UsageError, match="option of scenes 'sise'; did you mean 'size'"):
        train(tiny(data=DataSpec(options={"sise": (64, 64)})), HERE, out=tmp_path / "other")
    assert list(tmp_path.iterdir()) == []
