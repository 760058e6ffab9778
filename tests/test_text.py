"""Text from strangers is shown as text, and does nothing."""

import sys
import unicodedata

import pytest

from attseg.errors import unknown
from attseg.text import harmless, short

VISIBLE = {0x0600, 0x0601, 0x0602, 0x0603, 0x0604, 0x0605, 0x06DD, 0x070F, 0x0890, 0x0891, 0x08E2, 0x110BD, 0x110CD}
"""Format characters of Arabic, Syriac and Kaithi that are drawn."""


def test_no_character_commands_or_hides_or_fails_to_be_written():
    for code in range(sys.maxunicode + 1):
        text = chr(code)
        hidden = unicodedata.category(text) in ("Cc", "Cf", "Cs", "Zl", "Zp") and code not in VISIBLE
        if hidden and text not in "\n\t" and not 0x13430 <= code <= 0x1345F and not 0x1BCA0 <= code <= 0x1BCA3:
            assert harmless(text).isascii(), hex(code)
            assert harmless(text).isprintable(), hex(code)
        elif not hidden and unicodedata.category(text) != "Cn" and text not in "\u115f\u1160\u2800\u3164\uffa0":
            assert harmless(text) == text, hex(code)


def test_names_are_short_and_on_one_line():
    assert short("road\r\n\u2028sky") == r"road\x0d\n\u2028sky".replace(r"\x0d", r"\r")
    long = short("x" * 1_000_000 + "end")
    assert len(long) < 300
    assert "1000003 characters" in long
    assert long.endswith("end")


@pytest.mark.parametrize("name", ["x" * 1_000_000, "\x1b[2J" * 100_000])
def test_unknown_names_are_told_shortly(name):
    message = str(unknown("encoder", name, ["resnet50", "resnet101"]))
    assert len(message) < 1500
    assert f"{len(name)} characters" in message
    assert message.isprintable()
    assert message.endswith("resnet50, resnet101")
