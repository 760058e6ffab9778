"""Many pictures from disk to disk: reading, computing and writing overlap, and a second run goes on where the first stopped."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import torch

from attseg.data.reading.image import read_image
from attseg.data.reading.inputs import PictureFile, find_pictures
from attseg.data.sample import Array, DataError
from attseg.errors import UsageError
from attseg.inference.result import Result, read_mark, saved_files
from attseg.inference.segmenter import Segmenter
from attseg.prediction.ahead import ahead
from attseg.prediction.crf import DenseCrf, Floats, refine_all
from attseg.prediction.protocol import Protocol
from attseg.prediction.protocols import SINGLE
from attseg.prediction.stream import OnViews


@dataclass(frozen=True)
class Summary:
    """What became of the pictures.

    Args:
        done: How many were segmented and written.
        skipped: How many had been done before, from the same picture and by the same weights.
        failed: Files that could not be segmented, each with a sentence that says why.
    """

    done: int
    skipped: int
    failed: tuple[tuple[Path, str], ...]


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
    on_file: Callable[[int, int, Path, str | None], None] | None = None,
    on_views: OnViews | None = None,
) -> Summary:
    """Segment files, and write ``labels/NAME.png`` (palette PNG, as large as the upright picture) and ``overlays/NAME.jpg``.

    Files are written at once or not at all, and each label file knows from which picture and which weights it comes: what is
    there already is skipped, and what came from elsewhere is never written over unasked. A picture that cannot be read or
    does not fit into memory fails alone.

    Args:
        segmenter: The model to use.
        inputs: Files, folders and patterns; ``attseg.data.reading.inputs`` says what they stand for and how pictures are named.
            Or pictures with their names, as ``attseg.data.catalog.open_pictures`` gives them.
        out: Folder for the results, which is made if it is not there.
        overlay: Whether overlays are written too.
        overwrite: Segment everything anew, whatever is there.
        protocol: How each picture is seen.
        crf: What refines each prediction, in processes of its own.
        memory: MiB for a batch of windows; ``attseg.prediction.stream.Predictor`` says which.
        on_file: Called after each picture with how many there were so far, how many there are, the file, and why it
            failed, if it did.
        on_views: Called on the way through a picture with how many views are done, and how many there are.

    Raises:
        UsageError: An input is not there, no picture was found, or the CRF is not installed.
        FileError: A result cannot be written.
    """
    named = [one for one in inputs if isinstance(one, PictureFile)]
    files = named or find_pictures([one for one in inputs if not isinstance(one, PictureFile)], outside=out)
    read = partial(_read, out, _digest(segmenter, protocol, crf), overlay, overwrite)
    if crf is None:
        segment = partial(segmenter.segment, protocol=protocol, memory=memory, on_views=on_views)
        segmented = _segment(segment, ahead(read, files))
    else:
        probabilities = partial(segmenter.predictor(protocol, memory).probabilities, on_views=on_views)
        segmented = _segment_refined(segmenter, probabilities, crf, ahead(read, files))
    jobs = ahead(partial(_write, out, overlay), segmented)
    done, skipped, failed = 0, 0, []
    for count, job in enumerate(jobs, 1):
        if job.problem is not None:
            failed.append((job.file.path, job.problem))
        elif job.result is None:
            skipped += 1
        else:
            done += 1
        if on_file is not None:
            on_file(count, len(files), job.file.path, job.problem)
    return Summary(done, skipped, tuple(failed))


@dataclass(frozen=True, eq=False)
class _Job:
    """A picture on its way: read, it has an image; segmented, a result; done before, neither."""

    file: PictureFile
    mark: str = ""
    image: Array | None = None
    result: Result | None = None
    problem: str | None = None


def _read(out: Path, weights: str, overlay: bool, overwrite: bool, file: PictureFile) -> _Job:
    there = saved_files(out, file.name)
    try:
        mark = f"{weights}-{digest_file(file.path)}"
        if there.labels.exists() and not overwrite:
            if read_mark(there.labels) != mark:
                return _Job(file, problem=_not_ours(file.path, there.labels))
            if there.overlay.exists() or not overlay:
                return _Job(file)
        return _Job(file, mark, read_image(file.path))
    except DataError as error:
        return _Job(file, problem=str(error))
    except OSError as error:
        return _Job(file, problem=f"{file.path} cannot be read: {error.strerror}")


def _segment(segment: Callable[[Array], Result], jobs: Iterable[_Job]) -> Iterator[_Job]:
    for job in jobs:
        if job.image is None:
            yield job
            continue
        try:
            yield _Job(job.file, job.mark, result=segment(job.image))
        except UsageError as error:
            yield _Job(job.file, problem=f"{job.file.path}: {error}")


def _segment_refined(
    segmenter: Segmenter, probabilities: Callable[[Array], Floats], crf: DenseCrf, jobs: Iterable[_Job]
) -> Iterator[_Job]:
    def seen() -> Iterator[tuple[_Job, Array | None, Floats | None]]:
        for job in jobs:
            try:
                yield job, job.image, None if job.image is None else probabilities(job.image)
            except UsageError as error:
                yield _Job(job.file, problem=f"{job.file.path}: {error}"), None, None

    for job, refined in refine_all(crf, seen()):
        if refined is None or job.image is None:
            yield job
        else:
            yield _Job(job.file, job.mark, result=segmenter.result(job.image, refined.labels, refined.scores))


def _write(out: Path, overlay: bool, job: _Job) -> _Job:
    """Write the results, the labels last: their file says that all is done."""
    if job.result is not None:
        files = saved_files(out, job.file.name)
        if overlay:
            job.result.save_overlay(files.overlay)
        job.result.save_labels(files.labels, mark=job.mark)
    return job


def _not_ours(path: Path, there: Path) -> str:
    return (
        f"{path} was not segmented: {there} is there already, and comes from another picture, another protocol or other weights; "
        "choose another folder for the results, or overwrite them"
    )


def digest_file(path: Path) -> str:
    """A few bytes that change with the content of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.blake2b(digest_size=8)).hexdigest()


def _digest(segmenter: Segmenter, protocol: Protocol, crf: DenseCrf | None) -> str:
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
