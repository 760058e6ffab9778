"""The numbers of claims against loops written from their definitions."""

import json
import math

import numpy as np
import pytest
import torch
from scipy import ndimage

from attseg import DFDAM, FCN, PAN, AttentionToRefine, PSANet
from attseg.data.preprocessing import Preprocessing
from attseg.data.sample import DataError, Sample
from attseg.data.sets.scenes import Scenes
from attseg.errors import UsageError
from attseg.explain.claims.by_size import SIZES, sums_by_size
from attseg.explain.claims.claim import Number, Ratio, at_pixels, cell_ids
from attseg.explain.claims.confidence import border_sums
from attseg.explain.claims.gates import gate_numbers
from attseg.explain.claims.measure import claims_of, measure
from attseg.explain.claims.pairs import class_counts, entropy, mass_on, mass_on_itself, reach
from attseg.explain.claims.report import as_markdown, as_png, draw_claims
from attseg.explain.looked import look
from attseg.prediction.whole import as_batch

SMALL = {"encoder": "test_resnet", "channels": 8}
PSA = {**SMALL, "crop_size": (64, 96), "inner": 8}
SIZE = (37, 50)
CELLS = (4, 6)


def labels(seed=0, size=SIZE):
    """Blocks of classes with some pixels ignored."""
    rng = np.random.default_rng(seed)
    coarse = rng.integers(0, 3, (size[0] // 5 + 1, size[1] // 5 + 1)).astype(np.uint8)
    fine = coarse.repeat(5, 0).repeat(5, 1)[: size[0], : size[1]].copy()
    fine[rng.random(size) < 0.1] = 255
    return fine


def maps(count=5, seed=0):
    weights = np.random.default_rng(seed).random((count, *CELLS)) ** 4
    weights[0] = 0
    weights[0, 1, 2] = 1
    return weights / weights.sum((1, 2), keepdims=True)


PLACES = np.array([(1, 2), (0, 0), (3, 5), (2, 1), (3, 0)])


def cell(y, x):
    return int((y + 0.5) / SIZE[0] * CELLS[0]), int((x + 0.5) / SIZE[1] * CELLS[1])


def test_pixels_lie_in_the_cell_of_their_middle():
    ids = cell_ids(SIZE, SIZE, CELLS)
    values = np.random.default_rng(0).random(CELLS).astype(np.float32)
    spread = at_pixels(values, SIZE, SIZE)
    for y in range(SIZE[0]):
        for x in range(SIZE[1]):
            assert ids[y, x] == cell(y, x)[0] * CELLS[1] + cell(y, x)[1]
            assert spread[y, x] == values[cell(y, x)]


def test_numbers_of_pairs_are_those_of_loops():
    weights, given = maps(), labels()
    step = SIZE[0] / CELLS[0], SIZE[1] / CELLS[1]
    counts = class_counts(given, cell_ids(SIZE, SIZE, CELLS), CELLS)
    known = np.sum(list(counts.values()), 0)
    classes = [0, 1, 2, 0, 1]
    on_own = mass_on(weights, np.stack([counts[one] for one in classes]), known)
    for index, (row, column) in enumerate(PLACES):
        spread, far, own, labelled = 0.0, 0.0, 0.0, 0.0
        for y in range(CELLS[0]):
            for x in range(CELLS[1]):
                weight = weights[index, y, x]
                spread -= weight * math.log(weight) if weight > 0 else 0
                distance = math.hypot((y - row) * step[0], (x - column) * step[1])
                far += weight * distance / math.hypot(*SIZE)
                inside = [v for (j, i), v in np.ndenumerate(given) if cell(j, i) == (y, x) and v != 255]
                own += weight * sum(v == classes[index] for v in inside) / max(len(inside), 1)
                labelled += weight * (len(inside) > 0)
        assert mass_on_itself(weights, PLACES)[index] == weights[index, row, column]
        assert entropy(weights)[index] == pytest.approx(spread / math.log(24), abs=1e-9)
        assert reach(weights, PLACES, step)[index] == pytest.approx(far)
        assert on_own[index] == pytest.approx(own / labelled)


def test_the_ends_of_the_scales():
    even = np.full((1, *CELLS), 1 / 24)
    assert entropy(even)[0] == pytest.approx(1)
    assert entropy(maps()[:1])[0] == 0
    assert reach(maps()[:1], PLACES[:1], (10, 10))[0] == 0
    assert entropy(np.ones((1, 1, 1)))[0] == 1


@pytest.mark.parametrize("width", [1, 3])
def test_sums_at_borders_are_those_of_loops(width):
    given, values = labels(), np.random.default_rng(1).random(SIZE).astype(np.float32)
    on = off = near = far = 0
    for (y, x), one in np.ndenumerate(given):
        if one == 255:
            continue
        around = given[max(0, y - width) : y + width + 1, max(0, x - width) : x + width + 1]
        if ((around != one) & (around != 255)).any():
            on, near = on + float(values[y, x]), near + 1
        else:
            off, far = off + float(values[y, x]), far + 1
    assert border_sums(values, given, width) == pytest.approx((on, off, near, far))


def test_sums_by_size_are_those_of_labelled_regions():
    given = np.zeros((120, 130), np.uint8)
    given[2:5, 2:5], given[20:40, 20:50], given[60:64, 60:64], given[100:, :20] = 1, 1, 2, 255
    values = np.random.default_rng(2).random((2, 120, 130)).astype(np.float32)
    sums, pixels, won = np.zeros((4, 2)), np.zeros(4), np.zeros((4, 2))
    for index in range(3):
        regions, count = ndimage.label(given == index, np.ones((3, 3)))
        for region in range(1, count + 1):
            inside = regions == region
            size = sum(inside.sum() >= bound for bound in (256, 1024, 9216))
            sums[size] += values[:, inside].sum(1)
            pixels[size] += inside.sum()
            won[size, values[:, inside].mean(1).argmax()] += 1
    found = sums_by_size(values, given)
    np.testing.assert_allclose(found[0], sums, rtol=1e-6)
    assert np.array_equal(found[1], pixels)
    assert np.array_equal(found[2], won)
    assert won.sum() == 4 and len(SIZES) == 4


def test_numbers_of_gates_are_means_and_spreads():
    weights = np.array([[0.2, 0.6], [0.4, 0.6]])
    mean, channels, pictures = gate_numbers(weights)
    assert mean.value == pytest.approx(0.45)
    assert channels.value == pytest.approx(0.15)
    assert pictures.value == pytest.approx(0.05)
    assert gate_numbers(weights[:1])[2] == Number(None, None)


def test_the_error_of_a_ratio_is_what_drawing_pictures_again_gives():
    rng = np.random.default_rng(0)
    weights = rng.integers(50, 150, 400)
    totals = weights * rng.normal(0.5, 0.1, 400)
    ratio = Ratio()
    for total, weight in zip(totals, weights, strict=True):
        ratio.add(total, weight)
    again = rng.integers(400, size=(3000, 400))
    drawn = totals[again].sum(1) / weights[again].sum(1)
    value, error = ratio.number()
    assert value == pytest.approx(totals.sum() / weights.sum())
    assert error == pytest.approx(drawn.std(), rel=0.06)
    assert Ratio().number() == Number(None, None)


MODELS = {
    "PSANet": (lambda: PSANet(12, **PSA), ["collect", "distribute"]),
    "DFDAM": (lambda: DFDAM(12, **SMALL), ["confidence at borders", "channel gates", "contrast between positions"]),
    "PAN": (lambda: PAN(12, **SMALL), ["pyramid value"]),
    "AttentionToRefine": (
        lambda: AttentionToRefine(12, base="PAN", base_args=SMALL, stream_channels=8, channels=8),
        [
            *("weight of image scales", "scale that wins", "pieces of objects", "scale weights swapped"),
            "pyramid value",
        ],
    ),
    "FCN nonlocal": (lambda: FCN(12, **SMALL, context="nonlocal"), ["collect"]),
}


def scenes(count=3):
    return Scenes("val", size=(64, 96), count=count)


@pytest.mark.slow
@pytest.mark.parametrize("name", MODELS)
def test_every_model_is_measured_on_what_is_claimed_of_it(name):
    build, expected = MODELS[name]
    torch.manual_seed(0)
    seen = []
    claims = measure(build().eval(), scenes(), Preprocessing(), points=4, on_picture=lambda *at: seen.append(at))
    assert seen == [(1, 3), (2, 3), (3, 3)]
    for table, words in zip(claims.tables, expected, strict=True):
        assert words in table.name
        for _, numbers in table.rows:
            for number in numbers:
                assert number.value is None or math.isfinite(number.value)
    text = as_markdown(claims, title="x")
    assert all(f"## {one.name}" in text for one in claims.tables)
    json.dumps(claims.to_dict(), allow_nan=False)
    assert as_png(draw_claims(claims)).startswith(b"\x89PNG")


def test_points_follow_from_the_seed_alone():
    torch.manual_seed(0)
    model = PSANet(12, **PSA).eval()
    once, again, other = (measure(model, scenes(), Preprocessing(), points=4, seed=seed) for seed in (0, 0, 1))
    assert once == again
    assert once != other


def test_what_is_measured_of_pairs_is_read_from_the_maps():
    torch.manual_seed(0)
    model, data = PSANet(12, **PSA).eval(), scenes(1)
    (found, _) = measure(model, data, Preprocessing(), points=3).tables
    given = data[0]
    rows, columns = np.nonzero(given.labels != 255)
    chosen = np.random.default_rng((0, 0)).integers(len(rows), size=3)
    looked = look(model, as_batch(given.image, Preprocessing(), torch.device("cpu")))
    expected = []
    for index in chosen:
        values = looked.at(int(columns[index]), int(rows[index]))[0].values
        expected.append(values[rows[index] * 4 // 64, columns[index] * 6 // 96])
    assert dict(found.rows)["mass on the point itself"][0].value == pytest.approx(np.mean(expected), rel=1e-5)
    assert dict(found.rows)["mass on the point itself"][1].value == pytest.approx(1 / 24)


def test_a_limit_spreads_over_the_split():
    seen = []

    class Data(Scenes):
        def __getitem__(self, index):
            seen.append(index)
            return super().__getitem__(index)

    torch.manual_seed(0)
    claims = measure(PAN(12, **SMALL).eval(), Data("val", size=(64, 64), count=7), Preprocessing(), limit=3)
    assert (seen, claims.pictures) == ([0, 2, 4], 3)


def test_weights_that_are_no_shares_are_not_measured():
    torch.manual_seed(0)
    claims = measure(PSANet(12, **PSA, normalize="count").eval(), scenes(1), Preprocessing(), points=2)
    assert [(one.rows, one.remarks) for one in claims.tables] == [
        ([], ["its weights are not shares: some are negative, and nothing is measured"])
    ] * 2
    as_png(draw_claims(claims))


def test_what_cannot_be_measured_gets_a_sentence():
    with pytest.raises(UsageError, match="claim nothing of this FCN that could be measured: it has no attention"):
        claims_of(FCN(3, **SMALL))
    with pytest.raises(UsageError, match="its attention is se"):
        claims_of(FCN(3, **SMALL, context="se"))
    with pytest.raises(UsageError, match="limit is 0; at least 1"):
        measure(PAN(3, **SMALL), scenes(), Preprocessing(), limit=0)

    class Broken(Scenes):
        def __getitem__(self, index):
            return Sample(np.zeros((64, 64, 3), np.uint8), np.zeros((64, 60), np.uint8), "bad")

    with pytest.raises(DataError, match=r"64 x 64 pixels \(height x width\), but its labels are 64 x 60"):
        measure(PAN(12, **SMALL).eval(), Broken("val", count=1), Preprocessing())


def test_pictures_without_labels_are_left_out():
    class Ignored(Scenes):
        def __getitem__(self, index):
            return Sample(np.zeros((64, 64, 3), np.uint8), np.full((64, 64), 255, np.uint8), "void")

    torch.manual_seed(0)
    for build, _ in MODELS.values():
        claims = measure(build().eval(), Ignored("val", count=1), Preprocessing(), points=2)
        gates = ("channel gates", "contrast between positions")  # not of labels
        values = [n.value for one in claims.tables if one.name not in gates for _, row in one.rows for n in row]
        assert set(values) <= {None}
