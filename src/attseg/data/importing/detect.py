"""Which tool an export comes from, by its files."""

from __future__ import annotations

from collections.abc import Callable
from itertools import islice
from pathlib import Path
from typing import Any

from attseg.data.importing.export import Export, as_written_by
from attseg.data.importing.formats.coco import Coco, is_coco
from attseg.data.importing.formats.cvat import Cvat, is_cvat
from attseg.data.importing.formats.datumaro import Datumaro
from attseg.data.importing.formats.label_studio import LabelStudio, is_label_studio
from attseg.data.importing.formats.labelme import Labelme, is_labelme
from attseg.data.importing.formats.masks import Masks, find_masks
from attseg.data.importing.formats.supervisely import Supervisely, meta_file
from attseg.data.importing.formats.voc import Voc, is_voc
from attseg.data.importing.json_text import files_below, read_json
from attseg.data.importing.search import Search
from attseg.data.reading.walk import unread_below
from attseg.data.sample import DataError
from attseg.data.sets.class_file import CLASS_FILE
from attseg.errors import UsageError, unknown

FORMATS: dict[str, type[Export]] = {
    "labelme": Labelme,
    "coco": Coco,
    "cvat": Cvat,
    "label-studio": LabelStudio,
    "supervisely": Supervisely,
    "voc": Voc,
    "masks": Masks,
    "datumaro": Datumaro,
}
"""Formats by name."""

SNIFFED = 30
"""Files of a kind that are looked into."""

_JSON: dict[str, Callable[[Any], bool]] = {
    "labelme": is_labelme,
    "coco": is_coco,
    "label-studio": is_label_studio,
    "datumaro": lambda content: isinstance(content, dict) and {"items", "categories"} <= content.keys(),
}


def open_export(source: Path, search: Search, format: str | None = None) -> tuple[str, Export]:
    """Open an export.

    Args:
        source: Its folder, or its only file.
        search: The pictures.
        format: One of ``FORMATS``, or ``datumaro:NAME`` for a format that Datumaro reads; None: recognised.

    Returns:
        The format, and the export.

    Raises:
        UsageError: It is not recognised, or may be two formats.
        DataError: A file that all depends on is broken.
    """
    if format is None:
        format = _recognise(source, search)
    if format.startswith("datumaro:"):
        return format, Datumaro(source, search, format.partition(":")[2])
    if format not in FORMATS:
        raise unknown("format", format, FORMATS, more=f"There are: {', '.join(FORMATS)}, and datumaro:NAME")
    with as_written_by(source, FORMATS[format].title):
        return format, FORMATS[format](source, search)


def find_formats(source: Path, search: Search) -> tuple[dict[str, str], list[str]]:
    """The formats of labelling tools that files of a folder, or a file, have.

    Returns:
        What each format was recognised by, and problems of files that could not be looked into.
    """
    found = {}
    if source.is_dir() and meta_file(source):
        found["supervisely"] = "meta.json and ann/"
    if is_voc(search.files.values()):
        found["voc"] = "SegmentationClass/"
    suffix = source.suffix.lower() if source.is_file() else ""
    if suffix in ("", ".xml"):
        for path in islice(files_below(source, ".xml"), SNIFFED):
            if is_cvat(path):
                found["cvat"] = path.name
    problems = []
    if suffix in ("", ".json") and "supervisely" not in found:
        for path in islice(files_below(source, ".json"), SNIFFED):
            try:
                content = read_json(path)
            except DataError as error:
                problems.append(str(error))
                continue
            kinds = {name: path.name for name, fits in _JSON.items() if fits(content)}
            if (
                not kinds
                and isinstance(content, list)
                and content
                and isinstance(content[0], dict)
                and "image" in content[0]
            ):
                problems.append(f"{path} looks like Label Studio's JSON-MIN, which leaves out sizes; export as JSON")
            found.update(kinds)
    return found, problems


def _recognise(source: Path, search: Search) -> str:
    found, problems = find_formats(source, search)
    if not found and source.is_dir():
        _refuse_folder_set(source)
        if find_masks(search.files):
            found["masks"] = ""
    if len(found) == 1:
        return next(iter(found))
    if found:
        said = " and ".join(f"{name} ({what})" for name, what in found.items())
        raise UsageError(f"{source} may be {said}. Say which is meant: --format {' or --format '.join(found)}")
    raise UsageError(_explain_none(source, problems))


def _refuse_folder_set(source: Path) -> None:
    if (source / CLASS_FILE).is_file() and all(any(source.glob(f"{name}/train")) for name in ("images", "labels")):
        raise UsageError(
            f"{source} has images/, labels/ and classes.csv, as a data set of your own has; nothing need be imported: "
            f"attseg data check {source}"
        )


def _explain_none(source: Path, problems: list[str]) -> str:
    if problems:
        return f"{source} is not recognised; {problems[0]}"
    if not source.is_dir():
        return f"{source} is none of the exports that are read: {', '.join(FORMATS)} (docs/train/importing.md)"
    endings = unread_below([source], ())
    seen = ", ".join(f"{count} {ending or 'without suffix'}" for ending, count in endings.most_common(5)) or "nothing"
    hint = ""
    if endings[".xml"]:
        hint = " XML files of Pascal VOC hold boxes; export outlines, or masks."
    elif endings[".txt"]:
        hint = " Of YOLO's files, export outlines as COCO."
    return (
        f"{source} holds {seen}, which is none of the exports that are read: {', '.join(FORMATS)}.{hint} Give the folder that "
        "the tool has written, or say which format it is: --format NAME"
    )
