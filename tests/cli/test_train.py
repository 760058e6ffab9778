import os
import signal
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from attseg.cli import main
from attseg.recipes import find_recipe
from attseg.recipes.files import read_recipe
from attseg.recipes.recipe import Machine
from attseg.runs.errors import Interrupted


@pytest.fixture
def resolved(capsys, tmp_path):
    """What ``--print_config`` prints, read back."""

    def resolve(*arguments):
        assert main(["train", *map(str, arguments), "--print_config"]) == 0
        file = tmp_path / "printed.yaml"
        file.write_text(capsys.readouterr().out)
        return read_recipe(file)

    return resolve


def test_a_recipe_is_printed_as_it_is(resolved):
    assert resolved("pan-camvid") == (find_recipe("pan-camvid"), Machine())


def test_options_change_single_settings(resolved):
    recipe, machine = resolved(
        *("pan-camvid", "--optim.lr", "0.02", "--model.args.encoder", "resnet34", "--machine.precision", "bf16")
    )
    assert recipe.optim.lr == 0.02
    assert recipe.model.args == find_recipe("pan-camvid").model.args | {"encoder": "resnet34"}
    assert machine == Machine(precision="bf16")


def test_options_reach_into_the_network_that_a_model_is_built_around(resolved):
    args = find_recipe("a2r-camvid").model.args
    assert resolved("a2r-camvid", "--model.args.base_args.encoder", "resnet34")[0].model.args == {
        **args,
        "base_args": {**args["base_args"], "encoder": "resnet34"},
    }


def test_a_whole_mapping_can_be_replaced(resolved):
    assert resolved("pan-camvid", "--model.args", "{encoder: resnet34}")[0].model.args == {"encoder": "resnet34"}


def test_a_printed_recipe_can_be_edited_and_run_again(resolved, tmp_path):
    resolved("pan-camvid", "--seed", 3)
    mine = tmp_path / "mine.yaml"
    mine.write_text((tmp_path / "printed.yaml").read_text().replace("\nsteps: ", "\nsteps: 1"))
    as_recipe, as_config = resolved(mine), resolved("--config", mine)
    assert as_recipe == as_config
    assert (as_recipe[0].steps, as_recipe[0].seed) == (int(f"1{find_recipe('pan-camvid').steps}"), 3)


