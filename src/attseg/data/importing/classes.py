"""The classes of the new data set: which names become which values of label files."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from unicodedata import normalize

from attseg.data.classes import IGNORE, LONGEST_NAME, MAX_CLASSES, Color
from attseg.data.importing.export import NamedClass
from attseg.data.sets.class_file import IGNORED_NAMES, to_csv
from attseg.data.wording import few
from attseg.errors import UsageError, unknown
from attseg.text import harmless

BACKGROUND = ("background", "_background_", "__background__")
"""Names of the background in exports; it becomes the value 0."""

IGNORED = frozenset((*IGNORED_NAMES, "__ignore__", "_ignore_"))
"""Names of classes whose pixels are ignored."""


@dataclass(frozen=True)
class Classes:
    """The classes.

    Args:
        names: Of the values 0..K-1.
        colors: Their colours, where the tool has some.
        values: The value of each label of the export; labels that are left out are missing.
        rest: The value of pixels that no region covers.
        ignores: Whether label files may hold ignored pixels.
        remarks: What was decided.
    """

    names: list[str]
    colors: list[Color | None]
    values: dict[str, int]
    rest: int
    ignores: bool
    remarks: list[str]

    def to_csv(self) -> bytes:
        """The content of ``classes.csv``."""
        rows = [
            (index, name, *(color or ("", "", "")), 0)
            for index, (name, color) in enumerate(zip(self.names, self.colors, strict=True))
        ]
        return to_csv([*rows, *[(IGNORE, "ignore", "", "", "", 1)] * self.ignores]).encode()


def choose_classes(
    listed: Sequence[NamedClass], found: Collection[str], *, drawn: bool, chosen: Sequence[str], ignore_rest: bool
) -> Classes:
    """Number the classes: the background is 0, the others follow in the order of the tool, or else of their names.

    Args:
        listed: The classes that the export lists.
        found: The labels that occur.
        drawn: Whether regions are drawn, so that pixels may be left that none covers.
        chosen: The classes to take, in their order; empty: all.
        ignore_rest: Whether pixels that no region covers are ignored, in place of background.

    Raises:
        UsageError: A chosen class does not exist, or there are too many or too few.
    """
    infos = {one.name: one for one in listed}
    labels = [*infos, *sorted(set(found) - infos.keys(), key=lambda name: (name.casefold(), name))]
    names = {label: _clean(label) for label in labels}
    remarks = _remarks(names, found, infos)
    if chosen:
        taken = [_clean(name) for name in chosen]
        for name in taken:
            if name not in names.values():
                raise unknown("class", name, sorted(set(names.values())))
    else:
        taken = [names[label] for label in labels]
    ignored = {
        label for label in labels
        if names[label].lower() in IGNORED or (label in infos and infos[label].ignored)
    }  # fmt: skip
    kept = dict.fromkeys(name for name in taken if name not in {names[label] for label in ignored})
    ground = next((name for name in names.values() if name.lower() in BACKGROUND and name in kept), None)
    adds = ground is None and not ignore_rest and (drawn or bool(chosen))
    if adds:
        ground = next((name for name in names.values() if name.lower() in BACKGROUND), "background")
        remarks.append(
            f"{'pixels that no region covers' if drawn else 'pixels of other classes'} are the class {ground!r} (0)"
        )
    order = ([ground] if ground is not None else []) + [name for name in kept if name != ground]
    if len(order) > MAX_CLASSES:
        raise UsageError(
            f"{len(order)} classes are too many: labels are bytes, and {MAX_CLASSES} fit, with the background. Name those that "
            f"matter: --classes {','.join(order[1:4])},..."
        )
    if len(order) < 2:
        raise UsageError(
            f"only one class would count ({', '.join(order) or 'none'}), and at least two are needed. The classes of the export "
            f"are {few(sorted(set(names.values())), 20) or 'none'}"
        )
    index = {name: place for place, name in enumerate(order)}
    values = {label: index[name] for label, name in names.items() if name in index}
    values |= dict.fromkeys(ignored, IGNORE)
    if occurring := sorted(names[label] for label in ignored & set(found)):
        remarks.append(f"ignored (255): {few(occurring)}")
    rest = IGNORE if ignore_rest else index.get(ground or "", IGNORE)
    if drawn and ignore_rest:
        remarks.append("pixels that no region covers are ignored (255)")
    if others := sorted(set(names.values()) - set(order) - {names[label] for label in ignored}):
        remarks.append(f"classes that were left out, by --classes: {few(others, 10)}")
    ignores = bool(ignored & set(found)) or rest == IGNORE
    return Classes(order, _colors(order, names, infos), values, rest, ignores, remarks)


def _clean(name: str) -> str:
    """A name that ``classes.csv`` takes."""
    return harmless(normalize("NFC", " ".join(name.split())))[:LONGEST_NAME].strip() or "unnamed"


def _remarks(names: dict[str, str], found: Collection[str], infos: dict[str, NamedClass]) -> list[str]:
    remarks = []
    written = Counter(names.values())
    if merged := [name for name, count in written.items() if count > 1]:
        remarks.append(f"written in several ways, and taken for one class: {few(merged)}")
    cases = Counter(name.casefold() for name in written)
    if alike := sorted(name for name in written if cases[name.casefold()] > 1):
        remarks.append(
            f"classes that differ in capital letters alone: {few(alike, 6)}; rename them in the tool if they are one"
        )
    if unused := [
        name for name in infos if name not in found and not infos[name].ignored and name.lower() not in BACKGROUND
    ]:
        remarks.append(f"classes of the export that occur nowhere ({len(unused)}): {few(unused, 10)}")
    return remarks


def _colors(order: Sequence[str], names: dict[str, str], infos: dict[str, NamedClass]) -> list[Color | None]:
    """The tool's colours; those that two classes share are left out."""
    by_name: dict[str, Color | None] = {}
    for label, name in names.items():
        if label in infos and infos[label].color is not None:
            by_name.setdefault(name, infos[label].color)
    colors = [by_name.get(name) for name in order]
    counts = Counter(colors)
    return [color if counts[color] == 1 else None for color in colors]
