import pytest
import timm
import torch
import torchvision
from torch import nn
from torchvision.models.feature_extraction import create_feature_extractor

from attseg.data.preprocessing import Preprocessing
from attseg.encoders.features import FeaturesEncoder
from attseg.errors import UsageError
from attseg.models import FCN, PAN


def torchvision_features():
    return create_feature_extractor(
        torchvision.models.resnet18(), {f"layer{stage}": str(stage) for stage in (1, 2, 3, 4)}
    )


class ChannelsLast(nn.Module):
    """Maps (N, H, W, C), as Swin gives."""

    def __init__(self):
        super().__init__()
        self.maps = timm.create_model("test_resnet", features_only=True)

    def forward(self, images):
        return [each.permute(0, 2, 3, 1) for each in self.maps(images)]


class DeepestFirst(nn.Module):
    def __init__(self):
        super().__init__()
        self.maps = timm.create_model("test_resnet", features_only=True)

    def forward(self, images):
        return self.maps(images)[::-1]


@pytest.mark.parametrize(
    ("make", "channels", "strides"),
    [
        (lambda: timm.create_model("resnet18", features_only=True), (64, 128, 256, 512), (4, 8, 16, 32)),
        (
            lambda: timm.create_model("resnet18", features_only=True, output_stride=16),
            (64, 128, 256, 512),
            (4, 8, 16, 16),
        ),
        (torchvision_features, (64, 128, 256, 512), (4, 8, 16, 32)),
        (ChannelsLast, (32, 48, 192, 96), (4, 8, 16, 32)),
    ],
)
def test_channels_and_strides_are_those_of_the_module(make, channels, strides):
    module = make().train()
    encoder = FeaturesEncoder(module)
    assert (encoder.channels, encoder.strides) == (channels, strides) and module.training
    maps = encoder.eval()(torch.zeros(1, 3, 64, 96))
    assert [tuple(each.shape[1:]) for each in maps] == [
        (c, 64 // s, 96 // s) for c, s in zip(channels, strides, strict=True)
    ]


def test_models_take_such_modules_and_train_them():
    for model in (
        PAN(3, encoder=timm.create_model("resnet18", features_only=True)),
        FCN(3, encoder=torchvision_features()),
    ):
        model(torch.rand(2, 3, 65, 97)).logits.sum().backward()
        assert all(parameter.grad is not None for parameter in model.encoder.parameters())


@pytest.mark.parametrize(
    ("module", "told"),
    [
        (torchvision.models.resnet18(), r"\(1, 1000\)"),
        (nn.Linear(3, 4), "fails on zeros"),
        (timm.create_model("resnet18", features_only=True, out_indices=(3, 4)), "strides 16, 32"),
        (DeepestFirst(), "32, 16, 8, 4"),
    ],
)
def test_other_modules_are_refused(module, told):
    with pytest.raises(UsageError, match=told):
        FeaturesEncoder(module)


def test_mean_and_deviation_are_those_that_timm_states():
    lite = timm.create_model("tf_efficientnet_lite0", features_only=True)
    assert Preprocessing.of(PAN(2, encoder=lite)).mean == (0.5, 0.5, 0.5)
    assert Preprocessing.of(FCN(2, encoder=torchvision_features())).mean == (0.485, 0.456, 0.406)