def test_a_config_changes_a_recipe_and_options_change_both(resolved, tmp_path):
    changes = tmp_path / "changes.yaml"
    changes.write_text("optim: {lr: 0.5, clip: 1}\nmodel: {args: {channels: 64}}\nmachine: {workers: 3}\n")
    recipe, machine = resolved("pan-camvid", "--config", changes, "--optim.lr", "0.25")
    before = find_recipe("pan-camvid")
    assert recipe.optim == replace(before.optim, lr=0.25, clip=1)
    assert recipe.model.args == before.model.args | {"channels": 64}
    assert machine.workers == 3


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "no recipe was given; `attseg recipes` lists them"),
        (["pan-canvid"], "there is no recipe 'pan-canvid'; did you mean 'pan-camvid'"),
        (["pan-camvid"], "the data set 'camvid' lies in a folder, and none was given"),
        (["pan-scenes", "--optim.lr", "fast"], "command line: optim.lr is 'fast'; a number was expected"),
        (["pan-scenes", "--model.name", "PANN"], 'Invalid value "PANN" for --model.name. Choose from: "PAN", '),
        (
            ["pan-scenes", "--model.args", "3", "--model.args.encoder", "x", "--steps", "1.5"],
            "command line: steps is 1.5",
        ),
        (["pan-scenes", "--model.args.encoder", "resnet81"], "there is no encoder 'resnet81'; did you mean 'resnet"),
        (["pan-scenes", "--model.args.encodr", "x"], "there is no argument of PAN 'encodr'; did you mean 'encoder'"),
        (
            ["pan-scenes", "--model.args.channels", "wide"],
            "channels of PAN is 'wide', which it does not take; `attseg models PAN` lists what it does",
        ),
        (["pan-scenes", "--crop_size", "16,16"], "crop_size is (16, 16); (height, width) of at least 32 pixels"),
        (["pan-scenes", "--loss.aux.deep", "1"], "the loss names the auxiliary output 'deep'"),
        (["pan-scenes", "--loss.terms.dic", "1"], "there is no loss 'dic'; did you mean 'dice'"),
        (["pan-scenes", "--loss.terms.cross-entropy", "0"], "loss.terms names no loss with a factor above 0"),
        (["pan-scenes", "--steps", "0"], "steps, epochs and minutes are 0; give the length of a run as one of"),
        (["pan-scenes", "--steps", "9", "--minutes", "2"], "steps and minutes were given; a run has one length"),
        (
            ["pan-scenes", "--steps", "300", "--patience", "3"],
            "patience is 3 evaluations, and in 300 steps there are 3",
        ),
        (
            ["pan-scenes", "--log", "wandbb"],
            "command line: machine.log[0] is 'wandbb'; one of tensorboard, wandb, mlflow",
        ),
        (["pan-scenes", "--log", "none,tensorboard"], "machine.log is none, tensorboard; give none alone, or trackers"),
        (
            ["pan-scenes", "--freeze", "all"],
            'Invalid value "all" for --freeze. Choose from: "none", "1", "2", "3", "encoder"',
        ),
        (["pan-scenes", "--init", "nothere"], "init: there is no file or folder 'nothere'"),
        (["nothere.yaml"], "there is no file or folder 'nothere.yaml'"),
        (["--resume", "--out", "nothere"], "there is no run to resume in nothere"),
        (["pan-scenes", "--resume"], "there is no run in runs/pan-scenes to resume"),
    ],
)
def test_what_cannot_be_trained_is_said_before_anything_is_written(arguments, message, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(["train", *arguments]) == 2
    assert capsys.readouterr().err.startswith(f"attseg: {message}")
    assert list(tmp_path.iterdir()) == []


def test_the_model_comes_from_the_weights_unless_another_is_named(resolved, capsys, tmp_path, trained):
    own = read_recipe(trained / "recipe.yaml")[0].model
    recipe, _ = resolved("fcn-scenes", "--init", trained)
    assert (recipe.model, recipe.init) == (own, str(trained))
    assert main(["train", "fcn-scenes", "--init", str(trained), "--print_config"]) == 0
    assert "in place of the FCN of fcn-scenes; --model.name and --model.args give another" in capsys.readouterr().err
    changed = resolved("fcn-scenes", "--init", trained, "--model.args.channels", 4)[0].model
    assert main(["train", "fcn-scenes", "--init", str(trained), "--model.args.channels", "4", "--print_config"]) == 0
    told = capsys.readouterr().err
    assert "channels=4" in told and f"that of {trained} with the changes given, in place of the FCN" in told
    assert (changed.name, changed.args) == (own.name, own.args | {"channels": 4})
    assert resolved("fcn-scenes", "--init", trained, "--model.name", "FCN")[0].model == find_recipe("fcn-scenes").model
    mine = tmp_path / "mine.yaml"
    mine.write_text(f"init: {trained}\nmodel: {{name: FCN, args: {{encoder: resnet18}}}}\n")
    assert resolved("pan-scenes", "--config", mine)[0].model.name == "FCN"


def test_one_length_given_sets_the_others_to_none(resolved, tmp_path):
    minutes = resolved("pan-scenes", "--minutes", 5)[0]
    assert (minutes.steps, minutes.epochs, minutes.minutes) == (0, 0, 5)
    changes = tmp_path / "changes.yaml"
    changes.write_text("epochs: 20\n")
    epochs = resolved("pan-scenes", "--config", changes)[0]
    assert (epochs.steps, epochs.epochs) == (0, 20)
    assert resolved("pan-scenes", "--config", changes, "--steps", 7)[0].steps == 7


def test_trackers_have_a_short_option(resolved):
    assert resolved("pan-scenes", "--log", "tensorboard,wandb")[1].log == ("tensorboard", "wandb")
    assert resolved("pan-scenes", "--machine.log", "none")[1].log == ("none",)


def test_what_is_wrong_in_a_file_is_said_of_the_file(capsys, tmp_path):
    mine = tmp_path / "mine.yaml"
    mine.write_text("name: mine\noptim: {lr: fast}\n")
    assert main(["train", str(mine), "--steps", "3"]) == 2
    assert capsys.readouterr().err == f"attseg: {mine}: optim.lr is 'fast'; a number was expected\n"


def test_a_run_says_where_it_is_and_what_comes_next(training):
    out, printed = training
    first, *rest = printed.splitlines()
    assert first.startswith(f"{out}: mIoU ")
    assert first.endswith(" % on val, after step 2")
    assert rest == ["next:", f"  attseg evaluate '{out}'", f"  attseg predict '{out}' PICTURES --out DIR"]


def test_the_folder_of_the_data_is_kept_as_an_absolute_path(monkeypatch, tmp_path):
    asked = {}
    monkeypatch.setattr(
        "attseg.training.run.train", lambda recipe, machine, **options: asked.update(recipe=recipe) or stop()
    )
    monkeypatch.chdir(tmp_path)
    assert main(["train", "pan-camvid", "--data.root", "camvid"]) == 128 + signal.SIGTERM
    assert asked["recipe"].data.root == str(tmp_path / "camvid")


def stop():
    raise Interrupted("stopped after step 1 of 9; go on with --resume", signal.SIGTERM)


def test_a_stopped_run_says_how_to_go_on(monkeypatch, capsys, tmp_path):
    monkeypatch.setattr("attseg.training.run.train", lambda *arguments, **options: stop())
    assert main(["train", "pan-scenes", "--out", str(tmp_path / "run")]) == 143
    assert capsys.readouterr().err.endswith(f"go on with --resume: attseg train --resume --out {tmp_path / 'run'}\n")


def test_resume_needs_only_the_folder(monkeypatch, trained):
    asked = {}

    def train(recipe, machine, *, out, resume, console, callbacks=()):
        asked.update(recipe=recipe, machine=machine, out=out, resume=resume)

    monkeypatch.setattr("attseg.training.run.train", train)
    assert main(["train", "--resume", "--out", str(trained), "--machine.workers", "2"]) == 0
    before, machine = read_recipe(trained / "recipe.yaml")
    assert asked["recipe"] == before
    assert (asked["machine"].workers, machine.workers) == (2, 0)
    assert (asked["out"], asked["resume"]) == (Path(trained), True)


def test_other_processes_of_a_run_say_nothing(monkeypatch, trained, capsys):
    monkeypatch.setattr("attseg.training.run.train", lambda *arguments, **options: None)
    monkeypatch.setenv("LOCAL_RANK", "1")
    assert main(["train", "--resume", "--out", str(trained)]) == 0
    assert capsys.readouterr().out == ""


def test_the_printed_recipe_is_yaml_of_plain_values(capsys):
    assert main(["train", "pan-scenes", "--print-config"]) == 0
    values = yaml.safe_load(capsys.readouterr().out)
    assert values["machine"]["precision"] == "32"
    assert values["crop_size"] == list(find_recipe("pan-scenes").crop_size)


def test_the_loss_is_put_together_from_names(capsys):
    given = ["--loss.terms.dice", "0.5", "--loss.terms.cross-entropy", "2", "--loss.ohem_share", "0.25"]
    assert main(["train", "pan-scenes", *given, "--print_config"]) == 0
    loss = yaml.safe_load(capsys.readouterr().out)["loss"]
    assert (loss["terms"], loss["ohem_share"]) == ({"cross-entropy": 2, "dice": 0.5}, 0.25)
    assert main(["train", "pan-scenes", "--loss.terms", "{lovasz: 1}", "--print_config"]) == 0
    assert yaml.safe_load(capsys.readouterr().out)["loss"]["terms"] == {"lovasz": 1}
    assert main(["train", "--help"]) == 0
    text = " ".join(capsys.readouterr().out.replace("│", " ").split())
    assert "cross-entropy; ohem, on hard pixels only; boundary, in which" in text


@pytest.mark.parametrize(("given", "expected"), [(None, "PASSIVE"), ("ACTIVE", "ACTIVE")])
def test_threads_that_wait_sleep_unless_the_environment_says_otherwise(given, expected, monkeypatch, tmp_path):
    monkeypatch.delenv("OMP_WAIT_POLICY", raising=False)
    if given:
        monkeypatch.setenv("OMP_WAIT_POLICY", given)
    assert main(["train", "pan-camvid", "--data.root", str(tmp_path / "none"), "--out", str(tmp_path / "run")]) != 0
    assert os.environ["OMP_WAIT_POLICY"] == expected
