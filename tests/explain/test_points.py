"""The attention of points is what capture shows of them, in every model with PSA."""

import pytest
import torch

from attseg import FCN, PSANet, capture
from attseg.errors import UsageError
from attseg.explain.points import point_maps

SMALL = {"encoder": "test_resnet", "crop_size": (64, 96), "inner": 8, "channels": 8}


def test_points_of_a_picture_are_columns_and_rows_of_all_maps():
    torch.manual_seed(0)
    model, images = PSANet(3, **SMALL).eval(), torch.randn(2, 3, 64, 96)
    plain = model(images).logits
    found = point_maps(model, images, [(0, 0), (95, 20)])
    assert [(one.name, one.direction) for one in found] == [("context.psa", "collect"), ("context.psa", "distribute")]
    with capture(model) as maps:
        model(images)
    collect, distribute = (one.weights for one in maps)  # maps of 4 x 6
    for place, (y, x) in enumerate([(0, 0), (1, 5)]):
        torch.testing.assert_close(found[0].weights[:, place].flatten(1), collect[:, :, y, x])
        torch.testing.assert_close(found[1].weights[:, place], distribute[:, y * 6 + x])
    assert torch.equal(model(images).logits, plain)


def test_what_cannot_be_asked_gets_a_sentence():
    model, images = PSANet(3, **SMALL).eval(), torch.zeros(1, 3, 64, 96)
    with pytest.raises(UsageError, match=r"the point \(96, 0\) lies outside the picture, which is 96 wide and 64 high"):
        point_maps(model, images, [(96, 0)])
    with pytest.raises(UsageError, match="no point was given"):
        point_maps(model, images, [])
    with pytest.raises(UsageError, match="this FCN has no point-wise spatial attention"):
        point_maps(FCN(3, encoder="test_resnet", channels=8), images, [(0, 0)])
    assert all(not module._forward_pre_hooks for module in model.modules())
