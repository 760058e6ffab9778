"""DF-DAM's decoder: context from the two deepest maps, spatial information from the finest, and their sum."""

import pytest
import torch
import torch.nn.functional as F

from attseg import capture
from attseg.decoders.dual import DualDecoder
from attseg.errors import UsageError

LOWS = [torch.randn(2, 3, 16, 20), torch.randn(2, 5, 8, 10), torch.randn(2, 7, 4, 5)]
HIGH = torch.randn(2, 6, 2, 3)
ROWS = {
    "sum": {"gates": "none", "confidence": "none"},
    "DAFM": {"confidence": "none"},
    "DAFM + 2DPAM": {},
}


def larger(maps, size):
    return F.interpolate(maps, size, mode="bilinear", align_corners=False)


@pytest.mark.parametrize("row", ROWS)
@torch.no_grad()
def test_adds_what_the_two_modules_give(row):
    torch.manual_seed(0)
    decoder = DualDecoder((3, 5, 7), 6, **ROWS[row]).eval()
    context = decoder.fusion(LOWS[2], HIGH)
    fine = larger(context, (16, 20))
    spatial = decoder.position(LOWS[0], fine)
    fused, sides = decoder(LOWS, HIGH)
    assert {name: tuple(side.shape) for name, side in sides.items()} == {
        "context": (2, 6, 4, 5),
        "spatial": (2, 6, 16, 20),
    }
    assert torch.equal(sides["context"], context)
    assert torch.equal(sides["spatial"], spatial)
    torch.testing.assert_close(fused, spatial + fine)


@torch.no_grad()
def test_the_row_sum_is_a_plain_sum_of_three_maps():
    torch.manual_seed(0)
    decoder = DualDecoder((3, 5, 7), 6, **ROWS["sum"]).eval()
    finest, deep = decoder.position.reduce(LOWS[0]), decoder.fusion.reduce(LOWS[2])
    expected = finest + larger(deep + larger(HIGH, (4, 5)), (16, 20))
    torch.testing.assert_close(decoder(LOWS, HIGH).fused, expected)
    with pytest.raises(RuntimeError, match="has no attention"), capture(decoder):
        decoder(LOWS, HIGH)


@pytest.mark.parametrize(
    ("row", "taps"),
    [
        ("DAFM", ["fusion.high_gate.attention", "fusion.low_gate.attention"]),
        ("DAFM + 2DPAM", ["fusion.high_gate.attention", "fusion.low_gate.attention", "position.attention"]),
    ],
)
def test_the_taps_of_the_rows(row, taps):
    with capture(decoder := DualDecoder((3, 5, 7), 6, **ROWS[row])) as maps:
        decoder(LOWS, HIGH)
    assert [m.name for m in maps] == taps


@torch.no_grad()
def test_the_maps_in_between_are_not_used():
    decoder = DualDecoder((3, 5, 7), 6).eval()
    other = [LOWS[0], torch.randn_like(LOWS[1]), LOWS[2]]
    assert torch.equal(decoder(other, HIGH).fused, decoder(LOWS, HIGH).fused)


def test_an_encoder_with_two_maps_is_enough_and_one_is_not():
    decoder = DualDecoder((3,), 6)
    assert decoder([LOWS[0]], HIGH).fused.shape == (2, 6, 16, 20)
    with pytest.raises(UsageError, match="gives a single map; the dual decoder adds a finer one"):
        DualDecoder((), 6)
