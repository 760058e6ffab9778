import csv

import numpy as np
import pytest
from matplotlib import rcParams
from PIL import Image

from attseg.data.classes import IGNORE, ClassTable, distinct_colors
from attseg.evaluation.plots import _smooth, draw_confusion, draw_curves, draw_samples
from attseg.evaluation.report import Report


def some_classes(count):
    return ClassTable(tuple(f"class ${index}$" for index in range(count)), distinct_colors(count))


def some_report(count, *, absent=()):
    counts = np.random.default_rng(0).integers(0, 50, (count, count)) + np.diag(np.full(count, 1000))
    counts[list(absent)] = 0
    counts[:, list(absent)] = 0
    return Report(classes=some_classes(count), counts=counts, pictures=7)


def write_metrics(path, steps, *, every=10):
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["step", "loss", "lr", "images_per_second", "miou"])
        for step in range(1, steps + 1):
            writer.writerow([step, 3 / step, 0.01 * (1 - step / steps), 12.5, ""])
            if every and step % every == 0:
                writer.writerow([step, "", "", "", step / (2 * steps)])


def pixels(path):
    with Image.open(path) as picture:
        return np.asarray(picture.convert("RGB"))


def colors_in(path):
    return {tuple(color) for color in np.unique(pixels(path).reshape(-1, 3), axis=0).tolist()}


BLUE, ORANGE = (0, 114, 178), (213, 94, 0)


@pytest.mark.slow
@pytest.mark.parametrize("steps", [1, 300])
def test_curves_show_loss_and_miou(tmp_path, steps):
    write_metrics(tmp_path / "metrics.csv", steps, every=1)
    draw_curves(tmp_path / "metrics.csv", tmp_path / "curves.png")
    assert ORANGE in colors_in(tmp_path / "curves.png")
    assert (tmp_path / "curves.png").stat().st_size < 100_000


@pytest.mark.slow
@pytest.mark.parametrize("steps", [0, 5])
def test_curves_of_a_run_that_was_not_evaluated(tmp_path, steps):
    write_metrics(tmp_path / "metrics.csv", steps, every=0)
    draw_curves(tmp_path / "metrics.csv", tmp_path / "curves.png")
    assert ORANGE not in colors_in(tmp_path / "curves.png")


def test_smoothing_is_the_mean_of_the_neighbourhood():
    values = np.random.default_rng(0).random(230)
    expected = [values[max(0, at - 4) : at + 5].mean() for at in range(230)]
    assert np.allclose(_smooth(values), expected)
    assert np.allclose(_smooth(values[:9]), values[:9])


@pytest.mark.slow
@pytest.mark.parametrize(("count", "most"), [(2, 40_000), (40, 400_000)])
def test_confusion_is_drawn_for_few_and_for_many_classes(tmp_path, count, most):
    draw_confusion(some_report(count), tmp_path / "confusion.png")
    height, width, _ = pixels(tmp_path / "confusion.png").shape
    assert width > height > 150
    assert {BLUE, ORANGE} <= colors_in(tmp_path / "confusion.png")
    assert (tmp_path / "confusion.png").stat().st_size < most


@pytest.mark.slow
def test_confusion_greys_out_what_is_absent(tmp_path):
    draw_confusion(some_report(5), tmp_path / "whole.png")
    draw_confusion(some_report(5, absent=[2]), tmp_path / "absent.png")
    share = [(pixels(tmp_path / name) == 0xE0).all(-1).mean() for name in ("whole.png", "absent.png")]
    assert share[1] > share[0] + 0.05


def test_drawing_leaves_the_settings_of_matplotlib_alone(tmp_path):
    before = dict(rcParams)
    draw_confusion(some_report(2), tmp_path / "confusion.png")
    assert dict(rcParams) == before


def test_samples_show_image_labels_and_prediction_side_by_side(tmp_path):
    classes = ClassTable(("sky", "road", "car"), ((70, 130, 180), (128, 64, 128), (200, 10, 20)))
    image = np.full((90, 120, 3), (1, 250, 2), np.uint8)
    labels, prediction = np.zeros((90, 120), np.uint8), np.ones((90, 120), np.uint8)
    draw_samples([(image, labels, prediction)], classes, tmp_path / "samples.png")
    row = pixels(tmp_path / "samples.png")[150]
    width = len(row)
    assert [tuple(row[at * width // 6].tolist()) for at in (1, 3, 5)] == [
        (1, 250, 2),
        classes.colors[0],
        classes.colors[1],
    ]
    assert classes.colors[2] not in colors_in(tmp_path / "samples.png")


def test_samples_may_differ_in_size_and_hold_ignored_pixels(tmp_path):
    rng = np.random.default_rng(0)
    rows = [
        (rng.integers(0, 255, (*size, 3), np.uint8), np.full(size, IGNORE, np.uint8), np.zeros(size, np.uint8))
        for size in ((40, 60), (800, 300))
    ]
    draw_samples(rows, some_classes(3), tmp_path / "samples.png")
    assert pixels(tmp_path / "samples.png").shape[0] > 240 + 360


def test_samples_of_nothing_are_a_heading(tmp_path):
    draw_samples([], some_classes(3), tmp_path / "samples.png")
    assert pixels(tmp_path / "samples.png").shape[0] < 60


def test_a_picture_replaces_an_older_one_and_leaves_nothing_else(tmp_path):
    out = tmp_path / "samples.png"
    out.write_bytes(b"old")
    draw_samples([], some_classes(2), out)
    assert pixels(out).shape[2] == 3
    assert [path.name for path in tmp_path.iterdir()] == ["samples.png"]
