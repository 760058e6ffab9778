"""Normalisation where there is nothing to normalise by, and resizing."""

import torch
from torch import nn

from attseg.layers import BatchNorm2d, ConvNormAct, resize


def test_batch_norm_equals_torch_where_torch_can():
    torch.manual_seed(0)
    ours, theirs = BatchNorm2d(3), nn.BatchNorm2d(3)
    for shape in ((2, 3, 1, 1), (1, 3, 2, 1), (4, 3, 5, 6)):
        x = torch.randn(shape)
        torch.testing.assert_close(ours(x), theirs(x))
    torch.testing.assert_close(ours.running_var, theirs.running_var)


def test_batch_norm_of_one_value_uses_and_keeps_the_running_statistics():
    norm = BatchNorm2d(2)
    norm.running_mean.copy_(torch.tensor([1.0, 2.0]))
    norm.running_var.fill_(4.0)
    out = norm(torch.tensor([3.0, 2.0]).view(1, 2, 1, 1))
    torch.testing.assert_close(out.flatten(), torch.tensor([1.0, 0.0]), atol=1e-5, rtol=0)
    assert norm.running_mean.tolist() == [1.0, 2.0]
    assert norm.num_batches_tracked == 0


def test_a_dilated_convolution_keeps_the_size_and_reads_as_far_apart_as_it_says():
    for kernel, dilation in ((1, 1), (3, 1), (3, 6), (5, 2)):
        block = ConvNormAct(1, 1, kernel, dilation=dilation, act=False).eval()
        nn.init.ones_(block[0].weight)
        x = torch.zeros(1, 1, 31, 29)
        x[0, 0, 15, 14] = 1
        out = block(x)[0, 0]
        assert out.shape == (31, 29)
        reach = [dilation * step for step in range(-(kernel // 2), kernel // 2 + 1)]
        assert {tuple(at) for at in out.nonzero().tolist()} == {(15 + y, 14 + z) for y in reach for z in reach}


def test_resize_interpolates_between_half_pixel_centres():
    line = torch.tensor([0.0, 4.0]).view(1, 1, 1, 2)
    assert resize(line, (1, 4)).flatten().tolist() == [0.0, 1.0, 3.0, 4.0]
