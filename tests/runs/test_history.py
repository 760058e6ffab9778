import csv

import pytest

from attseg.files import FileError
from attseg.runs.history import History


def history(folder, start=0):
    return History(folder / "metrics.csv", start=start, tensorboard=folder / "board")


def rows(folder):
    with (folder / "metrics.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def test_rows_hold_what_is_known(tmp_path):
    log = history(tmp_path)
    log.add(1, loss=0.25, lr=1e-5, images_per_second=12.0)
    log.add(2, loss=0.125, lr=1e-6, images_per_second=13.0, miou=0.5, pixel_accuracy=0.75)
    log.close()
    assert [(row["step"], float(row["loss"]), row["miou"]) for row in rows(tmp_path)] == [
        ("1", 0.25, ""),
        ("2", 0.125, "0.5"),
    ]
    assert any((tmp_path / "board").iterdir())


def test_a_resumed_run_drops_what_it_does_again_and_half_a_row(tmp_path):
    log = history(tmp_path)
    for step in (1, 2, 3):
        log.add(step, loss=float(step))
    with (tmp_path / "metrics.csv").open("a") as file:
        file.write("4,0.")  # killed here
    log = history(tmp_path, start=2)
    log.add(3, loss=30.0)
    log.close()
    assert [(row["step"], float(row["loss"])) for row in rows(tmp_path)] == [("1", 1.0), ("2", 2.0), ("3", 30.0)]


def test_a_file_that_cannot_be_written_is_named(tmp_path):
    log = history(tmp_path)
    (tmp_path / "metrics.csv").unlink()
    (tmp_path / "metrics.csv").mkdir()
    with pytest.raises(FileError, match=r"cannot write .*metrics.csv: it is a folder, and a regular file was expected"):
        log.add(1, loss=0.0)
    log.close()


def test_tensorboard_is_not_needed(tmp_path, monkeypatch):
    monkeypatch.setattr("attseg.runs.history.find_spec", lambda name: None)
    log = history(tmp_path)
    log.add(1, loss=0.5)
    log.close()
    assert [path.name for path in tmp_path.iterdir()] == ["metrics.csv"]
