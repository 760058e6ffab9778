"""The papers' figures show the numbers of the maps, for every model that has them, and say what is missing."""

import io

import numpy as np
import pytest
import torch
from matplotlib.image import AxesImage

from attseg import DFDAM, FCN, PAN, AttentionToRefine, PSANet
from attseg.data.classes import ClassTable
from attseg.data.paint import overlay
from attseg.data.preprocessing import Preprocessing
from attseg.errors import UsageError
from attseg.explain import figures
from attseg.explain.figures.seen import Pictured, means_by_class, on_picture
from attseg.explain.titles import map_titles
from attseg.inference.segmenter import Segmenter

CLASSES = ClassTable(("sky", "road", "a $1 bus"), ((70, 130, 180), (128, 64, 128), (255, 255, 255)))
SMALL = {"encoder": "test_resnet", "channels": 8}
PSA = {**SMALL, "crop_size": (64, 96), "inner": 8}
REFINE = {"base": "FCN", "base_args": SMALL, "stream_channels": 8, "channels": 8}


def see(model, height=64, width=96, seed=0):
    segmenter = Segmenter(model, CLASSES, Preprocessing(), device="cpu")
    return segmenter(np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8))


def build(kind, **args):
    torch.manual_seed(0)
    return kind(3, **args)


def panel(figure, title):
    """The values of the map below a title."""
    axes = next(one for one in figure.axes if one.get_title() == title)
    return next(one for one in axes.get_children() if isinstance(one, AxesImage)).get_array()


def save(figure):
    for format in ("png", "svg", "pdf"):
        figure.savefig(io.BytesIO(), format=format, dpi=40)


@pytest.mark.slow
def test_scales_are_the_maps_and_their_means():
    seen = see(build(AttentionToRefine, **REFINE))
    figure = figures.a2r_scales(seen)
    weights = seen.looked.maps[0].weights[0].numpy()
    for place, name in enumerate(("100 %", "50 %")):
        mean = weights[place].mean()
        assert np.array_equal(panel(figure, f"scale {name} (mean {mean:.2f})"), weights[place])
    bars = next(one for one in figure.axes if one.get_ylabel() == "mean weight")
    assert len(bars.patches) == 2 * len(seen.names)
    assert [text.get_text() for text in bars.get_xticklabels()] == seen.names
    save(figure)


@pytest.mark.slow
def test_recalibration_has_a_map_a_class():
    seen = see(build(AttentionToRefine, **REFINE))
    figure = figures.a2r_recalibration(seen)
    weights = seen.looked.maps[1].weights[0].numpy()
    for name in seen.names:
        assert np.array_equal(panel(figure, name), weights[CLASSES.names.index(name)])
    save(figure)


@pytest.mark.slow
def test_curves_are_the_gates():
    model = build(DFDAM, **SMALL)
    seen, second = see(model), see(model, seed=1)
    one, two = figures.dfdam_7(seen), figures.dfdam_7(seen, second)
    assert (len(one.axes), len(two.axes)) == (1, 2)
    high, low = (
        next(m for m in seen.looked.maps if f"{name}_gate" in m.name).weights.flatten().numpy()
        for name in ("high", "low")
    )
    assert all(np.array_equal(a.get_ydata(), b) for a, b in zip(two.axes[0].lines, (high, low), strict=True))
    assert np.array_equal(two.axes[1].lines[0].get_ydata(), low)
    assert not np.array_equal(two.axes[1].lines[1].get_ydata(), low)
    save(two)


def test_a_single_gate_has_a_curve_of_its_own():
    figure = figures.dfdam_7(see(build(DFDAM, **SMALL, gates="high")))
    assert [line.get_label().split(" (")[0] for line in figure.axes[0].lines] == ["high-level"]


