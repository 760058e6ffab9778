import subprocess
import sys
import unicodedata
import warnings

import numpy as np
import pytest
from fontTools.fontBuilder import FontBuilder
from fontTools.pens.ttGlyphPen import TTGlyphPen
from matplotlib import font_manager
from matplotlib.figure import Figure
from PIL import Image, ImageDraw, ImageFont

from attseg.data import fonts as data_fonts
from attseg.data.classes import ClassTable
from attseg.data.fonts import class_label, draw_text, drawable, font_families, shorten, text_width
from attseg.data.paint import legend
from attseg.evaluation.plots import draw_confusion
from attseg.evaluation.report import Report

NEVER = chr(0x10FFFD)
"""A character of the private area, which no font has."""


def drawn(line, size=14):
    page = Image.new("RGB", (400, 40), "white")
    draw_text(ImageDraw.Draw(page), 5, 20, line, size)
    return np.asarray(page)


def in_legend(name, number=0):
    names = (*(f"{place}" for place in range(number)), name)
    return np.asarray(legend(ClassTable(names, ((0, 0, 0),) * len(names)), [number], 200))


@pytest.fixture
def fonts(monkeypatch):
    """Lets some files be the fonts of the system."""

    def use(*paths):
        monkeypatch.setattr(font_manager, "findSystemFonts", lambda: [str(path) for path in paths])
        for cached in (data_fonts._system_fonts, data_fonts._font_of):
            cached.cache_clear()

    yield use
    for cached in (data_fonts._system_fonts, data_fonts._font_of):
        cached.cache_clear()


def make_font(path, family, glyphs):
    """A font in which each character is a bar as high as is given, of 1000."""
    names = {ord(character): f"u{ord(character):x}" for character in glyphs}
    builder = FontBuilder(1000, isTTF=True)
    builder.setupGlyphOrder([".notdef", *names.values()])
    builder.setupCharacterMap(names)
    shapes = {".notdef": TTGlyphPen(None).glyph()}
    for character, height in glyphs.items():
        pen = TTGlyphPen(None)
        pen.moveTo((100, 0))
        for corner in ((100, height), (900, height), (900, 0)):
            pen.lineTo(corner)
        pen.closePath()
        shapes[names[ord(character)]] = pen.glyph()
    builder.setupGlyf(shapes)
    builder.setupHorizontalMetrics(dict.fromkeys(shapes, (1000, 100)))
    builder.setupHorizontalHeader(ascent=800, descent=-200)
    builder.setupNameTable({"familyName": family, "styleName": "Regular"})
    builder.setupOS2()
    builder.setupPost()
    builder.save(path)
    return path


@pytest.mark.parametrize(
    ("one", "other"),
    [("a", "b"), ("é", "ü"), ("ß", "ł"), ("д", "Ω"), ("ø", "o"), ("ا", "ب"), ("ש", "ת"), ("道", "屋"), ("ก", "ข")],
)
def test_two_characters_never_look_the_same(one, other):
    assert not np.array_equal(drawn(one), drawn(other))
    assert not np.array_equal(in_legend(one), in_legend(other))


@pytest.mark.parametrize("name", ["é", "Åre", "ệ", "한"])
def test_composed_and_decomposed_names_look_the_same(name):
    one, other = (unicodedata.normalize(form, name) for form in ("NFC", "NFD"))
    assert one != other and np.array_equal(drawn(one), drawn(other))
    assert text_width(one, 14) == text_width(other, 14)


@pytest.mark.parametrize("line", ["sky", "straße", "Дорога 12", "ελληνικά ≥ ½"])
def test_text_is_what_pillow_draws_in_dejavu(line):
    font = ImageFont.truetype(font_manager.findfont("DejaVu Sans"), 14)
    ascent, descent = font.getmetrics()
    page = Image.new("RGB", (400, 40), "white")
    ImageDraw.Draw(page).text((5, 20 + (ascent - descent) / 2), line, "black", font, anchor="ls")
    assert np.array_equal(drawn(line), np.asarray(page))
    assert text_width(line, 14) == font.getlength(line)


@pytest.mark.parametrize("size", [10, 14, 40])
def test_text_is_in_the_middle_of_the_line(size):
    page = Image.new("RGB", (300, 100), "white")
    draw_text(ImageDraw.Draw(page), 0, 50, "Xp", size)
    rows = np.flatnonzero(np.asarray(page).min((1, 2)) < 255)
    assert abs(rows.mean() - 50) <= size / 10


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("a\nb", r"a\nb"),
        ("red\x1b[31m", r"red\x1b[31m"),
        ("file\udcff", r"file\udcff"),
        (f"a{NEVER}", r"a\U0010fffd"),
        ("line\u2028", r"line\u2028"),
        ("plain", "plain"),
        ("zero\u200dwidth", "zero\u200dwidth"),
        ("", ""),
    ],
)
def test_what_cannot_be_drawn_is_spelled_out(line, shown):
    assert drawable(line) == shown
    assert np.array_equal(drawn(line), drawn(shown))


