import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st

from attseg.prediction.protocol import Protocol
from attseg.prediction.views import Extent, resampled, scales, views

PROTOCOLS = st.builds(
    Protocol,
    scales=st.lists(st.floats(0.2, 2.5), min_size=1, max_size=3).map(tuple),
    window=st.sampled_from([0, 32, 50]),
    stride=st.floats(0.1, 1),
    long_side=st.sampled_from([0, 90]),
)


@pytest.mark.parametrize("sizes", [(7, 7), (7, 3), (3, 7), (1, 5), (5, 1), (100, 51)], ids=str)
def test_pixels_are_read_where_torch_reads_them(sizes):
    source, target = sizes
    line = torch.arange(source).float()[None, None]
    expected = F.interpolate(line, target, mode="linear")[0, 0]
    np.testing.assert_allclose(resampled(source, target), expected, atol=1e-5)  # reading a ramp gives the place


def test_windows_end_with_the_side():
    (one,) = scales(Protocol(window=40, stride=0.5), 100, 90)
    assert [span[:2] for span in one.rows.spans] == [(0, 40), (20, 60), (40, 80), (60, 100)]
    assert [span[:2] for span in one.columns.spans] == [(0, 40), (20, 60), (40, 80), (50, 90)]


def test_small_pictures_are_cut_continued_or_surrounded():
    (cut,) = scales(Protocol(window=50), 40, 20)
    assert (cut.rows.spans, cut.columns.spans) == ((Extent(0, 40, 40, 0),), (Extent(0, 20, 32, 0),))
    (padded,) = scales(Protocol(window=50, pad=True), 41, 50)
    assert (padded.rows.spans, padded.columns.spans) == ((Extent(0, 41, 50, 4),), (Extent(0, 50, 50, 0),))


@given(protocol=PROTOCOLS, height=st.integers(1, 200), width=st.integers(1, 200))
def test_every_row_and_column_is_seen(protocol, height, width):
    for one in scales(protocol, height, width):
        for side in one:
            seen = np.zeros(side.scaled)
            for span in side.spans:
                seen[span.start : span.stop] += side.weights[span.start : span.stop]
                assert span.given >= max(32, span.stop - span.start)
            np.testing.assert_allclose(seen, 1, rtol=1e-6)


@given(protocol=PROTOCOLS, height=st.integers(1, 200), width=st.integers(1, 200))
def test_views_touch_what_is_blended_from_them_and_nothing_else(protocol, height, width):
    for one in scales(protocol, height, width):
        side = one.rows
        for span in side.spans:
            inside = [
                row
                for row, place in enumerate(side.coordinates)
                if any(
                    span.start <= pixel < span.stop and share > 0
                    for pixel, share in ((np.floor(place), 1 - place % 1), (np.floor(place) + 1, place % 1))
                )
            ]
            first, last = side.touched(span)
            assert set(inside) <= set(range(first, last))
            assert not inside or (first, last) == (inside[0], inside[-1] + 1)


@given(protocol=PROTOCOLS, height=st.integers(1, 200), width=st.integers(1, 200))
def test_the_first_rows_never_decrease(protocol, height, width):
    scaled = scales(protocol, height, width)
    found = list(views(scaled))
    firsts = [first for first, _ in found]
    assert firsts == sorted(firsts)
    assert [first for first, view in found] == [view.scaled.rows.touched(view.rows)[0] for _, view in found]
    assert len(found) == sum(len(one.rows.spans) * len(one.columns.spans) for one in scaled)


@pytest.mark.parametrize(("window", "stride"), [(64, 2 / 3), (64, 0.5), (64, 1.0), (50, 0.3)])
def test_tapered_weights_add_up_to_one_and_vanish_at_borders(window, stride):
    protocol = Protocol(window=window, stride=stride, blend="tapered")
    (scaled,) = scales(protocol, 200, 333)
    for side in scaled:
        total, steps = np.zeros(side.scaled), []
        for span in side.spans:
            share = side.shares(span)
            total[span.start : span.stop] += share
            steps += [share[0]] * (span.start > 0) + [share[-1]] * (span.stop < side.scaled)
        assert np.allclose(total, 1)
        if stride < 1:
            assert max(steps) < 0.07  # half a pixel of a ramp over the overlap
