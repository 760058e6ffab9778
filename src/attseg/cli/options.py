"""Options that several verbs share."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from shutil import get_terminal_size
from textwrap import fill
from typing import Annotated, Any

from cyclopts import Group, Parameter, Token

from attseg.data.catalog import CATALOG
from attseg.errors import UsageError
from attseg.prediction.protocol import Average, Protocol
from attseg.prediction.protocols import ANYWHERE, PSANET_SIZES, find_protocol
from attseg.recipes.recipe import DataSpec
from attseg.recipes.values import Setting, settings

WIDEST = 120
"""Columns of help, at most."""

DATA = ("name", "root", "options")
"""Settings of a data set without those of its splits."""


def data_settings(*names: str) -> Iterator[Setting]:
    """The settings of a data set, by their names without ``data.``."""
    return (setting for setting in settings(DataSpec, "data") if setting.key.removeprefix("data.") in (names or DATA))


def typed(read: Callable[[str], Any], expected: str, metavar: str, **more: Any) -> Parameter:
    """An option whose text a function reads.

    Args:
        read: Raises ValueError for what it does not understand.
        expected: What is understood, for the message.
        metavar: What stands for the value in help.
        more: Further arguments of the parameter.
    """

    def convert(_: Any, tokens: Sequence[Token]) -> Any:
        text = tokens[-1].value
        try:
            return read(text)
        except (ValueError, ZeroDivisionError):
            raise UsageError(f"{text!r} was given; {expected} was expected") from None

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


WHOLE = typed(int, "a whole number", "N")
MEBIBYTES = typed(int, "a whole number of MiB, such as 256", "MIB")
SCALES = typed(read_scales, "a list of numbers such as 0.5,1,1.5", "A,B,..")
SHARE = typed(lambda text: float(Fraction(text)), "a number such as 0.5 or 2/3", "SHARE")

RunName = Annotated[
    str, Parameter(help="A run folder, a .safetensors or exported file, owner/name on the hub, or demo.")
]
Json = Annotated[bool, Parameter(name="--json", help="Print one JSON object on standard output.")]
Overwrite = Annotated[bool, Parameter(help="Replace files that attseg did not write.")]
Device = Annotated[str, Parameter(help="auto (a GPU if there is one), cpu, cuda, cuda:N or mps.")]
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
Names = Annotated[
    tuple[str, ...],
    typed(lambda text: tuple(name.strip() for name in text.split(",")), "names with commas", "A,B,.."),
]
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


def _protocols() -> str:
    """The named protocols, one a line."""
    sizes = ", ".join(f"{data} {long_side} and {window}" for data, (long_side, window) in PSANET_SIZES.items())
    described_protocols = {protocol.name: protocol.describe() for protocol in ANYWHERE.values()} | {
        "psanet-sliding": "scaled to a long side, in windows at steps of 2/3, each also mirrored",
        "psanet-multiscale": f"the same at six scales; long side and window: {sizes}",
    }
    lines = described(described_protocols.items(), "{}", 18)
    start = "Named protocols, defined in docs/use/evaluation.md; the options below change one or make your own."
    return "\n".join([start, *lines])


@dataclass(frozen=True, kw_only=True)
class ProtocolOptions:
    """How images are seen.

    Args:
        protocol: One of the protocols above (default: single).
        scales: Sizes to predict at, averaged, such as 0.5,1,1.5.
        flip: Also predict the mirrored image, averaged.
        window: Predict in overlapping squares of N pixels; large images need it.
        stride: Step between windows, as a share of their side (default: 2/3).
        long_side: Scale the longer side to N pixels first.
        short_side: Scale the shorter side to N pixels first.
        longest: With --short_side, N pixels that the longer side never exceeds.
        multiple: Round sides up to multiples of N pixels.
        average: What is averaged (default: probabilities).
        memory: Memory for a batch of windows and their scores (default: 64, on a GPU 512); changes the speed, not the result.
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
    ProtocolOptions, Parameter(name="*", group=Group("How images are seen", help=_protocols(), sort_key=5))
]