def test_a_name_that_cannot_be_drawn_stands_behind_its_number():
    assert class_label("car", 7) == "car"
    assert class_label(f"{NEVER}car", 7) == r"class 7 (\U0010fffdcar)"
    assert not np.array_equal(in_legend(NEVER, 1), in_legend(NEVER, 2))


def test_other_scripts_are_drawn_in_fonts_of_the_system(fonts, tmp_path):
    fonts()
    assert class_label("道路", 3) == r"class 3 (\u9053\u8def)"
    fonts(make_font(tmp_path / "bars.ttf", "Bars", {"道": 600, "路": 300}))
    assert class_label("道路", 3) == "道路"
    assert text_width("道路", 10) == 20 and text_width("道a", 10) == 10 + text_width("a", 10)
    high, low = drawn("道", 20), drawn("路", 20)
    assert (high[..., 0] < 128).sum() == pytest.approx(16 * 12, abs=20)
    assert (low[..., 0] < 128).sum() == pytest.approx(16 * 6, abs=20)
    assert font_families("道路") == ["DejaVu Sans", "Bars"] and font_families("road", "é") == ["DejaVu Sans"]


def test_several_fonts_serve_one_line_and_plain_ones_come_first(fonts, tmp_path):
    bold = make_font(tmp_path / "a-Bold.ttf", "Bold", {"道": 100})
    plain = make_font(tmp_path / "z.ttf", "Plain", {"道": 600})
    other = make_font(tmp_path / "other.ttf", "Other", {"屋": 300})
    fonts(bold, other, plain)
    assert font_families("道屋") == ["DejaVu Sans", "Plain", "Other"]
    assert text_width("x道屋y", 10) == text_width("x", 10) + 20 + text_width("y", 10)


def test_damaged_fonts_and_fonts_of_boxes_are_passed_over(fonts, tmp_path):
    (tmp_path / "damaged.ttf").write_bytes(b"\x00\x01\x00\x00 no font")
    (tmp_path / "empty.otf").touch()
    boxes = make_font(tmp_path / "LastResort.ttf", "Last", {"道": 600})
    fonts(tmp_path / "damaged.ttf", tmp_path / "empty.otf", tmp_path / "gone.ttf", boxes)
    assert class_label("道", 0) == r"class 0 (\u9053)"


@pytest.mark.parametrize("line", ["a boat with a name that goes on and on", "Дорога " * 8, "道" * 30, "é" * 50])
@pytest.mark.parametrize("room", [30, 100, 200])
def test_names_are_cut_at_the_last_character_that_fits(line, room):
    cut = shorten(line, 14, room)
    assert text_width(cut, 14) <= room and cut.endswith("...")
    longer = line[: len(cut) - 2] + "..."
    assert text_width(longer, 14) > room
    assert shorten("a", 14, room) == "a"


@pytest.mark.slow
def test_class_names_of_any_script_stand_in_the_confusion_matrix(fonts, tmp_path):
    fonts(make_font(tmp_path / "bars.ttf", "Bars", {"道": 600, "路": 300}))
    pages = []
    for name in ("道", "路", "д", "Ω", NEVER, "$x_2$"):
        classes = ClassTable(("road", name), ((0, 0, 0), (1, 1, 1)))
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # matplotlib warns of missing glyphs
            draw_confusion(Report(classes, np.eye(2, dtype=np.int64), 1), tmp_path / "confusion.png")
        pages.append((tmp_path / "confusion.png").read_bytes())
    assert len(set(pages)) == len(pages)


def test_figures_can_be_saved_later_with_all_glyphs(fonts, tmp_path):
    fonts(make_font(tmp_path / "bars.ttf", "Bars", {"道": 600}))
    figure = Figure()
    figure.subplots().set_xticks([0], ["道"], fontfamily=font_families("道"))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        figure.savefig(tmp_path / "figure.pdf")


def test_plain_text_needs_neither_matplotlib_nor_the_fonts_of_the_system():
    code = (
        "import sys; from attseg.data.classes import ClassTable; from attseg.data.paint import legend; "
        "legend(ClassTable(('sky', 'road'), ((0, 0, 0), (1, 1, 1))), [0, 1], 200); assert 'matplotlib' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
