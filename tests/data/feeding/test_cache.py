import gc
import multiprocessing
import signal
import sys
from itertools import islice
from pathlib import Path

import numpy as np
import psutil
import pytest
import torch

from attseg.data.feeding.cache import CachedData, SampleCache
from attseg.data.feeding.loader import train_loader
from attseg.data.feeding.transforms import TrainTransform
from attseg.data.sample import DataError
from attseg.data.sets.scenes import Scenes
from counted import Counted, die_with_the_lock, pair, put_every_second

pytestmark = pytest.mark.filterwarnings("ignore:This DataLoader will create")

FORK = multiprocessing.get_context("forkserver")


def batches(data, count, **options):
    transform = TrainTransform((32, 32), rotate=10, blur=0.5, color=0.2)
    return list(islice(train_loader(data, transform, **{"batch_size": 3, "seed": 5} | options), count))


def assert_equal(one, other):
    for first, second in zip(one, other, strict=True):
        assert first["names"] == second["names"]
        assert torch.equal(first["images"], second["images"]) and torch.equal(first["labels"], second["labels"])


def test_what_is_put_in_comes_out():
    cache = SampleCache(4, 10_000)
    pairs = {0: pair(8, 12, 0), 3: pair(30, 5, 1), 2: pair(1, 1, 2)}
    for index, (image, labels) in pairs.items():
        assert cache.get(index) is None
        cache.put(index, image, labels)
    for index, (image, labels) in pairs.items():
        found = cache.get(index)
        assert np.array_equal(found[0], image) and np.array_equal(found[1], labels)
    assert cache.get(1) is None


def test_what_comes_out_cannot_be_written():
    cache = SampleCache(1, 1000)
    cache.put(0, *pair(4, 4))
    for values in cache.get(0):
        with pytest.raises(ValueError, match="read-only"):
            values[0] = 0


def test_what_does_not_fit_is_left_out_and_what_fits_after_it_is_not():
    cache = SampleCache(4, 4 * 150)
    cache.put(0, *pair(10, 10))
    cache.put(1, *pair(10, 10))
    cache.put(2, *pair(5, 10))
    cache.put(3, *pair(1, 1))
    assert [cache.get(index) is not None for index in range(4)] == [True, False, True, False]


def test_the_first_to_put_something_in_wins():
    cache = SampleCache(1, 10_000)
    first, second = pair(8, 8, 0), pair(8, 8, 1)
    cache.put(0, *first)
    cache.put(0, *second)
    assert np.array_equal(cache.get(0)[0], first[0])


def test_a_picture_that_is_still_being_filled_in_is_not_handed_out(monkeypatch):
    cache, seen = SampleCache(1, 10_000), []

    class Watched(np.ndarray):
        def ravel(self):
            seen.append(cache.get(0))
            return np.asarray(self).ravel()

    image, labels = pair(8, 8)
    cache.put(0, image.view(Watched), labels)
    assert seen == [None]
    assert cache.get(0) is not None


@pytest.mark.slow
def test_processes_share_what_each_puts_in():
    cache = SampleCache(40, 10**6)
    workers = [FORK.Process(target=put_every_second, args=(cache, start)) for start in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
        assert worker.exitcode == 0
    for index in range(40):
        image, labels = pair(20, 20 + index, index)
        found = cache.get(index)
        assert np.array_equal(found[0], image) and np.array_equal(found[1], labels)


def test_a_process_killed_with_the_lock_does_not_keep_it():
    cache = SampleCache(1, 1000)
    worker = FORK.Process(target=die_with_the_lock, args=(cache,))
    worker.start()
    worker.join(60)
    assert worker.exitcode == -signal.SIGKILL
    cache.put(0, *pair(4, 4))
    assert cache.get(0) is not None


def open_caches():
    """Files of caches that this process has open."""
    return sum("attseg-cache" in str(file.readlink()) for file in Path("/proc/self/fd").iterdir() if file.is_symlink())


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
def test_the_memory_is_taken_when_it_is_used_and_given_back_at_the_end():
    gc.collect()  # caches of tests before
    before, memory = open_caches(), psutil.Process().memory_info().rss
    cache = SampleCache(10, 10**11)  # more than there is
    cache.put(0, *pair(1000, 1000))
    assert psutil.Process().memory_info().rss - memory < 10**8
    assert open_caches() > before
    del cache
    assert open_caches() == before


def test_samples_come_as_they_were_but_for_their_probes(tmp_path):
    data = Counted(tmp_path / "made")
    cached = CachedData(data, SampleCache(len(data), 10**6))
    assert (len(cached), cached.classes, cached.split, cached.name(2)) == (6, data.classes, "train", data.name(2))
    for _ in range(2):
        for index in range(6):
            plain, kept = data.data[index], cached[index]
            assert kept.name == plain.name and kept.probes is None
            assert np.array_equal(kept.image, plain.image) and np.array_equal(kept.labels, plain.labels)
    assert data.made() == list(range(6))


@pytest.mark.parametrize(
    ("workers", "cache"),
    [  # room for none, for three of six, for all
        (0, 1e-6),
        (0, 3e-5),
        (0, 1.0),
        pytest.param(2, 3e-5, marks=pytest.mark.slow),
        pytest.param(2, 1.0, marks=pytest.mark.slow),
    ],
)
def test_batches_are_the_same_bit_for_bit_with_and_without_a_cache(tmp_path, workers, cache):
    data = Counted(tmp_path / "made")
    plain = batches(data, 8)
    (tmp_path / "made").unlink()
    assert_equal(batches(data, 8, workers=workers, cache=cache), plain)
    made = data.made()
    if cache == 1.0 and workers == 0:
        assert made == list(range(6))
    elif cache == 1.0:
        assert len(made) < 6 * (workers + 1)  # two workers may make one at the same time
    elif workers == 0:
        assert len(made) == (24 if cache == 1e-6 else 3 + 12)


@pytest.mark.parametrize("workers", [0, pytest.param(2, marks=pytest.mark.slow)])
def test_a_stream_with_a_cache_goes_on_where_it_stopped(tmp_path, workers):
    data = Counted(tmp_path / "made")
    assert_equal(batches(data, 4, start=3, workers=workers, cache=1.0), batches(data, 7)[3:])


def test_what_cannot_be_read_is_told_as_without_a_cache():
    class Broken:
        classes, split = Scenes.classes, "train"

        def __len__(self):
            return 1

        def __getitem__(self, index):
            raise DataError("a.png cannot be read")

        def name(self, index):
            return "a"

    with pytest.raises(DataError, match="a.png cannot be read"):
        batches(Broken(), 1, cache=1.0)
