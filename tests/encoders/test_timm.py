"""Encoders keep their promises, and what cannot be an encoder says so."""

import time

import pytest
import safetensors.torch
import timm
import torch

from attseg.encoders import weights
from attseg.encoders.timm import TimmEncoder
from attseg.errors import UsageError

FAMILIES = ["test_resnet", "test_convnext", "test_efficientnet", "test_byobnet", "mobilenetv3_small_050", "regnetx_002"]


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


@pytest.mark.parametrize("name", ["densenet121", "vgg11", "hrnet_w18_small"])
def test_networks_that_cannot_be_dilated_say_so(name):
    with (
        pytest.raises(UsageError, match=rf"'{name}' cannot be dilated to an output stride of 16; use output_stride=32"),
        torch.device("meta"),
    ):
        TimmEncoder(name, output_stride=16)
    with torch.device("meta"):
        assert TimmEncoder(name).strides == (4, 8, 16, 32)


@pytest.mark.parametrize("name", ["vit_tiny_patch16_224", "swin_tiny_patch4_window7_224"])
def test_transformers_say_what_they_lack(name):
    with pytest.raises(UsageError, match=f"the encoder '{name}' gives .* strides 4, 8, 16 and 32 were expected"):
        TimmEncoder(name)


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
