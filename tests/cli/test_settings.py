from pathlib import Path
from typing import Any

import pytest

from attseg.cli import main
from attseg.cli.command import call
from attseg.cli.settings import with_settings
from attseg.errors import UsageError
from attseg.recipes.recipe import Recipe
from attseg.recipes.values import settings


def given(*arguments):
    found = {}

    @with_settings(("Settings", settings(Recipe)))
    def run(recipe: str | None = None, /, *, out: Path | None = None, no_overlay: bool = False, given: dict[str, Any]):
        found.update(given)
        return 0

    assert call("attseg train", run, list(arguments)) == 0
    return found


@pytest.mark.parametrize(
    ("arguments", "values"),
    [
        (["--optim.lr", "0.5"], {"optim.lr": 0.5}),
        (["--optim.lr=1e-3"], {"optim.lr": 0.001}),
        (["--optim.weight-decay", "0"], {"optim.weight_decay": 0}),
        (["--optim.weight_decay", "0"], {"optim.weight_decay": 0}),
        (["--seed", "-1"], {"seed": -1}),
        (["--seed", "1", "--seed", "2"], {"seed": 2}),
        (["--crop_size", "64,96"], {"crop_size": [64, 96]}),
        (["--crop-size=[64, 96]"], {"crop_size": [64, 96]}),
        (["--augment.flip", "false"], {"augment.flip": False}),
        (["--data.root", "012"], {"data.root": "012"}),
        (["--data.root", "null"], {"data.root": None}),
        (["--data.train", "null"], {"data.train": "null"}),
        (["--model.args.encoder", "resnet18"], {"model.args.encoder": "resnet18"}),
        (["--model.args.base_args.encoder", "resnet18"], {"model.args.base_args.encoder": "resnet18"}),
        (["--model.args.channels=64"], {"model.args.channels": 64}),
        (["--model.args.channels=64", "--model.args.channels", "32"], {"model.args.channels": 32}),
        (["--model.args.pyramid_kernels", "7,5,3"], {"model.args.pyramid_kernels": [7, 5, 3]}),
        (
            ["--model.args", "{encoder: resnet18, channels: 64}"],
            {"model.args": {"encoder": "resnet18", "channels": 64}},
        ),
        (
            ["--model.args.encoder", "resnet18", "--model.args={channels: 8}"],
            {"model.args": {"channels": 8}, "model.args.encoder": "resnet18"},
        ),
        (["--data.options.size", "64,64"], {"data.options.size": [64, 64]}),
        (["--loss.aux.deep", "0.4"], {"loss.aux.deep": 0.4}),
        (["--loss.terms.cross-entropy", "0.4"], {"loss.terms.cross-entropy": 0.4}),
        (["--model.args.encoder", "resnet18", "pan-camvid"], {"model.args.encoder": "resnet18"}),
        (["--optim.lr", "1: 2: 3"], {"optim.lr": "1: 2: 3"}),
    ],
)
def test_settings_are_read_as_their_types_want(arguments, values):
    assert given(*arguments) == values


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--optm.lr", "1"], "no option '--optm.lr'; did you mean '--optim.lr"),
        (["--optim.lrr=1"], "no option '--optim.lrr'; did you mean '--optim.lr"),
        (["--no-overlya"], "no option '--no-overlya'; did you mean '--no-overlay"),
        (["--lr", "1"], "no option '--lr'; did you mean '--optim.lr"),
        (["--learning-rate=1"], "no option '--learning-rate'; did you mean '--optim.lr"),
        (["--weight-decay", "1"], "no option '--weight-decay'; did you mean '--optim.weight_decay"),
        (["--encoder", "resnet18"], "no option '--encoder'; did you mean '--model.args.encoder"),
        (["--model.encoder", "resnet18"], "no option '--model.encoder'; did you mean '--model.args.encoder"),
        (["--train.lr", "1"], "no option '--train.lr'; did you mean '--optim.lr"),
        (["--imgsz", "512"], "no option '--imgsz'; did you mean '--crop_size"),
        (["--weights", "a.safetensors"], "no option '--weights'; did you mean '--init"),
        (["--epoch", "50"], "no option '--epoch'; did you mean '--epochs"),
        (["--early-stopping", "5"], "no option '--early-stopping'; did you mean '--patience"),
        (["--optim", "1"], "no option '--optim'"),
        (["--optim.lr.high", "1"], "no option '--optim.lr.high'"),
        (["--optim.lr"], "--optim.lr needs a value"),
        (["--step", "3"], "no option '--step'; did you mean '--steps"),
        (["--optim.name", "adam"], '"adam" for --optim.name.*"sgd", "adamw".*mean "adamw"'),
        (["a", "b"], "'b' is one argument too many"),
    ],
)
def test_what_is_not_understood_is_said_with_the_nearest_name(arguments, message):
    with pytest.raises(UsageError, match=message):
        given(*arguments)


@pytest.mark.parametrize(
    ("guess", "option"),
    [("--gpus", "--machine.devices"), ("--amp", "--machine.precision")],
)
def test_guesses_for_settings_of_the_machine_are_answered(guess, option, capsys):
    assert main(["train", "pan-scenes", guess, "2"]) == 2
    assert f"did you mean '{option} " in capsys.readouterr().err


def test_a_whole_number_is_not_rounded(capsys):
    from attseg.cli import main

    assert main(["demo", "--seed", "1.5"]) == 2
    assert "'1.5' was given; a whole number" in capsys.readouterr().err


@pytest.mark.parametrize("name", ['["a", "b"]', "[1].png", '{"a": 1}', "a,b", "-1", "é\udce9"])
def test_names_of_files_are_taken_as_they_are(name):
    found = {}

    def run(*files: Path, more: list[str] | None = None) -> int:
        found.update(files=files, more=more)
        return 0

    assert call("attseg verb", run, [name, "--more", name]) == 0
    assert found == {"files": (Path(name),), "more": [name]}