@pytest.mark.slow
def test_channels_are_the_lowest_and_the_two_highest_or_those_asked_for():
    model = build(DFDAM, **SMALL)
    seen = see(model)
    figure = figures.dfdam_8(seen, see(model, seed=1))
    gate = next(m for m in seen.looked.maps if "low_gate" in m.name).weights.flatten().numpy()
    order = np.argsort(gate)
    titles = [axes.get_title() for axes in figure.axes if axes.get_title().startswith("channel")]
    assert titles[:3] == [f"channel {i} (weight {gate[i]:.2f})" for i in (order[0], order[-1], order[-2])]
    assert len(titles) == 6
    features = seen.looked.outputs("decoder.fusion.reduce")[0][0].numpy()
    assert np.array_equal(panel(figure, titles[0]), features[order[0]])
    confidence = next(m for m in seen.looked.maps if m.mechanism == "2dpam")
    assert np.array_equal(panel(figure, "confidence"), confidence.weights[0, 0].numpy())
    chosen = figures.dfdam_8(seen, channels=[5])
    assert f"channel 5 (weight {gate[5]:.2f})" in [axes.get_title() for axes in chosen.axes]
    save(figure)
    with pytest.raises(UsageError, match=r"channel 8 was asked for; the low-level map has the channels 0\.\.7"):
        figures.dfdam_8(seen, channels=[8])


def test_the_last_panel_shows_labels_where_there_are_some():
    seen = see(build(DFDAM, **SMALL))
    assert figures.dfdam_8(seen).axes[5].get_title() == "prediction"
    truth = np.zeros(seen.labels.shape, np.uint8)
    labelled = Pictured(seen.image, seen.labels, seen.classes, seen.looked, truth)
    drawn = figures.dfdam_8(labelled).axes[5]
    assert drawn.get_title() == "labels"
    expected = overlay(seen.image, truth, seen.classes, 0.6)
    assert np.array_equal(drawn.images[0].get_array(), expected)
    truth[:] = next(index for index in range(3) if index not in seen.labels)
    legend = figures.dfdam_8(labelled).legends[0]
    assert len(legend.get_texts()) == len(np.unique(seen.labels)) + 1


def test_a_signed_bias_widens_the_range():
    model = build(AttentionToRefine, **REFINE, recalibration="signed-bias")
    seen = see(model)
    weights = next(one for one in seen.looked.maps if one.mechanism == "recalibration").weights
    assert weights.min() < 0
    figure = figures.a2r_recalibration(seen)
    drawn = [image.get_clim() for axes in figure.axes for image in axes.images if image.cmap.name == "inferno"]
    expected = (pytest.approx(float(weights.min())), pytest.approx(max(1.0, float(weights.max()))))
    assert drawn
    assert all(limits == expected for limits in drawn)
    save(figure)


@pytest.mark.slow
def test_pyramid_and_gates_of_pan():
    seen = see(build(PAN, **SMALL))
    pyramid = figures.pan_fpa(seen)
    assert np.array_equal(panel(pyramid, "Where (FPA)"), seen.looked.maps[0].weights[0, 0].numpy())
    gates = figures.pan_gau(seen)
    for axes, one in zip(gates.axes[1:], seen.looked.maps[1:], strict=True):
        weights = one.weights.flatten().numpy()
        assert np.array_equal(axes.lines[0].get_ydata(), weights)
        assert np.array_equal(axes.lines[1].get_ydata(), np.sort(weights)[::-1])
    save(pyramid)
    save(gates)


