"""Videos from disk to disk: a lossless video of the classes, and one of the overlays, both with the times of the frames."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from attseg.bulk.batches import most_together, segment_together, windows
from attseg.bulk.claim import claimed
from attseg.bulk.files import Summary, digest_settings
from attseg.bulk.frames import Frame, Reader, Writer, check_installed
from attseg.bulk.manifest import Manifest, key_of, named_areas, now
from attseg.bulk.share import ALONE, Share
from attseg.data import paint
from attseg.data.classes import ClassTable
from attseg.data.reading.inputs import PictureFile
from attseg.data.reading.value_range import describe_range
from attseg.data.sample import Array, DataError
from attseg.errors import UsageError
from attseg.files import NotAFile, digest_file, refuse_in_place, replacing
from attseg.inference.result import LARGEST_LEGEND, LEGEND_STEP, NARROWEST_LEGEND, Result, SavedFiles, describe_values
from attseg.inference.segmenter import Segmenter
from attseg.prediction.ahead import ahead
from attseg.prediction.protocol import Protocol
from attseg.prediction.protocols import SINGLE

MOST_IN_LEGEND = 32
"""Classes that the legend of a video names at most: it names all, for they come and go."""


def predict_videos(
    segmenter: Segmenter,
    files: Sequence[PictureFile],
    out: Path,
    *,
    overlay: bool = True,
    overwrite: bool = False,
    protocol: Protocol = SINGLE,
    memory: int | None = None,
    batch: int | None = None,
    share: Share = ALONE,
    on_file: Callable[[int, int, Path, str | None], None] | None = None,
    on_frames: Callable[[int, int | None], None] | None = None,
) -> Summary:
    """Segment videos, and write ``labels/NAME.mkv`` (its gray values are those of label files) and ``overlays/NAME.mp4``.

    Frames come out upright and at the times at which they went in; sound is dropped. As with pictures, files are written at once
    or not at all, what is done is skipped, and the manifest gets a line for each video. A video that was cut short begins anew.
    One with frames that cannot be decoded is segmented without them, and named among the failures.

    Args:
        segmenter: The model to use.
        files: The videos, as ``attseg.bulk.frames.find_videos`` gives them.
        out: As of ``predict_files``, like all that is not named here.
        overlay: Whether overlays are written too.
        overwrite: Segment everything anew.
        protocol: How each frame is seen.
        memory: MiB for a batch of windows or of frames.
        batch: Frames that go through the network together, at most.
        share: Which of several processes this is; each takes whole videos.
        on_file: Called after each video, as after each picture.
        on_frames: Called after each frame with how many are done, and how many there are, if the file says so.

    Raises:
        UsageError: The package ``av`` is not installed, or another process is writing there.
        FileError: A result cannot be written.
    """
    check_installed()
    if batch is not None and batch < 1:
        raise UsageError(f"batch is {batch}; at least 1 frame was expected")
    stated = segmenter.preprocessing.value_range
    if stated is not None and stated[1] > 255:
        raise UsageError(
            f"the model was trained on images with values of {describe_range(stated)}, and frames of videos hold 0..255; give "
            "the frames as images with the values of the training images"
        )
    done, skipped, failed = 0, 0, []
    with claimed(out, share), Manifest(out, share) as manifest:
        settings = digest_settings(segmenter, protocol, None)
        most = partial(most_together, segmenter, memory=memory, limit=batch)
        segment = partial(segmenter.segment, protocol=protocol, memory=memory)
        together = _Together(segmenter, most) if protocol.is_plain and batch != 1 else _OneByOne(segment)
        studio = _Studio(segmenter.classes, together, out, manifest, settings, overlay, overwrite)
        for number, file in enumerate(share.of(files), 1):
            entry, problem = studio.work(file, on_frames)
            if entry is not None:
                manifest.add(entry)
            if problem is not None:
                failed.append((file.path, problem))
            elif entry is None or "seconds" not in entry:
                skipped += 1
            else:
                done += 1
            if on_file is not None:
                on_file(number, share.count(len(files)), file.path, problem)
    return Summary(done, skipped, tuple(failed))


def saved_videos(folder: Path, name: str) -> SavedFiles:
    """Where the files of a video lie below a folder."""
    return SavedFiles(folder / "labels" / f"{name}.mkv", folder / "overlays" / f"{name}.mp4")


Results = Iterator[tuple[Frame, Result]]


@dataclass(frozen=True)
class _OneByOne:
    segment: Callable[[Array], Result]

    def __call__(self, frames: Iterator[Frame]) -> Results:
        for frame in frames:
            yield frame, self.segment(frame.image)


@dataclass(frozen=True)
class _Together:
    """Frames in batches; their sizes are equal."""

    segmenter: Segmenter
    most: Callable[[Array], int]

    def __call__(self, frames: Iterator[Frame]) -> Results:
        for window in windows(frames, lambda frame: frame.image, self.most):
            try:
                results = segment_together(self.segmenter, [frame.image for frame in window])
            except UsageError:
                results = [self.segmenter.segment(frame.image) for frame in window]
            yield from zip(window, results, strict=True)


@dataclass(frozen=True)
class _Studio:
    """Where videos come in and go out."""

    classes: ClassTable
    segment: Callable[[Iterator[Frame]], Results]
    out: Path
    manifest: Manifest
    settings: str
    overlay: bool
    overwrite: bool

    def work(
        self, file: PictureFile, on_frames: Callable[[int, int | None], None] | None
    ) -> tuple[dict[str, Any] | None, str | None]:
        """The line for the manifest, if there is to be one, and why the video failed, if it did."""
        there = saved_videos(self.out, file.name)
        entry: dict[str, Any] = {"file": str(file.path), "name": file.name}
        try:
            seen = file.path.stat()
            origin = f"{self.settings} {file.name}"
            for result in there:
                refuse_in_place(result)
            if self.overwrite and there.labels.exists() and _mark_of(there.labels) is None:
                raise UsageError(
                    f"{there.labels} is there already, and was not written by `attseg predict`; choose another folder for "
                    "the results"
                )
            if self.overlay and not self.overwrite and there.overlay.exists() and not there.labels.exists():
                raise UsageError(
                    f"{there.overlay} is there already, without the labels that attseg would have written; choose another "
                    "folder for the results, or overwrite it"
                )
            exists = there.labels.exists() and not self.overwrite
            complete = exists and (there.overlay.exists() or not self.overlay)
            if complete and self.manifest.holds(key_of(origin, seen, there.labels.stat())):
                return None, None
            mark = f"{self.settings}-{digest_file(file.path)}"
            if exists and _mark_of(there.labels) != mark:
                raise UsageError(
                    f"{there.labels} is there already, and comes from another video, another protocol or other weights; choose "
                    "another folder for the results, or overwrite them"
                )
            found = _count_again(there.labels, self.classes) if complete else self._make(file, there, mark, on_frames)
        except (DataError, UsageError) as error:
            problem = str(error) if str(file.path) in str(error) else f"{file.path}: {error}"
            return entry | {"problem": problem, "time": now()}, problem
        except NotAFile as error:
            problem = f"{file.path} was not segmented: {error}"
            return entry | {"problem": problem, "time": now()}, problem
        except FileNotFoundError:
            problem = f"{file.path} cannot be read: there is no such file"
            return entry | {"problem": problem, "time": now()}, problem
        height, width = found.size
        entry |= {"frames": found.frames, "height": height, "width": width}
        entry |= named_areas(found.counts, self.classes)
        if found.seconds is not None:
            entry["seconds"] = round(found.seconds, 4)
        if found.problem is not None:
            entry["problem"] = found.problem
        return entry | {"time": now(), "key": key_of(origin, seen, there.labels.stat())}, found.problem

    def _make(
        self,
        file: PictureFile,
        there: SavedFiles,
        mark: str,
        on_frames: Callable[[int, int | None], None] | None,
    ) -> _Found:
        """Segment a video, and write its files, the labels last."""
        start = time.perf_counter()
        with Reader(file.path) as reader, replacing(there.labels) as labels_file:
            source = iter(reader)
            read = ahead(lambda _: next(source, None), count())
            first = next(read)
            if first is None:
                raise DataError(
                    f"{file.path} cannot be read as a video: no frame of it can be decoded; replace or remove it"
                )
            found = _Found((first.image.shape[0], first.image.shape[1]))
            legend = _legend(self.classes, found.size) if self.overlay else None
            make = partial(Writer, clock=reader.clock, rate=reader.rate, deep=self.classes.values.dtype != np.uint8)
            notes = {"attseg": mark, "attseg_classes": describe_values(self.classes)}
            frames = _checked(file.path, first, read)
            if not self.overlay:
                labels = make(labels_file, lossless=True, size=found.size, notes=notes)
                self._write(frames, found, labels, None, None, reader, on_frames)
            else:
                with replacing(there.overlay) as overlay_file:
                    labels = make(labels_file, lossless=True, size=found.size, notes=notes)
                    height = found.size[0] + (0 if legend is None else len(legend))
                    overlay = make(overlay_file, lossless=False, size=(height, found.size[1]), notes={})
                    self._write(frames, found, labels, overlay, legend, reader, on_frames)
        found.seconds = time.perf_counter() - start
        if reader.damaged:
            found.problem = (
                f"{file.path} is damaged: {reader.damaged} of its frames could not be decoded or not rightly, the first about "
                f"{reader.first_damage or 0:.1f} s after the beginning; the others were segmented"
            )
        return found

    def _write(
        self,
        frames: Iterator[Frame],
        found: _Found,
        labels: Writer,
        overlay: Writer | None,
        legend: Array | None,
        reader: Reader,
        on_frames: Callable[[int, int | None], None] | None,
    ) -> None:
        def write(pair: tuple[Frame, Result]) -> Array:
            frame, result = pair
            labels.write(self.classes.encode(result.labels), frame.time)
            if overlay is not None:
                picture = np.asarray(result.overlay(legend=False))
                overlay.write(picture if legend is None else np.concatenate((picture, legend)), frame.time)
            return result.labels

        for values in ahead(write, self.segment(frames)):
            found.add(values)
            if on_frames is not None:
                on_frames(found.frames, reader.count and max(reader.count, found.frames))
        labels.close()
        if overlay is not None:
            overlay.close()


@dataclass
class _Found:
    """Areas of the classes in a video."""

    size: tuple[int, int]
    frames: int = 0
    counts: npt.NDArray[np.int64] = field(default_factory=lambda: np.zeros(256, np.int64))
    seconds: float | None = None
    problem: str | None = None

    def add(self, labels: Array) -> None:
        self.frames += 1
        self.counts += np.array(Image.fromarray(labels).histogram())


def _checked(path: Path, first: Frame, others: Iterator[Frame | None]) -> Iterator[Frame]:
    """All frames, up to the end; their sizes have to be equal."""
    yield first
    for frame in others:
        if frame is None:
            return
        if frame.image.shape != first.image.shape:
            (height, width), (now_height, now_width) = first.image.shape[:2], frame.image.shape[:2]
            raise DataError(
                f"{path} cannot be segmented as one video: its frames have {height} x {width} pixels (height x width) at first, "
                f"and later {now_height} x {now_width}; cut it where the size changes"
            )
        yield frame


def _legend(classes: ClassTable, size: tuple[int, int]) -> Array | None:
    """A strip that names all classes, where there is room for one."""
    height, width = size
    if width < NARROWEST_LEGEND or len(classes) > MOST_IN_LEGEND:
        return None
    scale = min(max(1, round(width / LEGEND_STEP)), LARGEST_LEGEND)
    strip = np.asarray(paint.legend(classes, range(len(classes)), width, scale=scale))
    return strip if len(strip) <= height / 2 else None


def _mark_of(path: Path) -> str | None:
    try:
        with Reader(path) as reader:
            return reader.mark
    except DataError:
        return None


def _count_again(path: Path, classes: ClassTable) -> _Found:
    """Meaning of the values in a label video."""
    found = None
    with Reader(path) as reader:
        for values in reader.values():
            found = found or _Found((values.shape[0], values.shape[1]))
            if (labels := classes.decode(values)) is None:
                raise DataError(f"{path} holds values that mean no class; remove it")
            found.add(labels)
    if found is None:
        raise DataError(f"{path} holds no frame; remove it")
    return found
