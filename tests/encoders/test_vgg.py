"""VGG-16 of DeepLab-LargeFOV and of FCN against timm's VGG-16: one thins it out and keeps stride 8, one has a place for all."""

import pytest
import timm
import torch
import torch.nn.functional as F
from torch import nn

from attseg.encoders import weights
from attseg.encoders.vgg import VGGFCN, VGGLargeFOV
from attseg.errors import UsageError
from attseg.models import FCN


@pytest.fixture(scope="module")
def vgg():
    """timm's VGG-16, of whose linear layers, half a gigabyte, few rows are drawn."""
    torch.manual_seed(0)
    with torch.device("meta"):
        network = timm.create_model("vgg16")
    network = network.to_empty(device="cpu").eval()
    for parameter in network.parameters():
        nn.init.zeros_(parameter)
    for layer in network.features:
        if isinstance(layer, nn.Conv2d):
            nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
            nn.init.normal_(layer.bias, std=0.1)
    with torch.no_grad():
        for linear in (network.pre_logits.fc1, network.pre_logits.fc2):
            nn.init.normal_(linear.bias)
            linear.weight[::97].normal_(std=0.01)
    return network


@pytest.fixture(scope="module")
def pretrained(vgg, tmp_path_factory):
    """Our encoder with the weights of ``vgg``, through a file."""
    path = tmp_path_factory.mktemp("weights") / "vgg16.pth"
    torch.save(vgg.state_dict(), path)
    encoder = VGGLargeFOV(weights=path).eval()
    path.unlink()
    return encoder


def stages(network, images):
    """Maps of timm's convolutions after the last of each of its five blocks, with the poolings and dilations of LargeFOV."""
    found = []
    for layer in network.features:
        if isinstance(layer, nn.MaxPool2d):
            found.append(images)
            images = F.max_pool2d(images, 3, stride=2 if len(found) < 4 else 1, padding=1)
        elif isinstance(layer, nn.Conv2d):
            step = 2 if len(found) == 4 else 1
            images = F.conv2d(images, layer.weight, layer.bias, padding=step, dilation=step)
        else:
            images = layer(images)
    return found


