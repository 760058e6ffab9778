"""CSAIL's networks give their logits here: against a plain re-statement of their forward pass."""

import pytest
import torch
import torch.nn.functional as F

from attseg.converters import load_csail
from attseg.errors import UsageError
from released import Network, Weights, double, resized

CLASSES = 4
STEM = ((1, 64, 3, 2), (2, 64, 64, 1), (3, 128, 64, 1))


def released_weights(depth, decoder):
    """Two states, as its two files hold them."""
    first, second = Weights(), Weights()
    for place, out, into, _ in STEM:
        first.conv(f"conv{place}", out, into, 3)
        first.norm(f"bn{place}", out)
    first.stages(depth, into=128)
    deep = 2048 if depth >= 50 else 512
    width = 512 if decoder.startswith("ppm") else deep // 4
    if decoder.startswith("ppm"):
        for level in range(4):
            second.conv(f"ppm.{level}.1", 512, deep)
            second.norm(f"ppm.{level}.2", 512)
        second.conv("conv_last.0", width, deep + 4 * 512, 3)
        second.norm("conv_last.1", width)
        second.conv("conv_last.4", CLASSES, width, bias=True)
    else:
        second.conv("cbr.0", width, deep, 3)
        second.norm("cbr.1", width)
        second.conv("conv_last", CLASSES, width, bias=True)
    if decoder.endswith("deepsup"):
        second.conv("cbr_deepsup.0", deep // 4, deep // 2, 3)
        second.norm("cbr_deepsup.1", deep // 4)
        second.conv("conv_last_deepsup", CLASSES, deep // 4, bias=True)
    return dict(first), dict(second)


def released_forward(encoder, decoder, x):
    """What CSAIL's code computes before its softmax, written down from its description; also the auxiliary logits."""
    first, second, size = Network(encoder), Network(decoder), x.shape[-2:]
    for place, _, _, stride in STEM:
        x = first.unit(f"conv{place}", f"bn{place}", x, stride=stride, padding=1)
    *_, near, deep = first.stages(F.max_pool2d(x, 3, 2, 1), even=False)
    if "ppm.0.1.weight" in decoder:
        parts = [deep]
        for level, bins in enumerate((1, 2, 3, 6)):
            pooled = second.at(f"ppm.{level}", 1, F.adaptive_avg_pool2d(deep, bins))
            parts.append(resized(pooled, deep.shape[-2:], align=False))
        logits = second.conv("conv_last.4", second.at("conv_last", 0, torch.cat(parts, 1), padding=1))
    else:
        logits = second.conv("conv_last", second.at("cbr", 0, deep, padding=1))
    aux = None
    if "cbr_deepsup.0.weight" in decoder:
        aux = resized(second.conv("conv_last_deepsup", second.at("cbr_deepsup", 0, near, padding=1)), size, align=False)
    return resized(logits, size, align=False), aux


@pytest.mark.slow
@pytest.mark.parametrize(
    ("depth", "decoder", "size"),
    [(18, "ppm_deepsup", (56, 64)), (34, "c1", (40, 33)), (50, "ppm", (41, 40)), (18, "c1_deepsup", (48, 48))],
)
def test_logits_are_those_of_csail(depth, decoder, size):
    encoder, head = released_weights(depth, decoder)
    model = load_csail(encoder, head).double()
    x = torch.randn(1, 3, *size, dtype=torch.float64)
    with torch.no_grad():
        expected, side = released_forward(double(encoder), double(head), x)
        found = model(x).logits
        assert expected.std() > 0.1
        # ppm's level of one bin is folded and kept in single precision
        torch.testing.assert_close(found, expected, atol=1e-5, rtol=1e-5)
        assert (side is not None) == ("encoder" in model.aux)
        if side is not None:
            near = model.encoder(x)[-2]
            torch.testing.assert_close(
                resized(model.aux["encoder"](near), size, align=False), side, atol=1e-8, rtol=1e-8
            )


@pytest.mark.slow
def test_one_file_or_two_and_wrong_ones(tmp_path):
    encoder, head = released_weights(18, "ppm_deepsup")
    torch.save(encoder | {"fc.weight": torch.zeros(2, 512), "fc.bias": torch.zeros(2)}, tmp_path / "encoder.pth")
    torch.save(head, tmp_path / "decoder.pth")
    whole = {f"encoder.{n}": t for n, t in encoder.items()} | {f"decoder.{n}": t for n, t in head.items()}
    x = torch.randn(1, 3, 40, 40)
    with torch.no_grad():
        expected = load_csail(encoder, head)(x).logits
        assert torch.equal(load_csail(tmp_path / "encoder.pth", tmp_path / "decoder.pth")(x).logits, expected)
        assert torch.equal(load_csail(whole)(x).logits, expected)
    cases = [
        ((encoder, None), "come in two files; give that of the encoder and that of the decoder"),
        ((head, encoder), "give them the other way round"),
        ((encoder, head | {"fpn_in.0.0.weight": torch.zeros(1)}), "this decoder is UPerNet"),
        ((encoder, {"conv_last.weight": torch.zeros(1)}), "there is no 'decoder.cbr.0.weight'"),
        ((encoder | {"conv3.weight": torch.zeros(64, 64, 3, 3)}, head), "the encoder's stem ends in 64 channels"),
    ]
    for files, message in cases:
        with pytest.raises(UsageError, match=message):
            load_csail(*files)
