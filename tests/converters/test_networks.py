"""Networks in the forms of other libraries, and what files of earlier versions hold, are built as they were."""

import pytest
import torch

from attseg import load
from attseg.attention.pointwise.parity import ParityPointwiseSpatialAttention
from attseg.checkpoint import save_weights
from attseg.converters.networks import FORMS, build_network
from attseg.data.classes import ClassTable
from attseg.data.preprocessing import Preprocessing
from attseg.errors import UsageError
from attseg.models import PAN, PSANet
from attseg.recipes.recipe import ModelSpec

SMALL = {"encoder": "test_resnet", "channels": 8}
SMP = {
    **SMALL,
    "pyramid_pool": "max",
    "pyramid_rounding": "down",
    "global_relu": True,
    "gau_relu": True,
    "align_corners": True,
}
CLASSES = ClassTable(("a", "b", "c"), ((0, 0, 0), (9, 9, 9), (99, 99, 99)))


def test_pan_has_the_parts_of_the_other_library():
    model = build_network("PAN", {**SMP, "even_dilation": True}, 3)
    assert isinstance(model, PAN)
    assert (model.context.rounding, model.context.global_relu, model.context.pool) == ("down", True, "max")
    assert model.align_corners
    assert model.context.align_corners
    for step in model.decoder.steps:
        assert step.align_corners
        assert isinstance(step.reduce[-1], torch.nn.ReLU)
    assert model.state_dict().keys() == PAN(3, **SMALL).state_dict().keys()


def test_further_arguments_reach_the_contexts_that_resize():
    model = build_network("PAN", {**SMALL, "context": "psp", "decoder": "bilinear", "align_corners": True}, 3)
    assert model.align_corners
    assert model.context.align_corners


def test_further_arguments_at_their_defaults_change_nothing():
    torch.manual_seed(0)
    ours = PAN(3, **SMALL).eval()
    same = build_network("PAN", {**SMALL, "global_relu": False, "align_corners": False, "pyramid_rounding": "up"}, 3)
    same.load_state_dict(ours.state_dict())
    images = torch.randn(1, 3, 64, 64)
    with torch.no_grad():
        torch.testing.assert_close(same.eval()(images).logits, ours(images).logits)


def test_psanet_has_the_parts_of_the_other_libraries():
    small = {**SMALL, "inner": 4}
    model = build_network("PSANet", {**small, "max_offset": (3, 2), "variant": "mmseg", "aux_channels": 5}, 3)
    assert isinstance(model, PSANet)
    assert isinstance(model.context.psa, ParityPointwiseSpatialAttention)
    assert model.context.psa.branches["collect"].filters.shape == (4, 7, 5)
    assert model.aux["encoder"][2].in_channels == 5
    wide = build_network("PSANet", {**SMALL, "context": "psp", "context_width": 6}, 3)
    assert {level[0].out_channels for level in wide.context.levels} == {6}


@pytest.mark.parametrize("name", FORMS)
def test_the_papers_models_do_not_have_these_arguments(name):
    with pytest.raises(TypeError):
        {"PAN": PAN, "PSANet": PSANet}[name](
            3, **SMALL, **{"PAN": {"gau_relu": True}, "PSANet": {"aux_channels": 3}}[name]
        )


def test_values_that_do_not_fit_get_a_sentence():
    with pytest.raises(UsageError, match="no pyramid_rounding 'dwon'; did you mean 'down'"):
        build_network("PAN", {**SMALL, "pyramid_rounding": "dwon"}, 3)
    with pytest.raises(UsageError, match=r"max_offset is \(3,\)"):
        build_network("PSANet", {**SMALL, "max_offset": (3,)}, 3)


def test_a_network_within_another_may_have_such_a_form():
    model = build_network(
        "AttentionToRefine", {"base": "PAN", "base_args": SMP, "stream_channels": 4, "channels": 4}, 3
    )
    assert model.base.context.global_relu


INERT = [
    ("PAN", {**SMALL, "context": "se", "pyramid_kernels": [3, 3, 3], "decoder": "bilinear", "gau_kernel": 1}),
    ("PSANet", {**SMALL, "context": "psp", "directions": ["collect"], "compact": True, "max_offset": [3, 3]}),
    ("AttentionToRefine", {"base": "PAN", "base_args": {**SMALL, "gau_context": False, "gate": "relu"}}),
]


@pytest.mark.parametrize(("name", "args"), INERT)
def test_weights_that_were_saved_with_idle_options_load(name, args, tmp_path):
    with pytest.raises(UsageError, match="does nothing"):
        build_network(name, args, 3)
    model = build_network(name, args, 3, stored=True)
    save_weights(
        tmp_path / "w.safetensors",
        model.state_dict(),
        model=ModelSpec(name=name, args=args),
        classes=CLASSES,
        preprocessing=Preprocessing(),
        info={},
    )
    assert type(load(tmp_path / "w.safetensors").model).__name__ == name


def test_a_converted_network_that_was_saved_loads_with_the_same_logits(tmp_path):
    torch.manual_seed(0)
    model = build_network("PAN", SMP, 3).eval()
    save_weights(
        tmp_path / "w.safetensors",
        model.state_dict(),
        model=ModelSpec(name="PAN", args=SMP),
        classes=CLASSES,
        preprocessing=Preprocessing(),
        info={},
    )
    images = torch.randn(1, 3, 70, 65)
    with torch.no_grad():
        again = load(tmp_path / "w.safetensors", device="cpu").model
        torch.testing.assert_close(again(images).logits, model(images).logits)
        assert not torch.allclose(PAN(3, **SMALL).eval()(images).logits, model(images).logits)
