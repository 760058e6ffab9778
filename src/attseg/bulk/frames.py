"""Frames of video files, read and written with PyAV (extra ``video``): upright, each with its time, damage counted."""

from __future__ import annotations

import glob
from collections.abc import Iterable, Iterator, Mapping
from fractions import Fraction
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, NamedTuple, cast

import numpy as np

from attseg.data.reading.inputs import PictureFile, find_pictures, is_matched, is_pattern, is_prediction
from attseg.data.reading.predictions import Results
from attseg.data.sample import Array, DataError
from attseg.errors import UsageError
from attseg.extras import install_command
from attseg.files import require_file

if TYPE_CHECKING:
    import av

    from attseg.data.classes import FileValues

SUFFIXES = frozenset((".avi", ".m4v", ".mkv", ".mov", ".mp4", ".mpeg", ".mpg", ".webm", ".wmv"))
"""Suffixes that mark a file or a pattern as a video."""


class VideoFrame(NamedTuple):
    """A frame as a viewer shows it.

    Args:
        image: (H, W, 3) red, green, blue.
        time: When it is shown, in units of the file's clock.
    """

    image: Array
    time: int


def is_video(text: str | Path) -> bool:
    """Whether a file or a pattern stands for videos."""
    return Path(text).suffix.lower() in SUFFIXES and not Path(text).is_dir()


def find_videos(inputs: Iterable[str | Path], *, outside: Path | None = None) -> list[PictureFile]:
    """The videos that files and patterns stand for, named as pictures are; folders are not searched for them.

    Args:
        inputs: Files and patterns.
        outside: The folder of results, as of ``attseg.data.reading.inputs.Pictures``: predictions are never inputs.

    Raises:
        UsageError: There is no such file, it is a prediction, or there is no package to read it with.
    """
    found: list[str | Path] = []
    results = None if outside is None else Results(outside)
    for given in inputs:
        matches = _expand(Path(given), results) if is_pattern(given) else [given]
        if not matches:
            raise UsageError(f"no video was found in {given}")
        found += matches
    if found:
        check_installed()
    return find_pictures(found, outside=outside) if found else []


def _expand(pattern: Path, results: Results | None) -> list[Path]:
    """The files that a pattern matches, without hidden ones and predictions."""
    paths = map(Path, sorted(glob.glob(str(pattern), recursive=True)))  # noqa: PTH207, a pattern may begin at the root
    return [path for path in paths if is_matched(path, pattern) and not is_prediction(path, pattern, results)]


def check_installed() -> None:
    """Refuse to go on without the package.

    Raises:
        UsageError: It is not installed.
    """
    if find_spec("av") is None:
        raise UsageError(f"videos need the package av, which is not installed: {install_command('video')}")


