"""Weights from elsewhere as a run folder of ours, which everything that takes a run then takes."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal, get_args

from attseg.checkpoint import save_weights
from attseg.converters.csail import read_csail
from attseg.converters.foreign import Foreign
from attseg.converters.mmseg import read_mmseg
from attseg.converters.semseg import read_semseg
from attseg.converters.smp import read_smp
from attseg.data.catalog import CATALOG
from attseg.data.classes import ClassTable
from attseg.data.sets.class_file import read_class_file
from attseg.errors import UsageError, unknown
from attseg.recipes.recipe import ModelSpec

SourceName = Literal["semseg", "mmseg", "smp", "csail"]

HOMES: dict[str, str] = {
    "semseg": "https://github.com/hszhao/semseg",
    "mmseg": "https://github.com/open-mmlab/mmsegmentation",
    "smp": "https://github.com/qubvel-org/segmentation_models.pytorch",
    "csail": "https://github.com/CSAILVision/semantic-segmentation-pytorch",
}

OPTIONS: dict[str, tuple[str, ...]] = {
    "semseg": ("directions", "compact", "mask_size", "shrink"),
    "mmseg": ("directions", "compact", "mask_size", "shrink", "align_corners"),
    "smp": ("encoder", "output_stride"),
    "csail": ("decoder",),
}
"""Options of each converter."""

TABLES = {name: record.classes for name, record in CATALOG.items() if record.classes}
"""Classes of the public data sets, in the order in which all four sources have them."""

FILE = "best.safetensors"
"""Name of the weights that are used in a run folder."""


def find_classes(data: str | None, file: Path | None) -> ClassTable:
    """The classes of a public data set, or of a ``classes.csv`` where one is given.

    Raises:
        UsageError: There is no such data set.
        DataError: The file is no table of classes.
    """
    if file is not None:
        return read_class_file(file)
    if data not in TABLES:
        raise unknown("table of classes", str(data), TABLES)
    return TABLES[data]


def read_foreign(name: str, source: Path, **options: Any) -> Foreign:
    """Contents of a weights file.

    Args:
        name: One of ``HOMES``.
        source: The file, or a folder of ``smp``.
        **options: Those that ``OPTIONS`` lists for it.

    Raises:
        UsageError: There is no such door or option, or as the door says.
    """
    if name not in HOMES:
        raise unknown("source", name, get_args(SourceName))
    for option in options:
        if option not in OPTIONS[name]:
            raise unknown(f"option of {name}", option, OPTIONS[name])
    match name:
        case "semseg":
            return read_semseg(source, **options)
        case "mmseg":
            return read_mmseg(source, **options)
        case "smp":
            return read_smp(source, **options)
    return read_csail(source, **options)


def convert(
    name: str, source: Path, out: Path, *, classes: ClassTable, data: str | None = None, **options: Any
) -> Foreign:
    """Write a run folder with the weights of a file, their classes and their preprocessing.

    Args:
        name: One of ``HOMES``.
        source: The file.
        out: The folder; it may hold no weights yet.
        classes: What the outputs mean.
        data: Name of the data set that the network was trained on, from which some protocols take their sizes.
        **options: As of ``read_foreign``.

    Raises:
        UsageError: As of ``read_foreign``, or the numbers of classes differ, or there is a run in the folder.
        FileError: The folder cannot be written.
    """
    if (out / FILE).exists():
        raise UsageError(f"{out} already holds a run; choose another folder")
    found = read_foreign(name, source, **options)
    if found.num_classes != len(classes):
        raise UsageError(
            f"the weights know {found.num_classes} classes, and {f'{data} has' if data else 'the table names'} {len(classes)}; "
            "name the data set that they were trained on, or give a table of its classes"
        )
    save_weights(
        out / FILE,
        found.state,
        model=ModelSpec(name=found.name, args=found.args),
        classes=classes,
        preprocessing=found.preprocessing,
        info={"converted_from": HOMES[name], "file": source.name, "data": data},
    )
    return found
