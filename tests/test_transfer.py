from dataclasses import replace
from functools import partial

import pytest
import torch

from attseg.checkpoint import Weights, WeightsError
from attseg.data.classes import ClassTable, distinct_colors
from attseg.data.preprocessing import Preprocessing
from attseg.models import build_model
from attseg.recipes.recipe import ModelSpec
from attseg.transfer import find_transfer

ARGS = {"encoder": "test_resnet", "channels": 8}


def table(*names):
    return ClassTable(names, distinct_colors(len(names)))


def weights(names, model="PAN", args=ARGS, seed=1):
    torch.manual_seed(seed)
    state = build_model(model, args, len(names)).state_dict()
    return Weights(state, ModelSpec(name=model, args=args), table(*names), Preprocessing(), {})


def transfer(found, names, model="PAN", args=ARGS):
    with torch.device("meta"):
        return find_transfer(found, partial(build_model, model, args), table(*names), "runs/x")


def loaded(found, names, model="PAN", args=ARGS):
    """The network before and after."""
    torch.manual_seed(0)
    network = build_model(model, args, len(names))
    before = {name: value.clone() for name, value in network.state_dict().items()}
    result = transfer(found, names, model, args)
    result.load_into(network)
    return result, before, network.state_dict()


def test_equal_networks_are_taken_whole():
    found = weights(("sky", "road"))
    result, _, after = loaded(found, ("sky", "road"))
    assert result.encoder
    assert result.told == f"{len(after)} of {len(after)} tensors from runs/x"
    assert all(torch.equal(value, found.state[name]) for name, value in after.items())


def test_rows_of_the_classifier_follow_the_names_of_the_classes():
    found = weights(("sky", "Road", "tree", "car"))
    result, before, after = loaded(found, ("road", "person", "sky"))
    for name in ("head.weight", "head.bias"):
        assert torch.equal(after[name][0], found.state[name][1])
        assert torch.equal(after[name][1], before[name][1])
        assert torch.equal(after[name][2], found.state[name][0])
    assert result.told.endswith("; classes taken over: road, sky; new: person")


def test_as_many_classes_of_other_names_do_not_get_the_rows_of_others():
    found = weights(("sky", "road", "tree"))
    result, before, after = loaded(found, ("cat", "dog", "cow"))
    assert all(torch.equal(after[name], before[name]) for name in ("head.weight", "head.bias"))
    assert result.told.endswith("; new: head (2); no class is taken over")
    _, _, after = loaded(found, ("road", "sky", "tree"))
    assert torch.equal(after["head.weight"], found.state["head.weight"][[1, 0, 2]])


def test_what_has_another_shape_begins_anew_and_is_told_by_its_part():
    result, before, after = loaded(weights(("a", "b")), ("a", "b"), args=ARGS | {"channels": 9})
    assert result.encoder
    assert torch.equal(
        after["encoder.network.conv1.0.weight"], weights(("a", "b")).state["encoder.network.conv1.0.weight"]
    )
    assert torch.equal(after["head.weight"], before["head.weight"])
    assert "; new: context (" in result.told and len(result.told) < 150


def test_an_encoder_is_taken_as_a_whole_or_not_at_all():
    args = {"encoder": "resnet18", "channels": 8}
    result, before, after = loaded(weights(("a", "b"), args=args), ("a", "b"), args=args | {"encoder": "resnet34"})
    assert not result.encoder
    assert not [name for name in before if name.startswith("encoder.") and not torch.equal(before[name], after[name])]
    assert "new: encoder (" in result.told


def test_a_network_becomes_the_base_of_another_and_back():
    args = {"base": "FCN", "base_args": ARGS, "stream_channels": 4, "channels": 4}
    found = weights(("a", "b"), "FCN")
    result, _, after = loaded(found, ("a", "b"), "AttentionToRefine", args)
    assert result.encoder and "new: merge (" in result.told
    assert all(torch.equal(after[f"base.{name}"], value) for name, value in found.state.items())
    back, _, after = loaded(weights(("a", "b"), "AttentionToRefine", args), ("a", "b"), "FCN")
    assert back.encoder and "new" not in back.told


def test_nothing_that_fits_is_an_error():
    with pytest.raises(WeightsError, match="nothing in runs/x, weights of a PAN, fits this FCN; give the model"):
        transfer(weights(("a", "b")), ("c", "d"), "FCN", {"encoder": "resnet18", "channels": 12})


def test_tensors_of_another_kind_are_refused():
    found = weights(("a", "b"))
    state = found.state | {"head.weight": found.state["head.weight"].to(torch.int32)}
    with pytest.raises(WeightsError, match="runs/x cannot be loaded into this PAN:\n *head.weight: int32"):
        transfer(replace(found, state=state), ("a", "b"))