@pytest.mark.parametrize(
    ("kind", "channels", "strides"),
    [(VGGLargeFOV, (256, 512, 512, 1024), (4, 8, 8, 8)), (VGGFCN, (128, 256, 512, 4096), (4, 8, 16, 32))],
)
def test_maps_are_as_declared(kind, channels, strides):
    with torch.device("meta"):
        encoder = kind().eval()
        for h, w in ((64, 96), (33, 47), (32, 32)):
            sides = [(-(-h // stride), -(-w // stride)) for stride in strides]
            shapes = [(1, c, *side) for c, side in zip(channels, sides, strict=True)]
            assert [tuple(each.shape) for each in encoder(torch.empty(1, 3, h, w))] == shapes
    assert (encoder.channels, encoder.strides) == (channels, strides)


def test_first_weights_let_the_signal_neither_grow_nor_die():
    with torch.no_grad():
        assert all(0.1 < each.std() < 10 for each in VGGLargeFOV().eval()(torch.randn(1, 3, 64, 96)))


@pytest.mark.slow
def test_timms_convolutions_give_the_same_maps(vgg, pretrained):
    images = torch.randn(2, 3, 65, 90)
    with torch.no_grad():
        _, _, *expected = stages(vgg, images)
        for ours, theirs in zip(pretrained(images), expected, strict=False):
            torch.testing.assert_close(ours, theirs)
    assert len(expected) == 3


@pytest.mark.slow
def test_fcn_uses_every_weight_of_timms_vgg16(vgg, tmp_path):
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


def test_fc6_reads_the_largest_of_all_neighbours(pretrained):
    maps = torch.rand(1, 512, 5, 6)
    inputs = []
    handles = (
        pretrained.conv5.register_forward_hook(lambda *_: maps),
        pretrained.fc6.register_forward_pre_hook(lambda _, given: inputs.append(given[0])),
    )
    with torch.no_grad():
        pretrained(torch.zeros(1, 3, 40, 48))
    for handle in handles:
        handle.remove()
    for i in range(5):
        for j in range(6):
            around = maps[:, :, max(i - 1, 0) : i + 2, max(j - 1, 0) : j + 2]
            assert torch.equal(inputs[0][:, :, i, j], around.amax((2, 3)))


def test_linear_layers_are_thinned(vgg, pretrained):
    """At one position, fc6 is every fourth output of VGG's, of the 7x7 kernel the corners, edges' middles and centre."""
    fc1, fc2 = vgg.pre_logits.fc1, vgg.pre_logits.fc2
    maps = torch.rand(1, 512, 25, 25)
    with torch.no_grad():
        ours = pretrained.fc6(maps)[0, :, 12, 12]
        kernel = torch.zeros(1024, 512, 7, 7)
        for i in (0, 3, 6):
            for j in (0, 3, 6):
                kernel[:, :, i, j] = fc1.weight[::4, :, i, j]
        seen = F.conv2d(maps[:, :, ::4, ::4], kernel, fc1.bias[::4])[0, :, 0, 0].relu()
        torch.testing.assert_close(ours, seen)
        below = pretrained.fc7(seen[None, :, None, None])[0, :, 0, 0]
        torch.testing.assert_close(below, (fc2.weight[::4, ::4, 0, 0] @ seen + fc2.bias[::4]).relu())
    assert ours.count_nonzero() > 100


def test_deeplab_has_the_parameters_of_its_paper():
    with torch.device("meta"):
        model = FCN(21, encoder="vgg16-largefov", output_stride=8, head="linear")
    assert round(sum(p.numel() for p in model.parameters()) / 1e6, 1) == 20.5
    assert isinstance(model.encoder, VGGLargeFOV)
    assert model.encoder.fc6[0].dilation == (12, 12)
    assert {layer.dilation for layer in model.encoder.conv5 if isinstance(layer, nn.Conv2d)} == {(2, 2)}


def test_fc6_and_fc7_drop_half_in_training_alone():
    with torch.device("meta"):
        encoder = VGGLargeFOV()
    assert [layer.p for layer in encoder.modules() if isinstance(layer, nn.Dropout)] == [0.5, 0.5]


def test_another_stride_and_missing_weights_get_a_sentence(tmp_path, monkeypatch):
    with pytest.raises(UsageError, match="output_stride is 16; the encoder 'vgg16-largefov' has an output stride of 8"):
        FCN(3, encoder="vgg16-largefov")
    with pytest.raises(UsageError, match="output_stride is 8; the encoder 'vgg16-fcn' has an output stride of 32"):
        VGGFCN(output_stride=8)
    with pytest.raises(FileNotFoundError, match="no file of encoder weights at .*; it should hold timm's vgg16"):
        FCN(3, encoder="vgg16-largefov", output_stride=8, encoder_weights=str(tmp_path / "none.pth"))
    monkeypatch.setattr(weights, "_answers", lambda host: False)
    monkeypatch.setattr(weights, "try_to_load_from_cache", lambda *_: None)
    with pytest.raises(FileNotFoundError, match=r"Fetch model.safetensors of timm/vgg16.* encoder_weights=FILE"):
        FCN(3, encoder="vgg16-largefov", output_stride=8, pretrained=True)
    with pytest.raises(UsageError, match="no encoder 'vgg16-largefow'.*, vgg16-fcn and vgg16-largefov"):
        FCN(3, encoder="vgg16-largefow")


@pytest.mark.compile
def test_export_takes_any_size():
    model = FCN(3, encoder="vgg16-largefov", output_stride=8, head="linear").eval()
    dims = {0: torch.export.Dim("n", min=1, max=64), 2: torch.export.Dim("h", min=32, max=8192)}
    dims[3] = torch.export.Dim("w", min=32, max=8192)
    program = torch.export.export(model, (torch.zeros(2, 3, 64, 80),), dynamic_shapes=(dims,)).module()
    for size in ((1, 32, 32), (2, 33, 47)):
        images = torch.randn(size[0], 3, *size[1:])
        torch.testing.assert_close(program(images).logits, model(images).logits, atol=1e-4, rtol=1e-3)
