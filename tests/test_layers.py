"""Normalisation where there is nothing to normalise by, and resizing."""

import torch
from torch import nn

from attseg.layers import BatchNorm2d, resize


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


def test_resize_interpolates_between_half_pixel_centres():
    line = torch.tensor([0.0, 4.0]).view(1, 1, 1, 2)
    assert resize(line, (1, 4)).flatten().tolist() == [0.0, 1.0, 3.0, 4.0]
