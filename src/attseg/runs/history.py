"""The course of a run: a row of ``metrics.csv`` every so many steps, and the same for TensorBoard where it is installed."""

from __future__ import annotations

import csv
from importlib.util import find_spec
from pathlib import Path

from attseg.files import FileError, obstacle, open_file, replacing

COLUMNS = ("step", "loss", "lr", "images_per_second", "miou", "pixel_accuracy")


class History:
    """Appends rows; what an earlier part of the run wrote up to ``start`` stays, and what it wrote beyond is dropped.

    Args:
        path: The CSV file; made where there is none.
        start: Steps that the run has already done.
        tensorboard: Folder for TensorBoard's files.

    Raises:
        FileError: The file cannot be written.
    """

    def __init__(self, path: Path, *, start: int, tensorboard: Path) -> None:
        self.path = path
        rows = [row for row in read_rows(path) if int(row[0]) <= start] if path.exists() else []
        with replacing(path) as file:
            file.write("".join(",".join(row) + "\n" for row in (COLUMNS, *rows)).encode())
        self._board = None
        if find_spec("tensorboard") is not None:
            from torch.utils.tensorboard import SummaryWriter

            self._board = SummaryWriter(str(tensorboard), purge_step=start + 1)

    def add(self, step: int, **values: float) -> None:
        """Append what is known after ``step``; columns that are not given stay empty."""
        row = {"step": str(step)} | {name: f"{value:.6g}" for name, value in values.items()}
        try:
            with open_file(self.path, "a", newline="") as file:
                csv.DictWriter(file, COLUMNS, lineterminator="\n").writerow(row)
        except OSError as error:
            raise FileError(f"cannot write {self.path}: {obstacle(error, self.path)}") from error
        if self._board is not None:
            for name, value in values.items():
                self._board.add_scalar(name, value, step)

    def close(self) -> None:
        """Write what is still under way."""
        if self._board is not None:
            self._board.close()


def read_rows(path: Path) -> list[list[str]]:
    """The whole rows of the file, without its header; a process that was killed may have left half a row."""
    with open_file(path, "r", newline="") as file:
        rows = [line.rstrip("\n").split(",") for line in file if line.endswith("\n")]
    return [row for row in rows[1:] if len(row) == len(COLUMNS)]
