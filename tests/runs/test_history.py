import csv

import pytest

from attseg.files import FileError
from attseg.runs.history import History, read_rows


def history(folder, start=0, classes=("sky", "road, wet")):
    return History(folder / "metrics.csv", start=start, classes=classes)


def rows(folder):
    with (folder / "metrics.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def test_rows_hold_what_is_known(tmp_path):
    log = history(tmp_path)
    log.add(1, {"loss": 0.25, "lr": 1e-5, "images_per_second": 12.0})
    log.add(2, {"loss": 0.125, "lr": 1e-6, "images_per_second": 13.0, "miou": 0.5, "pixel_accuracy": 0.75})
    assert [(row["step"], float(row["loss"]), row["miou"]) for row in rows(tmp_path)] == [
        ("1", 0.25, ""),
        ("2", 0.125, "0.5"),
    ]


def test_a_resumed_run_drops_what_it_does_again_and_half_a_row(tmp_path):
    log = history(tmp_path)
    for step in (1, 2, 3):
        log.add(step, {"loss": float(step)})
    with (tmp_path / "metrics.csv").open("a") as file:
        file.write("4,0.")  # killed here
    log = history(tmp_path, start=2)
    log.add(3, {"loss": 30.0})
    assert [(row["step"], float(row["loss"])) for row in rows(tmp_path)] == [("1", 1.0), ("2", 2.0), ("3", 30.0)]


def test_a_file_that_cannot_be_written_is_named(tmp_path):
    log = history(tmp_path)
    (tmp_path / "metrics.csv").unlink()
    (tmp_path / "metrics.csv").mkdir()
    with pytest.raises(FileError, match=r"cannot write .*metrics.csv: it is a folder, and a regular file was expected"):
        log.add(1, {"loss": 0.0})


def test_the_iou_of_each_class_has_a_column(tmp_path):
    history(tmp_path).add(2, dict(miou=0.5, val_loss=1.25, **{"iou/sky": 0.75, "iou/road, wet": 0.25}))
    (row,) = rows(tmp_path)
    assert (row["val_loss"], row["iou/sky"], row["iou/road, wet"]) == ("1.25", "0.75", "0.25")
    history(tmp_path, start=2)
    assert rows(tmp_path) == [row]
    assert read_rows(tmp_path / "metrics.csv")[0][:1] == ["2"]


def test_a_log_of_release_0_1_gets_the_new_columns(tmp_path):
    """A run that was begun by it and goes on."""
    (tmp_path / "metrics.csv").write_text(
        "step,loss,lr,images_per_second,miou,pixel_accuracy\n1,0.5,0.1,9,,\n2,0.4,0.1,9,0.5,0.75\n"
    )
    history(tmp_path, start=2).add(3, {"loss": 0.25})
    table = rows(tmp_path)
    assert [row["step"] for row in table] == ["1", "2", "3"]
    assert (table[1]["miou"], table[1]["pixel_accuracy"], table[1]["val_loss"]) == ("0.5", "0.75", "")
