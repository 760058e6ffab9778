"""The course of a run: a row of ``metrics.csv`` every so many steps."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path

from attseg.data.sample import Array
from attseg.files import FileError, obstacle, open_file, write_file
from attseg.text import csv_text

COLUMNS = ("step", "loss", "lr", "images_per_second", "miou", "pixel_accuracy", "val_loss")
"""The first columns; the IoU of each class follows, as ``iou/NAME``. attseg 0.1.0 wrote the first six."""


class History:
    """A tracker that appends rows. What an earlier part of the run wrote up to ``start`` stays; what it wrote beyond is dropped.

    Args:
        path: The CSV file; made where there is none.
        start: Steps that the run has already done.
        classes: Names of the classes.

    Raises:
        FileError: The file cannot be written.
    """

    def __init__(self, path: Path, *, start: int, classes: Sequence[str] = ()) -> None:
        self.path = path
        self.columns = [*COLUMNS, *(f"iou/{name}" for name in classes)]
        header, rows = _read(path) if path.exists() else ([], [])
        known = [dict(zip(header, row, strict=True)) for row in rows]
        kept = [[row.get(name, "") for name in self.columns] for row in known if int(row["step"]) <= start]
        write_file(path, csv_text([self.columns, *kept]))

    def add(self, step: int, values: Mapping[str, float]) -> None:
        """Append what is known after a step; columns that are not given stay empty."""
        row = {"step": str(step)} | {name: f"{value:.6g}" for name, value in values.items()}
        try:
            with open_file(self.path, "a", newline="") as file:
                csv.DictWriter(file, self.columns, lineterminator="\n").writerow(row)
        except OSError as error:
            raise FileError(f"cannot write {self.path}: {obstacle(error, self.path)}") from error

    def picture(self, step: int, name: str, image: Array) -> None:
        """Nothing: a table has no pictures."""

    def close(self) -> None:
        """Nothing: each row is written at once."""


def read_rows(path: Path) -> list[list[str]]:
    """The whole rows of the file, without its header; a process that was killed may have left half a row."""
    return _read(path)[1]


def _read(path: Path) -> tuple[list[str], list[list[str]]]:
    with open_file(path, "r", newline="") as file:
        header, *rows = csv.reader(line for line in file if line.endswith("\n"))
    return header, [row for row in rows if len(row) == len(header)]
