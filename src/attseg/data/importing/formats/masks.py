"""Pictures with label images beside them, in colours, with a palette, or in numbers; also Roboflow's semantic masks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from attseg.data.importing.colors import MaskTable, propose_table, read_mask
from attseg.data.importing.export import Annotation, Entry, Export
from attseg.data.importing.search import Search
from attseg.data.importing.tables import find_table
from attseg.data.sample import DataError
from attseg.errors import UsageError

MASK_FOLDERS = frozenset(
    (
        "annotation",
        "annotations",
        "gt",
        "groundtruth",
        "ground_truth",
        "label",
        "labels",
        "mask",
        "masks",
        "seg",
        "segmentation",
    )
)
IMAGE_FOLDERS = frozenset(("image", "images", "img", "imgs", "photo", "photos", "picture", "pictures", "jpegimages"))
ENDINGS = ("_mask", "-mask", "_masks", "_label", "_labels", "_gt", "_seg", "_labelids", "_l")
"""What the names of label images end in, before the suffix, where they lie beside their pictures."""


class Masks(Export):
    """Label images that belong to pictures by their names."""

    title = "pictures and label images"
    drawn = False

    def __init__(self, source: Path, search: Search) -> None:
        super().__init__(source, search)
        self.masks = self.find_masks()
        self.pictures = self.search.without(self.masks)
        self.table = self.find_table()
        self.classes = list(self.table.classes)

    def find_masks(self) -> dict[Path, tuple[str, ...]]:
        """Label images, each with the name of its picture: folders and stem."""
        return find_masks(self.search.files)

    def find_table(self) -> MaskTable:
        """The table of classes.

        Raises:
            UsageError: There is none; the message proposes one.
        """
        found = find_table(self.source)
        if found is None:
            raise UsageError(propose_table(self.source, list(self.masks)))
        path, table = found
        self.remarks.append(f"classes are those of {path}")
        return table

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
        mask = read_mask(entry.key, self.table)
        rows, columns = mask.values.shape
        return Annotation(picture, (rows, columns), mask=mask)

    def unlisted(self) -> list[Path]:
        """Pictures without labels."""
        return sorted(self.pictures.files.keys() - self.pictures.found)


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


def has_masks(search: Search) -> bool:
    """Whether there are label images among the pictures."""
    return bool(find_masks(search.files))


def _in_mask_folder(parts: Sequence[str]) -> bool:
    return any(part.lower() in MASK_FOLDERS for part in parts[:-1])
