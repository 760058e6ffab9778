import gc
import signal
import subprocess
import sys
from contextlib import suppress
from itertools import islice

import numpy as np
import psutil
import pytest
import torch

from attseg.data.feeding.loader import eval_loader, train_loader
from attseg.data.feeding.samplers import StridedSampler
from attseg.data.feeding.transforms import TrainTransform
from attseg.data.sample import DataError
from attseg.data.sets.folder import Folder
from attseg.data.sets.scenes import Scenes
from attseg.errors import UsageError
from counted import Buggy

SLOW_ONE, SLOW_TWO = (pytest.param(workers, marks=pytest.mark.slow) for workers in (1, 2))
"""Numbers of worker processes, each of which imports torch."""
pytestmark = pytest.mark.filterwarnings("ignore:This DataLoader will create")  # more workers than the machine has cores

CROPS = TrainTransform((32, 40), scale=(1, 4), rotate=10, blur=0.5, color=0.2)


def batches(data, count, **options):
    return list(islice(train_loader(data, CROPS, **{"batch_size": 2, "seed": 3} | options), count))


def assert_equal(one, other):
    assert len(one) == len(other)
    for first, second in zip(one, other, strict=True):
        assert first["names"] == second["names"]
        assert torch.equal(first["images"], second["images"]) and torch.equal(first["labels"], second["labels"])


def readers():
    """Processes that this one has started to read pictures, but for the helper that forks them."""
    me, found = psutil.Process(), []
    for process in me.children(recursive=True):
        with suppress(psutil.NoSuchProcess):  # it may end while we look
            found += [process] if process.ppid() != me.pid else []
    return found


def assert_none_left(processes, seconds=10):
    _, alive = psutil.wait_procs(processes, timeout=seconds)
    assert not alive


def test_a_batch_holds_bytes_and_names(folder):
    (batch,) = batches(Folder(folder, "train"), 1, batch_size=5)
    assert list(batch) == ["images", "labels", "names"]
    assert batch["images"].shape == (5, 3, 32, 40) and batch["labels"].shape == (5, 32, 40)
    assert batch["images"].dtype == batch["labels"].dtype == torch.uint8
    assert set(batch["names"]) == {"a", "b", "paris/c"}


@pytest.mark.slow
def test_any_number_of_workers_gives_the_same_batches(folder):
    data = Folder(folder, "train")
    alone = batches(data, 8)
    for workers in (1, 4):
        assert_equal(batches(data, 8, workers=workers), alone)
    assert not torch.equal(alone[0]["images"], batches(data, 1, seed=4)[0]["images"])


def test_no_two_samples_of_a_stream_are_alike(folder):
    seen = {image.numpy().tobytes() for batch in batches(Folder(folder, "train"), 20) for image in batch["images"]}
    assert len(seen) == 40


@pytest.mark.parametrize("workers", [0, SLOW_TWO])
def test_a_stream_goes_on_exactly_where_it_stopped(folder, workers):
    data = Folder(folder, "train")
    assert_equal(batches(data, 4, start=3, workers=workers), batches(data, 7)[3:])


def test_processes_together_see_the_batches_of_one(folder):
    data = Folder(folder, "train")
    shares = [batches(data, 3, rank=rank, world=2) for rank in range(2)]
    joined = [
        {
            "images": torch.cat([first["images"], second["images"]]),
            "labels": torch.cat([first["labels"], second["labels"]]),
            "names": first["names"] + second["names"],
        }
        for first, second in zip(*shares, strict=True)
    ]
    assert_equal(joined, batches(data, 3, batch_size=4))


@pytest.mark.parametrize("workers", [0, SLOW_TWO])
def test_evaluation_sees_every_sample_once_and_unchanged(workers):
    data = Scenes("val", size=(32, 48), count=5)
    seen = {}
    for rank in range(2):
        for sample in eval_loader(data, StridedSampler(5, rank, 2).indices, workers=workers):
            assert sample.name not in seen
            seen[sample.name] = sample
    assert sorted(seen) == [data.name(index) for index in range(5)]
    for index in range(5):
        sample = seen[data.name(index)]
        assert np.array_equal(sample.image, data[index].image) and np.array_equal(sample.labels, data[index].labels)
        assert sample.probes.keys() == data[index].probes.keys()


