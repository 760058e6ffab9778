"""Files that a stranger may have made: good ones of every kind that is read, and what becomes of them when they are damaged.

Everything is made when it is asked for, from a kind and a number, so that a case that failed comes again by its number.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from reliability import corpus_packed, corpus_pictures, corpus_texts, corpus_weights

NASTY = (
    b"\x00",
    b"\xff\xfe",
    b"\xef\xbb\xbf",
    b"\r\n",
    b"\r",
    b"\x1b[2J",
    b"\xed\xa0\x80",
    "\u202e\u0000é".encode(),
    b"9" * 5000,
)
"""Bytes that texts do not expect: NUL, byte order marks, line ends, a command to a terminal, half a character, a long number."""
SUFFIXES = (".png", ".jpg", ".tif", ".gif", ".webp", ".mat", ".csv", ".yaml", ".zip", ".tgz", ".safetensors", "")


@dataclass(frozen=True)
class Case:
    """A file.

    Args:
        kind: What it is meant to be.
        name: Of the file.
        content: Of the file.
        values: What was written into it, where the kind has such.
        whole: Whether nothing was done to it.
    """

    kind: str
    name: str
    content: bytes
    values: object = None
    whole: bool = True


def make(kind, number):
    """The case of a kind with a number: three in twenty are whole."""
    rng = np.random.default_rng([number, *kind.encode()])
    name, content, values = MAKERS[kind](rng)
    if rng.random() < 0.15:
        return Case(kind, name, content, values)
    damaged = content
    for _ in range(rng.integers(1, 4)):
        damaged = DAMAGES[rng.integers(len(DAMAGES))](rng, damaged)
    if rng.random() < 0.05:
        name = Path(name).stem + SUFFIXES[rng.integers(len(SUFFIXES))]
    return Case(kind, name, damaged, values, damaged == content)


def _cut(rng, content):
    return content[: rng.integers(len(content) + 1)]


def _empty(rng, content):
    return b""


def _flip(rng, content):
    changed = bytearray(content)
    for _ in range(rng.integers(1, 5)):
        if changed:
            changed[rng.integers(len(changed))] ^= 1 << rng.integers(8)
    return bytes(changed)


def _extreme(rng, content):
    """A number in a header that is as large, or as small, as it can be."""
    width = int(rng.choice([1, 2, 4, 8]))
    at = int(rng.integers(max(1, min(len(content), 4000) - width + 1)))
    value = (b"\xff" * width, b"\x00" * width, b"\x7f" + b"\xff" * (width - 1), b"\xff" * (width - 1) + b"\x7f")
    return content[:at] + value[rng.integers(len(value))] + content[at + width :]


def _drop(rng, content):
    start, end = sorted(rng.integers(len(content) + 1, size=2).tolist())
    return content[:start] + content[end:]


def _repeat(rng, content):
    start, end = sorted(rng.integers(len(content) + 1, size=2).tolist())
    return content[:end] + content[start:end] * int(rng.integers(1, 4)) + content[end:]


def _insert(rng, content):
    at = int(rng.integers(len(content) + 1))
    return content[:at] + NASTY[rng.integers(len(NASTY))] + content[at:]


def _splice(rng, content):
    """The head of one file and the tail of another, of any kind."""
    other = MAKERS[list(MAKERS)[rng.integers(len(MAKERS))]](rng)[1]
    return content[: rng.integers(len(content) + 1)] + other[rng.integers(len(other) + 1) :]


def _noise(rng, content):
    return content[: rng.integers(min(len(content), 16) + 1)] + rng.bytes(int(rng.integers(200)))


DAMAGES = (_cut, _cut, _flip, _flip, _flip, _extreme, _extreme, _drop, _repeat, _insert, _splice, _noise, _empty)


MAKERS = {
    "picture": corpus_pictures.picture,
    "labels": corpus_pictures.labels,
    "matlab": corpus_pictures.matlab,
    "classes": corpus_texts.classes,
    "list": corpus_texts.listed,
    "recipe": corpus_texts.recipe,
    "counts": corpus_texts.counts,
    "manifest": corpus_texts.manifest,
    "weights": corpus_weights.few_tensors,
    "model": corpus_weights.a_network,
    "foreign": corpus_weights.foreign,
    "exported": corpus_weights.exported,
    "archive": corpus_packed.archive,
    "video": corpus_packed.video,
}
"""Each gives the name of a file, its content, and what it holds, where that can be compared."""
