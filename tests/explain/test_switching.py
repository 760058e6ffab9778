"""What is left without a map, beside the module computed by hand with the map set to what the text says."""

import pytest
import torch
from torch import nn

from attseg import capture
from attseg.attention.criss_cross import CrissCrossPass
from attseg.attention.pointwise.module import PointwiseBranch
from attseg.errors import UsageError
from attseg.explain.capture import edited
from attseg.explain.switching import describe, find_maps, switch
from attseg.layers import resize
from watched import MODELS, build, pictures


def called(model, kind, images, edit):
    """What goes in and out of the first module of a kind."""
    module = next(m for m in model.modules() if type(m).__name__ == kind)
    kept = []
    handle = module.register_forward_hook(lambda m, inputs, out: kept.append((inputs, out)))
    with torch.no_grad(), edited(model, edit):
        logits = model(images).logits
    handle.remove()
    return module, *kept[0], logits


def test_fpa_off_leaves_its_main_branch_and_the_pooled_one():
    model = build("PAN")
    fpa, (features,), out, _ = called(model, "FeaturePyramidAttention", pictures(), switch(model, ["fpa"]))
    with torch.no_grad():
        expected = fpa.main(features) + fpa.whole(features.mean((2, 3), keepdim=True))
    torch.testing.assert_close(out, expected)


def test_gau_off_is_the_plain_skip_connection():
    model = build("PAN")
    gau, (low, high), out, _ = called(model, "GlobalAttentionUpsample", pictures(), switch(model, ["gau"]))
    with torch.no_grad():
        torch.testing.assert_close(out, resize(high, low.shape[-2:]) + gau.reduce(low))


def test_gau_even_multiplies_every_channel_by_the_mean_gate():
    model = build("PAN")
    gau, (low, high), out, _ = called(model, "GlobalAttentionUpsample", pictures(), switch(model, ["gau"], "even"))
    with torch.no_grad():
        gate = float(gau.weigh(high.mean((2, 3), keepdim=True)).mean())
        torch.testing.assert_close(out, resize(high, low.shape[-2:]) + gate * gau.reduce(low))


def test_dafm_and_2dpam_off_are_sums():
    model = build("DFDAM")
    edit = switch(model, ["dafm-high", "dafm-low", "2dpam"])
    fusion, (low, high), fused, _ = called(model, "DualAttentionFusion", pictures(), edit)
    with torch.no_grad():
        torch.testing.assert_close(fused, fusion.reduce(low) + resize(high, low.shape[-2:]))
    position, (fine, _), out, _ = called(model, "PositionAttention", pictures(), edit)
    with torch.no_grad():
        torch.testing.assert_close(out, position.reduce(fine))


def test_scales_off_is_the_largest_alone_and_even_their_mean():
    model = build("AttentionToRefine")
    edit = switch(model, ["recalibration"])
    for how, weigh in (("off", lambda large, small: large), ("even", lambda large, small: (large + small) / 2)):
        _, (scores, _), out, _ = called(model, "LocationAttention", pictures(), edit | switch(model, ["location"], how))
        torch.testing.assert_close(out, weigh(*scores))


@pytest.mark.parametrize("how", ["bias", "signed-bias"])
def test_a_bias_off_adds_nothing(how):
    from attseg import AttentionToRefine

    torch.manual_seed(0)
    base = {"encoder": "test_resnet", "channels": 8}
    model = AttentionToRefine(5, base="FCN", base_args=base, stream_channels=8, channels=8, recalibration=how).eval()
    _, (scores, _), out, _ = called(model, "Recalibration", pictures(), switch(model, ["recalibration"]))
    for one, other in zip(scores, out, strict=True):
        torch.testing.assert_close(one, other)


@pytest.mark.parametrize("how", ["multiply", "bias", "signed-bias"])
def test_an_even_recalibration_favours_no_class_as_one_that_is_off(how):
    from attseg import AttentionToRefine

    torch.manual_seed(0)
    base = {"encoder": "test_resnet", "channels": 8}
    model = AttentionToRefine(5, base="FCN", base_args=base, stream_channels=8, channels=8, recalibration=how).eval()
    off, even = (
        called(model, "Recalibration", pictures(), switch(model, ["recalibration"], way))[-1] for way in ("off", "even")
    )
    one_for_all = even / off if how == "multiply" else even - off
    first = one_for_all.flatten(1)[:, :1, None, None]
    torch.testing.assert_close(one_for_all, first.expand_as(one_for_all), rtol=1e-3, atol=1e-4)
    tap = model.get_submodule(find_maps(model, ["recalibration"])[0])
    assert "the classes are those without it (off)" in describe(tap, "even")


