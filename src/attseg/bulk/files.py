"""Many pictures from disk to disk: reading, computing and writing overlap, and a second run goes on where the first stopped."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from operator import attrgetter
from pathlib import Path

import torch

from attseg.bulk.batches import Prediction, predict_all
from attseg.bulk.claim import claimed
from attseg.bulk.manifest import Manifest, areas, count
from attseg.bulk.outputs import PICTURES, Outcome, Outputs, Summary
from attseg.bulk.share import ALONE, Share
from attseg.data.reading.image import read_raw
from attseg.data.reading.inputs import PictureFile, Pictures
from attseg.data.reading.opening import telling
from attseg.data.reading.raw import UPRIGHT
from attseg.data.reading.value_range import ValueRange
from attseg.data.sample import Array, DataError
from attseg.errors import UsageError
from attseg.inference.saved import overlay as draw_overlay
from attseg.inference.saved import present_classes, read_saved_labels, save_labels, save_overlay
from attseg.inference.segmenter import Segmenter
from attseg.prediction.ahead import ahead
from attseg.prediction.crf import DenseCrf, Floats, refine_all
from attseg.prediction.protocol import Protocol
from attseg.prediction.protocols import SINGLE
from attseg.prediction.stream import OnViews

WORKERS = {"cpu": 1, "cuda": 4}
"""Threads that read, and as many that write: a processor is busy with the network, a GPU waits for files."""

TURNED = (
    "is turned upright by its EXIF orientation, and so is its label file (--split with --data.options.orientation raw: "
    "neither)"
)
"""The remark on an image that is not segmented as it is stored."""


def predict_files(
    segmenter: Segmenter,
    inputs: Sequence[str | Path | PictureFile],
    out: Path,
    *,
    overlay: bool = True,
    overwrite: bool = False,
    protocol: Protocol = SINGLE,
    crf: DenseCrf | None = None,
    memory: int | None = None,
    batch: int | None = None,
    workers: int | None = None,
    share: Share = ALONE,
    on_file: Callable[[int, int, Path, str | None], None] | None = None,
    on_views: OnViews | None = None,
) -> Summary:
    """Segment files, and write ``labels/NAME.png`` (as large as the upright image) and ``overlays/NAME.jpg``.

    Label files hold the values of the data set's own label files, as ``Result.save`` says.

    Files are written at once or not at all, and each label file knows from which picture and which weights it comes: what is
    there already is skipped, and what came from elsewhere is never written over unasked. A picture that cannot be read or
    does not fit into memory fails alone. ``manifest.jsonl`` gets a line for each picture; ``attseg.bulk.manifest`` and
    ``docs/predict.md`` say what is in it. However many pictures there are, only those on their way are in memory.

    Args:
        segmenter: The model to use.
        inputs: Files, folders and patterns; ``attseg.data.reading.inputs`` says what they stand for and how pictures are named.
            Or pictures with their names, as ``attseg.data.catalog.open_pictures`` gives them.
        out: Folder for the results, which is made if it is not there.
        overlay: Whether overlays are written too.
        overwrite: Segment everything anew, whatever is there.
        protocol: How each picture is seen.
        crf: What refines each prediction, in processes of its own.
        memory: MiB for a batch of windows or of pictures; ``attseg.prediction.stream.Predictor`` says which.
        batch: Pictures of equal size that go through the network together, at most, where each is seen once and whole; None takes
            32, and on a processor only small ones.
        workers: Threads that read, and as many that write; None takes 1 beside a processor and 4 beside a GPU.
        share: Which of several processes this is; each takes its share of the pictures, and has a manifest of its own.
        on_file: Called after each picture with how many there were so far, how many there are, the file, and why it
            failed, if it did.
        on_views: Called on the way through a picture with how many views are done, and how many there are.

    Raises:
        UsageError: An input is not there, no picture was found, the CRF is not installed, or another process is writing there.
        FileError: A result cannot be written.
    """
    if batch is not None and batch < 1:
        raise UsageError(f"batch is {batch}; at least 1 picture was expected")
    if workers is not None and workers < 1:
        raise UsageError(f"workers is {workers}; at least 1 thread was expected")
    named = [one for one in inputs if isinstance(one, PictureFile)]
    files = named or Pictures([one for one in inputs if not isinstance(one, PictureFile)], outside=out)
    threads = workers or WORKERS.get(segmenter.device.type, WORKERS["cuda"])
    flowing = partial(ahead, by=2 * threads, threads=threads)
    predictor = segmenter.predictor(protocol, memory)
    with claimed(out, share):
        settings = digest_settings(segmenter, protocol, crf)
        outputs = Outputs(PICTURES, segmenter.classes, out, Manifest(out, share), settings, overlay, overwrite)
        jobs = flowing(partial(_read, outputs, segmenter.preprocessing.value_range), share.of(files))
        predict = partial(
            predict_all,
            predictor,
            image_of=attrgetter("image"),
            limit=batch,
            probabilities=bool(crf),
            on_views=on_views,
        )
        predicted = predict(jobs) if crf is None else _refine(crf, predict(jobs))
        outcomes = flowing(partial(_write, outputs), predicted)
        return outputs.conclude(outcomes, lambda: share.count(len(files)), on_file)


@dataclass(frozen=True, eq=False)
class _Job:
    """A picture on its way: one to be segmented has an image, one of an earlier run labels, and any other an outcome."""

    file: PictureFile
    seen: os.stat_result | None = None
    mark: str = ""
    image: Array | None = None
    labels: Array | None = None
    outcome: Outcome | None = None
    remarks: tuple[str, ...] = ()


_Predicted = tuple[_Job, Prediction | UsageError | None]


def _read(outputs: Outputs, value_range: ValueRange | None, file: PictureFile) -> _Job:
    """Look whether a picture is done, or read it."""
    try:
        seen = file.path.stat()
        state, mark = outputs.state(file, seen)
        job = _Job(file, seen, mark)
        if state == "done":
            return replace(job, outcome=Outcome(file))
        if (
            state == "written"
            and (labels := read_saved_labels(outputs.files(file).labels, outputs.classes)) is not None
        ):
            return replace(job, labels=labels)
        raw = read_raw(file.path, apply_orientation=file.apply_orientation)
        with telling(file.path):
            image = raw.to_rgb(value_range if file.value_range is None else file.value_range)
        turned = [TURNED] * (file.apply_orientation and raw.orientation in UPRIGHT)
        return replace(job, image=image, remarks=(*raw.remarks, *turned))
    except (DataError, UsageError, OSError) as error:
        return _Job(file, outcome=outputs.failed(file, error))


def _refine(crf: DenseCrf, predicted: Iterable[_Predicted]) -> Iterator[_Predicted]:
    def seen() -> Iterator[tuple[_Predicted, Array | None, Floats | None]]:
        for job, found in predicted:
            if isinstance(found, Prediction):
                yield (job, None), job.image, found.probabilities
            else:
                yield (job, found), None, None

    for (job, found), refined in refine_all(crf, seen()):
        yield job, found if refined is None else Prediction(refined.labels)


def _write(outputs: Outputs, predicted: _Predicted) -> Outcome:
    """Write the results, the labels last: their file says that all is done."""
    job, found = predicted
    if job.outcome is not None:
        return job.outcome
    if isinstance(found, UsageError):
        return outputs.failed(job.file, found)
    labels = job.labels if found is None else found.labels
    assert labels is not None and job.seen is not None  # a job without an outcome has an image, of which came labels
    if found is not None and job.image is not None:
        files = outputs.files(job.file)
        if outputs.overlay:
            save_overlay(files.overlay, draw_overlay(job.image, labels, outputs.classes, present_classes(labels)))
        save_labels(files.labels, labels, outputs.classes, mark=job.mark)
    seconds = None if found is None or found.seconds is None else round(found.seconds, 4)
    values = {"remarks": list(job.remarks)} if job.remarks else {}
    values |= {"height": labels.shape[0], "width": labels.shape[1], **areas(count(labels), outputs.classes)}
    return outputs.finished(
        job.file, job.seen, values | {"seconds": seconds}, done=found is not None, remarks=job.remarks
    )


def digest_settings(segmenter: Segmenter, protocol: Protocol, crf: DenseCrf | None) -> str:
    """A few bytes that change with anything that the labels depend on."""
    seen = {name: value for name, value in protocol.to_dict().items() if name != "name"}
    described = json.dumps(
        [segmenter.classes.to_dict(), segmenter.preprocessing.to_dict(), seen, *([crf.to_dict()] if crf else [])]
    )
    digest = hashlib.blake2b(described.encode(), digest_size=8)
    for name, tensor in segmenter.model.state_dict().items():
        digest.update(name.encode())
        digest.update(tensor.cpu().contiguous().flatten().view(torch.uint8).numpy())
    return digest.hexdigest()
