"""Videos from disk to disk: a lossless video of the classes, and one of the overlays, both with the times of the frames."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from itertools import count
from operator import attrgetter
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from attseg.ahead import ahead
from attseg.bulk import manifest
from attseg.bulk.batches import How, Prediction, predict_all, quick
from attseg.bulk.claim import claimed
from attseg.bulk.frames import Reader, VideoFrame, VideoWriter, check_installed, read_mark
from attseg.bulk.images import digest_settings
from attseg.bulk.manifest import Manifest, areas
from attseg.bulk.outputs import Kind, Outcome, Outputs, Summary
from attseg.bulk.share import ALONE, Share
from attseg.data import paint
from attseg.data.classes import ClassTable
from attseg.data.reading.bands import describe_bands
from attseg.data.reading.inputs import PictureFile
from attseg.data.reading.value_range import describe_range
from attseg.data.sample import Array, DataError
from attseg.errors import UsageError
from attseg.files import replacing
from attseg.inference.saved import NARROWEST_LEGEND, describe_values, legend
from attseg.inference.segmenter import Segmenter
from attseg.prediction.decision import ARGMAX, Decision
from attseg.prediction.protocol import Protocol
from attseg.prediction.protocols import SINGLE

MOST_IN_LEGEND = 32
"""Classes that the legend of a video names at most: it names all, for they come and go."""

VIDEOS = Kind("video", (".mkv", ".mp4"), read_mark, lambda path: False)


def predict_videos(
    segmenter: Segmenter,
    files: Sequence[PictureFile],
    out: Path,
    *,
    overlay: bool = True,
    overwrite: bool = False,
    protocol: Protocol = SINGLE,
    decision: Decision = ARGMAX,
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
        decision: How classes are made of probabilities.
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
    decision.check(segmenter.classes)
    if batch is not None and batch < 1:
        raise UsageError(f"batch is {batch}; at least 1 frame was expected")
    if segmenter.preprocessing.bands is not None:
        raise UsageError(
            f"frames of videos are red, green and blue, and this model sees "
            f"{describe_bands(segmenter.preprocessing.bands, None)}; give images that have these"
        )
    stated = segmenter.preprocessing.value_range
    if stated is not None and stated[1] > 255:
        raise UsageError(
            f"the model was trained on images with values of {describe_range(stated)}, and frames of videos hold 0..255; give "
            "the frames as images with the values of the training images"
        )
    predictor = quick(segmenter.predictor(protocol, memory), exact=batch == 1)
    with claimed(out, share):
        settings = digest_settings(segmenter, protocol, decision=decision)
        outputs = Outputs(VIDEOS, segmenter.classes, out, Manifest(out, share), settings, overlay, overwrite)
        how = How(segmenter.classes, decision)
        see = partial(predict_all, predictor, image_of=attrgetter("image"), how=how, limit=batch)
        outcomes = (_work(outputs, see, file, on_frames) for file in share.of(files))
        return outputs.conclude(outcomes, lambda: share.count(len(files)), on_file)


OnFrames = Callable[[int, int | None], None]
_Seen = tuple[VideoFrame, Prediction | UsageError | None]
_See = Callable[[Iterator[VideoFrame]], Iterator[_Seen]]


def _work(outputs: Outputs, see: _See, file: PictureFile, on_frames: OnFrames | None) -> Outcome:
    try:
        seen = file.path.stat()
        state, mark = outputs.state(file, seen)
        if state == "done":
            return Outcome(file)
    except (UsageError, OSError) as error:
        return outputs.failed(file, error)
    if state == "written":  # its areas stand in a manifest that is lost
        return outputs.finished(file, seen, {}, done=False, remarks=())
    try:
        values = _make(outputs, see, file, mark, on_frames)
    except (DataError, UsageError) as error:
        return outputs.failed(file, error)
    return outputs.finished(file, seen, values, done=True, remarks=())


@dataclass
class _Found:
    """Areas of the classes in a video so far."""

    frames: int = 0
    counts: npt.NDArray[np.int64] = field(default_factory=lambda: np.zeros(256, np.int64))


def _make(outputs: Outputs, see: _See, file: PictureFile, mark: str, on_frames: OnFrames | None) -> dict[str, Any]:
    """Segment a video, write its files, the labels last, and say what the manifest is to say."""
    start, classes, there, found = time.perf_counter(), outputs.classes, outputs.files(file), _Found()
    with Reader(file.path) as reader, ExitStack() as stack:
        source = iter(reader)
        read = ahead(lambda _: next(source, None), count())
        first = next(read)
        if first is None:
            raise DataError(
                f"{file.path} cannot be read as a video: no frame of it can be decoded; replace or remove it"
            )
        height, width = first.image.shape[:2]
        make = partial(VideoWriter, clock=reader.clock, rate=reader.rate)
        notes = {"attseg": mark, "attseg_classes": describe_values(classes)}
        deep = classes.values.dtype != np.uint8
        labels_file = stack.enter_context(replacing(there.labels))
        labels = stack.enter_context(make(labels_file, "gray16le" if deep else "gray", (height, width), notes=notes))
        strip, overlay = _legend(classes, height, width), None
        if outputs.overlay:
            overlay_file = stack.enter_context(replacing(there.overlay))
            overlay = stack.enter_context(make(overlay_file, "rgb24", (height + len(strip), width)))

        def write(predicted: _Seen) -> Array:
            frame, prediction = predicted
            if not isinstance(prediction, Prediction):
                raise prediction or UsageError("a frame without a picture")
            labels.write(classes.encode(prediction.labels), frame.time)
            if overlay is not None:
                picture = paint.overlay(frame.image, prediction.labels, classes)
                overlay.write(np.concatenate((picture, strip)), frame.time)
            return prediction.labels

        frames = _checked(file.path, first, read)
        for values in ahead(write, see(frames)):
            found.frames += 1
            found.counts += manifest.count(values)
            if on_frames is not None:
                on_frames(found.frames, reader.count and max(reader.count, found.frames))
    line = {"frames": found.frames, "height": height, "width": width, **areas(found.counts, classes)}
    line["seconds"] = round(time.perf_counter() - start, 4)
    if reader.damaged:
        line["problem"] = (
            f"{file.path} is damaged: {reader.damaged} of its frames could not be decoded or not rightly, the first about "
            f"{reader.first_damage or 0:.1f} s after the beginning; the others were segmented"
        )
    return line


def _checked(path: Path, first: VideoFrame, others: Iterator[VideoFrame | None]) -> Iterator[VideoFrame]:
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


def _legend(classes: ClassTable, height: int, width: int) -> Array:
    """(h, W, 3) A strip that names all classes; of no height where there is no room for one."""
    none = np.zeros((0, width, 3), np.uint8)
    if width < NARROWEST_LEGEND or len(classes) > MOST_IN_LEGEND:
        return none
    strip = np.asarray(legend(classes, range(len(classes)), width))
    return strip if len(strip) <= height / 2 else none
