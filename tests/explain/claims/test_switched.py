"""Pieces, swapped scales and contrasts, beside loops and numpy."""

import numpy as np
import pytest
import torch
from scipy import ndimage

from attseg.data.regions import find_regions
from attseg.explain import look
from attseg.explain.claims.by_size import SIZES
from attseg.explain.claims.contrast import ContrastClaim, contrasts
from attseg.explain.claims.measure import claims_of
from attseg.explain.claims.switched import PiecesClaim, SwapClaim, pieces
from watched import build, pictures


def blocks(seed, classes, size=(64, 96)):
    rng = np.random.default_rng(seed)
    coarse = rng.integers(0, classes, (size[0] // 8, size[1] // 8)).astype(np.uint8)
    fine = coarse.repeat(8, 0).repeat(8, 1)
    fine[rng.random(fine.shape) < 0.02] = 255
    return fine


def test_pieces_are_those_of_a_flood_fill():
    labels, predicted = blocks(0, 3), blocks(1, 4)
    predicted[predicted == 255] = 2
    regions = find_regions(labels)
    found = pieces(regions, predicted)
    for number, area in enumerate(regions.areas):
        inside = regions.ids == number
        count = 0
        for label in np.unique(predicted[inside]):
            parts, total = ndimage.label(inside & (predicted == label), np.ones((3, 3)))
            count += sum(int((parts == part).sum()) >= 0.01 * area for part in range(1, total + 1))
        assert found[number] == count


def test_a_network_of_two_scales_is_asked_for_pieces_and_swapped_weights():
    model = build("AttentionToRefine")
    names = {type(claim).__name__ for claim in claims_of(model)}
    assert {"PiecesClaim", "SwapClaim"} <= names
    labels = blocks(2, 5)
    looked = look(model, pictures())
    claim = SwapClaim()
    claim.add(looked, labels, np.random.default_rng(0))
    (table,) = claim.tables()
    columns = [column.removeprefix("right, ") for column in table.columns]
    # the swapped prediction by a hook of our own
    handle = model.merge.attention.register_forward_hook(lambda tap, inputs, weights: weights[:, [1, 0]])
    with torch.no_grad():
        swapped = model(pictures()).logits[0].argmax(0).numpy()
    handle.remove()
    regions = find_regions(labels)
    for name, predicted in (("as it is", looked.labels), ("swapped", swapped)):
        for place, low, high in zip(range(len(SIZES)), (0, 256, 1024, 9216), (256, 1024, 9216, 10**9), strict=True):
            of_size = [n for n, area in enumerate(regions.areas) if low <= area < high and regions.values[n] != 255]
            here = np.isin(regions.ids, of_size)
            value = table.rows[place][1][columns.index(name)].value
            expected = (predicted == labels)[here].mean() if here.any() else None
            assert value == (None if expected is None else pytest.approx(expected))
    claim = PiecesClaim()
    claim.add(looked, labels, np.random.default_rng(0))
    (table,) = claim.tables()
    assert table.columns == ("pieces, as it is", "pieces, location even", "pieces, recalibration even")
    small = (regions.values != 255) & (regions.areas < 256)
    assert table.rows[0][1][0].value == pytest.approx(pieces(regions, looked.labels)[small].mean())


def test_contrasts_are_standard_deviations():
    rng = np.random.default_rng(0)
    low, high = rng.normal(size=(3, 4, 5)), rng.normal(size=(3, 4, 5)) * 2
    first, second = rng.random(3), rng.random(3)
    allowed, taken, share = contrasts(*(torch.from_numpy(part) for part in (low, high, first, second)))
    for c in range(3):
        plain = (low[c] + high[c]).std()
        assert float(allowed[0][c]) == 1
        assert float(allowed[1][c]) == pytest.approx(1 - low[c].std() / plain)
        assert float(allowed[2][c]) == pytest.approx(1 - high[c].std() / plain)
        assert float(taken[0][c]) == pytest.approx(1 - (second[c] * low[c] + first[c] * high[c]).std() / plain)
        assert float(taken[1][c]) == pytest.approx(1 - (low[c] + first[c] * high[c]).std() / plain)
        assert float(taken[2][c]) == pytest.approx(1 - (second[c] * low[c] + high[c]).std() / plain)
        assert float(share[c]) == pytest.approx(low[c].std() / (low[c].std() + high[c].std()))
    allowed, taken, _ = contrasts(torch.from_numpy(low), torch.from_numpy(high), torch.from_numpy(first), None)
    assert allowed[0] is None and allowed[2] is None and taken[0] is None and taken[1] is not None


def test_what_the_gates_take_is_seen_in_the_fused_map():
    model = build("DFDAM")
    looked, claim = look(model, pictures()), ContrastClaim()
    claim.add(looked, blocks(0, 3), np.random.default_rng(0))
    (table,) = claim.tables()
    (fused,) = looked.outputs("decoder.fusion")
    handles = [
        gate.attention.register_forward_hook(lambda tap, inputs, weights: torch.ones_like(weights))
        for gate in (model.decoder.fusion.high_gate, model.decoder.fusion.low_gate)
    ]
    (plain,) = looked.outputs("decoder.fusion")
    for handle in handles:
        handle.remove()
    contrast, without = (maps[0].flatten(1).numpy().std(1) for maps in (fused, plain))
    alive = without > 1e-6 * without.max()
    expected = (1 - contrast[alive] / without[alive]).mean()
    assert dict(table.rows)["what they take away"][0].value == pytest.approx(expected, rel=1e-4)


def test_psa_alone_does_not_read_its_input_a_second_time():
    from attseg import PSANet
    from attseg.errors import UsageError

    small = {"encoder": "test_resnet", "channels": 8, "crop_size": (64, 96), "inner": 8}
    torch.manual_seed(0)
    model = PSANet(3, **small, context_args={"fuse": "alone"}).eval()
    features = torch.randn(1, model.encoder.channels[-1], 8, 12)
    with torch.no_grad():
        torch.testing.assert_close(model.context(features), model.context.fuse(model.context.psa(features)))
    with pytest.raises(UsageError, match="alone"):
        PSANet(3, **small, context_args={"fuse": "alon"})
