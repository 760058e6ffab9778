"""Saves probabilities of a result, and outlines for labelling tools, beside labels and overlay."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import get_args

import numpy as np
import numpy.typing as npt
from PIL import Image

from attseg.data.classes import ClassTable
from attseg.data.sample import Array
from attseg.errors import UsageError, unknown
from attseg.files import replacing, write_file
from attseg.inference.annotations import to_coco, to_geojson, to_labelme
from attseg.inference.saved import Further

FURTHER: tuple[Further, ...] = get_args(Further)
"""``probabilities``, ``geojson``, ``labelme`` and ``coco``."""

COCO = "coco.json"
"""The file of all pictures."""


def check_further(names: Sequence[str], classes: ClassTable, of: Sequence[str] = ()) -> None:
    """Refuse what cannot be saved, and classes that are not there.

    Raises:
        UsageError: The message names the nearest.
    """
    for name in names:
        if name not in FURTHER:
            raise unknown("file to save", name, FURTHER)
    for name in of:
        if name not in classes.names:
            raise unknown("class", name, classes.names)
    if of and "probabilities" not in names:
        raise UsageError(f"probabilities of {of[0]!r} were asked for, and are not saved; save probabilities too")


def further_files(folder: Path, name: str, what: Further, of: Sequence[int] = ()) -> list[Path]:
    """Where files of a picture lie below a folder; that of COCO is one for all pictures and is not among them.

    Args:
        folder: The folder.
        name: Of the picture.
        what: Which files.
        of: Classes whose probabilities are saved as pictures, by index; without any, all are in one file.
    """
    if what == "coco":
        return []
    suffixes = {"geojson": ".geojson", "labelme": ".json", "probabilities": ".npz"}
    if what == "probabilities" and of:
        return [folder / what / f"{name}.{index}.png" for index in of]
    return [folder / what / f"{name}{suffixes[what]}"]


def save_further(
    folder: Path,
    name: str,
    what: Further,
    labels: Array,
    classes: ClassTable,
    *,
    probabilities: npt.NDArray[np.float32] | None = None,
    of: Sequence[int] = (),
    picture: Path | None = None,
    image: Array | None = None,
) -> None:
    """Write the files of ``further_files``.

    Args:
        folder: The folder.
        name: Of the picture.
        what: Which files.
        labels: (H, W) classes, and 255 where not sure.
        classes: The classes.
        probabilities: (K, H, W), for ``probabilities``.
        of: As of ``further_files``.
        picture: The picture's file, which labelme opens.
        image: (H, W, 3) the picture, which labelme opens where there is no file.

    Raises:
        FileError: A file cannot be written.
    """
    paths = further_files(folder, name, what, of)
    if what == "probabilities":
        assert probabilities is not None  # the caller asked the network for them
        if of:
            for path, index in zip(paths, of, strict=True):
                with replacing(path) as file:
                    Image.fromarray(np.rint(255 * probabilities[index]).astype(np.uint8)).save(file, "PNG")
        else:
            with replacing(paths[0]) as file:
                names = np.array(classes.names)
                np.savez_compressed(file, probabilities=probabilities.astype(np.float16), classes=names)
    elif what != "coco":
        if what == "geojson":
            content = to_geojson(labels, classes)
        elif picture is not None:
            content = to_labelme(labels, classes, os.path.relpath(picture, paths[0].parent))
        else:
            content = to_labelme(labels, classes, f"{Path(name).name}.png", image)
        write_file(paths[0], json.dumps(content, ensure_ascii=False).encode(errors="surrogateescape"))


def save_coco(folder: Path, pictures: Iterable[tuple[str, Array]], classes: ClassTable) -> Path:
    """Write one COCO file of pictures, given by name and classes (H, W).

    Raises:
        FileError: It cannot be written.
    """
    with replacing(folder / COCO) as file:
        for part in to_coco(pictures, classes):
            file.write(part.encode())
    return folder / COCO
