"""Attention to Refine as the paper's tables list it, and around networks of any kind."""

import copy

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from attseg import capture
from attseg.errors import UsageError
from attseg.explain.pixel import read_pixel
from attseg.explain.views import draw_map
from attseg.losses import segmentation_loss
from attseg.models import FCN, PAN, AttentionToRefine
from attseg.models.frame import Staged
from attseg.models.staged import LARGE_FOV

TINY = {"base": "FCN", "base_args": {"encoder": "test_resnet", "channels": 16}, "stream_channels": 6, "channels": 8}
RESNET = {"encoder": "resnet34", "output_stride": 8, "head": "linear"}
PSP = {"encoder": "resnet34", "output_stride": 8, "context": "psp", "channels": 512}


def tiny(num_classes=5, **options):
    torch.manual_seed(0)
    return AttentionToRefine(num_classes, **{**TINY, **options})


def pictures(n=1, h=64, w=80):
    return torch.randn(n, 3, h, w, generator=torch.Generator().manual_seed(h * w))


def parameters(module):
    return sum(p.numel() for p in module.parameters())


def two_convolutions(seen, out, channels=512):
    return seen * channels * 9 + 2 * channels + channels * out + out


def dilated(stages, channels=256):
    return 2 * (stages * channels * 9 + 2 * channels)


VGG, DEEP = 256 + 512 + 512 + 1024, 1024
LOCATION, CLASSES = two_convolutions(512, 2), two_convolutions(512, 21)
RESNET_STAGES = 64 + 128 + 256 + 512


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"merge": "max", "supervise": False}, 0),
        ({"merge": "average", "supervise": False}, 0),
        ({"merge": "attention"}, two_convolutions(2 * DEEP, 2)),
        ({"merge": "attention", "attention_norm": False}, two_convolutions(2 * DEEP, 2) - 512),
        ({"dilations": None, "recalibration": "none"}, dilated(VGG) + LOCATION),
        ({"recalibration": "none"}, dilated(VGG) + LOCATION),
        ({"recalibration": "bias"}, dilated(VGG) + LOCATION + CLASSES),
        ({}, dilated(VGG) + LOCATION + CLASSES),
        ({"multi_stage": False}, dilated(DEEP) + LOCATION + CLASSES),
    ],
    ids=str,
)
def test_rows_of_tables_1_and_2_are_deeplab_and_their_parts(options, expected):
    with torch.device("meta"):
        base, model = FCN(21, **LARGE_FOV), AttentionToRefine(21, **options)
        assert parameters(model) - parameters(base) == expected
        assert model.eval()(torch.empty(1, 3, 65, 97)).logits.shape == (1, 21, 65, 97)
    assert model.base.encoder.channels == (256, 512, 512, 1024)


@pytest.mark.slow
@pytest.mark.parametrize("args", [RESNET, PSP], ids=["ResNet34-dilated8", "with PSP"])
@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"merge": "attention"}, two_convolutions(2 * 512, 2)),
        ({}, dilated(RESNET_STAGES) + LOCATION + two_convolutions(512, 150)),
    ],
    ids=["attention-to-scale", "our attention model"],
)
def test_rows_of_table_3_are_a_dilated_resnet_and_their_parts(args, options, expected):
    with torch.device("meta"):
        base, model = FCN(150, **args), AttentionToRefine(150, base="FCN", base_args=args, **options)
        assert parameters(model) - parameters(base) == expected
        assert model.eval()(torch.empty(1, 3, 64, 64)).logits.shape == (1, 150, 64, 64)
    assert model.base.encoder.strides == (4, 8, 8, 8)


def test_without_diverse_dilations_the_convolutions_are_standard():
    for given, expected in ((None, [1, 1]), ((2, 12), [2, 12]), ((12, 2), [12, 2])):
        assert [see[0].dilation[0] for see in tiny(dilations=given).merge.see] == expected


def test_largefov_takes_what_an_fcn_takes():
    with torch.device("meta"):
        model = AttentionToRefine(21, base_args={"encoder": "resnet34"})
    assert model.base.encoder.strides == (4, 8, 8, 8)
    assert isinstance(model.base.context, nn.Identity)


def bilinear(maps, size):
    return F.interpolate(maps, tuple(size), mode="bilinear", align_corners=False)


