"""Decoded samples in memory that worker processes share, for data sets that fit into it.

The memory is a file without a name, which every worker gets with the data set when it starts: a sample that one of them has
decoded, all have. What was put in stays, and what no longer fits is read anew each time: pictures come in random order, so that
throwing some out for others would gain nothing.
"""

from __future__ import annotations

import mmap
import os
import sys
import tempfile
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from typing import Any

import numpy as np

from attseg.data.classes import ClassTable
from attseg.data.sample import Array, Sample, SegmentationData, channels_of, check_sample
from attseg.errors import UsageError

_HEAD = 8  # bytes, for how much of the room is taken
_ENTRY = np.dtype([("start", np.int64), ("height", np.int32), ("width", np.int32), ("ready", np.int64)])


class SampleCache:
    """Room for pictures and their labels, by index.

    Args:
        length: Samples in the data set.
        capacity: Bytes for pictures and labels, one a channel and one more a pixel. Memory is taken when it is first needed.
        channels: Channels of the pictures.

    Raises:
        UsageError: The system has no locks for parts of memory that processes share (Windows).

    Example:
        >>> cache = SampleCache(10, 1000)
        >>> cache.put(3, np.zeros((4, 5, 3), np.uint8), np.ones((4, 5), np.uint8))
        >>> image, labels = cache.get(3)
        >>> image.shape, int(labels.sum()), cache.get(4)
        ((4, 5, 3), 20, None)
    """

    def __init__(self, length: int, capacity: int, channels: int = 3) -> None:
        if find_spec("fcntl") is None:
            raise UsageError("a cache of samples needs Linux or macOS; leave machine.cache at 0")
        self._open(_memory(_HEAD + length * _ENTRY.itemsize + capacity), length, capacity, channels)

    def _open(self, file: int, length: int, capacity: int, channels: int) -> None:
        self.channels = channels
        self.file = file
        self.length = length
        self.capacity = capacity
        self._closing = weakref.finalize(self, os.close, file)
        memory = mmap.mmap(file, 0)
        self._taken = np.frombuffer(memory, np.int64, 1)
        self._entries = np.frombuffer(memory, _ENTRY, length, _HEAD)
        self._room = np.frombuffer(memory, np.uint8, capacity, _HEAD + length * _ENTRY.itemsize)

    def __reduce__(self) -> tuple[Any, ...]:
        from multiprocessing.reduction import DupFd  # not on Windows

        return _attach, (DupFd(self.file), self.length, self.capacity, self.channels)

    def get(self, index: int) -> tuple[Array, Array] | None:
        """The picture (H, W, C) and the labels (H, W) of a sample, to be read and not written; None where they are not there."""
        with self._alone():
            start, height, width, ready = self._entries[index].item()
        if not ready:
            return None
        pixels = height * width
        of_image = self.channels * pixels
        part = self._room[start : start + of_image + pixels]
        part.flags.writeable = False
        return part[:of_image].reshape(height, width, self.channels), part[of_image:].reshape(height, width)

    def put(self, index: int, image: Array, labels: Array) -> None:
        """Keep a sample; does nothing where it is kept already, or does not fit."""
        pixels = labels.size
        of_image = self.channels * pixels
        with self._alone():
            start = int(self._taken[0])
            if self._entries[index]["height"] or start + of_image + pixels > self.capacity:
                return
            self._taken[0] = start + of_image + pixels
            self._entries[index] = (start, *labels.shape, 0)  # ours to fill
        self._room[start : start + of_image] = image.ravel()
        self._room[start + of_image : start + of_image + pixels] = labels.ravel()
        with self._alone():
            self._entries[index]["ready"] = 1

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """While the block runs no other process is in one; the lock vanishes with a process that is killed."""
        import fcntl

        fcntl.lockf(self.file, fcntl.LOCK_EX)
        try:
            yield
        finally:
            fcntl.lockf(self.file, fcntl.LOCK_UN)


class CachedData:
    """A split whose samples are decoded once, as far as there is room; they come without probes.

    Args:
        data: Where samples come from.
        cache: Where they are kept.
    """

    def __init__(self, data: SegmentationData, cache: SampleCache) -> None:
        self.classes: ClassTable = data.classes
        self.split = data.split
        self.data = data
        self.cache = cache
        self.channels = channels_of(data)

    def __len__(self) -> int:
        return len(self.data)

    def __getitem__(self, index: int) -> Sample:
        if (kept := self.cache.get(index)) is not None:
            return Sample(*kept, self.name(index))
        # else a wrong one would be cut to bytes
        sample = check_sample(self.data[index], len(self.classes), self.name(index), channels=self.channels)
        self.cache.put(index, sample.image, sample.labels)
        return Sample(sample.image, sample.labels, sample.name)

    def name(self, index: int) -> str:
        """The name of a sample without reading it."""
        return self.data.name(index)


def _memory(size: int) -> int:
    """A file without a name, in memory."""
    if sys.platform == "linux":  # unlike shared memory under /dev/shm, of which containers often have only 64 MiB
        file = os.memfd_create("attseg-cache")
    else:
        with tempfile.TemporaryFile() as temporary:
            file = os.dup(temporary.fileno())
    os.ftruncate(file, size)
    return file


def _attach(file: Any, length: int, capacity: int, channels: int) -> SampleCache:
    """The same cache in another process."""
    cache = SampleCache.__new__(SampleCache)
    cache._open(file.detach(), length, capacity, channels)
    return cache
