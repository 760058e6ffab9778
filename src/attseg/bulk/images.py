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

from attseg.ahead import ahead
from attseg.bulk.batches import How, Prediction, predict_all, quick
from attseg.bulk.claim import claimed
from attseg.bulk.labels import saved_pictures
from attseg.bulk.manifest import Manifest, areas, count
from attseg.bulk.outputs import PICTURES, Outcome, Outputs, Summary
from attseg.bulk.share import ALONE, Share
from attseg.data.preprocessing import Preprocessing, check_same_bands
from attseg.data.reading.image import read_raw
from attseg.data.reading.inputs import PictureFile, Pictures
from attseg.data.reading.opening import telling
from attseg.data.reading.raw import UPRIGHT, RawImage
from attseg.data.sample import Array, DataError
from attseg.errors import UsageError
from attseg.inference.further import COCO, check_further, further_files, save_coco, save_further
from attseg.inference.saved import Further, present_classes, read_saved_labels, save_labels, save_overlay
from attseg.inference.saved import overlay as draw_overlay
from attseg.inference.segmenter import Segmenter
from attseg.prediction.crf import DenseCrf, Floats, refine_all
from attseg.prediction.decision import ARGMAX, Decision
from attseg.prediction.protocol import Protocol
from attseg.prediction.protocols import SINGLE
from attseg.prediction.stream import OnViews
from attseg.written import outputs as written

WORKERS = {"cpu": 1, "cuda": 4}
"""Threads that read: a processor is busy with the network, a GPU waits for files."""

TURNED = (
    "is turned upright by its EXIF orientation, and so is its label file (--split with --data.options.orientation raw: "
    "neither)"
)
"""The remark on an image that is not segmented as it is stored."""

DARK_BITS = 12
"""Bits of which a file of 16 uses at most so many where its values were meant to be scaled by a range."""


