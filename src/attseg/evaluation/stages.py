"""The three stages of an evaluation, which each work on another picture: reading, predicting, counting."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import torch
from torch import Tensor

from attseg.ahead import ahead
from attseg.data.feeding.loader import Unread, eval_loader
from attseg.data.sample import Array, DataError, Sample, SegmentationData
from attseg.evaluation.counts import Counts, add_up
from attseg.evaluation.kept import KeptCounts
from attseg.evaluation.meter import Meter
from attseg.prediction.crf import DenseCrf, Floats, refine_all
from attseg.prediction.decided import ScoresError
from attseg.prediction.stream import OnViews, Predictor


@dataclass(frozen=True, eq=False)
class Piece:
    """Item passed from prediction to counting: a band of an image with its scores, or finally the whole image.

    Args:
        index: Of the picture in the split.
        sample: The picture, or the rows of the band; None where it could not be read.
        prediction: (H, W) the predicted classes of these.
        scores: (K, H, W) probabilities of a band; None with a whole picture.
        problem: Why the picture cannot be measured.
    """

    index: int
    sample: Sample | None = None
    prediction: Array | None = None
    scores: Tensor | None = None
    problem: str = ""


@dataclass(frozen=True, eq=False)
class CountedPiece:
    """Result of counting: an image and its counts, or the reason why there are none."""

    piece: Piece
    counts: Counts = field(default_factory=dict)
    problem: str = ""


def read(data: SegmentationData, indices: Sequence[int], workers: int) -> Iterator[tuple[int, Sample | DataError]]:
    """Samples with their indices, read ahead by processes or by a thread; of one that cannot be read, the error."""
    if not indices:
        return
    source = iter(eval_loader(data, indices, workers=workers))
    samples = source if workers else ahead(lambda _: next(source), indices, by=1)
    for index, sample in zip(indices, samples, strict=True):
        yield index, sample.error if isinstance(sample, Unread) else sample


def predict(
    predictor: Predictor,
    samples: Iterable[tuple[int, Sample | DataError]],
    *,
    with_scores: bool,
    on_views: OnViews | None,
) -> Iterator[Piece]:
    """Whole pictures with their predictions, and before each its bands where somebody wants their scores."""
    for index, sample in samples:
        if isinstance(sample, DataError):
            yield Piece(index, problem=str(sample))
            continue
        prediction = np.empty(sample.labels.shape, np.uint8)
        try:
            for band in predictor.bands(sample.image, on_views):
                rows = slice(band.top, band.top + band.height)
                prediction[rows] = band.labels()
                if with_scores:
                    yield Piece(index, _cut(sample, rows), prediction[rows], band.probabilities())
        except ScoresError as error:
            yield Piece(index, problem=f"{sample.name}: {error}")
        else:
            yield Piece(index, sample, prediction)


def predict_refined(
    predictor: Predictor,
    samples: Iterable[tuple[int, Sample | DataError]],
    crf: DenseCrf,
    *,
    with_scores: bool,
    on_views: OnViews | None,
) -> Iterator[Piece]:
    """The same with a CRF behind the network, which wants the scores of whole pictures; several are refined at a time."""

    def jobs() -> Iterator[tuple[Piece, Array | None, Floats | None]]:
        for index, sample in samples:
            if isinstance(sample, DataError):
                yield Piece(index, problem=str(sample)), None, None
                continue
            try:
                yield Piece(index, sample), sample.image, predictor.probabilities(sample.image, on_views)
            except ScoresError as error:
                yield Piece(index, problem=f"{sample.name}: {error}"), None, None

    for piece, refined in refine_all(crf, jobs(), with_probabilities=with_scores):
        if refined is None:
            yield piece
            continue
        if refined.probabilities is not None:
            yield replace(piece, prediction=refined.labels, scores=torch.from_numpy(refined.probabilities))
        yield replace(piece, prediction=refined.labels)


class Counting:
    """Counts pieces, keeps the counts of each picture where that is wanted, and gives them away when it is complete.

    Args:
        meters: What to count.
        kept: Where counts are kept.
    """

    def __init__(self, meters: Sequence[Meter], kept: KeptCounts | None) -> None:
        self.meters = meters
        self.kept = kept
        self._parts: list[Counts] = []
        self._problem = ""

    def __call__(self, piece: Piece) -> CountedPiece | None:
        """The picture, if this was the last piece of it."""
        self._problem = self._problem or piece.problem
        if piece.sample is not None and piece.prediction is not None and not self._problem:
            try:
                self._count(piece.sample, piece.prediction, piece.scores)
            except ValueError as error:
                self._problem = f"{piece.sample.name} cannot be measured: {error}"
        if piece.scores is not None:
            return None
        counts, problem = add_up(self._parts), self._problem
        self._parts, self._problem = [], ""
        if self.kept is not None and piece.sample is not None and not problem:
            self.kept.add(piece.index, piece.sample.name, counts)
        return CountedPiece(piece, counts, problem)

    def _count(self, sample: Sample, prediction: Array, scores: Tensor | None) -> None:
        for meter in self.meters:
            if meter.needs_scores == (scores is not None):
                counts = meter.count(sample, prediction, scores)
                self._parts.append({f"{meter.name}/{name}": value for name, value in counts.items()})


def counts_of(meter: Meter, counts: Mapping[str, Tensor]) -> Counts:
    """The counts of one meter, out of those of all."""
    start = f"{meter.name}/"
    return {name.removeprefix(start): value for name, value in counts.items() if name.startswith(start)}


def _cut(sample: Sample, rows: slice) -> Sample:
    probes = sample.probes and {name: mask[rows] for name, mask in sample.probes.items()}
    return replace(sample, image=sample.image[rows], labels=sample.labels[rows], probes=probes)
