"""Encoders keep their promises, and what cannot be an encoder says so."""

import time

import pytest
import safetensors.torch
import timm
import torch

from attseg.encoders import weights
from attseg.encoders.timm import TimmEncoder
from attseg.errors import UsageError

CHANNELS_LAST = ["test_mambaout", "swin_tiny_patch4_window7_224"]
FAMILIES = ["test_resnet", "test_convnext", "test_efficientnet", "test_byobnet", "mobilenetv3_small_050", "regnetx_002"]


@pytest.mark.slow
@pytest.mark.parametrize("stride", [8, 16, 32])
@pytest.mark.parametrize("name", FAMILIES)
def test_maps_are_as_declared(name, stride):
    encoder = TimmEncoder(name, output_stride=stride).eval()
    assert encoder.strides == tuple(min(s, stride) for s in (4, 8, 16, 32))
    with torch.no_grad():
        maps = encoder(torch.randn(1, 3, 64, 96))
    expected = [(1, c, 64 // s, 96 // s) for c, s in zip(encoder.channels, encoder.strides, strict=True)]
    assert [tuple(m.shape) for m in maps] == expected


def test_maps_equal_timms():
    torch.manual_seed(0)
    encoder = TimmEncoder("test_resnet", output_stride=16).eval()
    theirs = timm.create_model("test_resnet", features_only=True, output_stride=16, out_indices=(1, 2, 3, 4)).eval()
    theirs.load_state_dict(encoder.network.state_dict())
    images = torch.randn(1, 3, 64, 64)
    for ours, other in zip(encoder(images), theirs(images), strict=True):
        assert torch.equal(ours, other)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["densenet121", "vgg11", "hrnet_w18_small"])
def test_networks_that_cannot_be_dilated_say_so(name):
    with (
        pytest.raises(UsageError, match=rf"'{name}' cannot be dilated to an output stride of 16; use output_stride=32"),
        torch.device("meta"),
    ):
        TimmEncoder(name, output_stride=16)
    with torch.device("meta"):
        assert TimmEncoder(name).strides == (4, 8, 16, 32)


@pytest.mark.slow
@pytest.mark.parametrize("name", CHANNELS_LAST)
def test_networks_with_channels_last_give_them_first(name):
    torch.manual_seed(0)
    encoder = TimmEncoder(name).eval()
    images = torch.randn(1, 3, 64, 96)
    with torch.no_grad():
        maps, theirs = encoder(images), encoder.network(images)
        for level, other, channels, stride in zip(maps, theirs, encoder.channels, encoder.strides, strict=True):
            assert level.shape == (1, channels, 64 // stride, 96 // stride)
            assert torch.equal(level[0, :, 1, 2], other[0, 1, 2])
        odd = encoder(torch.randn(2, 3, 33, 47))
    assert [tuple(level.shape[2:]) for level in odd] == [(9, 12), (5, 6), (3, 3), (2, 2)]


@pytest.mark.slow
def test_swin_equals_timms_where_timm_takes_the_picture():
    torch.manual_seed(0)
    name = "swin_tiny_patch4_window7_224"
    ours, theirs = TimmEncoder(name).eval(), timm.create_model(name, features_only=True).eval()
    theirs.load_state_dict(ours.network.state_dict(), strict=False)
    images = torch.randn(1, 3, 224, 224)
    with torch.no_grad():
        for one, other in zip(ours(images), theirs(images), strict=True):
            torch.testing.assert_close(one, other.permute(0, 3, 1, 2), atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("name", ["test_vit", "vit_tiny_patch16_224", "beit_base_patch16_224", "hiera_tiny_224"])
def test_transformers_say_what_they_lack(name):
    with pytest.raises(
        UsageError, match=f"the encoder '{name}' gives .* strides 4, 8, 16 and 32 were expected.*plain trans"
    ):
        TimmEncoder(name)


def test_swin_cannot_be_dilated():
    with (
        pytest.raises(UsageError, match="'swin_tiny_patch4_window7_224' cannot be dilated to an output stride of 16"),
        torch.device("meta"),
    ):
        TimmEncoder("swin_tiny_patch4_window7_224", output_stride=16)


def test_unknown_names_and_strides_get_a_sentence():
    with pytest.raises(UsageError, match="no encoder 'resnet5O'; did you mean 'resnet50'"):
        TimmEncoder("resnet5O")
    with pytest.raises(UsageError, match=r"output_stride is 12; one of \(8, 16, 32\)"):
        TimmEncoder("test_resnet", output_stride=12)


def test_weights_come_from_a_file(tmp_path):
    torch.manual_seed(1)
    whole = timm.create_model("test_resnet")
    safetensors.torch.save_file(whole.state_dict(), tmp_path / "weights.safetensors")
    encoder = TimmEncoder("test_resnet", weights=tmp_path / "weights.safetensors")
    assert torch.equal(encoder.network.state_dict()["layer4.0.conv1.weight"], whole.layer4[0].conv1.weight)
    with pytest.raises(FileNotFoundError, match=r"no file of encoder weights at .*nothing.pth"):
        TimmEncoder("test_resnet", weights=tmp_path / "nothing.pth")


def test_without_network_pretrained_fails_at_once(monkeypatch):
    monkeypatch.setattr(weights, "_answers", lambda host: False)
    monkeypatch.setattr(weights, "try_to_load_from_cache", lambda *_: None)
    start = time.monotonic()
    with pytest.raises(
        FileNotFoundError, match=r"Fetch model.safetensors of timm/resnet18.* give it as encoder_weights=FILE"
    ):
        TimmEncoder("resnet18", pretrained=True)
    assert time.monotonic() - start < 5


def test_a_network_without_weights_says_so():
    with pytest.raises(FileNotFoundError, match="timm has no pretrained weights for the encoder 'resnet200'"):
        weights.require_pretrained("resnet200")


def test_a_host_that_does_not_answer_is_noticed():
    assert not weights._answers("localhost.invalid")
