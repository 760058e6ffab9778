"""ASPP against torchvision's, with the weights carried over."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn
from torchvision.models.segmentation.deeplabv3 import ASPP as TorchvisionASPP

from attseg.context.aspp import ASPP, AtrousClassifier, rates_at
from attseg.errors import UsageError


def trained(module):
    """Norms as after training, so that nothing hides behind zeros and ones."""
    for layer in module.modules():
        if isinstance(layer, nn.BatchNorm2d):
            for values, low, high in ((layer.running_mean, -1, 1), (layer.running_var, 0.5, 2), (layer.weight, 0.5, 2)):
                nn.init.uniform_(values, low, high)
            nn.init.uniform_(layer.bias, -1, 1)
    return module.double().eval()


def carry(theirs, ours):
    """Their weights into ours; their pooled branch's normalisation is folded into our convolution's bias."""
    ours.point.load_state_dict(theirs.convs[0].state_dict())
    for index, branch in enumerate(ours.atrous):
        branch.load_state_dict(theirs.convs[1 + index].state_dict())
    conv, norm = theirs.convs[-1][1], theirs.convs[-1][2]
    factor = norm.weight / (norm.running_var + norm.eps).sqrt()
    with torch.no_grad():
        ours.whole[0].weight.copy_(conv.weight * factor[:, None, None, None])
        ours.whole[0].bias.copy_(norm.bias - norm.running_mean * factor)
    ours.merge[0].load_state_dict(theirs.project[0].state_dict())
    ours.merge[1].load_state_dict(theirs.project[1].state_dict())


@pytest.mark.parametrize("size", [(9, 14), (33, 40), (1, 1), (2, 50)])
@pytest.mark.parametrize("rates", [(6, 12, 18), (12, 24, 36), (2,)])
def test_equals_torchvision(size, rates):
    torch.manual_seed(0)
    theirs = trained(TorchvisionASPP(5, rates, 4))
    ours = ASPP(5, 4, rates=rates).double().eval()
    carry(theirs, ours)
    x = torch.randn(2, 5, *size, dtype=torch.float64)
    torch.testing.assert_close(ours(x), theirs(x))


def test_without_image_pooling_a_position_sees_no_further_than_the_largest_rate():
    torch.manual_seed(0)
    for image_pooling, reached in ((False, 12), (True, 29)):
        aspp = ASPP(2, 3, rates=(2, 12), image_pooling=image_pooling).eval()
        for parameter in aspp.parameters():
            parameter.data.abs_()  # nothing is cut off by a ReLU
        x = torch.rand(1, 2, 1, 30, requires_grad=True)
        aspp(x)[..., 0].sum().backward()
        assert int(x.grad.abs().sum((0, 1, 2)).nonzero().max()) == reached


def test_parameters_follow_from_the_options():
    def count(**options):
        return sum(p.numel() for p in ASPP(24, 8, **options).parameters())

    def block(channels, kernel):
        return channels * 8 * kernel**2 + 2 * 8

    assert count() == block(24, 1) + 3 * block(24, 3) + (24 * 8 + 8) + block(5 * 8, 1)
    assert count(image_pooling=False) == block(24, 1) + 3 * block(24, 3) + block(4 * 8, 1)
    assert count(rates=(6,)) == block(24, 1) + block(24, 3) + (24 * 8 + 8) + block(3 * 8, 1)
    assert count(rates=(12, 24, 36)) == count()


def test_rates_reach_equally_far_in_the_picture():
    for stride in (4, 8, 16):
        assert [rate * stride for rate in rates_at(stride)] == [96, 192, 288]
    assert rates_at(512) == (1, 1, 1)


@pytest.mark.parametrize("rates", [(), (6, 0)])
def test_says_what_is_wrong(rates):
    with pytest.raises(UsageError, match=r"rates of ASPP are .*; rates from 1 on were expected, such as \(6, 12, 18\)"):
        ASPP(8, 8, rates=rates)


def test_version_2_sums_its_branches():
    torch.manual_seed(0)
    aspp = ASPP(5, 4, rates=(6, 12), point=False, image_pooling=False, merge="sum").eval()
    x = torch.randn(2, 5, 9, 7)
    torch.testing.assert_close(aspp(x), aspp.atrous[0](x) + aspp.atrous[1](x))
    assert not [key for key in aspp.state_dict() if not key.startswith("atrous.")]


def test_classifiers_of_version_2_are_summed():
    head = AtrousClassifier(5, 3).eval()
    x = torch.randn(2, 5, 9, 7)
    expected = sum(
        F.conv2d(x, one.weight, one.bias, padding=rate, dilation=rate)
        for one, rate in zip(head.branches, (6, 12, 18, 24), strict=True)
    )
    torch.testing.assert_close(head(x), expected)
