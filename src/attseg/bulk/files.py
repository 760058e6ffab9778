"""Many pictures from disk to disk: reading, computing and writing overlap, and a second run goes on where the first stopped."""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

import torch

from attseg.bulk.batches import by_size, most_together, segment_together, windows
from attseg.bulk.claim import claimed
from attseg.bulk.manifest import Manifest, areas, key_of, now
from attseg.bulk.share import ALONE, Share
from attseg.data.reading.image import read_raw
from attseg.data.reading.inputs import PictureFile, Pictures
from attseg.data.reading.opening import telling
from attseg.data.reading.raw import UPRIGHT
from attseg.data.reading.value_range import describe_range
from attseg.data.sample import Array, DataError
from attseg.errors import UsageError
from attseg.files import NotAFile, digest_file, refuse_in_place
from attseg.inference.result import Result, SavedFiles, is_overlay, read_mark, read_saved_labels, saved_files
from attseg.inference.segmenter import Segmenter
from attseg.prediction.ahead import ahead
from attseg.prediction.crf import DenseCrf, Floats, refine_all
from attseg.prediction.protocol import Protocol
from attseg.prediction.protocols import SINGLE
from attseg.prediction.stream import OnViews

WORKERS = {"cpu": 1, "cuda": 4}
"""Threads that read, and as many that write: a processor is busy with the network, a GPU waits for files."""


@dataclass(frozen=True)
class Summary:
    """Summary of a prediction over many images.

    Args:
        done: How many were segmented and written.
        skipped: How many had been done before, from the same picture and by the same weights.
        failed: Files that could not be segmented, each with a sentence that says why.
        remarks: What of the files was not read, such as further bands, and of how many files.
    """

    done: int
    skipped: int
    failed: tuple[tuple[Path, str], ...]
    remarks: Mapping[str, int] = field(default_factory=dict)


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
    done, skipped, failed = 0, 0, []
    remarks: Counter[str] = Counter()
    with claimed(out, share), Manifest(out, share) as manifest:
        desk = _Desk(segmenter, out, manifest, digest_settings(segmenter, protocol, crf), overlay, overwrite)
        jobs = flowing(desk.read, share.of(files))
        if crf is not None:
            probabilities = partial(segmenter.predictor(protocol, memory).probabilities, on_views=on_views)
            segmented = _segment_refined(segmenter, probabilities, crf, jobs)
        elif protocol.is_plain and batch != 1:
            most = partial(most_together, segmenter, memory=memory, limit=batch)
            segmented = _segment_batches(segmenter, most, jobs)
        else:
            segmented = _segment(partial(segmenter.segment, protocol=protocol, memory=memory, on_views=on_views), jobs)
        for count, job in enumerate(flowing(desk.write, segmented), 1):
            remarks.update(job.remarks)
            if job.entry is not None:
                manifest.add(job.entry)
            if job.problem is not None:
                failed.append((job.file.path, job.problem))
            elif job.result is None:
                skipped += 1
            else:
                done += 1
            if on_file is not None:
                on_file(count, max(count, share.count(len(files))), job.file.path, job.problem)
    return Summary(done, skipped, tuple(failed), remarks)


TURNED = (
    "is turned upright by its EXIF orientation, and so is its label file (--split with --data.options.orientation raw: "
    "neither)"
)
"""The remark on an image that is not segmented as it is stored."""


