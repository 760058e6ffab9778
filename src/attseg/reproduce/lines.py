"""The lines of a table: figures of the paper beside ours."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import mean, stdev

from attseg.data.catalog import CATALOG
from attseg.profiling.count import Cost, profile
from attseg.profiling.subject import Subject
from attseg.recipes.recipe import Recipe
from attseg.reproduce.plan import Measurement
from attseg.reproduce.run import RowResult, read_result

NUM_CLASSES = 21
"""Classes where the record of a data set does not say how many."""


@dataclass(frozen=True)
class Line:
    """One figure of a row, the paper's and ours, in percent.

    Args:
        row: Name of the row.
        printed: What the paper calls it.
        protocol: How pictures were seen.
        paper: The paper's mIoU.
        paper_accuracy: The paper's share of right pixels.
        paper_classes: The paper's IoU of each class, where it prints them.
        paper_difference: The paper's mIoU minus that of the baseline row.
        results: Ours, one a seed.
        difference: Our mean minus that of the baseline row.
        note: Why there is nothing of ours, or what was read into the row.
        cost: Of the row's own network, at the paper's crop.
    """

    row: str
    printed: str
    protocol: str
    paper: float | None
    paper_accuracy: float | None
    paper_classes: Mapping[str, float]
    paper_difference: float | None
    results: tuple[RowResult, ...]
    difference: float | None
    note: str
    cost: Cost | None = None

    @property
    def miou(self) -> float | None:
        """Mean over the seeds."""
        return 100 * mean(result.miou for result in self.results) if self.results else None

    @property
    def spread(self) -> float | None:
        """Standard deviation over the seeds, as of a sample; None for one."""
        return 100 * stdev(result.miou for result in self.results) if len(self.results) > 1 else None

    @property
    def accuracy(self) -> float | None:
        """Mean share of right pixels over the seeds."""
        return 100 * mean(result.accuracy for result in self.results) if self.results else None

    def iou(self, name: str) -> float | None:
        """Mean IoU of a class over the seeds in which it occurs."""
        found = [result.classes[name] for result in self.results if name in result.classes]
        return 100 * mean(found) if found else None

    def probe(self, name: str) -> float | None:
        """Mean of the mIoU over the pixels of a difficulty."""
        found = [result.probes[name] for result in self.results if name in result.probes]
        return 100 * mean(found) if found else None

    @property
    def seconds(self) -> float | None:
        """Mean over the seeds."""
        return mean(result.seconds for result in self.results) if self.results else None

    @property
    def steps(self) -> int | None:
        """Optimiser steps of each run."""
        return self.results[0].steps if self.results else None


def collect(measurements: Sequence[Measurement], *, costs: bool = False) -> list[Line]:
    """The lines of what has been measured so far; nothing is trained.

    Args:
        measurements: Of a table.
        costs: Whether the cost of each row's network is counted.

    Raises:
        UsageError: A folder holds a run with other settings.
    """
    found = [(one, _results(one)) for one in measurements]
    lines = []
    for one, results in found:
        # a figure is compared with the baseline's under the same protocol, or with its only one
        bases = [(other, theirs) for other, theirs in found if other.row.name == one.row.baseline]
        alike = [pair for pair in bases if pair[0].figure.protocol == one.figure.protocol] or bases[:1]
        paper = ours = None
        if alike:
            base, theirs = alike[0]
            if one.figure.miou is not None and base.figure.miou is not None:
                paper = one.figure.miou - base.figure.miou
            seeds = {result.seed for result in results} & {result.seed for result in theirs}
            if seeds:
                ours = _mean(results, seeds) - _mean(theirs, seeds)
        lines.append(
            Line(
                row=one.row.name,
                printed=one.row.printed,
                protocol=(one.protocol.name if one.protocol else one.figure.protocol),
                paper=one.figure.miou,
                paper_accuracy=one.figure.accuracy,
                paper_classes=one.figure.classes,
                paper_difference=paper,
                results=results,
                difference=ours,
                note=one.note,
                cost=network_cost(one.row.recipe) if costs and one.row.recipe is not None else None,
            )
        )
    return lines


def _results(measurement: Measurement) -> tuple[RowResult, ...]:
    if measurement.protocol is None:
        return ()
    found = (read_result(run, measurement) for run in measurement.runs)
    return tuple(result for result in found if result is not None)


def _mean(results: Sequence[RowResult], seeds: set[int]) -> float:
    return 100 * mean(result.miou for result in results if result.seed in seeds)


def network_cost(recipe: Recipe) -> Cost:
    """Cost of the network of a recipe in inference, for one picture of the size of its crops; nothing is computed."""
    classes = CATALOG[recipe.data.name].classes
    subject = Subject(
        recipe.name, recipe.model.name, recipe.model.args, NUM_CLASSES if classes is None else len(classes.names)
    )
    return profile(subject.build(), recipe.crop_size, channels=subject.in_channels).total
