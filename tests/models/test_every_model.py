"""What holds for every model of ours, with every part that can be chosen."""

import copy
import inspect

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from attseg import capture
from attseg.attention.tap import Tap
from attseg.context.base import WithSides
from attseg.decoders.bilinear import BilinearDecoder
from attseg.encoders.named import make_encoder
from attseg.errors import UsageError
from attseg.models import FCN, MODELS, SegmentationModel, build_model

ENCODER = {"encoder": "test_resnet", "channels": 16}
CASES = {
    "PAN": ("PAN", {}),
    "PAN-c333-max": ("PAN", {"pyramid_kernels": (3, 3, 3), "pyramid_pool": "max", "global_branch": False}),
    "PAN-wide": ("PAN", {"pyramid_channels": 16}),
    "PAN-se": ("PAN", {"context": "se", "decoder": "bilinear"}),
    "PAN-no-fpa": ("PAN", {"context": "none", "gau_kernel": 1, "gate": "relu"}),
    "PAN-no-guidance": ("PAN", {"gau_context": False}),
    "PSANet": ("PSANet", {"crop_size": (64, 96), "dropout": 0.0}),
    "PSANet-collect": ("PSANet", {"directions": ("collect",), "shrink": 1, "output_stride": 16, "outside": "zero"}),
    "PSANet-compact": ("PSANet", {"compact": True, "crop_size": (64, 64), "dropout": 0.0}),
    "PSANet-count": ("PSANet", {"normalize": "count", "directions": ("distribute",), "aux": False}),
    "PSANet-baseline": ("PSANet", {"directions": ()}),
    "FCN": ("FCN", {}),
    "FCN-psa-gau": ("FCN", {"context": "psa", "decoder": "gau"}),
    "FCN-32": ("FCN", {"output_stride": 32}),
    "FCN-8-skip": ("FCN", {"output_stride": 8, "decoder": "skip"}),
    "FCN-8-linear": ("FCN", {"output_stride": 8, "head": "linear"}),
    "FCN-fpa-gau": ("FCN", {"context": "fpa", "decoder": "gau"}),
    "FCN-sum": ("FCN", {"decoder": "sum"}),
    "FCN-rrb": ("FCN", {"decoder": "rrb"}),
    "FCN-gcn": ("FCN", {"decoder": "gcn"}),
    "FCN-8-dual": ("FCN", {"output_stride": 8, "decoder": "dual"}),
    "DFDAM": ("DFDAM", {}),
    "DFDAM-sum": ("DFDAM", {"gates": "none", "confidence": "none", "aux": ()}),
    "DFDAM-dafm": ("DFDAM", {"confidence": "none", "aux": ("context",)}),
    "DFDAM-one-gate": ("DFDAM", {"gates": "low", "confidence": "reduced", "output_stride": 16}),
    "DFDAM-fpa": ("DFDAM", {"context": "fpa", "output_stride": 8}),
    "A2R": ("AttentionToRefine", {}),
    "A2R-bias": ("AttentionToRefine", {"recalibration": "bias", "multi_stage": (0, 2), "image_scales": (1.5, 1.0)}),
    "A2R-three-scales": ("AttentionToRefine", {"image_scales": (1.0, 0.75, 0.5), "dilations": None, "decoder": "skip"}),
    "A2R-attention": ("AttentionToRefine", {"merge": "attention", "output_stride": 8}),
    "A2R-max": ("AttentionToRefine", {"merge": "max", "output_stride": 32}),
    "A2R-average": ("AttentionToRefine", {"merge": "average"}),
}
every_case = pytest.mark.parametrize("case", CASES)


def build(case, num_classes=5, **more):
    torch.manual_seed(0)
    name, args = CASES[case]
    return build_model(name, arguments(name, {**ENCODER, **args, **more}), num_classes)


def arguments(name, args):
    """As the model takes them: Attention to Refine hands on to the FCN that it runs at all scales what is an FCN's."""
    if name != "AttentionToRefine":
        return args
    own = inspect.signature(MODELS[name]).parameters
    inner = {key: value for key, value in args.items() if key in inspect.signature(FCN).parameters}
    return {
        **{key: value for key, value in args.items() if key not in inner or key in own},
        "base": "FCN",
        "base_args": inner,
    }


def pictures(n, h, w):
    return torch.randn(n, 3, h, w, generator=torch.Generator().manual_seed(n * h * w))


def loss_of(out):
    """Something that every output takes part in."""
    return sum(logits.square().mean() for logits in (out.logits, *out.aux.values()))


@pytest.fixture
def fresh_compiler():
    """All models share the frame's ``forward``, and torch compiles one function only so many times."""
    torch.compiler.reset()


