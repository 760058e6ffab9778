"""Every decoder takes any encoder's maps; the plain ones climb through them in the right order."""

from typing import get_args

import pytest
import torch

from attseg.decoders import DecoderName, build_decoder
from attseg.decoders.bilinear import BilinearDecoder
from attseg.decoders.topdown import TopDownDecoder
from attseg.errors import UsageError
from attseg.layers import resize

LOWS = [torch.randn(2, 3, 16, 20), torch.randn(2, 5, 8, 10), torch.randn(2, 7, 4, 5)]
HIGH = torch.randn(2, 6, 4, 5)


def test_bilinear_passes_the_deepest_map_on():
    fused, sides = BilinearDecoder()(LOWS, HIGH)
    assert fused is HIGH
    assert sides == {}


def test_topdown_takes_one_step_a_map_from_deep_to_fine():
    torch.manual_seed(0)
    decoder = TopDownDecoder((3, 5, 7), 6).eval()
    expected = HIGH
    for index in (2, 1, 0):
        expected = decoder.steps[index](LOWS[index], expected)
    out = decoder(LOWS, HIGH).fused
    assert out.shape == (2, 6, 16, 20)
    assert torch.equal(out, expected)


def test_without_guidance_the_steps_are_plain_sums():
    torch.manual_seed(0)
    decoder = TopDownDecoder((3, 5, 7), 6, context=False).eval()
    expected = HIGH
    for index in (2, 1, 0):
        expected = resize(expected, LOWS[index].shape[-2:]) + decoder.steps[index].reduce(LOWS[index])
    torch.testing.assert_close(decoder(LOWS, HIGH).fused, expected)
    assert {name.split(".")[2] for name, _ in decoder.named_parameters()} == {"reduce"}


ENCODERS = {
    "at strides 4 to 32": [(16, 20), (8, 10), (4, 5), (2, 3)],
    "at output stride 8": [(16, 20), (8, 10), (8, 10), (8, 10)],
    "with odd sizes": [(17, 9), (9, 5), (5, 3), (3, 2)],
    "with one stride for all": [(7, 5), (7, 5), (7, 5), (7, 5)],
    "of a tiny picture": [(8, 8), (4, 4), (2, 2), (1, 1)],
}


@pytest.mark.parametrize("name", get_args(DecoderName))
@pytest.mark.parametrize("encoder", ENCODERS)
def test_every_decoder_takes_the_maps_of_every_encoder(name, encoder):
    sizes = ENCODERS[encoder]
    decoder = build_decoder(name, (3, 5, 7), 6).train()
    for n in (1, 2):
        lows = [torch.randn(n, c, *size) for c, size in zip((3, 5, 7), sizes[:3], strict=True)]
        fused, sides = decoder(lows, torch.randn(n, 6, *sizes[3], requires_grad=True))
        assert fused.shape == (n, 6, *(sizes[3] if name == "bilinear" else sizes[0]))
        fused.square().mean().backward()
        assert all(p.grad is not None and p.grad.isfinite().all() for p in decoder.parameters())
        assert all(side.shape[:2] == (n, 6) for side in sides.values())


@pytest.mark.parametrize("name", [name for name in get_args(DecoderName) if name != "bilinear"])
def test_every_decoder_but_the_naive_one_is_built_for_the_channels_of_its_encoder(name):
    decoder = build_decoder(name, (8, 8), 4)
    assert decoder([torch.randn(1, 8, 6, 6), torch.randn(1, 8, 6, 6)], torch.randn(1, 4, 6, 6)).fused.shape == (
        1,
        4,
        6,
        6,
    )
    with pytest.raises(RuntimeError, match="channels"):
        decoder([torch.randn(1, 3, 6, 6), torch.randn(1, 3, 6, 6)], torch.randn(1, 4, 6, 6))


def test_unknown_decoders_are_named():
    with pytest.raises(UsageError, match="no decoder 'gua'; did you mean 'gau'"):
        build_decoder("gua", (3, 5), 4)
