"""The layout of PASCAL VOC: SegmentationClass, JPEGImages and lists of splits; also CVAT's export as segmentation mask."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from attseg.data.importing.formats.masks import Masks
from attseg.data.importing.naming import split_name
from attseg.data.importing.search import Search
from attseg.data.reading.content import read_content
from attseg.data.reading.inputs import SUFFIXES
from attseg.data.reading.walk import walk
from attseg.data.sets.class_file import ClassRow
from attseg.data.sets.class_tables import ClassSource, find_classes_below
from attseg.data.sets.voc import VOC

CLASS_FOLDER, OBJECT_FOLDER = "SegmentationClass", "SegmentationObject"
LISTS = ("ImageSets", "Segmentation")

VOID = ClassRow(0, 255, "void", (224, 224, 192), ignored=True)
"""The ring around objects, 255 in palette files."""


class Voc(Masks):
    """A data set in the layout of PASCAL VOC, with the classes of ``labelmap.txt`` or else of VOC."""

    title = "Pascal VOC"

    def __init__(self, source: Path, search: Search) -> None:
        self._splits = _read_lists(source)
        super().__init__(source, search)

    def find_masks(self) -> dict[Path, tuple[str, ...]]:
        """The files in SegmentationClass."""
        found = {}
        self._others = []
        for path, parts in self.search.files.items():
            folders = parts[:-1]
            if OBJECT_FOLDER in folders:
                self._others.append(path)
            elif CLASS_FOLDER in folders:
                below = folders[folders.index(CLASS_FOLDER) + 1 :]
                found[path] = (*below, path.stem)
        self.search = self.search.without(self._others)
        return found

    def find_table(self) -> ClassSource:
        """The classes of ``labelmap.txt``, or those of VOC."""
        found = find_classes_below(self.source)
        if found is None:
            pairs = enumerate(zip(VOC.names, VOC.colors, strict=True))
            found = ClassSource(
                self.source, "", [ClassRow(0, value, name, color, False) for value, (name, color) in pairs]
            )
            self.remarks.append("classes are those of PASCAL VOC, since no labelmap.txt is there")
        else:
            self.remarks.append(f"classes are those of {found.path}")
        if any(row.color == VOID.color or row.name == VOID.name or row.number == VOID.number for row in found.rows):
            return found
        return found._replace(rows=[*found.rows, VOID])

    def split_of(self, mask: Path) -> str:
        """As the lists say."""
        return self._splits.get("/".join(self.masks[mask]), "")


def is_voc(files: Iterable[tuple[str, ...]]) -> bool:
    """Whether some files lie as those of VOC."""
    return any(CLASS_FOLDER in parts[:-1] for parts in files)


def _read_lists(source: Path) -> dict[str, str]:
    """The split of each name that stands in one list of train, val and test."""
    splits: dict[str, str] = {}
    for folder, names in walk(source):
        if folder.parts[-2:] != LISTS:
            continue
        for name in names:
            split = split_name(Path(name).stem)
            if not split or Path(name).suffix != ".txt":
                continue
            text = read_content(folder / name, most=2**26, what="a list of pictures").decode("utf-8-sig", "replace")
            for line in filter(None, map(str.strip, text.splitlines())):
                path = Path(line)
                splits[line if path.suffix.lower() not in SUFFIXES else str(path.with_suffix(""))] = split
    return splits
