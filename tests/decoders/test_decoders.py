"""Decoders climb through the encoder's maps in the right order."""

import torch

from attseg.decoders.bilinear import BilinearDecoder
from attseg.decoders.topdown import TopDownDecoder
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
