import re
from pathlib import Path

import pytest
import torch
import torchvision
from torch import nn
from torch.utils.flop_counter import FlopCounterMode, register_flop_formula

from attseg.errors import UsageError
from attseg.models import MODELS
from attseg.profiling.count import Cost, profile
from attseg.profiling.subject import find_subject

MB = 4 * 10_000  # bytes of a map of one channel at 100 x 100


class Hand:
    """Layers written down one by one, with the sums that a person would do."""

    def __init__(self, size, channels=3):
        self.size, self.channels = size, channels
        self.parameters = self.multiply_adds = 0

    def conv(self, channels, kernel, stride=1, *, norm=True, of=None):
        inputs = of or self.channels
        self.size = -(-self.size // stride) if of is None else self.size
        self.multiply_adds += self.size**2 * kernel**2 * inputs * channels
        self.parameters += kernel**2 * inputs * channels + 2 * channels * norm
        if of is None:
            self.channels = channels

    def pool(self):
        self.size = -(-self.size // 2)

    def linear(self, outputs):
        self.multiply_adds += self.channels * outputs
        self.parameters += self.channels * outputs + outputs


def resnet_by_hand(blocks, bottleneck):
    """ResNet at 224 x 224 after table 1 of He et al., CVPR 2016, with the stride on the 3x3 convolution as torchvision has it."""
    net = Hand(224)
    net.conv(64, 7, 2)
    net.pool()
    for stage, count in enumerate(blocks):
        width = 64 * 2**stage
        for block in range(count):
            stride = 2 if block == 0 and stage > 0 else 1
            before = net.channels
            if bottleneck:
                net.conv(width, 1)
                net.conv(width, 3, stride)
                net.conv(4 * width, 1)
            else:
                net.conv(width, 3, stride)
                net.conv(width, 3)
            if before != net.channels or stride != 1:
                net.conv(net.channels, 1, of=before)  # the shortcut, at the size that the block ends with
    net.linear(1000)
    return net.parameters, net.multiply_adds


@pytest.mark.parametrize(
    ("name", "blocks", "bottleneck", "published"),
    [("resnet18", (2, 2, 2, 2), False, (11.69, 1.81)), ("resnet50", (3, 4, 6, 3), True, (25.56, 4.09))],
)
def test_resnets_cost_what_their_layers_sum_up_to(name, blocks, bottleneck, published):
    parameters, multiply_adds = resnet_by_hand(blocks, bottleneck)
    with torch.device("meta"):
        total = profile(getattr(torchvision.models, name)(), (224, 224)).total
    assert (total.parameters, total.multiply_adds, total.flops) == (parameters, multiply_adds, 2 * multiply_adds)
    assert (
        round(parameters / 1e6, 2),
        round(multiply_adds / 1e9, 2),
    ) == published  # as torchvision's table of weights says
    assert not total.uncounted


@pytest.mark.parametrize(
    ("layer", "multiply_adds"),
    [
        (nn.Conv2d(3, 8, 3, padding=1), 100 * 100 * 3 * 8 * 9),
        (nn.Conv2d(3, 8, 3, stride=2, padding=1), 50 * 50 * 3 * 8 * 9),
        (nn.Conv2d(3, 6, 5, groups=3), 96 * 96 * 6 * 25),
        (nn.Conv2d(3, 8, 3, dilation=4), 92 * 92 * 3 * 8 * 9),
        (nn.ConvTranspose2d(3, 8, 2, stride=2), 100 * 100 * 3 * 8 * 4),
        (nn.Linear(100, 7), 3 * 100 * 100 * 7),
        (nn.Sequential(nn.ReLU(), nn.BatchNorm2d(3), nn.AvgPool2d(2), nn.Upsample(scale_factor=2, mode="bilinear")), 0),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, nn.Module) else "",
)
def test_layers_cost_what_they_multiply(layer, multiply_adds):
    total = profile(nn.Sequential(layer), (100, 100)).total
    assert total.multiply_adds == multiply_adds
    assert total.parameters == sum(parameter.numel() for parameter in layer.parameters())
    assert not total.uncounted


class SelfAttention(nn.Module):
    def forward(self, x):
        tokens = x.flatten(2).transpose(1, 2)  # (1, H*W, 3)
        return nn.functional.scaled_dot_product_attention(tokens, tokens, tokens)


def test_attention_counts_its_two_products():
    assert profile(SelfAttention(), (32, 32)).total.multiply_adds == 2 * 3 * (32 * 32) ** 2


def tiny(name):
    args = {"base": "FCN", "base_args": {"encoder": "test_resnet"}} if name == "AttentionToRefine" else {}
    return find_subject(name, args or {"encoder": "test_resnet"}, num_classes=5)


@pytest.mark.slow
@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("size", [(64, 96), (33, 47)], ids=str)
def test_every_model_is_counted_to_the_last_operation(name, size):
    """Sums over parts against what PyTorch's own counter and ``parameters`` say of the whole."""
    model = tiny(name).build()
    found = profile(model, size)
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        model(torch.empty(1, 3, *size, device="meta"))
    both = found.total + found.added_by_training
    assert found.total.flops == counter.get_total_flops()
    assert both.parameters == sum(parameter.numel() for parameter in model.parameters())
    assert not both.uncounted
    assert found.total.peak_bytes > 0
    assert 0 < found.total.kept_bytes <= both.kept_bytes


@pytest.mark.slow
@pytest.mark.parametrize("name", MODELS)
def test_a_recipe_or_class_is_counted_alike_whatever_mode_and_device_it_is_in(name):
    subject = tiny(name)
    expected = profile(subject.build(), (64, 64))
    model = subject.build("cpu").train()
    assert profile(model, (64, 64)) == expected
    assert model.training
    assert next(model.parameters()).device.type == "cpu"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("encoder", "classes", "printed"), [("resnet18", 19, (11.57, 10.31)), ("resnet101", 21, (43.24, 35.52))]
)
def test_dfdam_meets_its_paper_with_auxiliary_heads(encoder, classes, printed):
    found = profile(find_subject("DFDAM", {"encoder": encoder}, num_classes=classes).build(), (320, 640))
    assert list(found.training) == ["aux.context", "aux.spatial"]
    both = found.total + found.added_by_training
    assert both.parameters / 1e6 == pytest.approx(printed[0], rel=3e-3)
    assert both.multiply_adds / 1e9 == pytest.approx(printed[1], rel=3e-3)


def test_kept_memory_is_what_each_layer_needs_again():
    """By hand: the convolution keeps its input, normalisation too, ReLU its result; the picture and weights do not count."""
    net = nn.Sequential(nn.Conv2d(3, 8, 1), nn.BatchNorm2d(8), nn.ReLU(inplace=True), nn.Conv2d(8, 2, 1), nn.Sigmoid())
    kept = [cost.kept_bytes for cost in profile(net, (100, 100)).parts.values()]
    assert kept == [
        0,
        8 * MB + 2 * 8 * 4,
        8 * MB,
        0,
        2 * MB,
    ]  # and two numbers a channel; the second convolution's input is kept already


def test_peak_memory_is_what_is_alive_at_once():
    """By hand: behind each layer its input and its result are there, unless it works in place; the picture does not count."""
    net = nn.Sequential(nn.Conv2d(3, 8, 1), nn.ReLU(), nn.ReLU(inplace=True), nn.Conv2d(8, 20, 1), nn.Conv2d(20, 1, 1))
    found = profile(net, (100, 100))
    assert [cost.peak_bytes / MB for cost in found.parts.values()] == [8, 16, 8, 28, 21]
    assert found.total.peak_bytes == 28 * MB


class Residual(nn.Module):
    def __init__(self):
        super().__init__()
        self.first, self.second = nn.Conv2d(3, 8, 1), nn.Conv2d(8, 8, 1)

    def forward(self, x):
        x = self.first(x)
        return x + self.second(x).relu()


def test_what_waits_for_a_sum_is_alive():
    found = profile(Residual(), (100, 100))
    assert found.parts["rest"].peak_bytes == 24 * MB  # x, the ReLU's result, and the sum
    assert found.parts["second"].peak_bytes == 16 * MB


def test_shared_weights_count_once():
    layer = nn.Conv2d(3, 3, 1, bias=False)
    net = nn.Sequential(layer, nn.Sequential(layer))
    found = profile(net, (32, 32))
    assert found.total.parameters == 9
    assert found.total.multiply_adds == 2 * 9 * 32 * 32


@torch.library.custom_op("attseg_test::undeclared", mutates_args=())
def undeclared(x: torch.Tensor) -> torch.Tensor:
    return x @ x.mT


@torch.library.custom_op("attseg_test::declared", mutates_args=())
def declared(x: torch.Tensor) -> torch.Tensor:
    return x @ x.mT


@torch.library.custom_op("attseg_test::shapeless", mutates_args=())
def shapeless(x: torch.Tensor) -> torch.Tensor:
    return x @ x.mT


undeclared.register_fake(lambda x: x.new_empty(*x.shape[:-1], x.shape[-2]))
declared.register_fake(lambda x: x.new_empty(*x.shape[:-1], x.shape[-2]))


@register_flop_formula(torch.ops.attseg_test.declared)
def cost_of_declared(x_shape, *_, **__):
    n, c, h, w = x_shape
    return 2 * n * c * h * h * w


class Product(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x @ x.mT

    @staticmethod
    def backward(ctx, gradient):
        (x,) = ctx.saved_tensors
        return (gradient + gradient.mT) @ x


class Calls(nn.Module):
    def __init__(self, work):
        super().__init__()
        self.work = work

    def forward(self, x):
        return self.work(x)


@pytest.mark.parametrize(
    "work", [lambda x: declared(x), Product.apply], ids=["operator with a formula", "function of plain operators"]
)
def test_an_operation_of_ones_own_is_counted(work):
    total = profile(nn.Sequential(Calls(work)), (40, 60)).total
    assert (total.multiply_adds, dict(total.uncounted)) == (3 * 40 * 40 * 60, {})


def test_an_operation_that_nobody_has_told_of_is_named_and_not_silently_free():
    found = profile(nn.Sequential(nn.Conv2d(3, 1, 1, bias=False), Calls(lambda x: undeclared(x))), (40, 60))
    assert found.parts["1"].uncounted == {"attseg_test.undeclared": 1}
    assert found.total.uncounted == {"attseg_test.undeclared": 1}
    assert found.total.multiply_adds == 3 * 40 * 60


def test_products_of_pytorch_that_its_counter_misses_are_named_too():
    total = profile(Calls(lambda x: torch.mv(x[0, 0], x[0, 0, 0])), (40, 60)).total
    assert total.uncounted == {"aten.mv": 1}


@pytest.mark.parametrize(
    "work",
    [lambda x: shapeless(x), lambda x: x[x > 0], lambda x: x * x.sum().item()],
    ids=["no shapes", "values", "item"],
)
def test_what_needs_values_cannot_be_counted_and_that_is_said(work):
    with pytest.raises(UsageError, match="Calls cannot be run on a picture of 40 x 60 to be counted"):
        profile(Calls(work), (40, 60))


def test_a_picture_that_is_too_small_is_said():
    with pytest.raises(
        UsageError, match="PAN cannot be run on a picture of 20 x 60 to be counted: pictures of 20 x 60"
    ):
        profile(tiny("PAN").build(), (20, 60))


def test_the_operator_of_the_documentation_is_counted():
    text = (Path(__file__).parents[2] / "docs" / "modules" / "profile.md").read_text()
    names = {}
    exec(re.search(r"```python\n(.*?)```", text, re.DOTALL)[1], names)
    total = profile(nn.Sequential(Calls(lambda x: names["attend"](x[0], x[0]))), (40, 60)).total
    assert (total.multiply_adds, dict(total.uncounted)) == (3 * 40 * 40 * 60, {})


def test_costs_add_up_but_for_the_peak():
    both = Cost(parameters=1, flops=2, kept_bytes=3, peak_bytes=4) + Cost(
        parameters=10, flops=20, kept_bytes=30, peak_bytes=3
    )
    assert both == Cost(parameters=11, flops=22, kept_bytes=33, peak_bytes=4)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU")
@pytest.mark.parametrize("name", ["PAN", "DFDAM"])
def test_a_gpu_needs_about_what_was_counted(name):
    """The allocator rounds up, and convolutions may take scratch memory."""
    from attseg.profiling.speed import measure_gpu_memory

    model = find_subject(name, {"encoder": "resnet50"}).build("cpu").cuda()
    found = profile(model, (512, 512))
    images = torch.rand(1, 3, 512, 512, device="cuda")
    assert found.total.peak_bytes <= 1.01 * measure_gpu_memory(model, images)
    before = torch.cuda.memory_allocated()
    output = model.train()(images.repeat(2, 1, 1, 1))
    kept = (torch.cuda.memory_allocated() - before) / 2
    both = found.total + found.added_by_training
    assert both.kept_bytes == pytest.approx(kept, rel=0.15)
    del output
