"""Loaders: samples in batches for training, and one at a time for evaluation, read by this process or by worker processes.

Workers are forked from one helper process that has imported everything and runs no thread ("forkserver"): the first takes
about a second, the next ones a twentieth. Forking the training process itself would copy locks that its threads hold, and spawned
workers would each import torch again. The helper ends with the process that started it. Scripts that train with workers need
``if __name__ == "__main__":``, because workers import the script.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from ctypes import c_int64
from dataclasses import dataclass
from multiprocessing.context import BaseContext
from multiprocessing.reduction import ForkingPickler
from typing import Any, Generic, TypedDict, TypeVar, cast

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, get_worker_info

from attseg.data.feeding.augment import Augment, augmented
from attseg.data.feeding.cache import CachedData, SampleCache
from attseg.data.feeding.samplers import TrainSampler
from attseg.data.feeding.transforms import TrainTransform
from attseg.data.sample import DataError, Sample, SegmentationData, channels_of, check_sample
from attseg.errors import UsageError

T = TypeVar("T")

_AUGMENT = 2  # sets this use of a seed apart from others


class Batch(TypedDict):
    """A training batch: images (N, C, h, w) and labels (N, h, w) as bytes, and the names of the samples."""

    images: Tensor
    labels: Tensor
    names: list[str]


@dataclass(frozen=True)
class Unread:
    """Stands for a sample that cannot be read, where the others are wanted nevertheless; the error says why."""

    error: DataError


class Loader(DataLoader[Any], Generic[T]):
    """A DataLoader whose workers' ``DataError`` arrives as it was raised, without a traceback inside its message.

    Where a worker was killed, the error names the samples that workers had last begun to read.
    """

    def __iter__(self) -> Iterator[T]:  # type: ignore[override] # torch promises its own class
        try:
            for item in super().__iter__():
                if isinstance(item, DataError):
                    raise item
                yield cast(T, item)
        except (RuntimeError, ConnectionError, EOFError) as error:
            if not self.num_workers or not _tells_of_a_lost_worker(error):
                raise
            samples = cast(_Samples, self.dataset)
            raise DataError(
                f"a process that reads images was killed; the last that were begun are {samples.begun()} "
                f"({str(error) or repr(error)}). Most often memory ran out: use fewer workers, or 0. If it happens again at the "
                "same image, that file breaks its decoder: look at it alone"
            ) from error


def train_loader(
    data: SegmentationData,
    transform: TrainTransform,
    *,
    batch_size: int,
    seed: int,
    chances: npt.NDArray[np.float64] | None = None,
    start: int = 0,
    rank: int = 0,
    world: int = 1,
    workers: int = 0,
    cache: float = 0.0,
    augment: Augment | None = None,
) -> Loader[Batch]:
    """Random crops in random order, without end.

    What a sample looks like depends on ``seed`` and on its position in the stream alone, so that any number of workers gives the
    same batches, and so does a stream that goes on after a break.

    Args:
        data: Where samples come from.
        transform: What makes crops of them.
        batch_size: Crops a batch, of this process.
        seed: Of order and transforms.
        chances: (N,) How likely each sample is; None: each comes once a round.
        start: First batch; the number of batches already seen.
        rank: Number of this process.
        world: Number of processes; each sees its share of every batch.
        workers: Processes that read ahead; 0 reads in this one.
        cache: Gigabytes of memory in which decoded pictures are kept, shared by the workers of this process.
        augment: What changes samples before ``transform``.

    Raises:
        UsageError: Settings that ``TrainSampler`` refuses, or a negative number of workers.
        DataError: While iterating: a sample that cannot be read.
    """
    sampler = TrainSampler(
        len(data), batch_size=batch_size, seed=seed, chances=chances, start=start, rank=rank, world=world
    )
    if cache:
        data = CachedData(data, SampleCache(len(data), int(cache * 1e9), channels_of(data)))
    context = _context(workers)
    return Loader(
        _Crops(data, context, workers, transform, seed, augment),
        batch_sampler=sampler,
        collate_fn=_collated,
        num_workers=workers,
        worker_init_fn=_init_worker,
        multiprocessing_context=context,
        pin_memory=torch.cuda.is_available(),
    )


def eval_loader(data: SegmentationData, indices: Sequence[int], *, workers: int = 0) -> Loader[Sample | Unread]:
    """Samples one at a time, whole and unchanged.

    Args:
        data: Where samples come from.
        indices: Which ones, in this order.
        workers: Processes that read ahead; 0 reads in this one.

    Raises:
        UsageError: A negative number of workers.
        DataError: While iterating: a process that reads was killed.
    """
    context = _context(workers)
    return Loader(
        _Whole(data, context, workers),
        sampler=indices,
        batch_size=None,
        collate_fn=_unchanged,
        num_workers=workers,
        worker_init_fn=_init_worker,
        multiprocessing_context=context,
    )


class _Samples(Dataset[Any]):
    """Samples by index. Each worker notes in shared memory which one it begins, for one that is killed can no longer tell."""

    def __init__(self, data: SegmentationData, context: BaseContext | None, workers: int) -> None:
        self.data = data
        self._begun = None if context is None else context.RawArray(c_int64, [-1] * workers)

    def begun(self) -> str:
        """Names of the samples that workers have begun last."""
        indices = sorted({index for index in self._begun or () if index >= 0})
        return ", ".join(repr(self.data.name(index)) for index in indices) or "not known"

    def read(self, index: int) -> Sample | DataError:
        """A sample, or the error instead, which then travels from worker to reader; other errors name the sample."""
        if self._begun is not None and (worker := get_worker_info()) is not None:
            self._begun[worker.id] = index
        try:
            name, channels = self.data.name(index), channels_of(self.data)
            return check_sample(self.data[index], len(self.data.classes), name, channels=channels)
        except DataError as error:
            return error
        except Exception as error:
            error.add_note(f"while reading {self.data.name(index)!r}")
            raise


class _Crops(_Samples):
    def __init__(
        self,
        data: SegmentationData,
        context: BaseContext | None,
        workers: int,
        transform: TrainTransform,
        seed: int,
        augment: Augment | None,
    ) -> None:
        super().__init__(data, context, workers)
        self.transform = transform
        self.seed = seed
        self.augment = augment

    def __getitem__(self, item: tuple[int, int]) -> tuple[Tensor, Tensor, str] | DataError:
        index, position = item
        sample = self.read(index)
        if isinstance(sample, DataError):
            return sample
        rng = np.random.default_rng((_AUGMENT, self.seed, position))
        if self.augment is not None:
            try:
                sample = augmented(sample, self.augment, len(self.data.classes), rng.spawn(1)[0])
            except DataError as error:
                return error
        return *self.transform(sample, rng), sample.name


class _Whole(_Samples):
    def __getitem__(self, index: int) -> Sample | Unread:
        sample = self.read(index)
        return Unread(sample) if isinstance(sample, DataError) else sample


def _collated(items: list[tuple[Tensor, Tensor, str] | DataError]) -> Batch | DataError:
    crops = []
    for item in items:
        if isinstance(item, DataError):
            return item
        crops.append(item)
    images, labels, names = zip(*crops, strict=True)
    return Batch(images=torch.stack(images), labels=torch.stack(labels), names=list(names))


def _unchanged(item: Any) -> Any:
    return item


def _tells_of_a_lost_worker(error: Exception) -> bool:
    """Whether torch found a worker dead, or its connection broke; errors that a worker reports begin with "Caught"."""
    if isinstance(error, RuntimeError):
        return "DataLoader worker (pid" in str(error)
    return not str(error).startswith("Caught")


def _init_worker(_worker: int) -> None:
    """Prepare a worker process.

    Ctrl-C is left to the process that it reads for, with which it ends: torch watches only the process that forked it, which here
    is the helper. Arrays are sent in shared memory, as tensors are: of one that is sent through a pipe a killed worker may leave
    half, for which the reader would wait without end.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    ForkingPickler.register(np.ndarray, _shared)
    threading.Thread(target=_end_after_parent, daemon=True).start()


def _shared(array: npt.NDArray[Any]) -> tuple[Callable[[Tensor], npt.NDArray[Any]], tuple[Tensor]]:
    return Tensor.numpy, (torch.from_numpy(array if array.flags.writeable else array.copy()),)


def _end_after_parent() -> None:
    if parent := multiprocessing.parent_process():
        parent.join()
        os._exit(1)


def _context(workers: int) -> BaseContext | None:
    """How workers start; none for none."""
    if workers < 0:
        raise UsageError(f"workers is {workers}; 0 (read in this process) or a number of processes was expected")
    if workers == 0:
        return None
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__])
    _start_helper()
    return context


def _start_helper() -> None:
    """Start the process that workers are forked from so that Ctrl-C, which reaches it too, is left to this one."""
    from multiprocessing import forkserver, resource_tracker  # not on Windows

    resource_tracker.ensure_running()  # the helper would start it, and it unblocks the signal
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        forkserver.ensure_running()
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