@dataclass(frozen=True, eq=False)
class _Job:
    """A picture on its way: read, it has an image; segmented, a result; done before, neither, and labels if no line says so."""

    file: PictureFile
    seen: os.stat_result | None = None
    mark: str = ""
    image: Array | None = None
    result: Result | None = None
    labels: Array | None = None
    seconds: float | None = None
    problem: str | None = None
    entry: dict[str, Any] | None = None
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Desk:
    """Where jobs come in and go out: what reads pictures, or finds that they are done, and what writes results."""

    segmenter: Segmenter
    out: Path
    manifest: Manifest
    settings: str
    overlay: bool
    overwrite: bool

    def read(self, file: PictureFile) -> _Job:
        """Look whether a picture is done, quickly where the manifest says so and else by what its label file says; or read it."""
        there = saved_files(self.out, file.name)
        try:
            seen = file.path.stat()
            job = _Job(file, seen)
            if (problem := self._in_the_way(file.path, there)) is not None:
                return replace(job, problem=problem)
            if not self.overwrite and there.labels.exists():
                complete = there.overlay.exists() or not self.overlay
                if complete and self.manifest.holds(self._key(job)):
                    return job
                mark = self._mark(file)
                if read_mark(there.labels) != mark:
                    return replace(job, problem=_not_ours(file.path, there.labels))
                if complete and (labels := read_saved_labels(there.labels, self.segmenter.classes)) is not None:
                    return replace(job, labels=labels)
            stated = self.segmenter.preprocessing.value_range if file.value_range is None else file.value_range
            raw = read_raw(file.path, apply_orientation=file.apply_orientation)
            with telling(file.path):
                image = raw.to_rgb(stated)
            turned = [TURNED] * (file.apply_orientation and raw.orientation in UPRIGHT)
            return replace(job, mark=self._mark(file), image=image, remarks=(*raw.remarks, *turned))
        except DataError as error:
            return _Job(file, problem=str(error))
        except OSError as error:
            return _Job(file, problem=f"{file.path} cannot be read: {error.strerror}")

    def _in_the_way(self, path: Path, there: SavedFiles) -> str | None:
        """Why results cannot be written: others' labels are replaced by no option, others' overlays with ``--overwrite``."""
        for result in there:
            try:
                refuse_in_place(result)
            except NotAFile as error:
                return f"{path} was not segmented: cannot write {result}: {error.strerror}"
        if self.overwrite and there.labels.exists() and read_mark(there.labels) is None:
            return (
                f"{path} was not segmented: {there.labels} is there already, and was not written by `attseg predict`; choose "
                "another folder for the results"
            )
        is_ours = self.overwrite or there.labels.exists() or not there.overlay.exists() or is_overlay(there.overlay)
        if self.overlay and not is_ours:
            return (
                f"{path} was not segmented: {there.overlay} is there already, and was not written by attseg; choose another "
                "folder for the results, or overwrite them"
            )
        return None

    def write(self, job: _Job) -> _Job:
        """Write the results, the labels last: their file says that all is done. And say what the manifest is to say."""
        labels = job.labels
        if job.result is not None:
            labels = job.result.labels
            files = saved_files(self.out, job.file.name)
            if self.overlay:
                job.result.save_overlay(files.overlay)
            job.result.save_labels(files.labels, mark=job.mark)
        elif job.problem is None and labels is None:
            return job
        entry: dict[str, Any] = {"file": str(job.file.path), "name": job.file.name}
        if job.problem is not None or labels is None:
            return replace(job, entry=entry | {"problem": job.problem, "time": now()})
        height, width = labels.shape
        seconds = None if job.seconds is None else round(job.seconds, 4)
        if job.remarks:
            entry["remarks"] = list(job.remarks)
        entry |= {"height": height, "width": width, **areas(labels, self.segmenter.classes)}
        entry |= {"seconds": seconds, "time": now()}
        return replace(job, entry=entry | {"key": self._key(job)}, image=None, labels=None)

    def _key(self, job: _Job) -> str:
        assert job.seen is not None
        there = saved_files(self.out, job.file.name)
        return key_of(f"{self._how(job.file)} {job.file.name}", job.seen, there.labels.stat())

    def _mark(self, file: PictureFile) -> str:
        return f"{self._how(file)}-{digest_file(file.path)}"

    def _how(self, file: PictureFile) -> str:
        """The settings, with what the data set of a file states."""
        stated = "" if file.value_range is None else f"-{describe_range(file.value_range)}"
        return f"{self.settings}{stated}{'' if file.apply_orientation else '-raw'}"


def _segment(segment: Callable[[Array], Result], jobs: Iterable[_Job]) -> Iterator[_Job]:
    for job in jobs:
        yield job if job.image is None else _try(segment, job)


def _try(segment: Callable[[Array], Result], job: _Job) -> _Job:
    assert job.image is not None
    start = time.perf_counter()
    try:
        result = segment(job.image)
    except UsageError as error:
        return replace(job, image=None, problem=f"{job.file.path}: {error}")
    return replace(job, image=None, result=result, seconds=time.perf_counter() - start)


def _segment_batches(segmenter: Segmenter, most: Callable[[Array], int], jobs: Iterable[_Job]) -> Iterator[_Job]:
    """The same, pictures of equal size together; where they do not fit together, each alone."""
    for window in windows(jobs, lambda job: job.image, most):
        places = [place for place, job in enumerate(window) if job.image is not None]
        images = [job.image for job in window if job.image is not None]
        for group in by_size(images):
            room = most(images[group[0]])
            for first in range(0, len(group), room):
                part = group[first : first + room]
                start = time.perf_counter()
                try:
                    results = segment_together(segmenter, [images[one] for one in part])
                except UsageError:
                    for one in part:
                        window[places[one]] = _try(segmenter.segment, window[places[one]])
                    continue
                seconds = (time.perf_counter() - start) / len(part)
                for one, result in zip(part, results, strict=True):
                    window[places[one]] = replace(window[places[one]], image=None, result=result, seconds=seconds)
        yield from window


def _segment_refined(
    segmenter: Segmenter, probabilities: Callable[[Array], Floats], crf: DenseCrf, jobs: Iterable[_Job]
) -> Iterator[_Job]:
    def seen() -> Iterator[tuple[_Job, Array | None, Floats | None]]:
        for job in jobs:
            try:
                yield job, job.image, None if job.image is None else probabilities(job.image)
            except UsageError as error:
                yield replace(job, image=None, problem=f"{job.file.path}: {error}"), None, None

    for job, refined in refine_all(crf, seen()):
        if refined is None or job.image is None:
            yield job
        else:
            yield replace(job, image=None, result=segmenter.result(job.image, refined.labels, refined.scores))


def _not_ours(path: Path, there: Path) -> str:
    return (
        f"{path} was not segmented: {there} is there already, and comes from another picture, another protocol or other weights; "
        "choose another folder for the results, or overwrite them"
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
