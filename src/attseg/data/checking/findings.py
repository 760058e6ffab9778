"""Findings of a data set check, as plain records that can be printed or written as JSON."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass, field
from typing import Any, Literal, NamedTuple, get_args

from attseg.data.classes import ClassTable

Severity = Literal["error", "warning", "note"]
SEVERITIES: tuple[Severity, ...] = get_args(Severity)
"""The worst first."""


@dataclass(frozen=True)
class Finding:
    """Something that is wrong, strange, or worth knowing.

    Args:
        severity: An ``error`` stops training or makes it meaningless; a ``warning`` is for you to judge; a ``note`` says what is
            there and what is not, and nothing is wrong.
        kind: What findings of the same sort share, so that they can be counted and shortened.
        message: The sentence.
        split: Where it was found, if in one split.
        file: The file that it is about, if it is one.
    """

    severity: Severity
    kind: str
    message: str
    split: str | None = None
    file: str | None = None


class Assumption(NamedTuple):
    """Assumption about the data, where it does not say itself.

    Args:
        about: What it is about, in a few words.
        text: What was taken.
    """

    about: str
    text: str


@dataclass(frozen=True)
class Advice:
    """Command lines to type, and why.

    Args:
        why: Sentences: what was seen, and what has to be decided.
        commands: To be given in this order; where nothing tells which is meant, one of them.
        imports: Whether they import the folder, which cannot be read where it lies.
    """

    why: list[str]
    commands: list[str] = field(default_factory=list)
    imports: bool = False


@dataclass
class SplitSummary:
    """Summary of one split.

    Args:
        pictures: Pictures with labels; all pictures, where the split has no labels.
        pixels: Labelled pixels of each class.
        pictures_with: Pictures in which each class occurs.
        ignored: Pixels that are ignored.
        unknown: Pixels with a value that the classes do not know.
        values: Pixels that hold each value in the label files.
        smallest: Least height and least width of the pictures.
        largest: Greatest height and greatest width.
        released: How many pictures the split has as released, if it is one of a public data set.
    """

    pictures: int
    pixels: list[int]
    pictures_with: list[int]
    ignored: int = 0
    unknown: int = 0
    values: dict[int, int] = field(default_factory=dict)
    smallest: tuple[int, int] | None = None
    largest: tuple[int, int] | None = None
    released: int | None = None


@dataclass(frozen=True)
class Check:
    """The result of a check.

    Args:
        name: The data set.
        root: Its folder, if it has one.
        classes: Its class table, if that can be read.
        splits: What each split holds.
        findings: Everything that was found, errors first and notes last.
        assumed: What was assumed about the data.
        advice: Command lines that read the folder where it lies, for a folder of your own that is arranged in another way.
    """

    name: str
    root: str | None
    classes: ClassTable | None
    splits: dict[str, SplitSummary]
    findings: list[Finding]
    assumed: list[Assumption] = field(default_factory=list)
    advice: Advice | None = None

    @property
    def ok(self) -> bool:
        """Whether nothing stands against training; there may be warnings and notes."""
        return all(finding.severity != "error" for finding in self.findings)

    @property
    def counts(self) -> dict[str, int]:
        """How many findings there are of each kind."""
        return dict(Counter(finding.kind for finding in self.findings))

    def to_dict(self) -> dict[str, Any]:
        """As plain values, for JSON."""
        return {
            "name": self.name,
            "root": self.root,
            "ok": self.ok,
            "classes": self.classes and self.classes.to_dict(),
            "splits": {split: asdict(summary) for split, summary in self.splits.items()},
            "counts": self.counts,
            "findings": [asdict(finding) for finding in self.findings],
            "assumed": {assumption.about: assumption.text for assumption in self.assumed},
            "advice": self.advice and asdict(self.advice),
        }