class Reader:
    """Reads the frames of the first video stream of a file, in the order in which they are shown; sound is left out.

    A packet that cannot be decoded costs its frames alone, and frames that the decoder has patched up are given as they are; both
    are counted.

    Args:
        path: The file.

    Raises:
        DataError: It is no video, or not whole enough to be opened.
    """

    def __init__(self, path: Path) -> None:
        import av

        self.damaged = 0
        """Packets without frames, and frames that are patched, so far."""
        self.first_damage: float | None = None
        """About when the first of these would have been shown, in seconds."""
        try:
            self._container = av.open(str(require_file(path)))
        except (av.error.FFmpegError, OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
            raise DataError(f"{path} cannot be read as a video: {reason}; replace or remove it") from error
        if not self._container.streams.video:
            self._container.close()
            raise DataError(f"{path} cannot be read as a video: it has no picture, only sound; remove it")
        self._stream = self._container.streams.video[0]
        self._stream.thread_type = "AUTO"
        self.clock: Fraction = self._stream.time_base or Fraction(1, 90_000)
        self.rate: Fraction = self._stream.average_rate or Fraction(25)
        self.mark: str | None = {name.lower(): text for name, text in self._container.metadata.items()}.get("attseg")
        seconds = float(self._stream.duration * self.clock) if self._stream.duration else 0.0
        self.count: int | None = self._stream.frames or round(seconds * self.rate) or None
        """How many frames there are, or about, where the file says so."""

    def __enter__(self) -> Reader:
        return self

    def __exit__(self, *_: object) -> None:
        self._container.close()

    def __iter__(self) -> Iterator[VideoFrame]:
        last = None
        for frame in self._frames():
            time = frame.pts if frame.pts is not None else (last or 0) + round(1 / self.rate / self.clock)
            if frame.is_corrupt:
                self._count_damage(last)
            last = time if last is None else max(time, last + 1)
            image = np.asarray(frame.to_ndarray(format="rgb24"), np.uint8)
            if frame.rotation:  # telephones store frames lying, and say so
                image = np.ascontiguousarray(np.rot90(image, round(frame.rotation / 90)))
            yield VideoFrame(image, last)

    def _frames(self) -> Iterator[av.VideoFrame]:
        import av

        packets, time = self._container.demux(self._stream), None
        while True:
            try:
                packet = next(packets, None)
            except av.error.FFmpegError:  # the rest of the file is not there, or no packets
                self._count_damage(time)
                return
            if packet is None:
                return
            time = packet.pts if packet.pts is not None else time
            try:
                yield from packet.decode()
            except av.error.FFmpegError:
                self._count_damage(time)

    def _count_damage(self, time: int | None) -> None:
        self.damaged += 1
        if self.first_damage is None:
            self.first_damage = float((time or 0) * self.clock)


def read_mark(path: Path) -> str | None:
    """The mark in a label video; None where there is none."""
    try:
        with Reader(path) as reader:
            return reader.mark
    except DataError:
        return None


class VideoWriter:
    """Writes frames of one size as a video: gray values as they are (FFV1 in Matroska), or colours (H.264 in MP4).

    Args:
        file: What is written to. It holds the whole video when the writer, a context manager, ends without an error.
        form: ``gray`` or ``gray16le``, (H, W); or ``rgb24``, (H, W, 3).
        size: Height and width.
        clock: The unit of the frames' times, in seconds; Matroska rounds to milliseconds.
        rate: Frames a second, about.
        notes: Texts that are kept in the file.
    """

    def __init__(
        self,
        file: BinaryIO,
        form: str,
        size: tuple[int, int],
        *,
        clock: Fraction,
        rate: Fraction,
        notes: Mapping[str, str] | None = None,
    ) -> None:
        import av

        lossless = form != "rgb24"
        self._form, self._clock = form, clock
        self._container = av.open(file, "w", format="matroska" if lossless else "mp4")
        self._container.metadata.update(notes or {})
        codec = "ffv1" if lossless else "libx264" if "libx264" in av.codecs_available else "mpeg4"
        self._stream = cast("av.VideoStream", self._container.add_stream(codec, rate=rate))
        self._odd = (0, 0) if lossless else (size[0] % 2, size[1] % 2)  # H.264 stores colours for two by two pixels
        self._stream.height, self._stream.width = size[0] + self._odd[0], size[1] + self._odd[1]
        self._stream.pix_fmt = form if lossless else "yuv420p"
        self._stream.time_base = self._stream.codec_context.time_base = clock
        if codec == "libx264":
            self._stream.codec_context.options = {"crf": "20"}

    def __enter__(self) -> VideoWriter:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None:
            self._container.mux(self._stream.encode(None))
            self._container.close()

    def write(self, values: FileValues, time: int) -> None:
        """Write a frame, which is shown from some time on."""
        import av

        if any(self._odd):
            values = np.pad(values, ((0, self._odd[0]), (0, self._odd[1]), (0, 0)), mode="edge").astype(np.uint8)
        frame = av.VideoFrame.from_ndarray(cast("FileValues", np.ascontiguousarray(values)), format=self._form)
        frame.pts, frame.time_base = time, self._clock
        self._container.mux(self._stream.encode(frame))
