"""An exported file in words and tables, for people."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from attseg.text import TextTable


def export_parts(path: Path, report: Path, values: Mapping[str, Any]) -> Iterator[str | TextTable]:
    """The file, its contract, how near it is to the network, and what integers cost.

    Args:
        path: The file.
        report: Where all this is kept.
        values: As ``attseg.export.report.describe_file`` gives them.
    """
    yield f"{path}: {values['model']}, {values['bytes'] / 1e6:.1f} MB"
    yield f"  takes  {values['input']}"
    if values["scaling"]:
        yield f"  where  {values['scaling']}, as images are read"
    yield f"  gives  {values['output']}"
    contract = values["contract"]
    sizes = " x ".join(map(str, contract["size"] or contract["resize"] or ()))
    if contract["size"]:
        yield f"  sizes  {sizes} (height x width) alone"
    elif contract["resize"]:
        yield f"  sizes  any; the network sees {sizes} (height x width)"
    else:
        yield f"  sizes  any height and width from {contract['least']} on"
    parity = values["parity"]
    yield f"\nbeside the network in PyTorch, run by {parity['engine']}\n"
    yield TextTable(
        ("size", "pictures", f"{parity['compared']} differ by", "equal classes", "network", "file"),
        (
            (
                " x ".join(map(str, row["size"])),
                row["pictures"],
                "NaN" if row["difference"] is None else f"{row['difference']:.1e}",
                f"{100 * row['agreement']:.2f} %",
                f"{1000 * row['network_seconds']:.1f} ms",
                f"{1000 * row['file_seconds']:.1f} ms",
            )
            for row in parity["rows"]
        ),
    )
    threads = f"{parity['threads']} thread{'s' * (parity['threads'] != 1)}"
    yield (
        f"\nTimes are those of one picture with {threads}, a few runs on this computer as it is now: a hint, not a benchmark."
    )
    if values["int8"]:
        yield from _drop(values["int8"])
    yield f"{report.name} beside it keeps all this."


def _drop(integers: Mapping[str, Any]) -> Iterator[str]:
    calibrated = f"8-bit integers, calibrated with {integers['calibrated_with']} pictures"
    drop = integers["drop"]
    if drop is None:
        yield f"{calibrated}; what they cost in mIoU was not measured."
        return
    before, after, lost = 100 * drop["miou_before"], 100 * drop["miou_after"], drop["points_lost"]
    yield (
        f"{calibrated}: mIoU {before:.2f} -> {after:.2f}, {abs(lost):.2f} points {'lost' if lost >= 0 else 'won'} on "
        f"{drop['pictures']} pictures of {drop['split']}."
    )