@pytest.mark.parametrize("name", ["FCN danet", "FCN ccnet"])
def test_residual_attention_off_is_its_input(name):
    model = build(name)
    kinds = {"FCN danet": ("PositionSelfAttention", "ChannelSelfAttention"), "FCN ccnet": ("CrissCrossAttention",)}
    for kind in kinds[name]:
        edit = switch(model, [path for path, _ in model.named_modules() if path.endswith("attention")])
        _, (features,), out, _ = called(model, kind, pictures(), edit)
        torch.testing.assert_close(out, features)


@pytest.mark.parametrize("directions", [("collect",), ("distribute",)])
def test_psa_even_is_the_mean_of_the_sources_within_reach(directions):
    torch.manual_seed(0)
    branch = PointwiseBranch(
        6, 4, (1, 2), direction=directions[0], compact=False, normalize="softmax", outside="exclude"
    ).eval()
    values = torch.randn(2, 4, 3, 5)
    with torch.no_grad(), edited(branch, switch(branch, ["psa"], "even")):
        out = branch(values)
    expected = torch.zeros_like(values)
    for y in range(3):
        for x in range(5):
            near = [values[:, :, s, t] for s in range(3) for t in range(5) if abs(s - y) <= 1 and abs(t - x) <= 2]
            expected[:, :, y, x] = torch.stack(near).mean(0)
    torch.testing.assert_close(out, expected)


def test_criss_cross_even_is_the_mean_of_row_and_column():
    module, values = CrissCrossPass(), torch.randn(1, 3, 4, 5)
    asked = torch.randn(1, 4, 4, 5)
    with torch.no_grad(), edited(module, switch(module, ["criss-cross"], "even")):
        out = module(asked, values)
    for y in range(4):
        for x in range(5):
            cross = [values[0, :, y, t] for t in range(5)] + [values[0, :, s, x] for s in range(4) if s != y]
            torch.testing.assert_close(out[0, :, y, x], torch.stack(cross).mean(0))


@pytest.mark.parametrize("name", MODELS)
def test_even_keeps_the_total_of_shares_and_the_mean_of_gates(name):
    model = build(name)
    with torch.no_grad():
        with capture(model) as maps:
            model(pictures())
        # one at a time, since a map that is switched changes those behind it
        for one in maps:
            with capture(model, edit=switch(model, [one.name], "even")) as changed:
                model(pictures())
            (even,) = (other.weights for other in changed if other.name == one.name)
            assert even.mean() == pytest.approx(float(one.weights.mean()), rel=1e-4, abs=1e-7)
            spread = {"scale": 1, "class": 1, "channel-pairs": 1, "channel": 1}.get(one.kind)
            if spread:
                torch.testing.assert_close(even, even.roll(1, spread))


def test_maps_are_found_by_name_tap_and_mechanism():
    model = build("AttentionToRefine on PSANet")
    path = "base.context.psa.branches.collect.attention"
    assert find_maps(model, [path]) == [f"{path} at 100 %", f"{path} at 50 %"]
    assert find_maps(model, [f"{path} at 50 %"]) == [f"{path} at 50 %"]
    assert len(find_maps(model, ["psa"])) == 4
    assert find_maps(model, ["location", "merge.attention"]) == ["merge.attention"]
    with pytest.raises(UsageError, match="did you mean 'recalibration'"):
        find_maps(model, ["recalibratoin"])
    with pytest.raises(UsageError, match="did you mean 'even'"):
        switch(model, ["psa"], "evn")
    with pytest.raises(UsageError, match="no attention"):
        find_maps(nn.Conv2d(3, 3, 1), ["gau"])


def test_only_the_taps_that_are_switched_are_watched():
    model = build("AttentionToRefine on PSANet")
    with edited(model, switch(model, ["location"])):
        watched = [path for path, module in model.named_modules() if getattr(module, "watched", False)]
    assert watched == ["merge.attention"]
