"""The files of an evaluation: report.json, comparison.json and their pictures."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from attseg.evaluation.comparison import Comparison
from attseg.evaluation.job import MeasuredModel
from attseg.evaluation.meter_pictures import draw_reliability, draw_trimap
from attseg.evaluation.plots import draw_confusion, draw_samples
from attseg.files import write_file
from attseg.text import csv_text

PICTURES = ("confusion", "samples", "trimap", "reliability", "comparison", "worst")
TABLES = ("classes.csv", "confusion.csv", "worst.csv")
WRITTEN = ("report.json", "comparison.json", *TABLES, *(f"{name}.png" for name in PICTURES))
"""Files that an evaluation may write, beside pictures.jsonl, whose first line describes it."""

CHANGES = 6
"""Images in comparison.png."""


def write_report(out: Path, measured: MeasuredModel, values: Mapping[str, Any]) -> list[str]:
    """Write report.json, classes.csv, confusion.csv, confusion.png, samples.png, and pictures of what further meters found.

    Args:
        out: The folder.
        measured: What was measured.
        values: Contents of report.json.

    Returns:
        The names of the files.
    """
    report = measured.report
    write_file(out / "report.json", json.dumps(values, indent=2))
    scores = zip(report.iou, report.recall, report.precision, report.f1, strict=True)
    labelled = report.counts.sum(1).tolist()
    rows = [
        (name, *("" if value != value else f"{value:.6f}" for value in values), pixels)
        for name, values, pixels in zip(report.classes.names, scores, labelled, strict=True)
    ]
    heads: tuple[str, ...] = ("class", "iou", "recall", "precision", "f1", "labelled_pixels")
    write_file(out / "classes.csv", csv_text([heads, *rows]))
    counts = zip(report.classes.names, report.counts.tolist(), strict=True)
    heads = ("labelled \\ predicted", *report.classes.names)
    write_file(out / "confusion.csv", csv_text([heads, *((name, *row) for name, row in counts)]))
    draw_confusion(report, out / "confusion.png")
    draw_samples(measured.samples(), report.classes, out / "samples.png")
    written = ["report.json", "classes.csv", "confusion.csv", "confusion.png", "samples.png"]
    if found := report.meters.get("boundary"):
        draw_trimap(found, report.miou, out / "trimap.png")
        written.append("trimap.png")
    if found := report.meters.get("calibration"):
        draw_reliability(found, out / "reliability.png")
        written.append("reliability.png")
    return written


def write_comparison(
    comparison: Comparison, runs: tuple[MeasuredModel, MeasuredModel], names: tuple[str, str], out: Path
) -> list[str]:
    """Write comparison.json, and comparison.png with the images that changed most.

    Args:
        comparison: The first run against the second.
        runs: Both, measured on one split.
        names: What they are called.
        out: The folder.

    Returns:
        The names of the files.
    """
    values = {"run": names[0], "against": names[1], **comparison.to_dict()}
    write_file(out / "comparison.json", json.dumps(values, indent=2))
    rows, captions, data = [], [], runs[0].data
    short = [Path(name).name for name in names]
    if short[0] == short[1]:
        short = list(names)
    for change in comparison.changes[:CHANGES]:
        sample = data[change.index]
        rows.append((sample.image, sample.labels, *(run.label(sample.image) for run in runs)))
        before, after = ("-" if share != share else f"{100 * share:.2f}" for share in (change.before, change.after))
        captions.append(f"{change.name}: {short[0]} {after} % of pixels right, {short[1]} {before} %")
    headings = ("image", "labels", *short)
    draw_samples(rows, data.classes, out / "comparison.png", headings=headings, captions=captions)
    return ["comparison.json", "comparison.png"]
