import re
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from attseg.data.classes import IGNORE, ClassTable
from attseg.data.sample import Sample
from attseg.demo.page import MARK, MARKS, Look, TrainedNetwork, _difference, _widest, build_page
from attseg.evaluation.report import Report
from attseg.explain.views import View
from attseg.recipes.recipe import ModelSpec, Recipe

CLASSES = ClassTable(("<b>sea</b>", "land & sand"), ((70, 130, 180), (128, 64, 128)))
VOID = {"meta", "img", "br"}


class Reader(HTMLParser):
    """Collects text and links, and notices tags that are not closed."""

    def __init__(self):
        super().__init__()
        self.open, self.text, self.sources = [], [], []

    def handle_starttag(self, tag, attrs):
        if tag not in VOID:
            self.open.append(tag)
        self.sources += [value for name, value in attrs if name in ("src", "href")]

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text.append(data)


def a_side(name, model, right, seconds=12.0):
    counts = np.array([[right, 100 - right], [0, 100]])
    report = Report(CLASSES, counts, pictures=7, probes=dict.fromkeys(("context", "scale", "boundary"), counts))
    recipe = Recipe(
        name="demo",
        model=ModelSpec(name=model, args={"encoder": "<i>net", "channels": 8}),
        crop_size=(32, 48),
        batch_size=4,
        steps=30,
    )
    return TrainedNetwork(name, recipe, seconds, 1_234_567, 5_000_000, report.to_dict())


def a_look():
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 2, (32, 48), np.uint8)
    sample = Sample(rng.integers(0, 256, (32, 48, 3), np.uint8), labels, "val/0")
    view = View(Image.fromarray(sample.image), 0.25, 1.75)
    return Look(sample, (labels, 1 - labels), view)


def a_page(first=80, second=40, out=Path("demo")):
    sides = [a_side("pan", "PAN", first), a_side("fcn", "FCN", second, 15.4)]
    looks = [a_look(), a_look()]
    return build_page(sides, looks, [looks[0].spatial], CLASSES, out=out, machine="2 <cores>")


def read(page):
    reader = Reader()
    reader.feed(page)
    reader.close()
    assert reader.open == []
    return reader


def test_the_page_holds_everything_itself():
    page = a_page()
    sources = read(page).sources
    assert len(sources) == 2 * 6 + 1 and all(source.startswith("data:image/png;base64,") for source in sources)
    assert not re.search(r"https?:|url\(|@import|<script|<link", page)
    assert MARK in page and len(page) < 5_000_000


def test_every_name_is_escaped():
    page = a_page(out=Path("<u>my demo"))
    text = "".join(read(page).text)
    for name in ("<b>sea</b>", "land & sand", "2 <cores>", "<i>net"):
        assert name in text
    assert "attseg evaluate '<u>my demo/pan'" in text
    assert "load('<u>my demo/pan')" in text
    assert not re.search(r"<b>sea|<cores|<i>net|<u>", page)


@pytest.mark.parametrize(("first", "second", "ahead"), [(80, 40, "PAN"), (40, 80, "FCN"), (80, 80, None)])
def test_whoever_is_ahead_is_named(first, second, ahead):
    verdict = re.search("<p>(This time .*?) <span", a_page(first, second))[1]
    assert [name for name in ("PAN", "FCN") if name in verdict] == ([ahead] if ahead else [])
    scores = [100 * a_side("", "", right).report["miou"] for right in (first, second)]
    assert f"{abs(scores[0] - scores[1]):.1f} points" in verdict


def test_colours_are_explained_before_they_are_used():
    page = a_page()
    assert page.index("blue") < page.index('class="card score')
    assert page.index("only PAN is right") < page.index("<figure>")


def test_both_scores_and_the_caveat_are_on_the_page():
    page = a_page(80, 40)
    text = "".join(read(page).text)
    for side in (a_side("pan", "PAN", 80), a_side("fcn", "FCN", 40)):
        assert f"{100 * side.report['miou']:.1f} % mIoU" in text
    assert "12 seconds, FCN for 15 seconds" in text and "proves nothing" in text
    assert "1.23 M" in text and "0.005 G" in text


def test_the_widest_gap_is_named():
    sides = [a_side("pan", "PAN", 60), a_side("fcn", "FCN", 60)]
    sides[1].report["probes"]["scale"]["miou"] += 0.05
    sides[0].report["probes"]["context"]["miou"] += 0.04
    assert _widest(sides) == "The widest gap is that on scale: 5.0 points, for FCN."
    sides[0].report["probes"]["context"]["miou"] += 0.4
    assert _widest(sides) == "The widest gap is that on context: 44.0 points, for PAN."


def test_the_picture_of_who_is_right():
    labels = np.array([[0, 0, 0, 0, IGNORE]], np.uint8)
    first, second = np.array([[0, 0, 1, 1, 1]], np.uint8), np.array([[0, 1, 0, 1, 0]], np.uint8)
    both, pan, fcn, neither = MARKS.values()
    assert [tuple(color) for color in _difference(labels, first, second)[0].tolist()] == [both, pan, fcn, neither, both]
