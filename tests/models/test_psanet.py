"""PSANet as its figure 4 draws it, and every row of its table 1."""

import pytest
import torch

from attseg import PSANet
from attseg.context.pointwise import PointwiseContext, reach_of
from attseg.encoders.timm import TimmEncoder
from attseg.errors import UsageError
from attseg.layers import resize
from attseg.models import build_model
from attseg.profiling.count import profile
from attseg.recipes.tables import find_table
from attseg.recipes.tables.small import small

SMALL = {"encoder": "test_resnet", "crop_size": (64, 96), "inner": 8, "channels": 8}


def build(**options):
    torch.manual_seed(0)
    return PSANet(5, **(SMALL | options))


def test_psa_stands_behind_the_last_stage_and_beside_its_input():
    model = build().eval()
    x = torch.randn(2, 3, 70, 90)
    deep = model.encoder(x)[-1]
    assert model.encoder.strides[-1] == 8
    fused = model.context.fuse(torch.cat([deep, model.context.psa(deep)], 1))
    torch.testing.assert_close(model(x).logits, resize(model.head(fused), (70, 90)))


def test_the_auxiliary_head_reads_the_stage_before_the_last():
    model = build(dropout=0.0).train()
    x = torch.randn(2, 3, 64, 64)
    expected = model.aux["encoder"](model.encoder(x)[-2])
    torch.testing.assert_close(model(x).aux["encoder"], resize(expected, (64, 64)))
    assert build(aux=False).train()(x).aux == {}


V2 = {"rates": (6, 12, 18, 24), "point": False, "image_pooling": False, "merge": "sum"}
ROWS = {
    "baseline": {"directions": ()},
    "global": {"context": "global", "context_args": {"kernel": 3}},
    "aspp": {"context": "aspp", "context_args": V2},
    "nonlocal": {"context": "nonlocal", "context_args": {"fuse": "concat", "kernel": 3}},
    "psp": {"context": "psp"},
    "compact": {"directions": ("collect",), "compact": True},
    "collect": {"directions": ("collect",)},
    "distribute": {"directions": ("distribute",)},
    "both": {},
}


@pytest.mark.slow
@pytest.mark.parametrize("encoder", ["resnet50c", "resnet101c"])
@pytest.mark.parametrize("row", ROWS)
def test_every_row_of_table_1_is_a_call(row, encoder):
    with torch.device("meta"):
        model = PSANet(150, encoder=encoder, **ROWS[row]).eval()
        assert model(torch.empty(1, 3, 465, 465)).logits.shape == (1, 150, 465, 465)


def test_the_filters_of_the_papers_crop_are_as_released():
    with torch.device("meta"):
        model = PSANet(150, encoder="resnet50c")
    assert model.context.psa.branches["collect"].filters.shape == (512, 59, 59)
    assert model.head[2].in_channels == model.context.fuse[0].out_channels == 512
    assert model.aux["encoder"][0][0].out_channels == 256


@pytest.mark.parametrize(
    ("crop", "stride", "shrink", "reach"),
    [
        ((465, 465), 8, 2, (29, 29)),
        ((705, 705), 8, 2, (44, 44)),
        ((64, 96), 8, 1, (7, 11)),
        ((65, 33), 16, 1, (4, 2)),
        ((1, 1), 8, 3, (0, 0)),
    ],
)
def test_the_crop_decides_how_far_filters_reach(crop, stride, shrink, reach):
    assert reach_of(crop, output_stride=stride, shrink=shrink) == reach


@pytest.mark.parametrize("stride", [8, 16])
@pytest.mark.parametrize("shrink", [1, 2, 3])
def test_no_offset_within_a_crop_is_without_a_filter(stride, shrink):
    for crop in ((64, 96), (65, 97), (72, 88)):
        model = build(output_stride=stride, shrink=shrink, crop_size=crop)
        branch = model.context.psa.branches["collect"]
        deep = model.encoder(torch.zeros(1, 3, *crop))[-1]
        size = tuple((side - 1) // shrink + 1 for side in deep.shape[-2:])
        assert branch.filters.shape[1:] == (2 * size[0] - 1, 2 * size[1] - 1)


def test_the_offset_can_be_given():
    assert build(context_args={"reach": (3, 5)}).context.psa.branches["distribute"].filters.shape == (8, 7, 11)


def test_contexts_by_name_include_psa():
    from attseg.context import build_context

    assert isinstance(build_context("psa", 16, 8, output_stride=16), PointwiseContext)


def test_even_dilation_gives_all_blocks_of_a_stage_one_rate():
    def rates(model):
        network = model.encoder.network
        return [
            {m.dilation[0] for m in network[stage].modules() if getattr(m, "kernel_size", 0) == (3, 3)}
            for stage in ("layer3", "layer4")
        ]

    with torch.device("meta"):
        assert rates(build(encoder="resnet50s")) == [{1, 2}, {2, 4}]
        assert rates(build(encoder="resnet50s", even_dilation=True)) == [{2}, {4}]
        assert rates(build(encoder="resnet18", even_dilation=True, output_stride=16)) == [{1}, {2}]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"context": "psp", "directions": ("collect",)},
            r"directions=\('collect',\) does nothing beside context='psp'",
        ),
        ({"context": "global", "compact": True}, "compact=True does nothing beside context='global'"),
        ({"context": "none", "shrink": 1}, "shrink=1 does nothing .*; leave it out, or take context='psa'"),
        ({"directions": (), "normalize": "count"}, r"normalize='count' does nothing beside directions=\(\)"),
        ({"directions": (), "context_args": {"reach": (3, 3)}}, "context_args=.* does nothing"),
        ({"compact": True, "outside": "zero"}, "outside='zero' does nothing beside compact=True"),
        ({"context": "se", "context_args": {"kernel": 3}}, "no argument of the context 'se' 'kernel'"),
        ({"context": "none", "context_args": {"kernel": 3}}, "the context 'none' has no options"),
    ],
)
def test_options_that_do_nothing_are_refused(options, message):
    with pytest.raises(UsageError, match=message):
        build(**options)


