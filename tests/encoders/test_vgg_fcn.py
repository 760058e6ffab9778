"""VGG-16 as convolutions against timm's VGG-16, whose every weight has a place."""

import pytest
import timm
import torch
from torch import nn

from attseg.encoders.vgg_fcn import VGGFCN
from attseg.errors import UsageError


@pytest.fixture(scope="module")
def vgg():
    torch.manual_seed(0)
    with torch.device("meta"):
        network = timm.create_model("vgg16")
    network = network.to_empty(device="cpu").eval()
    for parameter in network.parameters():
        nn.init.zeros_(parameter)
    for layer in network.features:
        if isinstance(layer, nn.Conv2d):
            nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
    with torch.no_grad():
        for linear in (network.pre_logits.fc1, network.pre_logits.fc2):
            nn.init.normal_(linear.bias, std=0.1)
            linear.weight[::97].normal_(std=0.01)
    return network


@pytest.mark.slow
def test_every_weight_of_timms_vgg16_is_used(vgg, tmp_path):
    torch.save(vgg.state_dict(), tmp_path / "vgg16.pth")
    encoder = VGGFCN(weights=tmp_path / "vgg16.pth").eval()
    (tmp_path / "vgg16.pth").unlink()
    images = torch.randn(1, 3, 224, 224)
    with torch.no_grad():
        maps = encoder(images)
        found, theirs = [], images
        for layer in vgg.features:
            theirs = layer(theirs)
            if isinstance(layer, nn.MaxPool2d):
                found.append(theirs)
        for ours, other in zip(maps, found[1:4], strict=False):
            torch.testing.assert_close(ours, other)
        torch.testing.assert_close(maps[-1][..., 3:4, 3:4], vgg.pre_logits(found[4]))  # fc6 sees 7 x 7 there


def test_maps_are_as_declared():
    with torch.device("meta"):
        encoder = VGGFCN().eval()
        for h, w in ((64, 96), (33, 47), (32, 32)):
            maps = encoder(torch.empty(1, 3, h, w))
            sides = [(-(-h // stride), -(-w // stride)) for stride in encoder.strides]
            assert [tuple(each.shape) for each in maps] == [
                (1, c, *side) for c, side in zip(encoder.channels, sides, strict=True)
            ]


def test_another_stride_is_refused():
    with pytest.raises(UsageError, match="output_stride is 8"):
        VGGFCN(output_stride=8)
