"""Long runs: memory, open files and threads stay what they are. The processes are looked at from outside."""

from statistics import median

import pytest

from reliability.breaking import steps

COLUMNS = ("bytes of memory", "open files", "threads")


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


def train_and_watch(nursery, yaml, tmp_path, *, count, call="attseg"):
    """Rows of a run of so many steps."""
    file = yaml(steps=count, val_every=count // 4, machine={"workers": 0, "save_every": count // 20})
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


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_300_steps_take_no_more_memory_files_and_threads_than_100(nursery, yaml, tmp_path):
    memory, files, threads = growth(train_and_watch(nursery, yaml, tmp_path, count=300))
    assert memory < 16e6
    assert files <= 0
    assert threads <= 0


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_what_is_left_behind_in_each_step_is_seen(nursery, yaml, tmp_path):
    """Otherwise the tests here would find nothing, whatever there were."""
    memory, files, threads = growth(train_and_watch(nursery, yaml, tmp_path, count=300, call="leak"))
    assert memory > 32e6
    assert files > 100
    assert threads <= 0


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_400_predictions_take_no_more_memory_files_and_threads_than_100(nursery, pictures, tmp_path):
    memory, files, threads = growth(predict_and_watch(nursery, pictures, tmp_path, count=400))
    assert memory < 16e6
    assert files <= 0
    assert threads <= 0


@pytest.mark.soak
@pytest.mark.timeout(7200)
def test_10_000_steps_take_no_more_memory_files_and_threads_than_3_000(nursery, yaml, tmp_path):
    memory, files, threads = growth(train_and_watch(nursery, yaml, tmp_path, count=10_000))
    assert memory < 8e6
    assert files <= 0
    assert threads <= 0


@pytest.mark.soak
@pytest.mark.timeout(7200)
def test_20_000_predictions_take_no_more_memory_files_and_threads_than_6_000(nursery, pictures, tmp_path):
    memory, files, threads = growth(predict_and_watch(nursery, pictures, tmp_path, count=20_000))
    assert memory < 8e6
    assert files <= 0
    assert threads <= 0
