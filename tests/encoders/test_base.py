"""Encoders for any number of image channels; timm's own adaptation of ImageNet weights is the oracle."""

import pytest
import timm
import torch
from safetensors.torch import load_file, save_file

from attseg.encoders.base import Encoder
from attseg.encoders.timm import TimmEncoder
from attseg.encoders.vgg import VGGLargeFOV
from attseg.encoders.vit import VitEncoder
from attseg.errors import UsageError


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """Weights for three channels, as timm would fetch them."""
    folder, kept = tmp_path_factory.mktemp("weights"), {}
    for name in ("resnet18", "resnet50c", "convnext_atto", "test_vit", "vgg16"):
        torch.manual_seed(0)
        kept[name] = folder / f"{name}.safetensors"
        save_file(timm.create_model(name).state_dict(), kept[name])
    return kept


def _of_timm(name, file, channels):
    """What timm makes of the same file for so many channels."""
    overlay = {"file": str(file), "num_classes": 1000}
    return timm.create_model(name, pretrained=True, in_chans=channels, pretrained_cfg_overlay=overlay).state_dict()


@pytest.mark.parametrize("channels", (1, 4, 13))
@pytest.mark.parametrize(
    ("kind", "name", "first"),
    [
        (TimmEncoder, "resnet18", "conv1.weight"),
        (TimmEncoder, "resnet50c", "conv1.0.weight"),
        (TimmEncoder, "convnext_atto", "stem.0.weight"),
        (VitEncoder, "test_vit", "patch_embed.proj.weight"),
    ],
)
def test_weights_of_three_channels_are_adapted_as_timm_adapts_them(files, kind, name, first, channels):
    encoder = kind(name, weights=files[name], in_channels=channels)
    theirs = _of_timm(name, files[name], channels)
    ours = {key.replace("_", "."): tensor for key, tensor in encoder.network.state_dict().items()}
    assert theirs[first].shape[1] == channels
    assert all(torch.equal(tensor, theirs[key]) for key, tensor in _matched(ours, theirs))
    assert encoder.in_channels == channels and encoder.mean is None
    assert f"adapted from 3 channels to {channels}" in encoder.weights
    assert len(encoder(torch.zeros(1, channels, 64, 64))) == 4


def _matched(ours, theirs):
    pairs = [(key, ours[key.replace("_", ".")]) for key in theirs if key.replace("_", ".") in ours]
    assert len(pairs) == len(ours)
    return pairs


@pytest.mark.parametrize("channels", (1, 4))
def test_vgg_takes_the_weights_of_three_channels_for_others(files, channels):
    encoder = VGGLargeFOV(weights=files["vgg16"], in_channels=channels)
    theirs = _of_timm("vgg16", files["vgg16"], channels)
    assert torch.equal(encoder.conv1[0].weight, theirs["features.0.weight"])
    assert torch.equal(encoder.conv1[2].weight, theirs["features.2.weight"])


def test_vgg_takes_its_own_weights_of_three_channels(tmp_path):
    torch.manual_seed(0)
    three = VGGLargeFOV()
    save_file(three.state_dict(), tmp_path / "a.safetensors")
    encoder = VGGLargeFOV(weights=tmp_path / "a.safetensors", in_channels=1)
    assert torch.allclose(encoder.conv1[0].weight, three.conv1[0].weight.sum(1, keepdim=True))
    assert torch.equal(encoder.fc7[0].weight, three.fc7[0].weight)


def test_weights_of_as_many_channels_are_taken_as_they_are(tmp_path):
    torch.manual_seed(0)
    save_file(timm.create_model("resnet18", in_chans=4).state_dict(), tmp_path / "four.safetensors")
    encoder = TimmEncoder("resnet18", weights=tmp_path / "four.safetensors", in_channels=4)
    assert torch.equal(encoder.network.conv1.weight, load_file(tmp_path / "four.safetensors")["conv1.weight"])
    assert "adapted" not in encoder.weights


def test_weights_of_four_channels_do_not_fit_a_network_of_five(tmp_path):
    save_file(timm.create_model("resnet18", in_chans=4).state_dict(), tmp_path / "four.safetensors")
    with pytest.raises(UsageError, match="64 x 4 x 7 x 7, needs 64 x 5 x 7 x 7"):
        TimmEncoder("resnet18", weights=tmp_path / "four.safetensors", in_channels=5)


@pytest.mark.parametrize("build", (lambda: TimmEncoder("resnet18", in_channels=0), lambda: Encoder((1,), (4,), -1)))
def test_fewer_than_one_channel_is_refused(build):
    with pytest.raises(UsageError, match="in_channels"):
        build()
