import json
from dataclasses import replace

import numpy as np
import pytest
import torch

from attseg.data.classes import ClassTable, distinct_colors
from attseg.explain import bundle as module
from attseg.explain import bundle_picture
from attseg.explain.bundle import Side, make_bundle
from attseg.explain.looked import look
from attseg.explain.passes import scale_names
from attseg.explain.pixel import cell_of
from attseg.explain.planes import decode
from attseg.models import FCN, AttentionToRefine, PSANet

CLASSES = ClassTable(("sky", "road", "car"), distinct_colors(3))


def an_image(height, width):
    return np.random.default_rng(0).integers(0, 256, (height, width, 3), np.uint8)


def a_side(model, height, width):
    torch.manual_seed(0)
    return Side("Net", "run", CLASSES, look(model.eval(), torch.randn(1, 3, height, width)), scale_names(model))


@pytest.fixture(scope="module")
def psanet():
    torch.manual_seed(0)
    return PSANet(3, encoder="test_resnet", crop_size=(64, 64), inner=4, channels=4)


def by_name(bundle):
    return {one["name"]: one for one in bundle["sides"][0]["maps"]}


def test_classes_and_scores_are_those_of_the_model(psanet):
    side = a_side(psanet, 40, 56)
    written = make_bundle(an_image(40, 56), [side], name="p")["sides"][0]
    best = torch.from_numpy(side.looked.scores).topk(2, 0)
    assert (decode(written["labels"]).round() == side.looked.labels).all()
    assert (decode(written["seconds"]).round() == best.indices[1].numpy()).all()
    assert np.abs(decode(written["scores"]) - best.values[0].numpy()).max() <= 1 / 510
    assert np.abs(decode(written["second_scores"]) - best.values[1].numpy()).max() <= 1 / 510
    areas = [one["area"] for one in written["classes"]]
    assert areas == pytest.approx([(side.looked.labels == index).mean() for index in range(3)], abs=1e-6)


def test_every_map_is_read_as_looked_reads_it(psanet):
    """The viewer's arithmetic, in Python: the cell of a pixel, then the bytes."""
    side = a_side(psanet, 72, 100)
    maps = by_name(make_bundle(an_image(72, 100), [side], name="p"))
    assert len(maps) == 2
    for x, y in ((0, 0), (99, 71), (50, 30)):
        for one in side.looked.at(x, y):
            written = maps[one.name]
            row, column = cell_of(x, y, side.looked.size, tuple(written["size"]))
            kept = decode(written["pairs"]["values"])[row * written["size"][1] + column]
            assert np.abs(kept - one.values).max() <= one.values.max() / 254
            assert written["pairs"]["direction"] == one.direction


def test_scales_and_classes_have_names():
    model = AttentionToRefine(3, base="FCN", base_args={"encoder": "test_resnet"}, stream_channels=4, channels=4)
    side = a_side(model, 64, 64)
    maps = by_name(make_bundle(an_image(64, 64), [side], name="p"))
    assert maps["merge.attention"]["entries"] == ["100 %", "50 %"]
    assert maps["merge.recalibrate.attention"]["entries"] == ["sky", "road", "car"]
    assert maps["merge.attention"]["kind"] == "scale"
    for one in side.looked.maps:
        written = maps[one.name]["values"]
        span = written["high"] - written["low"]
        assert np.abs(decode(written) - one.weights[0].numpy()).max() <= span / 510 + 1e-6


def test_pictures_below_32_pixels_are_cut_out_of_what_the_network_saw(psanet):
    side = a_side(psanet, 32, 40)
    written = make_bundle(an_image(20, 40), [side], name="p")
    assert written["sides"][0]["seen"] == [32, 40] and written["sides"][0]["labels"]["shape"] == [20, 40]
    assert (decode(written["sides"][0]["labels"]).round() == side.looked.labels[:20]).all()


