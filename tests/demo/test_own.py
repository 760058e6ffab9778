"""The demo on a folder of one's own, on pictures of noise with one square each."""

import json

import numpy as np
import pytest

from arranging import write_usual
from attseg.cli import main
from attseg.demo.own import RED, RIGHT, draw_errors
from attseg.demo.page import MARK


def write(root, size=(64, 96)):
    rng, labels = np.random.default_rng(0), np.zeros(size, np.uint8)
    labels[10:40, 10:40] = 1
    classes = "index,name,r,g,b\n0,ground <i>,0,0,0\n1,thing,255,0,0\n"
    return write_usual(root, lambda: (rng.integers(0, 255, (*size, 3), np.uint8), labels), classes, train=6, val=2)


@pytest.mark.slow
def test_the_tour_on_a_folder_ends_with_a_page_and_a_run(tmp_path, capsys):
    out = tmp_path / "out"
    assert main(["demo", "--data", str(write(tmp_path / "my set")), "--minutes", "0.1", "--out", str(out)]) == 0
    page = (out / "index.html").read_text()
    report = json.loads((out / "own" / "report.json").read_text())
    assert MARK in page
    assert f"{100 * report['miou']:.1f} % mIoU" in page
    assert f"attseg suggest &#39;{tmp_path / 'my set'}&#39;" in page
    assert "ground &lt;i&gt;" in page and "<i>" not in page.partition("<main>")[2]
    assert page.count("<figcaption>errors</figcaption>") == 2
    assert page.count("<figcaption>step ") == 3
    assert main(["evaluate", str(out / "own")]) == 0
    assert [path.name for path in sorted(out.iterdir())] == ["index.html", "own"]


def test_options_of_data_need_a_folder(capsys):
    assert main(["demo", "--data.options.split", "0.8"]) == 2
    assert "--data DIR" in capsys.readouterr().err


def test_errors_are_red_where_a_label_is_not_met():
    labels, prediction = np.array([[0, 1, 255]], np.uint8), np.array([[0, 0, 1]], np.uint8)
    assert draw_errors(labels, prediction).tolist() == [[list(RIGHT), list(RED), list(RIGHT)]]
