"""One look at a picture holds what capture shows, at every pixel, and costs no second run."""

import pytest
import torch

from attseg import FCN, PSANet, capture
from attseg.attention import pairwise
from attseg.errors import UsageError
from attseg.explain.looked import look
from attseg.explain.pixel import read_pixel
from watched import MODELS, SMALL, build, pictures

POINTS = [(0, 0), (95, 63), (50, 17)]


@pytest.fixture(scope="module", params=MODELS)
def model(request):
    return build(request.param)


def test_every_map_and_every_pixel_are_what_capture_shows(model):
    with torch.no_grad():
        plain = model(pictures()).logits[0]
        with capture(model) as maps:
            model(pictures())
    looked = look(model, pictures())
    assert torch.equal(looked.logits, plain)
    assert looked.size == (64, 96)
    assert (looked.labels == plain.argmax(0).numpy()).all()
    torch.testing.assert_close(torch.from_numpy(looked.scores), plain.softmax(0))
    assert [(one.name, one.kind, one.direction) for one in looked.maps] == [
        (one.name, one.kind, one.direction) for one in maps
    ]
    assert len({one.name for one in maps}) == len(maps)
    for mine, theirs in zip(looked.maps, maps, strict=True):
        torch.testing.assert_close(mine.weights, theirs.weights)
    for x, y in POINTS:
        read = read_pixel(maps, x=x, y=y, size=(64, 96))
        for mine, theirs in zip(looked.at(x, y), read, strict=True):
            assert (mine.name, mine.kind, mine.direction) == (theirs.name, theirs.kind, theirs.direction)
            torch.testing.assert_close(torch.from_numpy(mine.values), torch.from_numpy(theirs.values))


def test_nothing_is_left_on_the_model_and_nothing_runs_again(model):
    looked = look(model, pictures())
    runs = []
    handle = model.encoder.register_forward_hook(lambda *_: runs.append(1))
    try:
        looked.at(3, 4)
        looked.at(90, 60)
    finally:
        handle.remove()
    assert not runs
    assert not any(module._forward_hooks or module._forward_pre_hooks for module in model.modules())


def test_pairwise_maps_that_are_too_large_are_read_at_points_alone(monkeypatch):
    model = build("PSANet")
    full = look(model, pictures())
    assert [one.kind for one in full.maps] == ["pairwise", "pairwise"]
    monkeypatch.setattr(pairwise, "MOST_WEIGHTS", 100)
    looked = look(model, pictures())
    assert looked.maps == []
    collect, distribute = looked.at(50, 17)
    for mine, theirs in zip((collect, distribute), full.at(50, 17), strict=True):
        torch.testing.assert_close(mine.values, theirs.values)
    assert (collect.direction, distribute.direction) == ("collect", "distribute")
    assert collect.values.sum() == pytest.approx(1, abs=1e-5)
    with pytest.raises(RuntimeError, match=r"all pairs of 4 x 6 positions would be .* GiB and is not built"):
        looked.pairs[0].all()


@pytest.mark.slow
def test_large_pictures_need_no_memory_for_all_pairs():
    """125 x 94 positions have 138 million pairs; the look builds none of them."""
    model = PSANet(3, encoder="test_resnet", channels=4, inner=4, crop_size=(64, 64), shrink=1).eval()
    looked = look(model, torch.zeros(1, 3, 752, 1000))
    assert [one.cells for one in looked.pairs] == [(94, 125)] * 2
    assert not any(one.fits for one in looked.pairs)
    assert [one.values.shape for one in looked.at(999, 751)] == [(94, 125)] * 2


def test_passes_at_several_image_scales_are_told_apart():
    names = [one.name for one in look(build("AttentionToRefine on PSANet"), pictures()).found]
    assert names == [
        *(
            f"base.context.psa.branches.{way}.attention at {at} %"
            for at in (100, 50)
            for way in ("collect", "distribute")
        ),
        "merge.attention",
        "merge.recalibrate.attention",
    ]


def test_a_model_without_attention_has_no_maps():
    looked = look(FCN(3, **SMALL).eval(), pictures())
    assert (looked.maps, looked.pairs, looked.at(0, 0)) == ([], [], [])


def test_what_cannot_be_asked_gets_a_sentence():
    model = build("PAN")
    with pytest.raises(UsageError, match=r"shape \(2, 3, 64, 96\) were given; one was expected"):
        look(model, pictures().expand(2, 3, 64, 96))
    with pytest.raises(UsageError, match="x=96, y=0 is outside the picture: x goes from 0 to 95, y from 0 to 63"):
        look(model, pictures()).at(96, 0)