def test_equations_at_every_position():
    """P from the base, l and w as captured; equations 1, 3 and 4 with loops, and the resize to the picture."""
    model = tiny(3).eval()
    images = pictures(1, 96, 80)
    with torch.no_grad():
        streams = [model.base.staged(images), model.base.staged(bilinear(images, (48, 40)))]
        with capture(model) as maps:
            out = model(images).logits
    weights = {one.kind: one.weights[0].numpy() for one in maps}
    scores = [bilinear(stream.logits, (24, 20))[0].numpy() for stream in streams]
    merged = np.zeros_like(scores[0])
    for c, i, j in np.ndindex(*merged.shape):
        merged[c, i, j] = sum(
            weights["scale"][s, i, j] * scores[s][c, i, j] * weights["class"][c, i, j] for s in range(2)
        )
    torch.testing.assert_close(out, bilinear(torch.from_numpy(merged)[None], (96, 80)), atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("merge", ["max", "average"])
def test_pooling_over_scales_at_every_position(merge):
    model = tiny(3, merge=merge, image_scales=(1.0, 0.75, 0.5)).eval()
    images = pictures(1, 96, 80)
    sizes = ((96, 80), (72, 60), (48, 40))
    with torch.no_grad():
        scores = [bilinear(model.base.staged(bilinear(images, size)).logits, (24, 20)) for size in sizes]
        out = model(images).logits
    merged = torch.zeros_like(scores[0])
    for place in np.ndindex(*merged.shape):
        values = [float(score[place]) for score in scores]
        merged[place] = max(values) if merge == "max" else sum(values) / 3
    torch.testing.assert_close(out, bilinear(merged, (96, 80)), atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize(
    ("given", "scale", "seen"),
    [
        ((64, 96), 0.5, (32, 48)),
        ((101, 131), 0.5, (51, 66)),
        ((100, 130), 0.75, (75, 98)),
        ((33, 47), 0.5, (32, 32)),
        ((32, 300), 0.25, (32, 75)),
        ((40, 33), 1.5, (60, 50)),
    ],
    ids=str,
)
def test_a_scaled_picture_is_never_smaller_than_the_base_takes(given, scale, seen):
    scales = (1.0, scale) if scale < 1 else (scale, 1.0)
    model = tiny(image_scales=scales, merge="average").eval()
    sizes = []
    model.base.encoder.register_forward_pre_hook(lambda _, images: sizes.append(tuple(images[0].shape[-2:])))
    assert model(pictures(1, *given)).logits.shape[-2:] == given
    assert sizes == ([given, seen] if scale < 1 else [seen, given])


@pytest.mark.parametrize("scales", [(1.0, 0.5), (1.0, 0.75, 0.5)], ids=str)
@pytest.mark.parametrize("merge", ["location", "attention", "average"])
def test_every_layer_of_the_base_runs_once_a_scale(merge, scales):
    location = {"dilations": None} if merge == "location" else {}
    model = tiny(merge=merge, image_scales=scales, **location).train()
    calls = {name: 0 for name, layer in model.base.named_modules() if isinstance(layer, nn.Conv2d)}

    def count(name):
        calls[name] += 1

    for name in calls:
        model.base.get_submodule(name).register_forward_hook(lambda *_, name=name: count(name))
    model(pictures(2))
    assert calls
    assert set(calls.values()) == {len(scales)}


def multiply_adds(model, size):
    with FlopCounterMode(display=False, depth=None) as counter, torch.device("meta"):
        model.eval()(torch.empty(1, 3, *size))
    return counter.get_total_flops() // 2


def test_half_the_picture_costs_a_quarter_more_than_one_scale():
    with torch.device("meta"):
        base = FCN(21, encoder="resnet18")
        model = AttentionToRefine(21, base="FCN", base_args={"encoder": "resnet18"}, merge="average")
        single, double = multiply_adds(base, (384, 512)), multiply_adds(model, (384, 512))
    assert 1.24 * single < double < 1.27 * single


@pytest.mark.slow
def test_the_head_costs_what_its_convolutions_cost():
    with torch.device("meta"):
        args = {"base": "FCN", "base_args": {"encoder": "resnet18"}, "stream_channels": 32, "channels": 64}
        plain, full = (AttentionToRefine(21, **args, merge=merge) for merge in ("average", "location"))
        head = multiply_adds(full, (384, 512)) - multiply_adds(plain, (384, 512))
    cells = (384 // 4) * (512 // 4)
    streams = RESNET_STAGES * 32 * 9 * (cells + cells // 4)
    branches = 2 * 64 * 64 * 9 * cells + 64 * (2 + 21) * cells
    assert head == streams + branches


def test_each_scale_is_an_auxiliary_output_in_training():
    model = tiny().train()
    model.base.eval()  # so that running it again gives the same
    images = pictures(2)
    out = model(images)
    assert list(out.aux) == ["scale_100", "scale_50"]
    for name, images_seen in (("scale_100", images), ("scale_50", bilinear(images, (32, 40)))):
        expected = bilinear(model.base.staged(images_seen).logits, (64, 80))
        torch.testing.assert_close(out.aux[name], expected)
    assert tiny(supervise=False).train()(images).aux == {}
    assert tiny().eval()(images).aux == {}


def test_the_loss_has_a_term_for_the_result_and_one_a_scale():
    out = tiny(image_scales=(1.0, 0.75, 0.5), dilations=None).train()(pictures(2))
    labels = torch.randint(0, 5, (2, 64, 80))
    loss = segmentation_loss(out, labels, aux=dict.fromkeys(("scale_100", "scale_75", "scale_50"), 1.0))
    terms = [F.cross_entropy(logits, labels) for logits in (out.logits, *out.aux.values())]
    assert len(terms) == 4
    torch.testing.assert_close(loss, sum(terms))


def test_auxiliary_outputs_of_the_base_are_those_of_the_largest_scale():
    model = tiny(base="DFDAM").train()
    model.base.apply(lambda layer: layer.eval() if isinstance(layer, nn.BatchNorm2d) else layer)
    images = pictures(2)
    out = model(images)
    assert set(out.aux) == {"context", "spatial", "scale_100", "scale_50"}
    expected = model.base(images).aux
    for name in ("context", "spatial"):
        torch.testing.assert_close(out.aux[name], expected[name])
    sum(side.square().mean() for side in (out.logits, *out.aux.values())).backward()
    assert all(p.grad is not None for p in model.parameters())


def test_any_of_our_networks_can_be_the_base_ready_or_by_name():
    torch.manual_seed(0)
    base = PAN(4, encoder="test_resnet", channels=16)
    model = AttentionToRefine(4, base=base, stream_channels=6, channels=8).eval()
    assert model.base is base
    assert model.encoder is base.encoder
    args = {"encoder": "test_resnet", "channels": 16}
    named = AttentionToRefine(4, base="PAN", base_args=args, stream_channels=6, channels=8).eval()
    named.load_state_dict(model.state_dict())
    assert torch.equal(named(pictures()).logits, model(pictures()).logits)


def test_attention_within_the_base_is_seen_once_a_scale():
    model = tiny(base="PAN").eval()
    with capture(model) as maps:
        model(pictures(1, 64, 96))
    inner = [tuple(one.weights.shape[-2:]) for one in maps if one.name.startswith("base.context.pyramid at")]
    assert inner == [(4, 6), (2, 3)]
    assert [one.name for one in maps][-2:] == ["merge.attention", "merge.recalibrate.attention"]


class Fine(nn.Module):
    """Somebody's network, whose logits are finer than its stages."""

    def __init__(self, num_classes):
        super().__init__()
        self.stage_channels = (8, 12)
        self.encoder = nn.ModuleList([nn.Conv2d(3, 8, 4, stride=4), nn.Conv2d(8, 12, 2, stride=2)])
        self.head = nn.Conv2d(3, num_classes, 1)

    def staged(self, images):
        first = self.encoder[0](images)
        return Staged(self.head(images), {}, [first, self.encoder[1](first)])


@pytest.mark.parametrize("merge", ["location", "attention", "max"])
def test_scores_finer_than_the_stages_are_merged_where_they_are(merge):
    model = AttentionToRefine(4, base=Fine(4), merge=merge, stream_channels=6, channels=8).eval()
    sizes = []
    model.merge.register_forward_hook(lambda _, given, merged: sizes.append(tuple(merged.shape)))
    assert model(pictures(2, 64, 80)).logits.shape == (2, 4, 64, 80)
    assert sizes == [(2, 4, 64, 80)]


def test_saved_names_are_those_of_the_base_and_of_the_merge():
    """Weights that are saved today are read tomorrow: these names stay."""
    model = tiny()
    own = {name for name in model.state_dict() if not name.startswith("base.")}
    norm = ("weight", "bias", "running_mean", "running_var", "num_batches_tracked")
    blocks = {"merge.see.0", "merge.see.1", "merge.weigh.0", "merge.recalibrate.weigh.0"}
    expected = {f"{block}.0.weight" for block in blocks} | {f"{block}.1.{name}" for block in blocks for name in norm}
    expected |= {f"merge.{branch}.1.{name}" for branch in ("weigh", "recalibrate.weigh") for name in ("weight", "bias")}
    assert own == expected
    assert {
        name.removeprefix("base.") for name in model.state_dict() if name not in own
    } == model.base.state_dict().keys()


def test_maps_can_be_drawn_and_read_at_a_pixel():
    model = tiny(3).eval()
    picture = np.zeros((64, 80, 3), dtype=np.uint8)
    with torch.no_grad(), capture(model) as maps:
        model(pictures())
    by_kind = {one.kind: one for one in maps}
    scale, classes = (draw_map(by_kind[kind], picture).picture for kind in ("scale", "class"))
    assert (scale.height, classes.size) == (64, (80, 64))
    assert scale.width > 2 * 80
    read = {one.kind: one.values for one in read_pixel(maps, x=79, y=0, size=(64, 80))}
    assert read["scale"].shape == (2,)
    assert read["scale"].sum() == pytest.approx(1, abs=1e-6)
    assert np.array_equal(read["class"], by_kind["class"].weights[0, :, 0, 19].numpy())


def test_what_if_one_scale_were_all():
    """Editing the weights of the scales gives the scores of one of them."""
    model = tiny(merge="attention").eval()
    images = pictures(1, 96, 80)

    def only_the_half(weights):
        return torch.stack([torch.zeros_like(weights[:, 0]), torch.ones_like(weights[:, 1])], 1)

    with torch.no_grad(), capture(model, edit={"merge.attention": only_the_half}):
        out = model(images).logits
    small = bilinear(model.base.staged(bilinear(images, (48, 40))).logits, (24, 20))
    torch.testing.assert_close(out, bilinear(small, (96, 80)), atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"image_scales": (1.0,)},
            "at one scale there is nothing to merge: give two or more, or train the base itself",
        ),
        ({"image_scales": (1.0,), "merge": "max"}, "nothing to merge"),
        ({"image_scales": ()}, r"image_scales is \(\); whole percentages were expected"),
        ({"image_scales": (0.5, 1.0)}, r"image_scales is \(0.5, 1.0\); whole percentages .* largest first"),
        ({"image_scales": (1.0, 1.0)}, "none twice"),
        ({"image_scales": (1.0, 0.333)}, "whole percentages were expected"),
        ({"image_scales": (1.0, 0.0)}, "whole percentages were expected"),
        (
            {"image_scales": (1.0, 0.75, 0.5)},
            r"3 image scales and the dilations \(2, 12\); give one dilation a scale, or None",
        ),
        ({"dilations": (0, 2)}, r"the dilations are \[0, 2\]"),
        ({"multi_stage": (0, 4)}, r"the stages \[0, 4\] were asked for; the network has 4, which are numbered 0"),
        ({"merge": "mean"}, "no merge 'mean'. There are: location, attention, average, max"),
        ({"recalibration": "multiplied"}, "no recalibration 'multiplied'; did you mean 'multiply'"),
        ({"base": "FNC"}, "no base 'FNC'; did you mean 'FCN'. There are: largefov, "),
        ({"base_args": {"chanels": 3}}, "no argument of FCN 'chanels'; did you mean 'channels'"),
        ({"base": FCN(5, encoder="test_resnet")}, "base_args are for a base given by name"),
        (
            {"base": nn.Conv2d(3, 5, 1), "base_args": None},
            "the base is a Conv2d; a module with encoder, stage_channels",
        ),
    ],
    ids=str,
)
def test_what_cannot_be_gets_a_sentence(options, message):
    with pytest.raises(UsageError, match=message):
        tiny(**options)


def test_a_base_with_other_classes_gets_a_sentence():
    model = AttentionToRefine(4, base=FCN(5, encoder="test_resnet"), stream_channels=6, channels=8)
    with pytest.raises(UsageError, match="the base gives 5 classes, but num_classes is 4"):
        model(pictures())


def test_small_pictures_get_a_sentence():
    with pytest.raises(ValueError, match="pictures of 31 x 64"):
        tiny(image_scales=(2.0, 1.0))(pictures(1, 31, 64))


def test_copies_are_the_model():
    model = tiny(base="PAN").eval()
    assert torch.equal(copy.deepcopy(model)(pictures()).logits, model(pictures()).logits)


@pytest.mark.parametrize("merge", ["attention", "average", "max"])
@pytest.mark.parametrize("given", [{"multi_stage": False}, {"dilations": None}, {"recalibration": "none"}])
def test_options_of_location_are_refused_beside_other_merges(merge, given):
    with pytest.raises(
        UsageError, match=f"does nothing beside merge='{merge}'; leave it out, or take merge='location'"
    ):
        AttentionToRefine(3, base="FCN", base_args={"encoder": "test_resnet"}, merge=merge, **given)
