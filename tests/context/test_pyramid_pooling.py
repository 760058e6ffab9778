"""Pyramid pooling against torch's adaptive pooling and against the module of segmentation_models_pytorch."""

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from segmentation_models_pytorch.decoders.pspnet.decoder import PSPModule
from torch import nn

from attseg.context.pyramid_pooling import PyramidPooling, pool_by_products, pool_into
from attseg.errors import UsageError


@settings(max_examples=60, deadline=None)
@given(h=st.integers(1, 40), w=st.integers(1, 40), bins=st.integers(1, 9))
def test_pooling_is_torchs_adaptive_pooling(h, w, bins):
    x = torch.randn(2, 3, h, w, dtype=torch.float64)
    expected = F.adaptive_avg_pool2d(x, bins)
    torch.testing.assert_close(pool_by_products(x, bins), expected)
    assert torch.equal(pool_into(x, bins), expected)


def test_pooling_in_half_precision_stays_exact_where_the_means_are():
    x = torch.full((1, 2, 60, 60), 1.5, dtype=torch.bfloat16)
    for bins in (1, 2, 3, 6, 7):
        assert (pool_by_products(x, bins) == 1.5).all()


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_gradients_are_torchs(layout):
    x = torch.randn(2, 3, 7, 11, dtype=torch.float64).to(memory_format=layout).requires_grad_()
    weight = torch.randn(2, 3, 6, 6, dtype=torch.float64)
    (ours,) = torch.autograd.grad((pool_by_products(x, 6) * weight).sum(), x)
    (theirs,) = torch.autograd.grad((F.adaptive_avg_pool2d(x, 6) * weight).sum(), x)
    torch.testing.assert_close(ours, theirs)


@pytest.mark.parametrize("size", [(12, 18), (7, 5), (1, 1), (2, 3)])
@pytest.mark.parametrize("bins", [(1, 2, 3, 6), (1, 4), (2, 3)])
def test_levels_equal_smps(size, bins):
    torch.manual_seed(0)
    theirs = PSPModule(12, sizes=bins).double()
    ours = PyramidPooling(12, 4, bins=bins, align_corners=True).double()
    for block, level in zip(theirs.blocks, ours.levels, strict=True):
        level.load_state_dict(block.pool[1].state_dict())
    nn.init.dirac_(ours.merge[0].weight)
    concatenated = []
    ours.merge.register_forward_pre_hook(lambda module, given: concatenated.append(given[0]))
    for training in (True, False):
        theirs.train(training), ours.train(training)
        x = torch.randn(2, 12, *size, dtype=torch.float64)
        ours(x)
        levels, given = theirs(x).split([12 // len(bins) * len(bins), 12], 1)
        torch.testing.assert_close(concatenated.pop(), torch.cat([given, levels], 1))


def test_levels_come_back_with_half_pixel_centres_unless_corners_are_aligned():
    torch.manual_seed(0)
    x = torch.arange(8.0).view(1, 1, 1, 8).expand(1, 2, 8, 8)
    for aligned, first in ((False, [1.5, 1.5, 2.0]), (True, [1.5, 1.5 + 4 / 7, 1.5 + 8 / 7])):
        psp = PyramidPooling(2, 1, bins=(2, 1), align_corners=aligned, kernel=1).eval()
        nn.init.ones_(psp.levels[0][0].weight)
        psp.levels[0][1].weight.data.fill_(0.5 * (1 + psp.levels[0][1].eps) ** 0.5)
        seen = []
        psp.merge.register_forward_pre_hook(lambda module, given, seen=seen: seen.append(given[0]))
        psp(x)
        torch.testing.assert_close(seen[0][0, 2, 0, :3], torch.tensor(first))


def test_parameters_follow_from_the_options():
    def count(**options):
        return sum(p.numel() for p in PyramidPooling(24, 8, **options).parameters())

    levels = (24 * 6 + 6) + 3 * (24 * 6 + 2 * 6)
    assert count() == levels + 48 * 8 * 9 + 2 * 8
    assert count(kernel=1) == levels + 48 * 8 + 2 * 8
    assert count(bins=(3, 6)) == 2 * (24 * 12 + 2 * 12) + 48 * 8 * 9 + 2 * 8
    assert count(align_corners=True) == count()


@pytest.mark.parametrize(
    ("channels", "bins", "message"),
    [
        (8, (), r"bins of pyramid pooling are \(\); numbers from 1 on"),
        (8, (0, 2), r"bins of pyramid pooling are \(0, 2\); numbers from 1 on"),
        (3, (1, 2, 3, 6), "4 levels of pyramid pooling share 3 channels"),
    ],
)
def test_says_what_is_wrong(channels, bins, message):
    with pytest.raises(UsageError, match=message):
        PyramidPooling(channels, 8, bins=bins)