def test_large_pictures_and_maps_are_scaled_down_and_say_so(psanet, monkeypatch):
    monkeypatch.setattr(bundle_picture, "LONGEST", 50)
    monkeypatch.setattr(module, "MOST_PAIRS", 400)
    side = a_side(psanet, 80, 120)
    written = make_bundle(an_image(80, 120), [side], name="p")
    assert written["picture"]["width"] == 120 and written["sides"][0]["labels"]["shape"] == [33, 50]
    kept = decode(written["sides"][0]["labels"]).round()
    assert kept[32, 49] == side.looked.labels[78, 118] and kept[0, 0] == side.looked.labels[1, 1]
    one = written["sides"][0]["maps"][0]
    rows, columns = one["size"]
    step = one["pairs"]["step"]
    assert (rows, columns) == (5, 8) and step == one["pool"] == 2
    values = decode(one["pairs"]["values"])
    assert values.shape == (3 * 4, 3, 4)
    exact = side.looked.pairs[0].at([(23, 25)])[0]  # of the cell in row 1 and column 1, the middle of the first 2 x 2
    assert cell_of(23, 25, (80, 120), (5, 8)) == (1, 1)
    assert values[0, 0, 0] == pytest.approx(exact[:2, :2].mean(), abs=float(values[0].max()) / 200)
    assert values[0, 2, 3] == pytest.approx(exact[4:, 6:].mean(), abs=float(values[0].max()) / 200)
    assert (
        written["notes"][0]
        == "The picture has 80 × 120 pixels (height × width); it, classes and scores are kept at 33 × 50."
    )
    assert written["notes"][1].endswith(
        "5 × 8 positions (height × width), of which one in 2 × 2 has its map here; weights are means of 2 × 2."
    )


def test_pairs_can_be_left_to_be_asked_for(psanet):
    written = make_bundle(an_image(40, 56), [a_side(psanet, 40, 56)], name="p", pairs=False)
    assert [one["pairs"]["values"] for one in written["sides"][0]["maps"]] == [None, None]


def test_a_model_without_attention_has_no_maps_and_two_models_have_different_ids(psanet):
    sides = [a_side(FCN(3, encoder="test_resnet"), 40, 56), a_side(psanet, 40, 56), a_side(psanet, 40, 56)]
    written = make_bundle(an_image(40, 56), sides, name="p", at=(3, 4))
    assert written["sides"][0]["maps"] == [] and written["at"] == (3, 4)
    ids = [one["id"] for side in written["sides"] for one in side["maps"]]
    assert len(set(ids)) == len(ids) == 4


def test_it_is_plain_json(psanet):
    written = make_bundle(an_image(40, 56), [a_side(psanet, 40, 56)], name="p")
    assert json.loads(json.dumps(written, allow_nan=False))["name"] == "p"


def test_switches_hold_what_changes_without_each_map():
    from attseg.explain.change import without
    from watched import build, pictures

    names = ("a", "b", "c", "d", "e")
    side = Side("PAN", "x", ClassTable(names, distinct_colors(5)), look(build("PAN"), pictures()))
    image = np.zeros((50, 90, 3), np.uint8)  # the network saw it continued
    bundle = make_bundle(image, [side, replace(side)], name="x", switches=True)
    found = bundle["sides"][0]["switches"]
    assert [(one["map"], one["how"]) for one in found[:3]] == [
        ("context.pyramid", how) for how in ("off", "even", "other")
    ]
    assert len(found) == 12
    for one in found:
        change = without(side.looked, [one["map"]], one["how"], other=side.looked if one["how"] == "other" else None)
        expected = change.within(50, 90)
        assert (decode(one["labels"]) * 1 == expected.labels).all()
        assert one["share"] == pytest.approx(expected.share, abs=1e-5)
        assert one["moved"] == pytest.approx(float(expected.shift.mean()), abs=1e-5)
    assert "1" in found[0]["means"] and "mean" in found[1]["means"]
    json.dumps(bundle, allow_nan=False)
    assert make_bundle(image, [side], name="x")["sides"][0]["switches"] is None


def test_pairs_that_are_too_many_are_left_out_of_the_switches(monkeypatch):
    from attseg.attention import pairwise
    from attseg.explain.ablation import single_changes
    from watched import build, pictures

    looked = look(build("PSANet"), pictures())
    assert len(list(single_changes(looked))) == 4
    monkeypatch.setattr(pairwise, "MOST_WEIGHTS", 30)
    assert list(single_changes(looked)) == []
