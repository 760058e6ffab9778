import base64
import hashlib
import json
import re
from html.parser import HTMLParser

import numpy as np
import pytest
import torch
from matplotlib import colormaps

from attseg.data.classes import ClassTable, distinct_colors
from attseg.explain.bundle import Side, make_bundle
from attseg.explain.looked import look
from attseg.explain.page.assets import COLOR_MAPS, SCRIPTS, STYLES, static_text, viewer_script, viewer_style
from attseg.explain.page.page import MARK, make_page
from attseg.models import PAN

EVIL = "</script><!-- <script>alert(1)</script> & \"'\u2028"
VOID = {"meta", "link"}


class Reader(HTMLParser):
    """What a browser finds: elements and their texts."""

    def __init__(self):
        super().__init__()
        self.open, self.texts, self.attributes = [], {}, []

    def handle_starttag(self, tag, attrs):
        self.attributes += [(tag, *pair) for pair in attrs]
        if tag not in VOID:
            self.open.append((tag, dict(attrs).get("id")))

    def handle_endtag(self, tag):
        assert self.open.pop()[0] == tag

    def handle_data(self, data):
        if self.open:
            self.texts.setdefault(self.open[-1], []).append(data)


@pytest.fixture(scope="module")
def page():
    torch.manual_seed(0)
    looked = look(PAN(2, encoder="test_resnet", channels=4).eval(), torch.randn(1, 3, 40, 56))
    side = Side(EVIL, EVIL, ClassTable((EVIL, "sea"), distinct_colors(2)), looked)
    return make_page(make_bundle(np.zeros((40, 56, 3), np.uint8), [side], name=EVIL))


@pytest.fixture(scope="module")
def read(page):
    reader = Reader()
    reader.feed(page)
    reader.close()
    assert reader.open == []
    return reader


def test_no_name_leaves_its_place(page, read):
    bundle = json.loads("".join(read.texts[("script", "bundle")]))
    shown = EVIL.replace("\u2028", "\\u2028")
    assert bundle["name"] == bundle["sides"][0]["classes"][0]["name"] == shown
    assert "".join(read.texts[("title", None)]) == f"{shown} · {shown}"
    assert len(read.texts[("script", None)]) == 1  # the viewer, and no other script
    assert page.count("<script") == page.count("</script>") == 2 and "alert(1)</script>" not in page


def test_the_policy_allows_what_is_in_the_page_and_nothing_else(read):
    policy = next(value for tag, name, value in read.attributes if name == "content" and "default-src" in (value or ""))
    rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))
    for tag in ("script", "style"):
        text = "".join(read.texts[(tag, None)])
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert rules[f"{tag}-src"] == f"'sha256-{digest}'"
    assert rules["default-src"] == rules["base-uri"] == rules["form-action"] == "'none'" and rules["img-src"] == "data:"


def test_the_page_points_nowhere(page, read):
    links = [value for _, name, value in read.attributes if name in ("src", "href")]
    assert links == ["data:,"] and MARK in page
    assert not re.search(r"https?://|url\(|@import|innerHTML|insertAdjacent|document\.write|\beval\(", page)


def test_names_are_put_in_as_text_and_files_are_short():
    for name in (*SCRIPTS, *STYLES, "page.js"):
        text = static_text(name)
        assert text.count("\n") <= 400 and text.startswith("/*")
    assert "function mountViewer(element, bundle, { pairwise" in viewer_script()


def test_the_colours_are_those_of_matplotlib():
    tables = json.loads(re.search(r"const COLOR_MAPS = (\{.*?\});", viewer_script())[1])
    assert tuple(tables) == COLOR_MAPS
    for name, digits in tables.items():
        expected = np.rint(255 * np.array([colormaps[name](step)[:3] for step in range(256)]))
        assert (np.frombuffer(bytes.fromhex(digits), np.uint8).reshape(256, 3) == expected).all()


def test_colours_stay_apart_for_people_who_do_not_tell_red_from_green():
    """Brightness alone, which everybody sees, goes one way."""
    for name in COLOR_MAPS:
        colors = colormaps[name](np.arange(256))[:, :3]
        linear = np.where(colors <= 0.04045, colors / 12.92, ((colors + 0.055) / 1.055) ** 2.4)
        assert (np.diff(linear @ [0.2126, 0.7152, 0.0722]) > -1e-3).all()


def test_the_style_keeps_to_the_viewer():
    style = re.sub(r"/\*.*?\*/|@media[^{]*\{", "", viewer_style(), flags=re.S)
    selectors = [
        part.strip(" \n}") for rule in re.findall(r"([^{}]+)\{", style) for part in re.split(r",(?![^(]*\))", rule)
    ]
    assert len(selectors) > 50 and all(each.startswith((".viewer", ".unseen")) for each in selectors)
