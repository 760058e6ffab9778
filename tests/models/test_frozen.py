from dataclasses import replace

import pytest
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from attseg.checkpoint import read_weights
from attseg.errors import UsageError
from attseg.models import build_model
from attseg.models.frozen import freeze, hold
from fitting import HERE, fit_into

ARGS = {"encoder": "test_resnet", "channels": 8}


def make(name="PAN", args=None):
    torch.manual_seed(0)
    return build_model(name, args or ARGS, 3)


@pytest.mark.parametrize(("upto", "frozen"), [("none", 0), ("1", 1), ("2", 2), ("3", 3), ("encoder", 4)])
def test_no_gradient_is_computed_up_to_a_map(upto, frozen):
    model = make().train()
    hold(freeze(model, upto))
    maps = model.encoder(torch.rand(2, 3, 64, 64))
    assert [level.requires_grad for level in maps] == [False] * frozen + [True] * (4 - frozen)
    model(torch.rand(2, 3, 64, 64)).logits.sum().backward()
    without = {name for name, value in model.encoder.named_parameters() if value.grad is None}
    assert without == {name for name, value in model.encoder.named_parameters() if not value.requires_grad}
    assert any(f"layer{frozen}" in name for name in without) == bool(frozen)
    assert not any(f"layer{frozen + 1}" in name for name in without)


def test_batch_normalisation_is_held_in_evaluation_where_it_is_frozen():
    model = make().train()
    hold(freeze(model, "2"))
    modes = {name: module.training for name, module in model.named_modules() if isinstance(module, nn.BatchNorm2d)}
    assert not any(mode for name, mode in modes.items() if "layer1" in name or "layer2" in name)
    assert all(mode for name, mode in modes.items() if "layer3" in name or "decoder" in name)


@pytest.mark.parametrize("precision", ["32", "bf16"])
@pytest.mark.slow
def test_a_run_leaves_frozen_weights_and_statistics_as_they_were(tiny, tmp_path, precision):
    """Through evaluations, weight decay, the moving average and half precision."""
    recipe = tiny(freeze="encoder", ema=0.5)
    torch.manual_seed(recipe.seed)
    before = build_model("PAN", recipe.model.args, 12).state_dict()
    found = read_weights(fit_into(tmp_path, recipe, replace(HERE, precision=precision)) / "last.safetensors").state
    changed = {name for name in found if not torch.equal(found[name], before[name])}
    assert changed and not any(name.startswith("encoder.") for name in changed)
    assert any(name.startswith("head.") for name in changed)


@pytest.mark.slow
def test_frozen_runs_go_on_to_the_same_weights(tiny, tmp_path):
    recipe = tiny(freeze="1")
    straight = read_weights(fit_into(tmp_path, recipe) / "last.safetensors").state
    (tmp_path / "state" / "00000006.pt").unlink()
    again = read_weights(fit_into(tmp_path, recipe) / "last.safetensors").state
    assert [name for name in straight if not torch.equal(straight[name], again[name])] == []


def test_the_encoder_of_the_network_within_is_frozen():
    args = {"base": "FCN", "base_args": ARGS, "stream_channels": 4, "channels": 4}
    model = make("AttentionToRefine", args)
    freeze(model, "encoder")
    frozen = {name for name, value in model.named_parameters() if not value.requires_grad}
    assert frozen == {name for name, _ in model.named_parameters() if name.startswith("base.encoder.")}


def test_nothing_left_to_train_is_refused():
    class Bare(nn.Module):
        def __init__(self):
            super().__init__()
            self.encoder = nn.Conv2d(3, 4, 1)

    with pytest.raises(UsageError, match="freeze is encoder, which leaves nothing of this Bare to train; freeze less"):
        freeze(Bare(), "encoder")
    with pytest.raises(UsageError, match="freeze is 3, and this encoder has 1 maps; at most 1, or encoder"):
        freeze(Bare(), "3")


@pytest.mark.slow
def test_a_frozen_encoder_saves_its_backward_pass():
    """A backward pass costs twice the forward pass: of an encoder that is nearly all of the network, a third remains."""
    images = torch.rand(2, 3, 64, 64)
    args = {"encoder": "resnet18", "channels": 16}

    def operations(upto):
        model = make(args=args).train()
        hold(freeze(model, upto))
        with FlopCounterMode(display=False) as counter:
            model(images).logits.sum().backward()
        return counter.get_total_flops()

    assert operations("encoder") < 0.45 * operations("none")
    assert operations("encoder") < operations("2") < operations("none")
