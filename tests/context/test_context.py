"""Every context brings the deepest map to the channels that were asked for, at any size, in training and exported."""

from typing import get_args

import onnxruntime
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from attseg import capture
from attseg.attention.tap import Tap
from attseg.context import ContextName, build_context
from attseg.errors import UsageError

NAMES = get_args(ContextName)
TAPS = {
    "fpa": {"pyramid": "spatial"},
    "nonlocal": {"gather.attention": "pairwise"},
    "se": {"0.attention": "channel"},
    "ccnet": {"gather.passes.0.attention": "pairwise", "gather.passes.1.attention": "pairwise"},
    "danet": {"position.1.attention": "pairwise", "channel.1.attention": "channel-pairs"},
    "ocr": {"gather.regions": "spatial", "gather.attention": "class"},
    "gcnet": {"block.attention": "spatial"},
}
KEYS = {
    "none": {"0.weight", "1"},
    "global": {"merge.0.weight", "merge.1"},
    "se": {"0.weigh.0.weight", "0.weigh.0.bias", "0.weigh.2.weight", "0.weigh.2.bias", "1.0.weight", "1.1"},
    "aspp": {
        "point.0.weight",
        "point.1",
        *(f"atrous.{i}.0.weight" for i in range(3)),
        *(f"atrous.{i}.1" for i in range(3)),
    }
    | {"whole.0.weight", "whole.0.bias", "merge.0.weight", "merge.1"},
    "psp": {"levels.0.0.weight", "levels.0.0.bias", *(f"levels.{i}.0.weight" for i in (1, 2, 3))}
    | {*(f"levels.{i}.1" for i in (1, 2, 3)), "merge.0.weight", "merge.1"},
    "nonlocal": {f"gather.{name}.{part}" for name in ("theta", "phi", "g") for part in ("weight", "bias")}
    | {"gather.restore.weight", "gather.norm", "merge.0.weight", "merge.1"},
}
"""State-dict keys; a name without a parameter is a normalisation, which has five."""
NORM = ("weight", "bias", "running_mean", "running_var", "num_batches_tracked")


def build(name, in_channels=24, channels=8, output_stride=16):
    torch.manual_seed(0)
    context = build_context(name, in_channels, channels, output_stride=output_stride, num_classes=5)
    for part in context.parameters():
        if part.ndim == 0:  # factors that begin at 0, so that no branch is silent
            torch.nn.init.constant_(part, 0.5)
    return context if name != "ocr" else Features(context)


class Features(torch.nn.Sequential):
    """What the decoder reads of a context with sides."""

    def forward(self, maps):
        return self[0](maps).features

    def state_dict(self, *args, **kwargs):
        return self[0].state_dict(*args, **kwargs)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("size", [(2, 5, 7), (1, 1, 1), (1, 2, 9)], ids=str)
