"""A report and a comparison in words and tables, for people."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from attseg.evaluation.comparison import Comparison
from attseg.evaluation.report import Report
from attseg.metrics import as_percent, mean_present, pixel_accuracy
from attseg.text import TextTable

SEPARATED = 1e-3
"""Share of the widest band around boundaries below which the narrowest says that classes hardly touch; of a straight boundary
it is 1/32."""


def _drawn(block: int) -> str:
    """The resampling behind an interval, in words."""
    return "pictures" if block == 1 else f"blocks of {block} pictures"


def report_parts(report: Report, values: Mapping[str, Any]) -> Iterator[str | TextTable]:
    """The tables for people: scores in percent."""
    yield f"{values['recipe'] or 'a model'} on {values['data']} {values['split']}: {report.pictures} pictures"
    refined = ", refined by a dense CRF" * bool(values.get("crf"))
    yield f"{report.protocol.name}: {report.protocol.describe()}{refined}\n"
    pixels = report.counts.sum(1)
    columns = report.iou, report.recall, report.precision, report.f1, pixels / max(pixels.sum(), 1)
    rows = zip(report.classes.names, *(map(as_percent, column) for column in columns), strict=True)
    means = (as_percent(mean_present(column)) for column in columns[:-1])
    yield TextTable(
        ("class", "IoU %", "recall %", "precision %", "F1 %", "of pixels %"), rows, last=("mean", *means, "")
    )
    if report.excluded:
        yield f"\nmIoU without {', '.join(report.excluded)}: {as_percent(report.miou_without)} %"
    if found := values.get("per_picture"):
        miou, accuracy = as_percent(found["miou"]), as_percent(found["pixel_accuracy"])
        yield f"\nmeans over {found['pictures']} pictures: mIoU {miou} %, pixel accuracy {accuracy} %"
    if interval := values.get("interval"):
        low, high = (as_percent(interval[end]) for end in ("low", "high"))
        yield f"\nmIoU {as_percent(report.miou)} %, over {_drawn(interval['block'])} {low} .. {high} (95 %)"
    yield f"\npixel accuracy {as_percent(report.pixel_accuracy)} %"
    yield f"frequency-weighted IoU {as_percent(report.frequency_weighted_iou)} %"
    if report.absent:
        yield f"absent, and in no mean: {', '.join(report.absent)}"
    labelled = zip(report.classes.names, pixels, strict=True)
    if unlabelled := [name for name, count in labelled if not count and name not in report.absent]:
        yield f"without a labelled pixel here, but predicted, and 0 in the mean IoU: {', '.join(unlabelled)}"
    if report.probes:
        difficulties = [
            (name, as_percent(report.probe_miou(name)), as_percent(pixel_accuracy(counts)), int(counts.sum()))
            for name, counts in report.probes.items()
        ]
        yield ""
        yield TextTable(("difficulty", "mIoU %", "pixel accuracy %", "pixels"), difficulties)
    if found := report.meters.get("boundary"):
        yield from _boundary(found)
    if found := report.meters.get("sizes"):
        yield ""
        by_size = [(_area(s), s["regions"], as_percent(s["miou"]), as_percent(s["found"])) for s in found["sizes"]]
        yield TextTable(("area of a region", "regions", "mIoU %", "accuracy %"), by_size)
    if found := report.meters.get("calibration"):
        yield f"\nexpected calibration error {as_percent(found['ece'])} %, largest {as_percent(found['mce'])} %"
        yield f"mean confidence {as_percent(found['mean_confidence'])} %"


def _boundary(found: Mapping[str, Any]) -> Iterator[str | TextTable]:
    yield f"\nboundary IoU {as_percent(found['iou'])} %\n"
    rows = [(band["width"], as_percent(band["miou"]), band["pixels"]) for band in found["trimap"]]
    yield TextTable(("pixels around boundaries", "mIoU %", "pixels"), rows)
    yield ""
    yield TextTable(
        ("tolerance", "F-score of contours %"), [(f["tolerance"], as_percent(f["f_score"])) for f in found["f_score"]]
    )
    bands = [band["pixels"] for band in found["trimap"]]
    if bands[0] < SEPARATED * bands[-1]:
        yield (
            f"ignored pixels separate the classes (pixels beside another class: {bands[0]}), so that the F-score of contours "
            "means nothing here"
        )


def _area(size: Mapping[str, Any]) -> str:
    return f"{size['from']} and more" if size["below"] is None else f"{size['from']} to {size['below'] - 1}"


def comparison_parts(comparison: Comparison, runs: tuple[str, str]) -> Iterator[str | TextTable]:
    """A table of IoU in percent; the change and its interval in points."""
    drawn = _drawn(comparison.block)
    yield f"\n{runs[0]} against {runs[1]}, in points of IoU with 95 % intervals over {drawn}\n"
    columns = zip(
        ("mean", *comparison.names),
        comparison.before,
        comparison.after,
        (comparison.miou, *comparison.classes),
        strict=True,
    )
    rows = [
        (
            name,
            as_percent(before),
            as_percent(after),
            as_percent(change.value, signed=True),
            f"{as_percent(change.low, signed=True)} .. {as_percent(change.high, signed=True)}",
        )
        for name, before, after, change in columns
    ]
    yield TextTable(("class", f"{runs[1]} %", f"{runs[0]} %", "change", "interval"), rows[1:], last=rows[0])
    moved = [
        name
        for name, change in zip(comparison.names, comparison.classes, strict=True)
        if change.low > 0 or change.high < 0
    ]
    yield f"\nmoved beyond chance: {', '.join(moved) or 'none'}"
