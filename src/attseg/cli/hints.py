"""Hints for options that do not exist: the option that is meant, or how the same is done here."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from attseg.errors import UsageError
from attseg.files import read_text
from attseg.text import LONGEST_NAME, cut

CLOSE = 0.7
"""Similarity from which a misspelt name is recognised."""


def unknown_option(given: str, value: str, forms: Mapping[str, str], verb: str) -> UsageError:
    """The error for an option that does not exist.

    Args:
        given: As typed.
        value: What was typed after it.
        forms: The options that there are, each with the placeholder of its value, as help shows it; empty for a flag.
        verb: What is typed before, such as ``attseg train``.
    """
    said, more = f"there is no option {cut(given, LONGEST_NAME)!r}", f"`{verb} --help` lists them"
    name, hints = _plain(given), tomllib.loads(read_text(Path(__file__).with_suffix(".toml")))
    word = verb.split()[1]
    for way in hints["ways"]:
        if word in way["verbs"] and name in way["names"]:
            return UsageError(f"{said}: {way['text'].replace('VERB', word)}. {more}")
    near = next(_meant(name, forms, hints), None)
    if near is None:
        return UsageError(f"{said}. {more}")
    form = forms.get(near, "VALUE")
    if form == "HEIGHT,WIDTH" and value.isdecimal():
        form = f"{value},{value}"
    return UsageError(f"{said}; did you mean '{f'{near} {form}'.strip()}'? {more}")


def _meant(name: str, forms: Mapping[str, str], hints: Mapping[str, Any]) -> Iterator[str]:
    """Options that may be meant, the most probable first."""
    part = name.rpartition(".")[2]
    for other in [own for alias in (name, part) for own, names in hints["names"].items() if alias in names]:
        for known in (f"--{other}", f"--{hints['elsewhere'].get(other, '')}"):
            if known in forms or (known.startswith("--model.args.") and "--model.args" in forms):
                yield known
    last = {_plain(known).rpartition(".")[2]: known for known in forms}
    yield from (last[exact] for exact in (name, part) if exact in last)
    for table in ({_plain(known): known for known in forms}, last):
        for near in get_close_matches(name[:LONGEST_NAME], table, n=1, cutoff=CLOSE):
            yield table[near]


def _plain(option: str) -> str:
    return option.lstrip("-").replace("_", "-").lower()