@pytest.mark.parametrize("workers", [0, SLOW_ONE])
@pytest.mark.parametrize("kind", ["train", "eval"])
def test_a_broken_file_is_named_as_if_there_were_no_workers(folder, workers, kind):
    data = Folder(folder, "train")
    file = folder / "images" / "train" / "b.png"
    file.write_bytes(file.read_bytes()[:60])
    with pytest.raises(DataError) as direct:
        data[1]
    with pytest.raises(DataError) as error:
        if kind == "train":
            batches(data, 3, workers=workers)
        else:
            first, unread, third = eval_loader(data, range(3), workers=workers)
            assert (first.name, third.name) == ("a", "paris/c")
            raise unread.error
    assert str(error.value) == str(direct.value)
    assert "b.png" in str(error.value)
    assert_none_left(readers())


@pytest.mark.slow
def test_other_errors_name_the_sample():
    with pytest.raises(ZeroDivisionError) as error:
        list(eval_loader(Buggy(), [1]))
    assert error.value.__notes__ == ["while reading 'paris/1'"]
    with pytest.raises(ZeroDivisionError, match="ZeroDivisionError: a bug\nwhile reading 'paris/1'"):
        list(eval_loader(Buggy(), [1], workers=1))
    gc.collect()  # the error has held the stream, and it the worker
    assert_none_left(readers())


@pytest.mark.slow
def test_leaving_early_leaves_no_process(folder):
    stream = iter(train_loader(Folder(folder, "train"), CROPS, batch_size=2, seed=0, workers=2))
    next(stream)
    workers = readers()
    assert len(workers) == 2
    stream.close()
    assert_none_left(workers)


@pytest.mark.slow
def test_workers_leave_ctrl_c_to_the_process_they_read_for(folder):
    data = Folder(folder, "train")
    stream = iter(train_loader(data, CROPS, batch_size=2, seed=3, workers=2))
    first = [next(stream), next(stream)]  # one of each worker: both are at work
    for worker in readers():
        worker.send_signal(signal.SIGINT)
    assert_equal([*first, *islice(stream, 8)], batches(data, 10))


def test_a_negative_number_of_workers_is_refused(folder):
    with pytest.raises(UsageError, match="workers is -2; 0 .* or a number of processes"):
        train_loader(Folder(folder, "train"), CROPS, batch_size=2, seed=0, workers=-2)


@pytest.mark.slow
def test_a_worker_that_is_killed_is_reported(folder):
    stream = iter(train_loader(Folder(folder, "train"), CROPS, batch_size=2, seed=0, workers=1))
    next(stream)
    readers()[0].kill()
    with pytest.raises(
        DataError, match="a process that reads images was killed; .* begun are '[a-z/]+'.* use fewer workers, or 0"
    ):
        for _ in range(100):
            next(stream)


SCRIPT = """
import sys
import time

import numpy as np
import torch

from attseg.data.feeding.loader import train_loader
from attseg.data.sample import Sample
from attseg.data.feeding.transforms import TrainTransform


class Threads:
    classes = ("a",)

    def __len__(self):
        return 4

    def __getitem__(self, index):
        return Sample(np.zeros((40, 40, 3), np.uint8), np.zeros((40, 40), np.uint8), str(torch.get_num_threads()))

    def name(self, index):
        return f"paris/{index}"


if __name__ == "__main__":
    torch.set_num_threads(2)
    torch.rand(3000, 3000).sum()  # threads run in this process before workers start
    stream = iter(train_loader(Threads(), TrainTransform((32, 32)), batch_size=2, seed=0, workers=2))
    for _ in range(5):
        print(next(stream)["names"], flush=True)
    if sys.argv[1] == "wait":
        time.sleep(60)
"""


@pytest.fixture
def script(tmp_path):
    path = tmp_path / "script.py"
    path.write_text(SCRIPT)
    return [sys.executable, "-W", "error", "-W", "ignore:This DataLoader will create", str(path)]


@pytest.mark.slow
def test_workers_use_one_thread_and_end_without_a_word(script):
    done = subprocess.run([*script, "end"], capture_output=True, text=True, timeout=120)
    assert done.stdout.splitlines() == ["['1', '1']"] * 5
    assert done.stderr == ""
    assert done.returncode == 0


@pytest.mark.slow
def test_workers_end_when_the_training_process_is_killed(script):
    with subprocess.Popen([*script, "wait"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        for _ in range(5):
            process.stdout.readline()
        family = psutil.Process(process.pid).children(recursive=True)
        assert len(family) >= 3
        process.kill()
    assert_none_left(family, seconds=30)
