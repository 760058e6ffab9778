"""State dicts with the names and shapes of the original projects, written down from their constructors, are read completely.

Values do not matter here: all tensors are zeros of no memory.
"""

from pathlib import Path

import pytest
import torch

from attseg.converters.convert import read_foreign
from attseg.models import MODELS

DEEP = {"resnet50": (3, 4, 6, 3), "resnet101": (3, 4, 23, 3)}


class Layout(dict):
    """Tensors by name."""

    def add(self, name, *shape):
        self[name] = torch.zeros(1).expand(shape)

    def norm(self, name, channels, *more):
        for part in ("weight", "bias", "running_mean", "running_var", *more):
            self.add(f"{name}.{part}", channels)
        self[f"{name}.num_batches_tracked"] = torch.tensor(0)

    def unit(self, conv, norm, out, into, kernel=1, *more):
        self.add(f"{conv}.weight", out, into, kernel, kernel)
        self.norm(norm, out, *more)

    def last(self, name, out, into, kernel=1):
        self.add(f"{name}.weight", out, into, kernel, kernel)
        self.add(f"{name}.bias", out)

    def bottlenecks(self, prefix, blocks, into, *more):
        """``layer1`` to ``layer4`` of a ResNet of bottlenecks, as torchvision names them."""
        for stage, count in enumerate(blocks, 1):
            width = 64 * 2 ** (stage - 1)
            for block in range(count):
                at = f"{prefix}layer{stage}.{block}"
                self.unit(f"{at}.conv1", f"{at}.bn1", width, into, 1, *more)
                self.unit(f"{at}.conv2", f"{at}.bn2", width, width, 3, *more)
                self.unit(f"{at}.conv3", f"{at}.bn3", 4 * width, width, 1, *more)
                if block == 0:
                    self.unit(f"{at}.downsample.0", f"{at}.downsample.1", 4 * width, into, 1, *more)
                into = 4 * width


def semseg(name, *, psa=(), filters=59 * 59, psp=False, classes=150):
    """``model/psanet.py`` and ``model/pspnet.py`` of hszhao/semseg, as trained in parallel."""
    made = Layout()
    for place, out, into in ((0, 64, 3), (3, 64, 64), (6, 128, 64)):
        made.unit(f"layer0.{place}", f"layer0.{place + 1}", out, into, 3)
    made.bottlenecks("", DEEP[name], 128)
    wide = 2048
    for suffix in psa:
        made.unit(f"psa.reduce{suffix}.0", f"psa.reduce{suffix}.1", 512, 2048)
        made.unit(f"psa.attention{suffix}.0", f"psa.attention{suffix}.1", 512, 512)
        made.add(f"psa.attention{suffix}.3.weight", filters, 512, 1, 1)
    if psa:
        made.unit("psa.proj.0", "psa.proj.1", 2048, 512 * len(psa))
        wide = 4096
    if psp:
        for level in range(4):
            made.unit(f"ppm.features.{level}.1", f"ppm.features.{level}.2", 512, 2048)
        wide = 4096
    made.unit("cls.0", "cls.1", 512, wide, 3)
    made.last("cls.4", classes, 512)
    made.unit("aux.0", "aux.1", 256, 1024, 3)
    made.last("aux.4", classes, 256)
    return {"epoch": 100, "state_dict": {f"module.{key}": value for key, value in made.items()}}


def mmseg(name, *, mask=97 * 97, classes=19):
    """``EncoderDecoder`` of mmsegmentation with ``ResNetV1c``, ``PSAHead`` and an auxiliary ``FCNHead``."""
    made = Layout()
    for place, out, into in ((0, 32, 3), (3, 32, 32), (6, 64, 32)):
        made.unit(f"backbone.stem.{place}", f"backbone.stem.{place + 1}", out, into, 3)
    made.bottlenecks("backbone.", DEEP[name], 64)
    head = "decode_head"
    made.last(f"{head}.conv_seg", classes, 512)
    for suffix in ("", "_p"):
        made.unit(f"{head}.reduce{suffix}.conv", f"{head}.reduce{suffix}.bn", 512, 2048)
        made.unit(f"{head}.attention{suffix}.0.conv", f"{head}.attention{suffix}.0.bn", 512, 512)
        made.add(f"{head}.attention{suffix}.1.weight", mask, 512, 1, 1)
    made.unit(f"{head}.proj.conv", f"{head}.proj.bn", 2048, 1024)
    made.unit(f"{head}.bottleneck.conv", f"{head}.bottleneck.bn", 512, 4096, 3)
    made.last("auxiliary_head.conv_seg", classes, 256)
    made.unit("auxiliary_head.convs.0.conv", "auxiliary_head.convs.0.bn", 256, 1024, 3)
    return {"meta": {"epoch": 1}, "state_dict": dict(made)}