def test_rows_of_table_1_have_the_modules_of_their_readings():
    """Reading of PSANet and ASPP: what stands where PSA does is concatenated and merged by 3x3, ASPP is that of DeepLab v2."""
    context = {
        row: build_model(recipe.model.name, recipe.model.args, 12).context
        for row in ("50-global", "50-aspp", "50-nonlocal")
        if (recipe := small(find_table("psanet:1"), find_table("psanet:1").row(row)))
    }
    deep = context["50-global"].merge[0].in_channels // 2
    assert context["50-global"].merge[0].kernel_size == (3, 3)
    assert context["50-nonlocal"].merge[0].kernel_size == (3, 3)
    assert context["50-nonlocal"].merge[0].in_channels == 2 * deep
    assert context["50-nonlocal"].gather.theta.out_channels == 64
    aspp = context["50-aspp"]
    assert (aspp.point, aspp.whole, aspp.merge) == (None, None, None)
    assert [branch[0].dilation for branch in aspp.atrous] == [(6, 6), (12, 12), (18, 18), (24, 24)]
    x = torch.randn(1, deep, 5, 7)
    torch.testing.assert_close(aspp.eval()(x), sum(branch(x) for branch in aspp.atrous))


@pytest.mark.slow
def test_what_rows_of_table_1_cost_at_the_papers_size():
    """Multiply-adds at 465 x 465, as the fidelity of the modules was measured."""
    expected = {"baseline": 118.8e9, "global": 151.6e9, "nonlocal": 178.7e9}
    for row, cost in expected.items():
        with torch.device("meta"):
            model = PSANet(150, encoder="resnet50c", **ROWS[row]).eval()
        assert profile(model, (465, 465)).total.multiply_adds == pytest.approx(cost, rel=0.002), row


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"output_stride": 32}, "output_stride is 32; one of"),
        ({"crop_size": (64,)}, r"the crop size is \(64,\)"),
        ({"context_args": {"shrink": 2}}, "no argument of the context 'psa' of PSANet 'shrink'"),
        ({"shrink": 0}, "shrink is 0"),
        ({"dropout": 1.0}, "dropout is 1.0"),
        ({"directions": ("colect",)}, "no direction 'colect'; did you mean 'collect'"),
        ({"encoder": "test_convnext", "even_dilation": True}, "even dilation is for the ResNets"),
    ],
)
def test_bad_arguments_get_a_sentence(options, message):
    with pytest.raises(UsageError, match=message):
        build(**options)


def test_a_ready_encoder_is_taken():
    model = build(encoder=TimmEncoder("test_resnet", output_stride=16))
    assert model(torch.zeros(2, 3, 40, 50)).logits.shape == (2, 5, 40, 50)


@pytest.mark.compile
@pytest.mark.slow
@pytest.mark.parametrize("options", [{}, {"compact": True, "directions": ("collect",), "shrink": 1}], ids=str)
def test_one_onnx_file_serves_any_size(tmp_path, options):
    import onnxruntime

    model = build(encoder="resnet18", **options).eval()
    n, h, w = (torch.export.Dim(name, min=low, max=4096) for name, low in (("n", 1), ("h", 32), ("w", 32)))
    program = torch.export.export(model, (torch.randn(2, 3, 96, 128),), dynamic_shapes=({0: n, 2: h, 3: w},))
    torch.onnx.export(program, f=tmp_path / "psanet.onnx", verbose=False)
    session = onnxruntime.InferenceSession(tmp_path / "psanet.onnx")
    (name,) = (one.name for one in session.get_inputs())
    for size in ((2, 96, 128), (1, 33, 160), (3, 64, 40), (1, 200, 150)):
        images = torch.randn(size[0], 3, *size[1:])
        with torch.no_grad():
            expected = model(images).logits
        found = torch.from_numpy(session.run(None, {name: images.numpy()})[0])
        torch.testing.assert_close(found, expected, atol=1e-4, rtol=1e-3)
