"""The protocols that have a name: those of the papers and of the code that was published with them.

``docs/use/evaluation.md`` writes each down, and says where a paper's "single scale" averages a mirrored picture.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from attseg.data.catalog import CATALOG
from attseg.errors import UsageError, unknown
from attseg.prediction.protocol import Protocol

SINGLE = Protocol()

SIX_SCALES = (0.5, 0.75, 1.0, 1.25, 1.5, 1.75)

FREE = "free"
"""Name of a protocol that has none."""

ANYWHERE = {
    protocol.name: protocol
    for protocol in (
        SINGLE,
        Protocol(name="single-flip", flip=True),
        Protocol(name="pan-multiscale", scales=SIX_SCALES, flip=True),
        Protocol(name="dfdam-multiscale", scales=(*SIX_SCALES, 2.0), flip=True),
        Protocol(name="csail-5scale", scales=(0.5, 0.75, 1.0, 1.25, 1.5)),
        Protocol(
            name="csail-short-sides", scales=(0.5, 0.625, 0.75, 0.875, 1.0), short_side=600, longest=1000, multiple=8
        ),
    )
}
"""Protocols that are the same for every data set."""

PSANET_SCALES = {"psanet-sliding": (1.0,), "psanet-multiscale": SIX_SCALES}

PSANET_SIZES = {name: record.psanet for name, record in CATALOG.items() if record.psanet}
"""Long side at scale 1 and window of PSANet's released settings, by data set."""

NAMES = (*ANYWHERE, *PSANET_SCALES)


def described_protocols() -> dict[str, str]:
    """What each named protocol does, for people."""
    sizes = ", ".join(f"{data} {long_side} and {window}" for data, (long_side, window) in PSANET_SIZES.items())
    return {protocol.name: protocol.describe() for protocol in ANYWHERE.values()} | {
        "psanet-sliding": "scaled to a long side, in windows at steps of 2/3, each also mirrored",
        "psanet-multiscale": f"the same at six scales; long side and window: {sizes}",
    }


def find_protocol(
    name: str | None = None, *, data: str | None = None, changes: Mapping[str, Any] | None = None
) -> Protocol:
    """A protocol by name, by its values, or by name with some values changed.

    Args:
        name: One of ``NAMES``; None is ``single``.
        data: Name of the data set, on which the sizes of PSANet's protocols depend.
        changes: Values instead of the named protocol's.

    Returns:
        The protocol. Its name is that of the named one whose values it has; else the given name with "changed" behind it, or
        ``free`` where none was given.

    Raises:
        UsageError: There is no such protocol, it has no sizes for this data set, or the values make no sense.

    Example:
        >>> find_protocol("psanet-sliding", data="voc2012").window
        465
        >>> find_protocol(changes={"flip": True}).name, find_protocol("pan-multiscale", changes={"flip": False}).name
        ('single-flip', 'pan-multiscale, changed')
    """
    changes = dict(changes or {})
    named = _named(name or SINGLE.name, data, changes)
    changed = replace(named, **changes)
    for known in (named, *ANYWHERE.values()):
        if _same(changed, known):
            return known
    return replace(changed, name=FREE if name is None else f"{name}, changed")


def _same(one: Protocol, other: Protocol) -> bool:
    """Whether nothing but the name differs, or a stride that no window takes."""
    stride = other.stride if one.window else one.stride
    return replace(other, name=one.name, stride=stride) == one


def _named(name: str, data: str | None, changes: Mapping[str, Any]) -> Protocol:
    if name in ANYWHERE:
        return ANYWHERE[name]
    if name not in PSANET_SCALES:
        raise unknown("protocol", name, NAMES)
    long_side, window = PSANET_SIZES.get(data or "", (0, 0))
    if not window and not {"long_side", "window"} <= changes.keys():
        place = f"for {data!r}" if data else "where the data set is not known"
        raise UsageError(
            f"{name} has sizes for {', '.join(PSANET_SIZES)}, but not {place}; also say what the longer side of a picture is "
            "scaled to (long_side, as 512) and the side of the windows (window, as 465: the size of the training crops)"
        )
    return Protocol(
        name=name,
        scales=PSANET_SCALES[name],
        flip=True,
        window=window or changes["window"],
        long_side=long_side or changes["long_side"],
        pad=True,
    )
