"""Evaluation of a model on a split: every picture once, one confusion matrix over all of them.

Three stages overlap, each with another picture: reading, predicting, counting.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import torch
from torch import nn

from attseg.ahead import ahead
from attseg.data.classes import explain_too_few
from attseg.data.feeding.samplers import StridedSampler
from attseg.data.preprocessing import Preprocessing, check_same_bands
from attseg.data.sample import Array, DataError, Sample, SegmentationData
from attseg.data.sets.file_data import FileData
from attseg.errors import UsageError
from attseg.evaluation.counts import Counts, add_up, sum_over_processes
from attseg.evaluation.identity import stamps_of
from attseg.evaluation.kept import KeptCounts
from attseg.evaluation.meter import ConfusionMeter, Meter
from attseg.evaluation.report import Report
from attseg.evaluation.stages import Counting, counts_of, predict, predict_refined, read
from attseg.prediction.crf import DenseCrf
from attseg.prediction.protocol import Protocol
from attseg.prediction.protocols import SINGLE
from attseg.prediction.stream import OnViews, Predictor

OnPicture = Callable[[int, int, Sample, Array], None]

MOST_NAMED = 20
"""Pictures that a message names."""


def evaluate(
    model: nn.Module,
    data: SegmentationData,
    preprocessing: Preprocessing,
    *,
    protocol: Protocol = SINGLE,
    crf: DenseCrf | None = None,
    meters: Sequence[Meter] = (),
    device: torch.device | str = "cpu",
    workers: int = 0,
    rank: int = 0,
    world: int = 1,
    precision: str = "32",
    memory: int | None = None,
    kept: KeptCounts | None = None,
    on_picture: OnPicture | None = None,
    on_views: OnViews | None = None,
) -> Report:
    """Predict every picture of a split once, and count.

    Args:
        model: A model of ours; evaluated in evaluation mode, and left in the mode that it was in.
        data: The split.
        preprocessing: What the model was trained with.
        protocol: How each picture is seen.
        crf: What refines each prediction, in processes of its own.
        meters: What to count beside the confusion matrix.
        device: Where the model is.
        workers: Processes that read pictures; 0 reads in a thread of this one.
        rank: Which of ``world`` processes this is; each takes every ``world``-th picture, and all get the same report.
        world: Processes that evaluate together, joined by ``torch.distributed``.
        precision: ``32``, ``bf16`` or ``fp16``.
        memory: MiB for a batch of views; ``attseg.prediction.stream.Predictor`` says which.
        kept: Where the counts of each image are kept; images that are there already are not seen again, unless they or their
            labels have another size or time since. Of one process only.
        on_picture: Called after each picture with how many this process has done, how many it has, the sample, and its
            prediction (H, W).
        on_views: Called on the way through a picture that takes several batches, with how many views are done, and how many
            there are.

    Returns:
        The report over all processes.

    Raises:
        DataError: Fewer than two classes count, or a picture or its labels cannot be read or counted. Without ``kept`` this ends
            the evaluation; else the others are counted and kept first, and the message names all that could not be.
        UsageError: The split is empty, the CRF is not installed, a picture does not fit into memory, two meters have one name,
            or what was kept belongs to other pictures.
    """
    if len(data) == 0:
        raise UsageError(f"the split {data.split!r} has no picture to evaluate on")
    if isinstance(data, FileData):
        check_same_bands(preprocessing, data.files.bands)
    if crf is not None and preprocessing.bands is not None:
        raise UsageError("a CRF compares red, green and blue, and this model sees chosen bands; leave it out")
    if problem := explain_too_few(data.classes):
        raise DataError(f"the split {data.split!r} cannot be measured: {problem}")
    device = torch.device(device)
    confusion = ConfusionMeter(len(data.classes))
    everything = (confusion, *meters)
    _check(everything, data, kept, world)
    mine = StridedSampler(len(data), rank, world).indices
    todo = [index for index in mine if kept is None or index not in kept.names]
    total: Counts = {}
    failed: list[str] = []
    with _evaluating(model):
        predictor = Predictor(model, len(data.classes), preprocessing, device, protocol, precision, memory)
        samples = read(data, todo, workers)
        with_scores = any(meter.needs_scores for meter in meters)
        if crf is None:
            pieces = predict(predictor, samples, with_scores=with_scores, on_views=on_views)
        else:
            pieces = predict_refined(predictor, samples, crf, with_scores=with_scores, on_views=on_views)
        measured = (one for one in ahead(Counting(everything, kept), pieces, by=1) if one is not None)
        for done, one in enumerate(measured, 1 + len(mine) - len(todo)):
            if one.problem:
                failed.append(one.problem)
                if kept is None:
                    raise DataError(one.problem)
                continue
            if kept is None:
                total = add_up((total, one.counts))
            if on_picture is not None and one.piece.sample is not None and one.piece.prediction is not None:
                on_picture(done, len(mine), one.piece.sample, one.piece.prediction)
    if kept is not None:
        if failed:
            raise DataError(_explain(failed, len(mine), kept))
        total = add_up(kept)
    if world > 1:
        total = sum_over_processes(total, device)
    counts = counts_of(confusion, total)
    return Report(
        classes=data.classes,
        counts=counts[confusion.COUNTS].numpy(),
        pictures=len(data),
        ignored=int(counts[confusion.IGNORED]),
        protocol=protocol,
        probes={
            name.removeprefix(confusion.PROBE): count.numpy()
            for name, count in counts.items()
            if name.startswith(confusion.PROBE)
        },
        meters={meter.name: meter.result(counts_of(meter, total)) for meter in meters},
    )


@contextmanager
def _evaluating(model: nn.Module) -> Iterator[None]:
    """Evaluation mode, and then again the mode that was before."""
    was_training = model.training
    model.eval()
    try:
        yield
    finally:
        model.train(was_training)


def _check(meters: Sequence[Meter], data: SegmentationData, kept: KeptCounts | None, world: int) -> None:
    """Refuse meters of one name, and counts that were kept of something else."""
    names = [meter.name for meter in meters]
    if twice := [name for name in names if names.count(name) > 1]:
        raise UsageError(f"two meters are called {twice[0]!r}; give each a name of its own")
    if kept is None:
        return
    if world > 1:
        raise UsageError(
            f"counts are kept by one process only, and this is one of {world}; evaluate without keeping them"
        )
    for index, name in kept.names.items():
        if index >= len(data) or data.name(index) != name:
            here = data.name(index) if index < len(data) else "nothing"
            raise UsageError(
                f"{kept.path} belongs to other pictures: number {index} is {name} there and {here} in the data set; "
                "leave out --resume to begin anew"
            )
    kept.compare(stamps_of(data))


def _explain(failed: Sequence[str], total: int, kept: KeptCounts) -> str:
    named = [f"  {one}" for one in failed[:MOST_NAMED]]
    if len(failed) > MOST_NAMED:
        named.append(f"  and {len(failed) - MOST_NAMED} more")
    return (
        f"{len(failed)} of {total} pictures could not be measured; the counts of the other {len(kept.names)} are kept in "
        f"{kept.path}. Mend these, and go on with --resume:\n" + "\n".join(named)
    )
