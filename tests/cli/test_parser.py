import pytest

from attseg.cli.parser import Parser
from attseg.errors import UsageError
from attseg.recipes.recipe import Recipe
from attseg.recipes.values import settings


def given(*arguments):
    parser = Parser("train", "Text.", [])
    parser.add_argument("recipe", nargs="?")
    parser.add_argument("--no-overlay", action="store_true")
    parser.add_settings("recipe", settings(Recipe))
    return parser.parse(arguments).given


@pytest.mark.parametrize(
    ("arguments", "values"),
    [
        (["--optim.lr", "0.5"], {"optim.lr": 0.5}),
        (["--optim.lr=1e-3"], {"optim.lr": 0.001}),
        (["--optim.weight-decay", "0"], {"optim.weight_decay": 0}),
        (["--seed", "-1"], {"seed": -1}),
        (["--crop_size", "64,96"], {"crop_size": [64, 96]}),
        (["--crop-size=[64, 96]"], {"crop_size": [64, 96]}),
        (["--augment.flip", "false"], {"augment.flip": False}),
        (["--data.root", "012"], {"data.root": "012"}),
        (["--data.root", "null"], {"data.root": None}),
        (["--data.train", "null"], {"data.train": "null"}),
        (["--model.args.encoder", "resnet18"], {"model.args.encoder": "resnet18"}),
        (["--model.args.base_args.encoder", "resnet18"], {"model.args.base_args.encoder": "resnet18"}),
        (["--model.args.channels=64"], {"model.args.channels": 64}),
        (["--model.args.pyramid_kernels", "7,5,3"], {"model.args.pyramid_kernels": [7, 5, 3]}),
        (
            ["--model.args", "{encoder: resnet18, channels: 64}"],
            {"model.args": {"encoder": "resnet18", "channels": 64}},
        ),
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
        (["--optm.lr", "1"], "no option '--optm.lr'; did you mean '--optim.lr'"),
        (["--optim.lrr=1"], "no option '--optim.lrr'; did you mean '--optim.lr'"),
        (["--no-overlya"], "no option '--no-overlya'; did you mean '--no-overlay'"),
        (["--optim", "1"], "no option '--optim'"),
        (["--loss.aux.deep.er", "1"], "no option '--loss.aux.deep.er'"),
        (["--optim.lr.high", "1"], "no option '--optim.lr.high'"),
        (["--optim.lr"], "argument --optim.lr: expected one argument"),
        (["--step", "3"], "no option '--step'; did you mean '--steps'"),
        (["a", "b"], "'b' is one argument too many"),
    ],
)
def test_what_is_not_understood_is_said(arguments, message):
    with pytest.raises(UsageError, match=message):
        given(*arguments)
