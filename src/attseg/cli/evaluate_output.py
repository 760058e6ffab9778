"""What ``attseg evaluate`` shows: bars on the way, then tables and files."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from attseg.cli.output import print_table, progress_bar

if TYPE_CHECKING:
    from attseg.data.sample import Array, Sample, SegmentationData
    from attseg.evaluation.report import Report
    from attseg.evaluation.submission import Submission

SAMPLES = 4
"""Pictures in samples.png."""

LARGEST = 1024
"""Pixels of a side of a sample up to which it is kept as it is, and at least half of which larger ones keep."""


class Watch:
    """Shows bars on standard error, and keeps samples spread over the split for the picture."""

    def __init__(self, data: SegmentationData, submission: Submission | None = None) -> None:
        self._data = data
        self._submission = submission
        self._samples: dict[str, tuple[Array, Array, Array]] = {}
        spread = (round(place * (len(data) - 1) / (SAMPLES - 1)) for place in range(SAMPLES) if len(data))
        self._wanted = {data.name(index): index for index in spread}
        self._bar = progress_bar()
        self._pictures = self._bar.add_task("evaluating", total=len(data))
        self._views = self._bar.add_task("windows", visible=False)

    def __enter__(self) -> None:
        self._bar.start()

    def __exit__(self, *error: object) -> None:
        self._bar.stop()

    def __call__(self, done: int, total: int, sample: Sample, prediction: Array) -> None:
        """A picture was measured."""
        if self._submission is not None:
            self._submission.add(sample.name, prediction, size=(sample.image.shape[0], sample.image.shape[1]))
        if sample.name in self._wanted:
            self._keep(sample, prediction)
        self._bar.update(self._pictures, completed=done)

    def within(self, done: int, total: int) -> None:
        """How far it is with a picture that takes more than one batch."""
        self._bar.update(self._views, completed=done, total=total, visible=done < total)

    def samples(self, label: Callable[[Array], Array]) -> list[tuple[Array, Array, Array]]:
        """The samples with their predictions; those that were counted in an earlier run are predicted again."""
        for name, index in self._wanted.items():
            if name not in self._samples:
                sample = self._data[index]
                self._keep(sample, label(sample.image))
        return [self._samples[name] for name in self._wanted]

    def _keep(self, sample: Sample, prediction: Array) -> None:
        """Keep every so many pixels, so that four huge pictures do not fill the memory."""
        step = max(1, max(prediction.shape) // LARGEST)
        parts = (sample.image, sample.labels, prediction)
        image, labels, predicted = (part[::step, ::step].copy() if step > 1 else part for part in parts)
        self._samples[sample.name] = image, labels, predicted


def over_pictures(block: int) -> str:
    """What was drawn for an interval, in words."""
    return "pictures" if block == 1 else f"blocks of {block} pictures"


def print_report(report: Report, values: dict[str, Any]) -> None:
    """The tables for people: scores in percent."""
    from attseg.metrics import class_accuracy, pixel_accuracy

    print(f"{values['recipe'] or 'a model'} on {values['data']} {values['split']}: {report.pictures} pictures")
    refined = ", refined by a dense CRF" * bool(values.get("crf"))
    print(f"{report.protocol.name}: {report.protocol.describe()}{refined}\n")
    pixels = report.counts.sum(1)
    columns = report.iou, class_accuracy(report.counts), pixels / max(pixels.sum(), 1)
    rows = zip(report.classes.names, *(map(_percent, column) for column in columns), strict=True)
    mean = "mean", _percent(report.miou), _percent(report.mean_accuracy), ""
    print_table(("class", "IoU %", "accuracy %", "of all pixels %"), rows, last=mean)
    if interval := values.get("interval"):
        low, high = (_percent(interval[end]) for end in ("low", "high"))
        print(f"\nmIoU {_percent(report.miou)} %, over {over_pictures(interval['block'])} {low} .. {high} (95 %)")
    print(f"\npixel accuracy {_percent(report.pixel_accuracy)} %")
    print(f"frequency-weighted IoU {_percent(report.frequency_weighted_iou)} %")
    if report.absent:
        print(f"absent, and in no mean: {', '.join(report.absent)}")
    if report.probes:
        difficulties = [
            (name, _percent(report.probe_miou(name)), _percent(pixel_accuracy(counts)), int(counts.sum()))
            for name, counts in report.probes.items()
        ]
        print()
        print_table(("difficulty", "mIoU %", "pixel accuracy %", "pixels"), difficulties)
    if found := report.meters.get("boundary"):
        _print_boundary(found)
    if found := report.meters.get("sizes"):
        print()
        by_size = [(_area(s), s["regions"], _percent(s["miou"]), _percent(s["found"])) for s in found["sizes"]]
        print_table(("area of a region", "regions", "mIoU %", "accuracy %"), by_size)
    if found := report.meters.get("calibration"):
        print(f"\nexpected calibration error {_percent(found['ece'])} %, largest {_percent(found['mce'])} %")
        print(f"mean confidence {_percent(found['mean_confidence'])} %")


def _print_boundary(found: Mapping[str, Any]) -> None:
    print(f"\nboundary IoU {_percent(found['iou'])} %\n")
    rows = [(band["width"], _percent(band["miou"]), band["pixels"]) for band in found["trimap"]]
    print_table(("pixels around boundaries", "mIoU %", "pixels"), rows)
    print()
    print_table(
        ("tolerance", "F-score of contours %"), [(f["tolerance"], _percent(f["f_score"])) for f in found["f_score"]]
    )


def _area(size: Mapping[str, Any]) -> str:
    return f"{size['from']} and more" if size["below"] is None else f"{size['from']} to {size['below'] - 1}"


def _percent(share: float | None) -> str:
    return "-" if share is None or share != share else f"{100 * share:.2f}"


def write_report(
    out: Path, report: Report, values: dict[str, Any], samples: list[tuple[Array, Array, Array]]
) -> list[str]:
    """Write report.json, confusion.png, samples.png, and pictures of what further meters found; their names."""
    from attseg.evaluation.meter_pictures import draw_reliability, draw_trimap
    from attseg.evaluation.pictures import draw_confusion, draw_samples
    from attseg.files import replacing

    with replacing(out / "report.json") as file:
        file.write(json.dumps(values, indent=2).encode())
    draw_confusion(report, out / "confusion.png")
    draw_samples(samples, report.classes, out / "samples.png")
    written = ["report.json", "confusion.png", "samples.png"]
    if found := report.meters.get("boundary"):
        draw_trimap(found, report.miou, out / "trimap.png")
        written.append("trimap.png")
    if found := report.meters.get("calibration"):
        draw_reliability(found, out / "reliability.png")
        written.append("reliability.png")
    return written
