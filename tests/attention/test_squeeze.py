"""SE against timm's, with the weights carried over."""

import torch
from timm.layers import SEModule

from attseg.attention.squeeze import SqueezeExcitation


def test_equals_timm():
    torch.manual_seed(0)
    ours, theirs = SqueezeExcitation(32, reduction=16), SEModule(32, rd_ratio=1 / 16, rd_divisor=1)
    theirs.fc1.load_state_dict(ours.weigh[0].state_dict())
    theirs.fc2.load_state_dict(ours.weigh[2].state_dict())
    x = torch.randn(2, 32, 5, 7)
    torch.testing.assert_close(ours(x), theirs(x))
