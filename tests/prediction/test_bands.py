import pytest
import torch

from attseg.prediction.bands import ROWS, Rows, ScoreBands
from attseg.prediction.protocol import Protocol
from attseg.prediction.views import scales, views


def held(rows):
    return sum(block.shape[1] for block in rows._blocks.values())


def test_rows_are_made_when_they_are_added_to_and_can_be_dropped():
    rows = Rows(1000, 7)
    values = torch.arange(2.0 * 100 * 3).view(2, 100, 3)
    rows.add(130, 4, values, torch.ones(100, 3))
    rows.add(140, 4, values[:, :20], torch.full((20, 3), 2.0))
    assert held(rows) == 2 * ROWS
    expected = torch.zeros(2, 100, 7)
    expected[:, :, 4:] = values
    expected[:, 10:30, 4:] += 2 * values[:, :20]
    assert torch.equal(rows.read(130, 230), expected)
    assert torch.equal(rows.read(200, 210), expected[:, 70:80])
    rows.drop(191)
    assert held(rows) == 2 * ROWS
    rows.drop(192)
    assert held(rows) == ROWS


def test_classes_stay_innermost_in_memory():
    values = torch.rand(100, 3, 5).permute(2, 0, 1)
    innermost, outermost = Rows(100, 3), Rows(100, 3)
    innermost.add(0, 0, values, torch.ones(100, 3))
    outermost.add(0, 0, values.contiguous(), torch.ones(100, 3))
    assert innermost.read(0, 60).stride() == (1, 15, 5)
    assert torch.equal(innermost.read(0, 100), outermost.read(0, 100))


def test_the_last_block_ends_with_the_map():
    rows = Rows(70, 3)
    rows.add(0, 0, torch.ones(1, 70, 3), torch.ones(70, 3))
    assert rows.read(0, 70).shape == (1, 70, 3)
    assert rows.read(64, 70).shape == (1, 6, 3)


@pytest.mark.parametrize("scale", [0.1, 0.25, 0.5])
def test_what_was_scaled_down_is_kept_small(scale):
    (scaled,) = scales(Protocol(scales=(scale,), window=32), 1000, 900)
    bands, most, given = ScoreBands(1000, 900, "logits"), 0, []
    for first, view in views([scaled]):
        given += bands.done(first)
        bands.add(view, torch.ones(2, view.rows.stop - view.rows.start, view.columns.stop - view.columns.start), 1.0)
        assert held(bands._full) == 0
        most = max(most, sum(held(small) for _, small in bands._small.values()))
    given += bands.done(1000)
    assert most <= 32 + 2 * ROWS
    assert [band.top for band in given] == list(range(0, 1000, ROWS))
    torch.testing.assert_close(torch.cat([band.values for band in given], 1), torch.ones(2, 1000, 900))


def test_rows_of_the_picture_are_held_for_little_more_than_a_window():
    protocol = Protocol(scales=(0.6, 0.75, 1.0, 1.5, 2.0), window=64)
    scaled = scales(protocol, 1500, 200)
    bands, most = ScoreBands(1500, 200, "logits"), 0
    for first, view in views(scaled):
        list(bands.done(first))
        bands.add(view, torch.ones(1, 64, 64), 0.2)
        most = max(most, held(bands._full))
    assert most <= 64 / 0.6 + 2 * ROWS
