import pytest
import torch

from attseg.encoders.timm import TimmEncoder
from attseg.errors import UsageError
from attseg.models import FCN, MODELS, AttentionToRefine, build_model

SMALL = {
    "PAN": {"encoder": "test_resnet", "channels": 8},
    "PSANet": {"encoder": "test_resnet", "crop_size": [64, 64], "inner": 8, "channels": 8},
    "DFDAM": {"encoder": "test_resnet", "channels": 8},
    "FCN": {"encoder": "test_resnet", "channels": 8},
    "AttentionToRefine": {"base": "FCN", "base_args": {"encoder": "test_resnet", "channels": 8}},
}


@pytest.mark.parametrize("channels", (1, 4, 13))
@pytest.mark.parametrize("name", sorted(MODELS))
def test_every_model_takes_pictures_of_any_number_of_channels(name, channels):
    model = build_model(name, {**SMALL[name], "in_channels": channels}, 5).eval()
    images = torch.rand(1, channels, 65, 97, requires_grad=True)
    logits = model(images).logits
    assert logits.shape == (1, 5, 65, 97)
    logits.sum().backward()
    assert (images.grad.abs().amax((0, 2, 3)) > 0).all()  # every channel counts


@pytest.mark.parametrize("encoder", ("test_vit", "test_convnext", "vgg16-largefov", "mobilenetv3_small_100"))
def test_every_kind_of_encoder_takes_any_number_of_channels(encoder):
    stride = {"output_stride": 8} if encoder.startswith("vgg") else {"output_stride": 32}
    model = FCN(3, encoder=encoder, channels=8, in_channels=4, **stride).eval()
    assert model(torch.zeros(1, 4, 64, 64)).logits.shape == (1, 3, 64, 64)


@pytest.mark.parametrize("name", sorted(MODELS))
@pytest.mark.parametrize(("built", "given"), [(3, 4), (4, 3)])
def test_pictures_of_other_channels_are_refused_with_both_numbers(name, built, given):
    model = build_model(name, {**SMALL[name], "in_channels": built}, 5).eval()
    with pytest.raises(ValueError, match=f"{given} channels were given, and the network takes {built}"):
        model(torch.zeros(1, given, 64, 64))


def test_in_channels_of_three_changes_nothing():
    torch.manual_seed(0)
    before = FCN(2, encoder="test_resnet", channels=8).state_dict()
    torch.manual_seed(0)
    after = FCN(2, encoder="test_resnet", channels=8, in_channels=3).state_dict()
    assert all(torch.equal(before[key], after[key]) for key in before)


def test_a_ready_encoder_of_other_channels_is_refused():
    encoder = TimmEncoder("test_resnet", in_channels=4)
    assert FCN(2, encoder=encoder, channels=8).encoder.in_channels == 4
    with pytest.raises(UsageError, match="in_channels is 5.* takes 4"):
        FCN(2, encoder=encoder, channels=8, in_channels=5)
    with pytest.raises(UsageError, match="in_channels is 5.* takes 4"):
        AttentionToRefine(2, base=FCN(2, encoder=encoder, channels=8), in_channels=5)