@pytest.mark.slow
def test_masks_of_two_points_in_both_directions():
    seen = see(build(PSANet, **PSA))
    points = [(10, 10), (90, 60)]
    figure = figures.psanet_6(seen, points)
    collect, distribute = seen.looked.pairs
    for place, _ in enumerate(points):
        for one, words in ((collect, "where {} collects from"), (distribute, "whom {} distributes to")):
            values = one.at(points)[place]
            np.testing.assert_allclose(panel(figure, words.format(place + 1)), values * values.size, rtol=1e-6)
    save(figure)
    assert len([a for a in figures.psanet_6(seen).axes if a.get_title().startswith("where")]) == 2
    with pytest.raises(UsageError, match="x=96, y=0 is outside the picture"):
        figures.psanet_6(seen, [(96, 0)])
    with pytest.raises(UsageError, match="8 points were given; at most 7"):
        figures.psanet_6(seen, [(0, 0)] * 8)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("draw", "model"),
    [
        (figures.psanet_6, lambda: build(FCN, **SMALL, context="nonlocal")),
        (figures.psanet_6, lambda: build(AttentionToRefine, **{**REFINE, "base": "PSANet", "base_args": PSA})),
        (figures.pan_fpa, lambda: build(FCN, **SMALL, context="fpa")),
        (figures.pan_fpa, lambda: build(AttentionToRefine, **{**REFINE, "base": "PAN"})),
        (figures.dfdam_8, lambda: build(AttentionToRefine, **{**REFINE, "base": "DFDAM"})),
        (figures.a2r_scales, lambda: build(AttentionToRefine, **REFINE, merge="attention")),
    ],
)
@pytest.mark.parametrize("size", [(20, 300), (150, 40)])
def test_any_model_with_the_maps_and_any_picture(draw, model, size):
    draw(see(model(), *size)).savefig(io.BytesIO(), dpi=30)


@pytest.mark.parametrize(
    ("draw", "message"),
    [
        (figures.psanet_6, r"this PAN has no attention between positions: its attention is fpa, gau\. Take a PSANet"),
        (figures.a2r_scales, r"has no weights of image scales.* Take an AttentionToRefine with merge='location'"),
        (figures.a2r_recalibration, "has no recalibration of classes"),
        (figures.dfdam_7, r"has no dual attention over channels.* Take a DFDAM"),
    ],
)
def test_a_model_without_the_maps_gets_a_sentence(draw, message):
    with pytest.raises(UsageError, match=message):
        draw(see(build(PAN, **SMALL)))


def test_a_model_without_attention_gets_a_sentence():
    with pytest.raises(UsageError, match="has no pyramid attention: it has no attention at all. Take a PAN"):
        figures.pan_fpa(see(build(FCN, **SMALL)))


def test_means_by_class_are_those_of_loops():
    seen = see(build(AttentionToRefine, **REFINE), 50, 77)
    weights = seen.looked.maps[0].weights[0]
    values, (rows, columns) = on_picture(weights, seen), weights.shape[1:]
    sums, counts = np.zeros((2, 3)), np.zeros(3)
    for y in range(50):
        for x in range(77):
            here = weights[:, int((y + 0.5) / 50 * rows), int((x + 0.5) / 77 * columns)].numpy()
            assert np.array_equal(values[:, y, x], here)
            sums[:, seen.labels[y, x]] += here
            counts[seen.labels[y, x]] += 1
    classes = [index for index in range(3) if counts[index]]
    expected = sums[:, classes] / counts[classes]
    np.testing.assert_allclose(means_by_class(values, seen.labels, classes), expected, rtol=1e-4)


@pytest.mark.slow
@pytest.mark.parametrize("size", [(64, 96), (20, 200)])
@pytest.mark.parametrize(
    "model",
    [
        lambda: build(PAN, **SMALL),
        lambda: build(PSANet, **PSA),
        lambda: build(AttentionToRefine, **REFINE),
        lambda: build(DFDAM, **SMALL),
        lambda: build(FCN, **SMALL),
    ],
)
def test_a_pixel_has_a_panel_a_map(model, size):
    seen = see(model(), *size)
    figure = figures.at_pixel(seen, 7, 5)
    read = seen.attention(7, 5)
    drawn = [axes.get_title() for axes in figure.axes]
    titles = map_titles(seen.looked)
    assert all(any(title.startswith(titles[one.name]) for title in drawn) for one in read)
    for axes in figure.axes:
        for one in read:
            if one.kind == "channel" and axes.get_title() == titles[one.name]:
                assert np.array_equal(axes.lines[0].get_ydata(), one.values)
            if one.kind == "scale" and axes.get_title() == titles[one.name]:
                assert [bar.get_width() for bar in axes.patches] == one.values.tolist()
    figure.savefig(io.BytesIO(), dpi=30)
    with pytest.raises(UsageError, match="is outside the picture"):
        figures.at_pixel(seen, 200, 0)