def test_every_model_is_tried():
    assert {name for name, _ in CASES.values()} == MODELS.keys()


@pytest.mark.slow
@every_case
def test_logits_have_the_size_of_the_pictures(case):
    model = build(case).eval()
    for size in ((2, 64, 64), (1, 33, 47), (1, 32, 32), (3, 40, 130)):
        out = model(pictures(*size))
        assert out.logits.shape == (size[0], 5, *size[1:])
        assert out.aux == {}
        assert out.logits.isfinite().all()


@pytest.mark.slow
@settings(max_examples=15, deadline=None)
@given(h=st.integers(32, 90), w=st.integers(32, 90), classes=st.integers(1, 40))
def test_pan_takes_any_size_and_number_of_classes(h, w, classes):
    model = build("PAN", classes)
    out = model.train()(pictures(1, h, w))
    assert out.logits.shape == (1, classes, h, w)


@pytest.mark.slow
@every_case
@pytest.mark.parametrize("size", [(2, 64, 64), (1, 65, 39)], ids=str)
def test_every_parameter_gets_a_finite_gradient(case, size):
    model = build(case).train()
    loss_of(model(pictures(*size))).backward()
    without = [n for n, p in model.named_parameters() if p.grad is None or not p.grad.isfinite().all()]
    assert without == []


@every_case
def test_a_picture_does_not_depend_on_its_batch(case):
    model = build(case).eval()
    images = pictures(3, 48, 64)
    with torch.no_grad():
        together, alone = model(images).logits[1], model(images[1:2]).logits[0]
    torch.testing.assert_close(together, alone, atol=1e-5, rtol=1e-4)


@every_case
def test_capture_sees_every_tap_once_and_changes_nothing(case):
    model = build(case).eval()
    taps = {name: module.kind for name, module in model.named_modules() if isinstance(module, Tap)}
    images = pictures(1, 64, 64)
    plain = model(images).logits
    if not taps:
        with pytest.raises(RuntimeError, match="has no attention"), capture(model):
            model(images)
        return
    with capture(model) as maps:
        seen = model(images).logits
    if "pairwise" in taps.values():  # all pairs are only built for who looks; the sums run in another order
        torch.testing.assert_close(seen, plain, atol=1e-5, rtol=1e-4)
    else:
        assert torch.equal(seen, plain)
    assert {m.name: m.kind for m in maps} == taps
    assert len(maps) == len(taps)


@pytest.mark.slow
@every_case
def test_copies_and_saved_states_are_the_model(case):
    model = build(case).eval()
    images = pictures(1, 48, 48)
    other = build(case, 5)
    other.load_state_dict(model.state_dict())
    assert torch.equal(copy.deepcopy(model)(images).logits, model(images).logits)
    assert torch.equal(other.eval()(images).logits, model(images).logits)


@every_case
def test_two_sizes_in_one_process_do_not_disturb_each_other(case):
    model = build(case).eval()
    small = model(pictures(1, 40, 40)).logits
    model(pictures(1, 100, 72))
    assert torch.equal(model(pictures(1, 40, 40)).logits, small)


@every_case
def test_half_precision_stays_near(case):
    model = build(case).eval()
    images = pictures(1, 64, 64)
    with torch.no_grad():
        exact = model(images).logits
        with torch.autocast("cpu", torch.bfloat16):
            half = model(images).logits
    assert half.shape == exact.shape
    assert (half.float() - exact).abs().max() < 0.1 * exact.abs().max() + 0.05


@every_case
def test_channels_last_changes_nothing(case):
    model = build(case).eval()
    images = pictures(1, 64, 48)
    with torch.no_grad():
        plain = model(images).logits
        inner = model.to(memory_format=torch.channels_last)(images.to(memory_format=torch.channels_last)).logits
    torch.testing.assert_close(inner, plain, atol=1e-4, rtol=1e-4)


@pytest.mark.compile
@pytest.mark.parametrize(
    "case",
    ["PAN", "PAN-c333-max", "PAN-se", "FCN-8-skip", "FCN-rrb", "FCN-gcn", "DFDAM", "A2R", "A2R-attention", "PSANet"],
)
def test_export_takes_any_size(case):
    model = build(case, encoder="resnet18").eval()
    least = 32 if model.encoder.strides[-1] < 32 else 33  # a map of one value would fix the sizes
    dims = {0: torch.export.Dim("n", min=1, max=64), 2: torch.export.Dim("h", min=least, max=8192)}
    dims[3] = torch.export.Dim("w", min=least, max=8192)
    program = torch.export.export(model, (pictures(2, 160, 224),), dynamic_shapes=({**dims},)).module()
    for size in ((1, least, least), (3, 33, 47), (2, 96, 200)):
        torch.testing.assert_close(program(pictures(*size)).logits, model(pictures(*size)).logits, atol=1e-5, rtol=1e-4)


