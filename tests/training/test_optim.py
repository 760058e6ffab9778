import pytest
import torch
from torch import nn

from attseg.models import build_model
from attseg.recipes.recipe import OptimSpec
from attseg.training.optim import learning_rate, make_optimizer, parameter_groups, set_learning_rate, warmup_steps


@pytest.fixture
def model():
    return build_model("PAN", {"encoder": "test_resnet", "channels": 8}, 3)


@pytest.mark.parametrize("decay_norm_and_bias", [True, False])
@pytest.mark.parametrize("new_layers_factor", [1.0, 10.0])
def test_every_parameter_is_in_exactly_one_group(model, decay_norm_and_bias, new_layers_factor):
    optim = OptimSpec(decay_norm_and_bias=decay_norm_and_bias, new_layers_factor=new_layers_factor)
    grouped = [id(parameter) for group in parameter_groups(model, optim) for parameter in group["params"]]
    assert len(grouped) == len(set(grouped))
    assert set(grouped) == {id(parameter) for parameter in model.parameters()}


def test_groups_say_learning_rate_and_decay_of_each_kind_of_parameter(model):
    groups = parameter_groups(model, OptimSpec(weight_decay=0.5, decay_norm_and_bias=False, new_layers_factor=10.0))
    found = {id(p): (group["lr_factor"], group["weight_decay"]) for group in groups for p in group["params"]}
    for prefix, module in model.named_modules():
        for name, parameter in module.named_parameters(recurse=False):
            is_norm_or_bias = isinstance(module, nn.BatchNorm2d) or name == "bias"
            factor = 1.0 if prefix.startswith("encoder") else 10.0
            assert found[id(parameter)] == (factor, 0.0 if is_norm_or_bias else 0.5), f"{prefix}.{name}"


def test_the_encoder_of_a_wrapped_network_is_the_encoder():
    args = {"encoder": "test_resnet", "channels": 8}
    model = build_model("AttentionToRefine", {"base": "FCN", "base_args": args, "stream_channels": 4, "channels": 4}, 3)
    groups = {group["name"]: group for group in parameter_groups(model, OptimSpec(new_layers_factor=10.0))}
    names = {id(parameter): name for name, parameter in model.named_parameters()}
    assert all(names[id(p)].startswith("base.encoder.") for p in groups["encoder"]["params"])
    assert not any(names[id(p)].startswith("base.encoder.") for p in groups["new"]["params"])
    assert {name: group["lr_factor"] for name, group in groups.items()} == {"encoder": 1.0, "new": 10.0}
    assert sum(len(group["params"]) for group in groups.values()) == len(names)


def test_two_groups_are_enough_when_everything_decays(model):
    groups = parameter_groups(model, OptimSpec(weight_decay=0.5))
    assert [(group["name"], group["weight_decay"]) for group in groups] == [("encoder", 0.5), ("new", 0.5)]


def test_rates_fall_from_stage_to_stage_of_the_encoder(model):
    groups = parameter_groups(model, OptimSpec(layer_decay=0.5, new_layers_factor=3.0))
    names = {id(parameter): name for name, parameter in model.named_parameters()}
    factors = {names[id(p)]: group["lr_factor"] for group in groups for p in group["params"]}
    assert factors.keys() == set(names.values())
    for stage, factor in enumerate((0.125, 0.25, 0.5, 1.0), 1):
        assert {value for name, value in factors.items() if f"encoder.network.layer{stage}." in name} == {factor}
    assert factors["encoder.network.conv1.0.weight"] == 0.125
    assert factors["head.weight"] == 3.0


def test_frozen_parameters_are_left_out(model):
    model.encoder.requires_grad_(False)
    assert {group["name"] for group in parameter_groups(model, OptimSpec())} == {"new"}


def test_optimizers_take_what_the_recipe_says(model):
    sgd = make_optimizer(model, OptimSpec(name="sgd", lr=0.3, momentum=0.8, weight_decay=0.01))
    assert isinstance(sgd, torch.optim.SGD)
    assert {(group["momentum"], group["weight_decay"]) for group in sgd.param_groups} == {(0.8, 0.01)}
    assert isinstance(make_optimizer(model, OptimSpec(name="adamw")), torch.optim.AdamW)


def test_learning_rate_reaches_each_group_with_its_factor(model):
    optimizer = make_optimizer(model, OptimSpec(new_layers_factor=10.0))
    set_learning_rate(optimizer, 0.25)
    assert {group["name"]: group["lr"] for group in optimizer.param_groups} == {"encoder": 0.25, "new": 2.5}


def test_polynomial_at_its_first_middle_and_last_step():
    optim = OptimSpec(lr=0.01, power=0.9)
    assert learning_rate(optim, 0, 100) == 0.01
    assert learning_rate(optim, 50, 100) == pytest.approx(0.01 * 0.5**0.9)
    assert learning_rate(optim, 99, 100) == pytest.approx(0.01 * 0.01**0.9)


def test_warmup_rises_linearly_and_then_joins_the_polynomial():
    warm, cold = OptimSpec(lr=1.0, warmup=4), OptimSpec(lr=1.0)
    ratios = [learning_rate(warm, step, 100) / learning_rate(cold, step, 100) for step in range(6)]
    assert ratios == pytest.approx([0.25, 0.5, 0.75, 1.0, 1.0, 1.0])


def test_warmup_may_be_a_share_and_takes_at_most_half_of_the_run():
    assert warmup_steps(OptimSpec(warmup=0.1), 200) == 20
    assert warmup_steps(OptimSpec(warmup=30), 200) == 30
    assert warmup_steps(OptimSpec(warmup=30), 20) == 10
    assert max(learning_rate(OptimSpec(lr=1.0, warmup=500, power=0.0), step, 20) for step in range(20)) == 1.0
