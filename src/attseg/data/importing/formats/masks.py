"""Pictures with label images beside them, in colours, with a palette, or in numbers; also Roboflow's semantic masks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from textwrap import indent
from typing import Any

import numpy as np
import numpy.typing as npt

from attseg.data.checking.propose import rows_of_colors, rows_of_values
from attseg.data.classes import Color
from attseg.data.importing.export import Annotation, Entry, Export, Mask, NamedClass
from attseg.data.importing.search import Search
from attseg.data.reading.color_labels import colors_in, read_by_color_or_value
from attseg.data.reading.image import read_raw_labels
from attseg.data.reading.label_values import count_values
from attseg.data.sample import DataError
from attseg.data.sets.class_file import CLASS_FILE, ClassRow, to_csv
from attseg.data.sets.class_tables import ClassSource, explain_strange, find_classes_below, tables_below
from attseg.data.wording import few, percent
from attseg.errors import UsageError

MOST_PROPOSED = 20
"""Classes of a table that is proposed, and label images that are looked at for it."""


MASK_FOLDERS = frozenset((
    "annotation", "annotations", "gt", "groundtruth", "ground_truth", "label", "labels", "mask", "masks", "seg",
    "segmentation"
))  # fmt: skip
IMAGE_FOLDERS = frozenset(("image", "images", "img", "imgs", "photo", "photos", "picture", "pictures", "jpegimages"))
ENDINGS = ("_mask", "-mask", "_masks", "_label", "_labels", "_gt", "_seg", "_labelids", "_l")
"""Endings of names of label images, before the suffix, where they lie beside their pictures."""


class Masks(Export):
    """Label images that belong to pictures by their names."""

    title = "pictures and label images"
    drawn = False

    def __init__(self, source: Path, search: Search) -> None:
        super().__init__(source, search)
        self.masks = self.find_masks()
        self.pictures = self.search.without(self.masks)
        self.table = self.find_table()
        named = {row.name for row in self.table.rows if not row.ignored}
        self.classes = [_named_class(row, named) for row in self.table.rows]

    def find_masks(self) -> dict[Path, tuple[str, ...]]:
        """Label images, each with the name of its picture: folders and stem."""
        return find_masks(self.search.files)

    def find_table(self) -> ClassSource:
        """The table of classes.

        Raises:
            UsageError: There is none; the message proposes one.
        """
        found = find_classes_below(self.source)
        if found is None:
            raise UsageError(propose_table(self.source, list(self.masks)) + explain_strange(tables_below(self.source)))
        self.remarks.append(f"classes are those of {found.path}")
        return found

    def split_of(self, mask: Path) -> str:
        """The split of a label image, where it does not stand in the folders."""
        return ""

    def entries(self) -> Iterator[Entry]:
        """One a label image."""
        for mask in sorted(self.masks):
            yield Entry("/".join(self.masks[mask]), mask, self.split_of(mask), mask)

    def read(self, entry: Entry) -> Annotation:
        """As of ``Export``."""
        picture = self.pictures.find_stem("/".join(self.masks[entry.key]), near=entry.key.parent)
        mask = self._read_mask(entry.key)
        rows, columns = mask.values.shape
        return Annotation(picture, (rows, columns), mask=mask)

    def _read_mask(self, path: Path) -> Mask:
        places = {row.number: place for place, row in enumerate(self.table.rows)}
        values = self._read_values(path, places.keys())
        found, inverse = np.unique(values, return_inverse=True)
        if unknown := [str(value) for value in found.tolist() if value not in places]:
            raise DataError(f"{path} holds the values {few(unknown)}, which no class has")
        lookup = np.array([places[value] for value in found.tolist()], np.int64)
        return Mask(lookup[inverse.reshape(values.shape)], [one.name for one in self.classes])

    def unlisted(self) -> list[Path]:
        """Pictures without labels."""
        return sorted(self.pictures.files.keys() - self.pictures.found)

    def _read_values(self, path: Path, known: Collection[int]) -> npt.NDArray[Any]:
        try:
            colors = replace(self.table.color_values(), may_ignore=False)
        except DataError as error:  # a colour of two classes is no harm where numbers count
            try:
                raw = read_raw_labels(path)
            except DataError:
                raise error from None
            if raw.paletted:
                raise
            return raw.values
        return read_by_color_or_value(path, colors, known).values


def find_masks(files: Mapping[Path, Sequence[str]]) -> dict[Path, tuple[str, ...]]:
    """Label images among some files, each with the folders and the stem of its picture.

    A label image lies in a folder such as ``masks``, or has the name of a picture beside it and an ending such as ``_mask``.

    Raises:
        DataError: Two label images belong to one picture.
    """
    stems = {(*parts[:-1], path.stem.casefold()) for path, parts in files.items()}
    pictures = {path.stem.casefold() for path, parts in files.items() if not _in_mask_folder(parts)}
    found: dict[Path, tuple[str, ...]] = {}
    for path, parts in files.items():
        folders = [part for part in parts[:-1] if part.lower() not in MASK_FOLDERS | IMAGE_FOLDERS]
        low = path.stem.casefold()
        ending = next((ending for ending in ENDINGS if low.endswith(ending) and len(low) > len(ending)), "")
        if _in_mask_folder(parts):
            ends = ending and low not in pictures and low.removesuffix(ending) in pictures
            found[path] = (*folders, path.stem[: -len(ending)] if ends else path.stem)
        elif ending and (*parts[:-1], low.removesuffix(ending)) in stems:
            found[path] = (*folders, path.stem[: -len(ending)])
    by_name: dict[tuple[str, ...], Path] = {}
    for path, name in found.items():
        if (other := by_name.setdefault(tuple(part.casefold() for part in name), path)) != path:
            raise DataError(f"{other} and {path} may both be the labels of {'/'.join(name)!r}; keep one of them")
    return found


def propose_table(source: Path, masks: Sequence[Path]) -> str:
    """The message where label images have no table of classes: a table to begin with."""
    values: Counter[int] = Counter()
    colors: Counter[Color] = Counter()
    by_color, told = False, ""
    for path in masks[:MOST_PROPOSED]:
        try:
            colors.update(colors_in(path))
        except DataError as error:
            told = told or f"; {error}"
            continue
        try:
            raw = read_raw_labels(path)
            by_color = by_color or raw.paletted
            values.update(count_values(raw.values))
        except DataError:
            by_color = True
    if not colors:
        return f"{source} has no label image that can be read{told}"
    if len(colors) > MOST_PROPOSED:
        return (
            f"the label images in {source} have no table of classes, and {len(colors)} colours occur: too many for classes. They "
            "are photographs, numbers of objects, or masks that were smoothed or compressed with loss"
        )
    rows = (
        rows_of_colors(colors) if by_color else [(*row[:2], "", "", "", row[-1]) for row in rows_of_values([*values])]
    )
    table = indent(to_csv(rows).strip(), "  ")
    if by_color:
        shares = [f"{color} {percent(count, colors.total())}" for color, count in colors.most_common()]
        table += f"\n(in {min(len(masks), MOST_PROPOSED)} of them: {', '.join(shares)})"
    return (
        f"the label images in {source} have no table of classes. Save this as {source / CLASS_FILE}, with the right names, and "
        f"import again:\n{table}"
    )


def _named_class(row: ClassRow, named: Collection[str]) -> NamedClass:
    """A class as the table names it; an ignored one has no name of a class that counts."""
    name = f"ignored {row.number}" if row.ignored and (not row.name or row.name in named) else row.name
    return NamedClass(name, row.color, row.ignored)


def _in_mask_folder(parts: Sequence[str]) -> bool:
    return any(part.lower() in MASK_FOLDERS for part in parts[:-1])
