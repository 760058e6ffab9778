"""Long runs: memory, open files and threads stay what they are. The processes are looked at from outside."""

from statistics import median

import pytest

from attseg.recipes.recipe import ModelSpec
from reliability import breaking
from reliability.breaking import steps

QUICK = {"model": ModelSpec(name="FCN", args={"encoder": "test_resnet"}), "batch_size": 1}

THRIFTY = {"MALLOC_ARENA_MAX": "1", "MALLOC_MMAP_THRESHOLD_": "131072", "MALLOC_TRIM_THRESHOLD_": "131072"}
"""Makes glibc give freed memory back at once.

By itself it keeps what it once had, a little more with each save and evaluation until it has enough: 56 MB at first were 74 MB
after 25 saves, 76 MB after 66, and 77 MB after 200. A short run would see that rather than what is never freed.
"""

COLUMNS = ("bytes of memory", "open files", "threads")


@pytest.fixture(scope="module")
def thrifty(tmp_path_factory):
    """A nursery whose processes keep no memory that they do not use."""
    with breaking.nursery(tmp_path_factory.mktemp("thrifty"), **THRIFTY) as children:
        yield children


def growth(rows):
    """By how much memory (bytes), open files and threads are more in the last fifth of a run than in its second fifth."""
    fifth = len(rows) // 5
    early, late = rows[fifth : 2 * fifth], rows[-fifth:]
    return [median(row[at] for row in late) - median(row[at] for row in early) for at in (1, 2, 3)]


def told(what, rows):
    first, last = rows[len(rows) // 5], rows[-1]
    values = [
        f"{name} {first[at]:,} after {first[0]:,}, {last[at]:,} after {last[0]:,}" for at, name in enumerate(COLUMNS, 1)
    ]
    return f"{what}: {'; '.join(values)}; medians grew by {growth(rows)}"


def train_and_watch(nursery, yaml, tmp_path, *, count, call="attseg", **changes):
    """Rows of a run of so many steps."""
    file = yaml(steps=count, val_every=count // 4, machine={"workers": 0, "save_every": count // 20}, **changes)
    child = nursery.start("train", file, "--out", tmp_path / "run", call=call)
    rows = child.watch(lambda: steps(tmp_path / "run"))
    assert child.wait() == 0, child.said
    assert len(rows) >= 25, child.said
    print(told(f"{count} steps", rows))
    return rows


def predict_and_watch(nursery, pictures, tmp_path, *, count):
    """Rows of so many predictions."""
    progress = tmp_path / "progress"
    files = sorted((pictures / "images").rglob("*.png"))
    child = nursery.start(count, progress, *files, call="predict")
    rows = child.watch(lambda: int(progress.read_text() or 0) if progress.exists() else 0)
    assert child.wait() == 0, child.said
    print(told(f"{count} predictions", rows))
    return rows


def assert_flat(rows, *, most):
    """No more memory than so many bytes, and no more files and threads at all."""
    memory, files, threads = growth(rows)
    assert memory < most
    assert files <= 0
    assert threads <= 0


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_300_steps_take_no_more_memory_files_and_threads_than_100(thrifty, yaml, tmp_path):
    assert_flat(train_and_watch(thrifty, yaml, tmp_path, count=300, **QUICK), most=4e6)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_what_is_left_behind_in_each_step_is_seen(thrifty, yaml, tmp_path):
    """Otherwise the tests here would find nothing, whatever there were."""
    memory, files, threads = growth(train_and_watch(thrifty, yaml, tmp_path, count=150, call="leak", **QUICK))
    assert memory > 12e6
    assert files > 50
    assert threads <= 0


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_400_predictions_take_no_more_memory_files_and_threads_than_100(thrifty, pictures, tmp_path):
    assert_flat(predict_and_watch(thrifty, pictures, tmp_path, count=400), most=4e6)


@pytest.mark.soak
@pytest.mark.timeout(7200)
def test_10_000_steps_take_no_more_memory_files_and_threads_than_3_000(thrifty, yaml, tmp_path):
    assert_flat(train_and_watch(thrifty, yaml, tmp_path, count=10_000, **QUICK), most=4e6)


@pytest.mark.soak
@pytest.mark.timeout(7200)
def test_20_000_predictions_take_no_more_memory_files_and_threads_than_6_000(nursery, pictures, tmp_path):
    assert_flat(predict_and_watch(nursery, pictures, tmp_path, count=20_000), most=8e6)