SYNCHRONISED = ("_tmp_running_mean", "_tmp_running_var")


def csail(name, decoder, *, classes=150):
    """``encoder_epoch_N.pth`` and ``decoder_epoch_N.pth`` of CSAIL with its own synchronised batch normalisation."""
    first, second = Layout(), Layout()
    for place, out, into in ((1, 64, 3), (2, 64, 64), (3, 128, 64)):
        first.unit(f"conv{place}", f"bn{place}", out, into, 3, *SYNCHRONISED)
    first.bottlenecks("", DEEP[name], 128, *SYNCHRONISED)
    if decoder.startswith("ppm"):
        for level in range(4):
            second.unit(f"ppm.{level}.1", f"ppm.{level}.2", 512, 2048, 1, *SYNCHRONISED)
        second.unit("conv_last.0", "conv_last.1", 512, 2048 + 4 * 512, 3, *SYNCHRONISED)
        second.last("conv_last.4", classes, 512)
    else:
        second.unit("cbr.0", "cbr.1", 512, 2048, 3, *SYNCHRONISED)
        second.last("conv_last", classes, 512)
    if decoder.endswith("deepsup"):
        second.unit("cbr_deepsup.0", "cbr_deepsup.1", 512, 1024, 3, *SYNCHRONISED)
        second.last("conv_last_deepsup", classes, 512)
    for made in (first, second):
        for key in [key for key in made if key.endswith("running_mean") and "_tmp" not in key]:
            made[key.replace("running_mean", "_running_iter")] = torch.ones(1)
    return dict(first), dict(second)


@pytest.fixture
def read(tmp_path):
    """Write a file as the project does, and read it."""

    def reading(door, content, **options):
        path = Path(tmp_path / "weights.pth")
        torch.save(content, path)
        return read_foreign(door, path, **options)

    return reading


def check(found, classes):
    with torch.device("meta"):
        kind = MODELS[found.name]
    state = found.state
    assert found.num_classes == classes
    model = found.build()
    assert isinstance(model, kind)
    assert state.keys() == model.state_dict().keys()
    return model


@pytest.mark.parametrize("name", DEEP)
def test_psanet_of_semseg(read, name):
    model = check(read("semseg", semseg(name, psa=("", "_p"))), 150)
    assert model.context.psa.branches["collect"].filters.shape == (512, 59, 59)
    assert model.encoder.network.conv1[6].out_channels == 128


def test_psanet_of_one_branch(read):
    found = read("semseg", semseg("resnet50", psa=("",), filters=119 * 119, classes=19), directions=("collect",))
    assert list(check(found, 19).context.psa.branches) == ["collect"]


def test_pspnet_and_baseline_of_semseg(read):
    assert len(check(read("semseg", semseg("resnet50", psp=True, classes=21)), 21).context.levels) == 4
    check(read("semseg", semseg("resnet50", classes=21)), 21)


@pytest.mark.parametrize("name", DEEP)
def test_psanet_of_mmsegmentation(read, name):
    model = check(read("mmseg", mmseg(name)), 19)
    assert model.context.psa.branches["distribute"].filters.shape == (512, 97, 97)
    assert model.aux["encoder"][2].in_channels == 256


@pytest.mark.parametrize("decoder", ["ppm", "ppm_deepsup", "c1", "c1_deepsup"])
def test_csail_with_its_synchronised_normalisation(tmp_path, decoder):
    first, second = csail("resnet50", decoder)
    assert [key for key in first if key.endswith("_running_iter")]
    torch.save(first, tmp_path / "encoder.pth")
    torch.save(second, tmp_path / "decoder.pth")
    found = read_foreign("csail", tmp_path / "encoder.pth", decoder=tmp_path / "decoder.pth")
    model = check(found, 150)
    if decoder.startswith("ppm"):
        assert {level[0].out_channels for level in model.context.levels} == {512}
    if decoder.endswith("deepsup"):
        assert model.aux["encoder"][2].in_channels == 512
