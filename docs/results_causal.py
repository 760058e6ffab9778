"""The rows of ``causal.json``: what the papers' explanations predict, and what happens when they are put to the test."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

CAUSAL, CLAIMS = "causal", "claims"


class Place(NamedTuple):
    """A number of a network.

    Args:
        record: Which record has it.
        network: The network.
        finding: End of the name of the finding.
        row: Of its table.
        column: Of its table.
    """

    record: str
    network: str
    finding: str
    row: str
    column: str


class Row(NamedTuple):
    """A number and what it is held against.

    Args:
        text: The explanation, and what follows from it.
        measured: What was measured.
        first: Where it is.
        beside: What it is held against.
        second: Where that is.
        percent: Whether the two are shares.
    """

    text: str
    measured: str
    first: Place
    beside: str
    second: Place
    percent: bool = True


def _itself(direction: str) -> Row:
    row = ("mass on the point itself", "measured")
    return Row(
        "PSA avoids the point itself because the input stands beside it: without the input, the weight there rises",
        f"weight on the point's own cell without the input beside it, {direction}",
        Place(CAUSAL, "psanet-small-both-alone", f"({direction})", *row),
        "with it",
        Place(CLAIMS, "psanet-small-both", f"({direction})", *row),
    )


def _pieces(size: str) -> Row:
    name = "pieces of objects"
    return Row(
        "The recalibrating branch keeps large objects whole: without its choice, pieces rise",
        f"pieces of an object, area {size}",
        Place(CAUSAL, "a2r-small-ours", name, size, "pieces, recalibration even"),
        "as it is",
        Place(CAUSAL, "a2r-small-ours", name, size, "pieces, as it is"),
        percent=False,
    )


def _whole(size: str) -> Row:
    name = "pieces of objects"
    return Row(
        "Attention to Refine breaks fewer large objects than attention-to-scale",
        f"pieces of an object, area {size}, Attention to Refine",
        Place(CAUSAL, "a2r-small-ours", name, size, "pieces, as it is"),
        "attention-to-scale",
        Place(CAUSAL, "a2r-small-attention-to-scale", name, size, "pieces, as it is"),
        percent=False,
    )


def _swapped(network: str, size: str) -> Row:
    name = "scale weights swapped"
    return Row(
        "Large objects need the small picture: with the weights of the scales swapped, they lose most",
        f"right pixels of objects, area {size}, weights swapped, `{network}`",
        Place(CAUSAL, network, name, size, "right, swapped"),
        "as it is",
        Place(CAUSAL, network, name, size, "right, as it is"),
    )


def _gates(row: str, gate: str, measured: str) -> Row:
    name = "contrast between positions"
    return Row(
        "With one of DAFM's gates alone, the range of adjustment is halved",
        f"{measured}, {gate} alone",
        Place(CAUSAL, "dfdam-small-dafm", name, row, gate),
        "both gates",
        Place(CAUSAL, "dfdam-small-dafm", name, row, "both gates"),
    )


LARGE, SMALL = ("1024 to 9215", "9216 and more"), "below 256 pixels"
HIGH, LOW = "the high-level gate", "the low-level gate"

ROWS = (
    _itself("collect"),
    _itself("distribute"),
    *map(_whole, LARGE),
    *map(_pieces, LARGE),
    *(_gates("range that gates allow", gate, "contrast that can be taken away") for gate in (HIGH, LOW)),
    *(_gates("what they take away", gate, "contrast that is taken away") for gate in (HIGH, LOW)),
    *(_swapped("a2r-small-ours", size) for size in (SMALL, *LARGE)),
    *(_swapped("a2r-small-attention-to-scale", size) for size in (SMALL, *LARGE)),
)


def numbers(records: Mapping[str, Any], place: Place, kind: str) -> list[tuple[float, float]]:
    """Values with their standard errors over pictures, by seed, of ``trained`` or ``untrained`` networks."""
    runs = records[place.record]["networks"][place.network][kind]
    found = []
    for _, run in sorted(runs.items()):
        table = next(one for one in run["claims"] if one["name"].endswith(place.finding))
        row = next(one for one in table["rows"] if place.row in one.values())
        found.append((row[place.column]["value"], row[place.column]["error"] or 0.0))
    return found


def lines(records: Mapping[str, Any]) -> list[list[str]]:
    """The table's lines: explanation, what was measured, beside it, and both before training."""
    written = []
    for row in ROWS:
        trained = [_text(numbers(records, place, "trained"), row.percent) for place in (row.first, row.second)]
        before = [_text(numbers(records, place, "untrained")[:1], row.percent) for place in (row.first, row.second)]
        written.append([row.text, row.measured, trained[0], row.beside, trained[1], " / ".join(before)])
    return written


def _text(found: list[tuple[float, float]], percent: bool) -> str:
    factor = 100 if percent else 1
    texts = [f"{factor * value:.2f} ± {factor * error:.2f}" for value, error in found]
    return ", ".join(texts) + " %" * percent
