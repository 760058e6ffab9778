"""What ``attseg evaluate`` shows: bars on the way, then tables and files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from attseg.cli.output import print_table, progress_bar

if TYPE_CHECKING:
    from attseg.data.sample import Array, Sample, SegmentationData
    from attseg.evaluation.report import Report
    from attseg.prediction.stream import Predictor

SAMPLES = 4
"""Pictures in samples.png."""

LARGEST = 1024
"""Pixels of a side of a sample up to which it is kept as it is, and at least half of which larger ones keep."""


class Watch:
    """Shows bars on standard error, and keeps samples spread over the split for the picture."""

    def __init__(self, data: SegmentationData) -> None:
        self._data = data
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
        if sample.name in self._wanted:
            self._keep(sample, prediction)
        self._bar.update(self._pictures, completed=done)

    def within(self, done: int, total: int) -> None:
        """How far it is with a picture that takes more than one batch."""
        self._bar.update(self._views, completed=done, total=total, visible=done < total)

    def samples(self, predictor: Predictor) -> list[tuple[Array, Array, Array]]:
        """The samples with their predictions; those that were counted in an earlier run are predicted again."""
        for name, index in self._wanted.items():
            if name not in self._samples:
                sample = self._data[index]
                self._keep(sample, predictor.labels(sample.image))
        return [self._samples[name] for name in self._wanted]

    def _keep(self, sample: Sample, prediction: Array) -> None:
        """Keep every so many pixels, so that four huge pictures do not fill the memory."""
        step = max(1, max(prediction.shape) // LARGEST)
        parts = (sample.image, sample.labels, prediction)
        image, labels, predicted = (part[::step, ::step].copy() if step > 1 else part for part in parts)
        self._samples[sample.name] = image, labels, predicted


def print_report(report: Report, values: dict[str, Any]) -> None:
    """The tables for people: scores in percent."""
    from attseg.metrics import class_accuracy, pixel_accuracy

    print(f"{values['recipe'] or 'a model'} on {values['data']} {values['split']}: {report.pictures} pictures")
    print(f"{report.protocol.name}: {report.protocol.describe()}\n")
    pixels = report.counts.sum(1)
    columns = report.iou, class_accuracy(report.counts), pixels / max(pixels.sum(), 1)
    rows = zip(report.classes.names, *(map(_percent, column) for column in columns), strict=True)
    mean = "mean", _percent(report.miou), _percent(report.mean_accuracy), ""
    print_table(("class", "IoU %", "accuracy %", "of all pixels %"), rows, last=mean)
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


def _percent(share: float) -> str:
    return "-" if share != share else f"{100 * share:.2f}"


def write_report(out: Path, report: Report, values: dict[str, Any], samples: list[tuple[Array, Array, Array]]) -> None:
    """Write report.json, confusion.png and samples.png."""
    from attseg.evaluation.pictures import draw_confusion, draw_samples
    from attseg.files import replacing

    with replacing(out / "report.json") as file:
        file.write(json.dumps(values, indent=2).encode())
    draw_confusion(report, out / "confusion.png")
    draw_samples(samples, report.classes, out / "samples.png")
