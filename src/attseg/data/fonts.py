"""Text in images: every character is drawn in a font that has it, or spelled out; nothing becomes an empty box.

The font is DejaVu Sans, which comes with matplotlib and has Latin, Greek, Cyrillic, Arabic and more. Characters that it lacks,
such as those of Chinese, Japanese and Korean, are looked for in the fonts of the system. That search runs once in a process, and
only where there is such a character.
"""

from __future__ import annotations

import unicodedata
from bisect import bisect_right
from collections.abc import Iterator
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from PIL import ImageFont

if TYPE_CHECKING:
    from PIL import ImageDraw

ELLIPSIS = "..."

TEST_SIZE = 14
"""Size in pixels at which a font of the system has to open; those of bitmaps do not."""


def draw_text(draw: ImageDraw.ImageDraw, x: float, y: float, text: str, size: int) -> None:
    """Draw a line of text in black.

    Args:
        draw: Where to.
        x: Left end, in pixels.
        y: Middle of the line, in pixels.
        text: Characters without a glyph in any font, and control characters, are spelled out.
        size: Size of the font in pixels.
    """
    ascent, descent = _open(_dejavu(), size).getmetrics()
    for font, part in _runs(drawable(text), size):
        draw.text((x, y + (ascent - descent) / 2), part, "black", font, anchor="ls")
        x += font.getlength(part)


def text_width(text: str, size: int) -> float:
    """Width in pixels of a text that ``draw_text`` draws."""
    return sum(font.getlength(part) for font, part in _runs(drawable(text), size))


def shorten(text: str, size: int, room: float) -> str:
    """The text, or as much of its beginning as fits into ``room`` pixels before an ellipsis."""
    if text_width(text, size) <= room:
        return text
    kept = bisect_right(range(len(text)), room, key=lambda count: text_width(text[: count + 1] + ELLIPSIS, size))
    return text[:kept] + ELLIPSIS


def drawable(text: str) -> str:
    r"""The text in the composed form (NFC), with what no font can draw spelled out.

    Example:
        >>> drawable("caf" + chr(0x65) + chr(0x301)), drawable("red" + chr(27))
        ('café', 'red\\x1b')
    """
    text = unicodedata.normalize("NFC", text)
    if text.isascii() and text.isprintable():
        return text
    return "".join(
        character if _is_drawn(character) else character.encode("unicode_escape").decode() for character in text
    )


def class_label(name: str, number: int) -> str:
    r"""Label of a class in an image: its name, behind its number if a character of the name cannot be drawn.

    Example:
        >>> class_label("straße", 3), class_label("a" + chr(0x10FFFD), 3)
        ('straße', 'class 3 (a\\U0010fffd)')
    """
    shown = drawable(name)
    return shown if shown == unicodedata.normalize("NFC", name) else f"class {number} ({shown})"


def font_families(*texts: str) -> list[str]:
    """Names of the fonts in which matplotlib can draw some texts: the value of ``fontfamily``."""
    from matplotlib.font_manager import FontProperties, fontManager

    names = ["DejaVu Sans"]
    for path in dict.fromkeys(_font_of(character) for text in texts if not text.isascii() for character in text):
        if path is not None and path != _dejavu():
            fontManager.addfont(path)
            names.append(FontProperties(fname=path).get_name())
    return names


def _runs(text: str, size: int) -> Iterator[tuple[ImageFont.FreeTypeFont, str]]:
    """The text in parts that are drawn in one font each; marks stay with the letter that they belong to."""
    part, of = "", _dejavu()
    for character in text:
        path = of if character.isspace() or _joins(character) else (_font_of(character) or of)
        if path != of and part:
            yield _open(of, size), part
            part = ""
        part, of = part + character, path
    if part:
        yield _open(of, size), part


def _is_drawn(character: str) -> bool:
    if unicodedata.category(character) in ("Cc", "Cs", "Zl", "Zp"):
        return False
    return character.isspace() or _joins(character) or _font_of(character) is not None


def _joins(character: str) -> bool:
    """Whether a character changes others and needs no glyph of its own: joiners and selectors of variants."""
    return unicodedata.category(character) == "Cf" or 0xFE00 <= ord(character) <= 0xFE0F


@cache
def _dejavu_characters() -> npt.NDArray[np.uint32]:
    return _characters(_dejavu())


@cache
def _font_of(character: str) -> Path | None:
    """The first font that has a character."""
    if character.isascii() or np.isin(ord(character), _dejavu_characters()):
        return _dejavu()
    return next((path for path, known in _system_fonts() if np.isin(ord(character), known)), None)


@cache
def _system_fonts() -> tuple[tuple[Path, npt.NDArray[np.uint32]], ...]:
    """Fonts of the system with the characters that they have, plain sans-serif ones first."""
    from matplotlib.font_manager import findSystemFonts

    found = []
    for path in sorted(map(Path, findSystemFonts()), key=_preference):
        if "lastresort" in path.name.lower():  # has a box for every character
            continue
        try:
            _open(path, TEST_SIZE)
            found.append((path, _characters(path)))
        except Exception:
            continue
    return tuple(found)


def _preference(path: Path) -> tuple[bool, bool, str]:
    name = path.stem.lower()
    special = any(word in name for word in ("bold", "italic", "oblique", "light", "black", "thin", "mono", "condensed"))
    return special, "serif" in name.replace("sansserif", ""), name


def _characters(path: Path) -> npt.NDArray[np.uint32]:
    """Numbers of the characters that a font has."""
    from matplotlib.ft2font import FT2Font

    return np.fromiter(FT2Font(path).get_charmap(), np.uint32)


@cache
def _open(path: Path, size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(path, size)


@cache
def _dejavu() -> Path:
    """DejaVu Sans in the package of matplotlib, found without importing it, which takes a tenth of a second."""
    inside = Path("mpl-data", "fonts", "ttf", "DejaVuSans.ttf")
    package = find_spec("matplotlib")
    if package is not None and package.origin is not None and (path := Path(package.origin).parent / inside).is_file():
        return path
    import matplotlib  # where a system keeps its data elsewhere

    return Path(matplotlib.get_data_path(), *inside.parts[1:])
