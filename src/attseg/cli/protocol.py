"""The options that say how pictures are seen, which are the same for every verb that predicts."""

from __future__ import annotations

from argparse import ArgumentTypeError, BooleanOptionalAction, Namespace
from fractions import Fraction
from shutil import get_terminal_size
from textwrap import fill
from typing import get_args

from attseg.cli.parser import Parser
from attseg.prediction.protocol import Average, Protocol
from attseg.prediction.protocols import ANYWHERE, PSANET_SIZES, find_protocol

OPTIONS = ("scales", "flip", "window", "stride", "long_side", "average")


def add_protocol(parser: Parser) -> None:
    """Add ``--protocol`` and an option for each of a protocol's values."""
    group = parser.add_argument_group("how a picture is seen", _protocols())
    group.add_argument("--protocol", metavar="NAME", help="one of the above (default: single)")
    group.add_argument(
        "--scales", type=_numbers, metavar="A,B,..", help="sizes to see it at, averaged, such as 0.5,1,1.5"
    )
    group.add_argument("--flip", action=BooleanOptionalAction, help="also see everything mirrored, averaged")
    group.add_argument(
        "--window", type=int, metavar="N", help="see it in squares of N pixels that overlap; what huge pictures need"
    )
    group.add_argument(
        "--stride", type=_share, metavar="SHARE", help="step between windows, as a share of their side (default: 2/3)"
    )
    group.add_argument("--long-side", type=int, metavar="N", help="scale the longer side to N pixels first")
    group.add_argument("--average", choices=get_args(Average), help="what is averaged (default: probabilities)")
    group.add_argument(
        "--memory",
        type=_mebibytes,
        metavar="MIB",
        help="for a batch of windows and their scores (default: 64, on a GPU 512); changes the speed, not the result",
    )


def protocol_of(arguments: Namespace, data: str | None) -> Protocol:
    """The protocol that was asked for; the sizes of some depend on the data set.

    Raises:
        UsageError: There is no such protocol, or its values do not go together.
    """
    given = {name: value for name in OPTIONS if (value := getattr(arguments, name)) is not None}
    return find_protocol(arguments.protocol, data=data, changes=given)


def _protocols() -> str:
    """The named protocols, one a line."""
    width = min(110, get_terminal_size().columns - 4)
    sizes = ", ".join(f"{data} {long_side} and {window}" for data, (long_side, window) in PSANET_SIZES.items())
    described = {protocol.name: protocol.describe() for protocol in ANYWHERE.values()} | {
        "psanet-sliding": "scaled to a long side, in windows at steps of 2/3, each also mirrored",
        "psanet-multiscale": f"the same at six scales; long side and window: {sizes}",
    }
    lines = [
        fill(text, width, initial_indent=f"  {name:<20}", subsequent_indent=" " * 22)
        for name, text in described.items()
    ]
    start = "Named protocols, which docs/evaluation.md defines; the options below change one, or make one of your own."
    return "\n".join([fill(start, width), *lines])


def _numbers(text: str) -> tuple[float, ...]:
    try:
        return tuple(float(part) for part in text.strip("[]").split(","))
    except ValueError:
        raise ArgumentTypeError(f"{text!r} was given; numbers with commas were expected, such as 0.5,1,1.5") from None


def _share(text: str) -> float:
    try:
        return float(Fraction(text))
    except (ValueError, ZeroDivisionError):
        raise ArgumentTypeError(f"{text!r} was given; a number such as 0.5 or 2/3 was expected") from None


def _mebibytes(text: str) -> int:
    if not text.isdecimal():
        raise ArgumentTypeError(f"{text!r} was given; a whole number of MiB was expected, such as 256")
    return int(text)