@pytest.mark.compile
@pytest.mark.slow
@pytest.mark.parametrize("case", ["PAN", "FCN", "DFDAM", "A2R", "PSANet", "PSANet-compact"])
def test_compile_needs_no_graph_break(case, fresh_compiler):
    model = build(case)
    for training in (False, True):
        model.train(training)
        images = pictures(2, 64, 80)
        expected = copy.deepcopy(model)(images).logits
        compiled = torch.compile(copy.deepcopy(model), fullgraph=True, dynamic=not training, backend="aot_eager")
        torch.testing.assert_close(compiled(images).logits, expected, atol=1e-4, rtol=1e-3)
        if not training:
            assert compiled(pictures(1, 96, 64)).logits.shape == (1, 5, 96, 64)


@pytest.mark.compile
@pytest.mark.slow
@pytest.mark.parametrize("case", ["PAN", "PAN-c333-max", "DFDAM", "PSANet"])
def test_compiled_training_equals_eager_training(case, fresh_compiler):
    eager = build(case).to(memory_format=torch.channels_last).train()
    compiled = copy.deepcopy(eager)
    images = pictures(2, 64, 64).to(memory_format=torch.channels_last)
    out, expected = torch.compile(compiled.forward, fullgraph=True)(images), eager(images)
    torch.testing.assert_close(out.logits, expected.logits, atol=1e-3, rtol=1e-3)
    loss_of(out).backward()
    loss_of(expected).backward()
    for ours, theirs in zip(compiled.parameters(), eager.parameters(), strict=True):
        assert (ours.grad - theirs.grad).norm() <= 0.01 * theirs.grad.norm() + 1e-6


@pytest.mark.parametrize("name", MODELS)
def test_wrong_arguments_get_a_sentence(name):
    for args, classes, message in (
        ({"encoder": "resnet81"}, 3, "no encoder 'resnet81'; did you mean 'resnet18'"),
        ({"chanels": 3}, 3, f"no argument of {name} 'chanels'; did you mean 'channels'"),
        (ENCODER, 0, "num_classes is 0"),
        ({**ENCODER, "output_stride": 4}, 3, "output_stride is 4; one of"),
    ):
        with pytest.raises(UsageError, match=message):
            build_model(name, arguments(name, args), classes)
    with pytest.raises(UsageError, match="no model 'PANN'; did you mean 'PAN'"):
        build_model("PANN", {}, 3)


@pytest.mark.parametrize(("part", "given", "meant"), [("decoder", "gua", "gau"), ("context", "fpn", "fpa")])
def test_parts_that_are_not_there_get_a_sentence(part, given, meant):
    having = [name for name, model in MODELS.items() if part in inspect.signature(model).parameters]
    assert "FCN" in having
    for name in having:
        with pytest.raises(UsageError, match=f"no {part} '{given}'; did you mean '{meant}'"):
            build_model(name, {part: given, **ENCODER}, 3)


def test_pictures_that_are_too_small_get_a_sentence():
    with pytest.raises(ValueError, match="pictures of 31 x 64"):
        build("PAN").eval()(pictures(1, 31, 64))


def test_a_lone_value_a_channel_gets_a_sentence():
    with pytest.raises(ValueError, match="1 picture of 32 x 32: its deepest map, at stride 32"):
        build("FCN-32").train()(pictures(1, 32, 32))
    build("FCN-32", encoder="test_convnext").train()(pictures(1, 32, 32))


def test_contexts_may_have_sides():
    class Coarse(nn.Conv2d):
        logit_sides = ("coarse",)

        def forward(self, maps):
            made = super().forward(maps)
            return WithSides(made, {"coarse": made[:, :3], "middle": made})

    torch.manual_seed(0)
    encoder = make_encoder("test_resnet", output_stride=16, pretrained=False, weights=None)
    parts = (encoder, Coarse(encoder.channels[-1], 8, 1), BilinearDecoder(), nn.Conv2d(8, 3, 1))
    model = SegmentationModel(*parts, {"middle": nn.Conv2d(8, 3, 1)}).train()
    out = model(pictures(2, 64, 48))
    assert {name: tuple(side.shape) for name, side in out.aux.items()} == dict.fromkeys(
        ("coarse", "middle"), (2, 3, 64, 48)
    )
    assert model.eval()(pictures(2, 64, 48)).aux == {}
    assert not [key for key in model.state_dict() if key.startswith("aux.coarse")]
