"""Options that several verbs share."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from inspect import getdoc
from pathlib import Path
from shutil import get_terminal_size
from textwrap import fill
from typing import Annotated, Any, TypeVar

from cyclopts import Group, Parameter, Token

from attseg.data.catalog import CATALOG
from attseg.errors import UsageError
from attseg.prediction.protocol import Average, Protocol
from attseg.prediction.protocols import described_protocols, find_protocol
from attseg.recipes.recipe import DataSpec
from attseg.recipes.values import Setting, settings
from attseg.text import listed

Documented = TypeVar("Documented")

FIGURE = (".png", ".pdf", ".svg")
"""Ends of names of figures."""

WIDEST = 120
"""Columns of help, at most."""

DATA = ("name", "root", "options")
"""Settings of a data set without those of its splits."""


def data_settings(*names: str) -> Iterator[Setting]:
    """The settings of a data set, by their names without ``data.``."""
    return (setting for setting in settings(DataSpec, "data") if setting.key.removeprefix("data.") in (names or DATA))


def typed(read: Callable[[str], Any], expected: str, metavar: str, *, several: bool = False, **more: Any) -> Parameter:
    """An option whose text a function reads.

    Args:
        read: Raises ValueError for what it does not understand.
        expected: What is understood, for the message.
        metavar: What stands for the value in help.
        several: Whether it may be given several times; otherwise the last one counts.
        more: Further arguments of the parameter.
    """

    def convert(_: Any, tokens: Sequence[Token]) -> Any:
        values = []
        for token in tokens if several else tokens[-1:]:
            try:
                values.append(read(token.value))
            except (ValueError, ZeroDivisionError):
                raise UsageError(f"{token.value!r} was given; {expected} was expected") from None
        return tuple(values) if several else values[0]

    return Parameter(converter=convert, n_tokens=1, metavar=metavar, **more)


def read_size(text: str) -> tuple[int, int]:
    """Height and width, such as those of 512x1024.

    Raises:
        ValueError: The text is something else.
    """
    height, width = text.strip().lower().replace("×", "x").replace(",", "x").split("x")
    if not (height.isdecimal() and width.isdecimal()):
        raise ValueError(text)
    return int(height), int(width)


def read_numbers(text: str) -> tuple[int, ...]:
    """Whole numbers with commas.

    Raises:
        ValueError: The text is something else.
    """
    parts = [part.strip() for part in text.split(",")]
    if not all(part.isdecimal() for part in parts):
        raise ValueError(text)
    return tuple(map(int, parts))


def unwrapped(documented: Documented) -> Documented:
    """A function or class whose docstring has each argument on one line, so that help breaks it anew."""
    documented.__doc__ = re.sub(r"\n {8,}(?=\S)", " ", getdoc(documented) or "")
    return documented


def read_pixel(text: str) -> tuple[int, int]:
    """A pixel, such as 120,80.

    Raises:
        ValueError: The text is something else.
    """
    x, y = read_numbers(text)
    return x, y


def check_ending(out: Path, *endings: str, what: str = "--out") -> None:
    """Refuse a name of a file that does not end as it has to.

    Raises:
        UsageError: The message says how.
    """
    if out.suffix.lower() not in endings:
        raise UsageError(f"{what} is {out}; a name that ends in {listed(endings, 'or')} was expected")


def read_scales(text: str) -> tuple[float, ...]:
    """Numbers with commas, with or without brackets.

    Raises:
        ValueError: The text is something else.
    """
    return tuple(float(part) for part in text.strip("[]").split(","))


def _submissions() -> Iterator[str]:
    """The kinds of archives that servers take, with what is to be said of them."""
    for record in CATALOG.values():
        for kind, form in record.submissions.items():
            yield f"{kind} ({form.about})" if form.about else kind


def at_least(least: int) -> Parameter:
    """A whole number that is not below another."""

    def read(text: str) -> int:
        if int(text) < least:
            raise ValueError(text)
        return int(text)

    return typed(read, f"a whole number from {least} on", "N")


WHOLE = typed(int, "a whole number", "N")
MEBIBYTES = typed(int, "a whole number of MiB, such as 256", "MIB")
SCALES = typed(read_scales, "a list of numbers such as 0.5,1,1.5", "A,B,..")
SHARE = typed(lambda text: float(Fraction(text)), "a number such as 0.5 or 2/3", "SHARE")

File = Annotated[Path | None, Parameter(metavar="FILE")]
Folder = Annotated[Path | None, Parameter(metavar="DIR")]
RunName = Annotated[
    str, Parameter(help="A run folder, a .safetensors or exported file, owner/name on the hub, or demo.")
]
Json = Annotated[bool, Parameter(name="--json", help="Print one JSON object on standard output.")]
Overwrite = Annotated[bool, Parameter(help="Replace files that attseg did not write.")]
Device = Annotated[str, Parameter(metavar="NAME", help="auto (a GPU if there is one), cpu, cuda, cuda:N or mps.")]
Crf = Annotated[bool, Parameter(help="Refine each prediction with a dense CRF, with PSANet's parameters (slow).")]
Kind = Annotated[
    str | None,
    Parameter(
        name="--submission",
        metavar="KIND",
        help=f"Also write an archive for a benchmark server: {', '.join(_submissions())}.",
    ),
]
Whole = Annotated[int | None, WHOLE]
X = Annotated[float, Parameter(metavar="X")]
Count = Annotated[int | None, at_least(1)]
Split = Annotated[str | None, Parameter(metavar="NAME", help="Split (default: the one that the run validated on).")]
Names = Annotated[
    tuple[str, ...],
    typed(lambda text: tuple(filter(None, map(str.strip, text.split(",")))), "names with commas", "A,B,.."),
]
Pixels = Annotated[tuple[tuple[int, int], ...], typed(read_pixel, "something like 120,80", "X,Y", several=True)]
Size = Annotated[tuple[int, int] | None, typed(read_size, "HEIGHTxWIDTH in pixels, such as 512x1024", "HxW")]
Numbers = Annotated[tuple[int, ...] | None, typed(read_numbers, "a list of whole numbers such as 3,17", "A,B,..")]


ShowBands = Annotated[
    tuple[int, ...] | None,
    typed(
        read_numbers,
        "three numbers of bands such as 4,3,2",
        "R,G,B",
        help="Bands shown as red, green and blue, of a model of chosen bands (default: the first three that it sees).",
    ),
]


def described(items: Iterable[tuple[str, str]], form: str, least: int) -> list[str]:
    """Names with their descriptions in two columns, for help.

    Args:
        items: Names and descriptions.
        form: Form of a name.
        least: Width of the first column.
    """
    width = min(WIDEST, get_terminal_size().columns) - 4  # within the panel
    return [
        fill(text, width, initial_indent=f"  {form.format(name):<{least}} ", subsequent_indent=" " * (least + 3))
        for name, text in items
    ]


PROTOCOLS = "\n".join(
    [
        "Named protocols, defined in docs/use/evaluation.md; the options below change one or make your own.",
        *described(described_protocols().items(), "{}", 18),
    ]
)


@dataclass(frozen=True, kw_only=True)
class ProtocolOptions:
    """How each image is predicted.

    Args:
        protocol: One of the protocols above (default: single).
        scales: Predict at several scales and average, such as 0.5,1,1.5.
        flip: Also predict the mirrored image, and average.
        window: Predict in overlapping windows of N x N pixels; large images need it.
        stride: Step between windows, as a share of their side (default: 2/3).
        long_side: First scale the longer side to N pixels.
        short_side: First scale the shorter side to N pixels.
        longest: With --short-side, the longer side never exceeds N pixels.
        multiple: Round height and width up to multiples of N pixels.
        average: What is averaged (default: probabilities).
        memory: Memory for a batch of windows and their scores (default: 64, on a GPU 512). It changes the speed, not the result.
    """

    protocol: Annotated[str | None, Parameter(metavar="NAME")] = None
    scales: Annotated[tuple[float, ...] | None, SCALES] = None
    flip: Annotated[bool | None, Parameter(negative="--no-flip")] = None
    window: Whole = None
    stride: Annotated[float | None, SHARE] = None
    long_side: Whole = None
    short_side: Whole = None
    longest: Whole = None
    multiple: Whole = None
    average: Average | None = None
    memory: Annotated[int | None, MEBIBYTES] = None

    def find(self, data: str | None) -> Protocol:
        """The protocol that was asked for; the sizes of some depend on the data set.

        Raises:
            UsageError: There is no such protocol, or its values do not go together.
        """
        changes = {name: value for name, value in vars(self).items() if value is not None}
        for name in ("protocol", "memory"):
            changes.pop(name, None)
        return find_protocol(self.protocol, data=data, changes=changes)


Views = Annotated[
    ProtocolOptions, Parameter(name="*", group=Group("How each image is predicted", help=PROTOCOLS, sort_key=5))
]