def test_keeps_the_size_and_sets_the_channels(name, size):
    n, h, w = size
    context = build(name).train()
    out = context(torch.randn(n, 24, h, w))
    out.sum().backward()
    assert out.shape == (n, 8, h, w)
    assert out.isfinite().all()
    assert [key for key, p in context.named_parameters() if p.grad is None or not p.grad.isfinite().all()] == []


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=10, deadline=None)
@given(h=st.integers(1, 20), w=st.integers(1, 20), n=st.integers(1, 2))
def test_takes_any_size(name, h, w, n):
    context = build(name).eval()
    images = torch.randn(n, 24, h, w)
    with torch.no_grad():
        out = context(images)
        assert out.shape == (n, 8, h, w)
        torch.testing.assert_close(out[-1:], context(images[-1:]), atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("name", NAMES)
def test_capture_sees_the_taps_and_changes_nothing(name):
    context = build(name).eval()
    taps = {key: module.kind for key, module in context.named_modules() if isinstance(module, Tap)}
    if name in TAPS:
        assert {key.removeprefix("0.") if name == "ocr" else key: kind for key, kind in taps.items()} == TAPS[name]
    if not taps:
        return
    features = torch.randn(2, 24, 6, 5)
    plain = context(features)
    with capture(context) as maps:
        torch.testing.assert_close(context(features), plain)
    assert {m.name: m.kind for m in maps} == taps


@pytest.mark.parametrize("name", NAMES)
def test_layout_and_half_precision_stay_near(name):
    context = build(name).eval()
    features = torch.randn(2, 24, 7, 10)
    with torch.no_grad():
        plain = context(features)
        torch.testing.assert_close(context(features.to(memory_format=torch.channels_last)), plain, atol=1e-5, rtol=1e-4)
        with torch.autocast("cpu", torch.bfloat16):
            half = context(features)
    assert (half.float() - plain).abs().max() < 0.05 * plain.abs().max() + 0.02


@pytest.mark.parametrize("name", KEYS)
def test_stored_states_keep_their_keys(name):
    expected = set()
    for key in KEYS[name]:
        expected |= {key} if key.endswith(("weight", "bias")) else {f"{key}.{part}" for part in NORM}
    assert build(name).state_dict().keys() == expected


@pytest.mark.compile
@pytest.mark.parametrize("name", NAMES)
def test_one_program_and_one_onnx_file_take_any_size(name, tmp_path):
    context = build(name).eval()
    least = 3 if name == "psa" else 2  # PSA halves the map, and a side of one would be fixed
    h, w = (torch.export.Dim(side, min=least, max=512) for side in "hw")
    dims = {0: torch.export.Dim("n", max=64), 2: h, 3: w}
    program = torch.export.export(context, (torch.randn(2, 24, 9, 13),), dynamic_shapes=({**dims},))
    torch.onnx.export(program, f=tmp_path / "context.onnx", verbose=False)
    session = onnxruntime.InferenceSession(tmp_path / "context.onnx")
    for size in ((1, 24, least, least), (3, 24, 5, 4), (1, 24, 30, 17)):
        features = torch.randn(size)
        expected = context(features)
        torch.testing.assert_close(program.module()(features), expected, atol=1e-5, rtol=1e-4)
        (found,) = session.run(None, {session.get_inputs()[0].name: features.numpy()})
        torch.testing.assert_close(torch.from_numpy(found), expected, atol=1e-5, rtol=1e-4)


@pytest.mark.compile
@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_compile_needs_no_graph_break(name):
    features = torch.randn(2, 24, 6, 9)
    for training in (False, True):
        expected = build(name).train(training)(features)
        compiled = torch.compile(build(name).train(training), fullgraph=True, dynamic=not training, backend="eager")
        torch.testing.assert_close(compiled(features), expected, atol=1e-5, rtol=1e-4)


def test_none_is_a_linear_map_of_channels_before_its_norm():
    context = build("none", 6, 4).eval()
    x = torch.randn(1, 6, 3, 3)
    expected = torch.einsum("oi,nihw->nohw", context[0].weight[:, :, 0, 0], x) / (1 + context[1].eps) ** 0.5
    torch.testing.assert_close(context(x), expected.clamp(min=0))


def test_the_reach_of_aspp_follows_the_stride():
    for stride, rates in ((8, [12, 24, 36]), (16, [6, 12, 18]), (32, [3, 6, 9])):
        assert [branch[0].dilation[0] for branch in build("aspp", output_stride=stride).atrous] == rates


def test_unknown_contexts_are_named():
    with pytest.raises(UsageError, match="no context 'fpn'; did you mean 'fpa'"):
        build("fpn", 8, 8)


def test_object_context_gives_its_coarse_scores_and_wants_the_number_of_classes():
    context = build_context("ocr", 24, 8, output_stride=16, num_classes=5)
    made = context(torch.randn(2, 24, 5, 7))
    assert (made.features.shape, made.sides["coarse"].shape) == ((2, 8, 5, 7), (2, 5, 5, 7))
    assert context.logit_sides == ("coarse",)
    with pytest.raises(UsageError, match="the context 'ocr' has scores of its own; give num_classes"):
        build_context("ocr", 24, 8, output_stride=16)


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("ccnet", {"recurence": 1}, "no argument of the context 'ccnet' 'recurence'; did you mean 'recurrence'"),
        ("danet", {"by": "like"}, "no by 'like'; did you mean 'likeness'"),
        ("ocr", {"num_classes": 3}, "no argument of the context 'ocr' 'num_classes'"),
        ("aspp", {"merge": "mean"}, "no merge 'mean'"),
        ("psp", {"bins": (1, 2.5)}, r"bins of the context 'psp' is \(1, 2.5\), which it does not take"),
    ],
)
def test_options_that_do_not_fit_are_named(name, options, message):
    with pytest.raises(UsageError, match=message):
        build_context(name, 24, 8, output_stride=16, num_classes=5, options=options)