def predict_files(
    segmenter: Segmenter,
    inputs: Sequence[str | Path | PictureFile],
    out: Path,
    *,
    overlay: bool = True,
    overwrite: bool = False,
    protocol: Protocol = SINGLE,
    crf: DenseCrf | None = None,
    decision: Decision = ARGMAX,
    further: Sequence[Further] = (),
    of: Sequence[str] = (),
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
    ``docs/use/predict.md`` say what is in it. However many pictures there are, only those on their way are in memory.

    Args:
        segmenter: The model to use.
        inputs: Files, folders and patterns; ``attseg.data.reading.inputs`` says what they stand for and how pictures are named.
            Or pictures with their names, as ``attseg.data.catalog.open_pictures`` gives them.
        out: Folder for the results, which is made if it is not there.
        overlay: Whether overlays are written too.
        overwrite: Segment everything anew, whatever is there.
        protocol: How each picture is seen.
        crf: What refines each prediction, in processes of its own.
        decision: How classes are made of probabilities. ``attseg.prediction.decision.with_unsure_value`` gives the classes of the
            segmenter another value for pixels that are not sure.
        further: What else is written, as of ``Result.save``; ``coco`` is one file of all pictures, written at the end.
        of: Classes whose probabilities are written as pictures, as of ``Result.save``.
        memory: MiB for a batch of windows or of pictures; ``attseg.prediction.stream.Predictor`` says which.
        batch: Pictures of equal size that go through the network together, at most, where each is seen once and whole; None takes
            32, and on a processor only small ones.
        workers: Threads that read, and as many that write; None takes 1 beside a processor and 4 beside a GPU, and 4 that write.
        share: Which of several processes this is; each takes its share of the pictures, and has a manifest of its own.
        on_file: Called after each picture with how many there were so far, how many there are, the file, and why it
            failed, if it did.
        on_views: Called on the way through a picture with how many views are done, and how many there are.

    Raises:
        UsageError: An input is not there, no picture was found, there is no such class or file to save, the CRF is not installed,
            or another process is writing there.
        FileError: A result cannot be written.
    """
    if batch is not None and batch < 1:
        raise UsageError(f"batch is {batch}; at least 1 picture was expected")
    if crf is not None and segmenter.preprocessing.bands is not None:
        raise UsageError("a CRF compares red, green and blue, and this model sees chosen bands; leave it out (--crf)")
    if workers is not None and workers < 1:
        raise UsageError(f"workers is {workers}; at least 1 thread was expected")
    classes = segmenter.classes
    decision.check(classes)
    check_further(further, classes, of)
    if "coco" in further and share.world > 1:
        raise UsageError(
            "coco.json is one file of all pictures, and several processes write here; leave coco out, and then run the same "
            "command with it in one process: what is done is skipped"
        )
    named = [one for one in inputs if isinstance(one, PictureFile)]
    for one in named[:1]:
        check_same_bands(segmenter.preprocessing, one.bands or segmenter.preprocessing.chosen)
    files = named or Pictures([one for one in inputs if not isinstance(one, PictureFile)], outside=out)
    readers = workers or WORKERS.get(segmenter.device.type, WORKERS["cuda"])
    writers = workers or WORKERS["cuda"]  # they wait for the disk more than they work
    predictor = quick(segmenter.predictor(protocol, memory), exact=batch == 1)
    keeps = "probabilities" in further
    with claimed(out, share), written(*([out / COCO] if "coco" in further else []), overwrite=overwrite):
        settings = digest_settings(segmenter, protocol, crf, decision)
        kept = tuple(classes.names.index(name) for name in of)
        outputs = Outputs(
            PICTURES, classes, out, Manifest(out, share), settings, overlay, overwrite, tuple(further), kept
        )
        read = partial(_read, outputs, segmenter.preprocessing)
        jobs = ahead(read, share.of(files), by=2 * readers, threads=readers)
        how = How(classes, ARGMAX, probabilities=True) if crf else How(classes, decision, probabilities=keeps)
        predicted = predict_all(predictor, jobs, attrgetter("image"), how, limit=batch, on_views=on_views)
        if crf is not None:
            predicted = _refine(crf, How(classes, decision, probabilities=keeps), predicted)
        outcomes = ahead(partial(_write, outputs, segmenter.visible), predicted, by=2 * writers, threads=writers)
        summary = outputs.conclude(outcomes, lambda: share.count(len(files)), on_file)
        if "coco" in further:
            save_coco(out, saved_pictures(files, out, classes), classes)
    return summary


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


def _read(outputs: Outputs, preprocessing: Preprocessing, file: PictureFile) -> _Job:
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
        chosen, stated = (
            preprocessing.chosen,
            preprocessing.value_range if file.value_range is None else file.value_range,
        )
        numbers = None if chosen is None else chosen.numbers
        raw = read_raw(file.path, bands=numbers, apply_orientation=file.apply_orientation)
        with telling(file.path):
            image = raw.to_rgb(stated) if chosen is None else raw.to_bands(stated, chosen.fill)[0]
        turned = [TURNED] * (file.apply_orientation and raw.orientation in UPRIGHT)
        return replace(
            job, image=image, remarks=(*raw.remarks, *turned, *_dark(raw, scaled=(stated, chosen) != (None, None)))
        )
    except (DataError, UsageError, OSError) as error:
        return _Job(file, outcome=outputs.failed(file, error))


def _dark(raw: RawImage, *, scaled: bool) -> Iterator[str]:
    """A remark on values of up to 12 bits in a file of 16, which look black to a model that takes 65535 for white."""
    used = int(raw.values.max()).bit_length() if raw.white == 2**16 - 1 and not scaled else 0
    if 0 < used <= DARK_BITS:
        yield f"uses {used} of its 16 bits and is read as nearly black: the model has no range of values (--data.options.range)"


def _refine(crf: DenseCrf, how: How, predicted: Iterable[_Predicted]) -> Iterator[_Predicted]:
    def seen() -> Iterator[tuple[_Predicted, Array | None, Floats | None]]:
        for job, found in predicted:
            if isinstance(found, Prediction):
                yield (job, None), job.image, found.probabilities
            else:
                yield (job, found), None, None

    wanted = how.probabilities or how.decision.needs_probabilities
    for (job, found), refined in refine_all(crf, seen(), with_probabilities=wanted):
        if refined is None:
            yield job, found
            continue
        labels = refined.labels
        if how.decision.needs_probabilities:
            assert refined.probabilities is not None  # wanted
            labels, _ = how.decision.choose(torch.from_numpy(refined.probabilities), how.classes)
        yield job, Prediction(how.decision.clean(labels), refined.probabilities)


def _write(outputs: Outputs, visible: Callable[[Array], Array], predicted: _Predicted) -> Outcome:
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
            save_overlay(
                files.overlay, draw_overlay(visible(job.image), labels, outputs.classes, present_classes(labels))
            )
        for what in outputs.further:
            paths = further_files(outputs.out, job.file.name, what, outputs.of)
            if outputs.overwrite or not all(path.exists() for path in paths):
                save_further(
                    outputs.out,
                    job.file.name,
                    what,
                    labels,
                    outputs.classes,
                    probabilities=found.probabilities,
                    of=outputs.of,
                    picture=job.file.path,
                )
        save_labels(files.labels, labels, outputs.classes, mark=job.mark)
    seconds = None if found is None or found.seconds is None else round(found.seconds, 4)
    values = {"remarks": list(job.remarks)} if job.remarks else {}
    values |= {"height": labels.shape[0], "width": labels.shape[1], **areas(count(labels), outputs.classes)}
    return outputs.finished(
        job.file, job.seen, values | {"seconds": seconds}, done=found is not None, remarks=job.remarks
    )


def digest_settings(
    segmenter: Segmenter, protocol: Protocol, crf: DenseCrf | None = None, decision: Decision = ARGMAX
) -> str:
    """A few bytes that change with anything that the labels depend on."""
    seen = {name: value for name, value in protocol.to_dict().items() if name != "name"}
    further = [crf.to_dict()] if crf else []
    if decision != ARGMAX:
        further.append({"decision": decision.to_dict(), "not_sure": segmenter.classes.ignored_value})
    described = json.dumps([segmenter.classes.to_dict(), segmenter.preprocessing.to_dict(), seen, *further])
    digest = hashlib.blake2b(described.encode(), digest_size=8)
    for name, tensor in segmenter.model.state_dict().items():
        digest.update(name.encode())
        digest.update(tensor.cpu().contiguous().flatten().view(torch.uint8).numpy())
    return digest.hexdigest()
