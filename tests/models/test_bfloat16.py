"""Gradients of convolutions in bfloat16 against those in 32 bits, in the layouts that training has."""

import copy

import pytest
import torch
from torch import nn

from attseg.attention.pyramid import FeaturePyramidAttention
from attseg.models import build_model
from attseg.models.bfloat16 import repair_convolutions


def gradients(model, images, *, precision):
    """Of each weight, of a sum with fixed factors; memory that is free holds what is no number, as it well may."""
    junk = [torch.full((1 << size,), float("nan")) for size in range(10, 22)]
    del junk
    model.zero_grad()
    with torch.autocast("cpu", torch.bfloat16, enabled=precision == "bf16"):
        out = model(images)
    factors = torch.randn(out.shape, generator=torch.Generator().manual_seed(0))
    (out.float() * factors).sum().backward()
    return {name: one.grad.clone() for name, one in model.named_parameters() if one.grad is not None}


@pytest.mark.parametrize("channels_last", [True, False])
@pytest.mark.parametrize(
    ("inside", "outside", "kernel", "dilation", "groups"),
    [
        (24, 8, 3, 2, 1),
        (600, 64, 3, 12, 1),
        (17, 8, 3, 4, 1),
        (48, 16, 3, 2, 2),
        (40, 40, 3, 2, 40),
        (320, 320, 7, 2, 320),
    ],
)
def test_the_gradient_of_a_dilated_convolution_is_right(inside, outside, kernel, dilation, groups, channels_last):
    torch.manual_seed(0)
    padding = dilation * (kernel // 2)
    dilated = nn.Conv2d(inside, outside, kernel, padding=padding, dilation=dilation, groups=groups)
    model = nn.Sequential(nn.Conv2d(3, inside, 1), dilated, nn.Conv2d(outside, 5, 1))
    images = torch.randn(2, 3, 32, 44).contiguous(memory_format=torch.channels_last)
    if channels_last:
        model = model.to(memory_format=torch.channels_last)
    wanted = gradients(copy.deepcopy(model), images, precision="32")
    assert repair_convolutions(model) == ["1"]
    for copied in (model, copy.deepcopy(model)):  # as for the moving average
        found = gradients(copied, images, precision="bf16")
        for name, gradient in wanted.items():
            assert (found[name] - gradient).norm() < 0.02 * gradient.norm(), name


@pytest.mark.parametrize("channels_last", [True, False])
@pytest.mark.parametrize(
    ("size", "inside", "outside", "kernel", "stride", "groups"),
    [
        ((2, 2), 320, 1, 7, 1, 1),
        ((2, 9), 128, 64, 7, 1, 1),
        ((1, 3), 320, 1, 5, 1, 1),
        ((1, 2), 320, 128, 5, 1, 1),
        ((2, 2), 256, 8, 7, 1, 2),
        ((3, 1), 128, 64, 3, 2, 1),
        ((4, 1), 96, 96, 5, 2, 96),
    ],
)
def test_the_gradient_is_right_on_maps_smaller_than_what_a_kernel_reaches(
    size, inside, outside, kernel, stride, groups, channels_last
):
    torch.manual_seed(0)
    conv = nn.Conv2d(inside, outside, kernel, padding=kernel // 2, stride=stride, groups=groups)
    model = nn.Sequential(nn.Conv2d(3, inside, 1), conv)
    images = torch.randn(6, 3, *size).contiguous(memory_format=torch.channels_last)
    if channels_last:
        model = model.to(memory_format=torch.channels_last)
    wanted = gradients(copy.deepcopy(model), images, precision="32")
    assert repair_convolutions(model) == ["1"]
    for _ in range(4):
        found = gradients(model, images, precision="bf16")
        for name, gradient in wanted.items():
            assert (found[name] - gradient).norm() < 0.02 * gradient.norm(), name


def test_a_feature_pyramid_on_crops_of_64_has_the_gradient_that_it_has_in_32_bits():
    torch.manual_seed(0)
    model = FeaturePyramidAttention(320, 16).eval()  # without statistics of the batch, which magnify what differs
    images = torch.randn(6, 320, 2, 3)
    wanted = gradients(copy.deepcopy(model), images, precision="32")["down.0.0.weight"]
    repair_convolutions(model)
    for _ in range(4):
        found = gradients(model, images, precision="bf16")
        assert all(gradient.isfinite().all() for gradient in found.values())
        assert (found["down.0.0.weight"] - wanted).norm() < 0.05 * wanted.norm()


@pytest.mark.parametrize(("size", "precision"), [(2, "32"), (3, "bf16")])
def test_only_small_maps_are_computed_in_32_bits(size, precision):
    torch.manual_seed(0)
    conv, images = nn.Conv2d(128, 8, 7, padding=3), torch.randn(1, 128, size, size)
    with torch.autocast("cpu", torch.bfloat16, enabled=precision == "bf16"):
        wanted = conv(images).bfloat16()
    repair_convolutions(conv)
    with torch.autocast("cpu", torch.bfloat16):
        found = conv(images)
    assert found.dtype == torch.bfloat16
    assert torch.equal(found, wanted)
    assert torch.equal(conv(images), nn.functional.conv2d(images, conv.weight, conv.bias, padding=3))


@pytest.mark.parametrize(
    "options", [{"kernel_size": 5}, {"kernel_size": 3, "stride": 2}, {"kernel_size": 3, "dilation": 2}]
)
@pytest.mark.parametrize("trained", [True, False])
def test_depthwise_convolutions_are_computed_in_32_bits_while_they_are_trained(options, trained):
    torch.manual_seed(0)
    conv = nn.Conv2d(24, 24, padding=2, groups=24, **options).requires_grad_(trained)
    images = torch.randn(2, 24, 12, 16).contiguous(memory_format=torch.channels_last)
    wanted = gradients(copy.deepcopy(conv), images, precision="32") if trained else {}
    with torch.autocast("cpu", torch.bfloat16, enabled=not trained):
        exact = copy.deepcopy(conv)(images).bfloat16()
    assert repair_convolutions(conv) == [""]
    with torch.autocast("cpu", torch.bfloat16):
        assert torch.equal(conv(images), exact)
    found = gradients(conv, images, precision="bf16") if trained else {}
    assert all((found[name] - gradient).norm() < 0.01 * gradient.norm() for name, gradient in wanted.items())


def test_depthwise_convolutions_of_3x3_stay_in_bfloat16():
    assert repair_convolutions(nn.Conv2d(24, 24, 3, padding=1, groups=24)) == []


@pytest.mark.slow
def test_a_network_with_dilated_depthwise_convolutions_learns_what_it_would_in_32_bits():
    torch.manual_seed(0)
    model = build_model("FCN", {"encoder": "convnextv2_atto", "output_stride": 8, "channels": 16}, 3)
    model = model.eval().to(
        memory_format=torch.channels_last
    )  # without statistics of the batch, which magnify what differs
    logits = nn.Sequential(model, Logits())
    images = torch.randn(1, 3, 256, 352).contiguous(memory_format=torch.channels_last)
    wanted = gradients(copy.deepcopy(logits), images, precision="32")
    repaired = repair_convolutions(logits)
    assert repaired
    found = gradients(logits, images, precision="bf16")
    for name in repaired:
        weight = f"{name}.weight"
        assert (found[weight] - wanted[weight]).norm() < 0.1 * wanted[weight].norm(), weight


class Logits(nn.Module):
    """What a model returns, but for its auxiliary scores."""

    def forward(self, output):
        """The scores."""
        return output.logits


@pytest.mark.compile
def test_compiled_gradients_are_right_too():
    torch.manual_seed(0)
    wide, depthwise = nn.Conv2d(24, 8, 3, padding=2, dilation=2), nn.Conv2d(8, 8, 5, padding=2, groups=8)
    model = nn.Sequential(nn.Conv2d(3, 24, 1), wide, depthwise, nn.Conv2d(8, 5, 1))
    model = model.to(memory_format=torch.channels_last)
    images = torch.randn(2, 3, 32, 44).contiguous(memory_format=torch.channels_last)
    wanted = gradients(copy.deepcopy(model), images, precision="32")
    repair_convolutions(model)
    model.compile()
    found = gradients(model, images, precision="bf16")
    for name, gradient in wanted.items():
        assert (found[name] - gradient).norm() < 0.02 * gradient.norm(), name


def test_what_a_network_computes_and_saves_is_the_same():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Conv2d(24, 8, 3, padding=2, dilation=2), nn.Conv2d(8, 8, 3)).eval()
    images = torch.randn(1, 24, 16, 16)
    before, wanted = {name: value.clone() for name, value in model.state_dict().items()}, model(images)
    assert repair_convolutions(model) == ["0"]
    assert torch.equal(model(images), wanted)
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    assert repair_convolutions(nn.Sequential(nn.Conv2d(32, 8, 3, dilation=2), nn.Conv2d(24, 8, 3))) == []
