"""PANs of segmentation_models_pytorch give their logits here: against the package itself."""

import json

import pytest
import torch

from attseg.converters import load_smp
from attseg.converters.smp import read_smp
from attseg.errors import UsageError

smp = pytest.importorskip("segmentation_models_pytorch")


def peer(encoder="resnet18", **options):
    """A network of the package with every weight and statistic drawn, in evaluation mode."""
    torch.manual_seed(0)
    model = smp.PAN(encoder, encoder_weights=None, classes=options.pop("classes", 5), **options).eval()
    for name, tensor in model.state_dict().items():
        if name.endswith("running_var"):
            tensor.uniform_(0.5, 1.5)
        elif name.endswith("running_mean"):
            tensor.uniform_(-0.2, 0.2)
        elif tensor.ndim == 1 and tensor.is_floating_point():
            last = ".bn3." in name or (".bn2." in name and "layer" in name)
            low, high = (-0.2, 0.2) if name.endswith("bias") else (0.1, 0.4) if last else (0.5, 1.5)
            tensor.uniform_(low, high)
    return model


@pytest.mark.slow
@pytest.mark.parametrize(
    ("encoder", "size", "options"),
    [
        ("resnet18", (144, 208), {}),  # maps of 9 x 13 at stride 16: halved to 4 x 6, 2 x 3, 1 x 1
        ("resnext50_32x4d", (128, 144), {"decoder_channels": 24}),
        ("resnet34", (256, 256), {"encoder_output_stride": 32}),
        ("tu-mobilenetv3_small_100", (160, 128), {"encoder_output_stride": 16}),
    ],
)
def test_logits_are_those_of_the_package(encoder, size, options):
    theirs = peer(encoder, **options)
    told = {"output_stride": options.get("encoder_output_stride", 16)}
    if encoder.startswith("tu-"):
        told["encoder"] = encoder
    ours = load_smp(theirs.state_dict(), **told)
    x = torch.randn(1, 3, *size, dtype=torch.float64)
    with torch.no_grad():
        expected = theirs.double()(x)
        found = ours.double()(x).logits
    assert expected.std() > 0.05
    # double precision but for what is folded once, which is kept in single
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=1e-5)


@pytest.mark.slow
def test_the_options_that_the_door_sets_all_matter():
    """Each of them changes the logits, so that none could be missing without the test above failing."""
    found = read_smp(peer().state_dict())
    x = torch.randn(1, 3, 144, 208)
    with torch.no_grad():
        expected = found.build()(x).logits
        for name, other in {
            "pyramid_pool": "avg",
            "pyramid_rounding": "up",
            "global_relu": False,
            "gau_relu": False,
            "align_corners": False,
            "even_dilation": False,
        }.items():
            assert found.args[name] != other
            changed = type(found)(found.name, 5, found.args | {name: other}, found.state, found.preprocessing)
            assert not torch.allclose(changed.build()(x).logits, expected, atol=1e-3), name


@pytest.mark.slow
def test_folders_that_it_saved_tell_the_rest(tmp_path):
    theirs = peer("tu-resnet18", encoder_output_stride=32, decoder_channels=16)
    theirs.save_pretrained(tmp_path / "saved")
    x = torch.randn(1, 3, 256, 256)
    with torch.no_grad():
        torch.testing.assert_close(load_smp(tmp_path / "saved")(x).logits, theirs(x), atol=1e-4, rtol=1e-4)
    config = json.loads((tmp_path / "saved/config.json").read_text())
    (tmp_path / "saved/config.json").write_text(json.dumps(config | {"decoder_interpolation": "nearest"}))
    with pytest.raises(
        UsageError, match=r"config.json: decoder_interpolation is 'nearest'; only 'bilinear' can be read"
    ):
        load_smp(tmp_path / "saved")


def test_a_single_class_becomes_two():
    theirs = peer(classes=1)
    x = torch.randn(1, 3, 128, 128)
    with torch.no_grad():
        scores = load_smp(theirs.state_dict())(x).logits.softmax(1)
        torch.testing.assert_close(scores[:, 1:], theirs(x).sigmoid(), atol=1e-4, rtol=1e-4)


@pytest.mark.slow
def test_what_its_encoder_was_given_comes_along():
    assert read_smp(peer().state_dict()).preprocessing.mean == (0.485, 0.456, 0.406)
    state = peer("tu-mobilenetv3_small_100").state_dict()
    assert read_smp(state, encoder="tu-mobilenetv3_small_100").preprocessing.std == (0.229, 0.224, 0.225)


@pytest.mark.slow
def test_what_cannot_be_read_gets_a_sentence(tmp_path):
    state = peer().state_dict()
    cases = [
        (peer("mobilenet_v2").state_dict(), {}, "the encoder is no ResNet and no ResNeXt"),
        (peer("tu-resnet18").state_dict(), {}, "the encoder is one of timm, and the weights do not say which"),
        (state, {"encoder": "vgg16"}, "the encoder 'vgg16' has names of its own"),
        (state, {"encoder": "resnet34"}, "are missing: encoder.layer1.2.conv1.weight"),
        (peer(encoder_depth=4).state_dict(), {}, "built with an encoder_depth below 5"),
        (smp.Unet("resnet18", encoder_weights=None).state_dict(), {}, "there is no 'decoder.fpa.mid.0.conv.weight'"),
    ]
    for source, options, message in cases:
        with pytest.raises(UsageError, match=message):
            load_smp(source, **options)
