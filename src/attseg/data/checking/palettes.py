"""Palettes of label files: where the colours of an index contradict the class table, or one file another."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from attseg.data.checking.findings import Finding
from attseg.data.checking.readings import Part, Reading
from attseg.data.classes import ClassTable, Color
from attseg.data.reading.color_labels import READ_BY_COLOR
from attseg.data.reading.label_values import is_known
from attseg.data.wording import few, plural

Colors = Mapping[int, Color]


@dataclass(frozen=True)
class _Contradiction:
    """Difference of a palette, equal for all files that differ in the same way."""

    split: str
    differing: tuple[tuple[int, Color, Color, str], ...]
    renumbering: tuple[tuple[int, int], ...]


def judge_palettes(
    parts: Mapping[str, Part], readings: Mapping[str, Sequence[Reading]], given: Colors, classes: ClassTable | None
) -> Iterator[Finding]:
    """Compare the palettes of label files with the colours of the classes, and where these have none, with one another.

    Only indices that occur in a file are compared. Files that contradict in the same way make one finding.

    Args:
        parts: The files of each split.
        readings: What was read of them.
        given: The colour of each value in label files, where the data set says it.
        classes: What the values mean.
    """
    paletted = [
        (split, str(item.labels), reading.palette)
        for split, part in parts.items()
        for item, reading in zip(part.items, readings[split], strict=True)
        if reading.palette
    ]
    usual = _usual(palette for _, _, palette in paletted)
    expected = {index: (color, "most label files") for index, color in usual.items()}
    expected |= {index: (color, "the class table") for index, color in given.items()}
    found: dict[_Contradiction, list[str]] = {}
    for split, file, palette in paletted:
        differing = tuple(
            (index, color, *expected[index]) for index, color in palette.items() if color != expected[index][0]
        )
        if differing:
            colors = {index: color for index, (color, _) in expected.items()}
            found.setdefault(_Contradiction(split, differing, _renumbering(palette, colors)), []).append(file)
    for contradiction, files in found.items():
        yield Finding("warning", "palette", _explain(contradiction, files), contradiction.split, files[0])
    grays = [(split, file) for split, file, palette in paletted if _may_hold_grays(palette, given, classes)]
    if grays:
        split, file = grays[0]
        message = (
            f"{file}{_and_more([name for _, name in grays])}: the palette holds grays that are label values too, as image "
            "optimisers leave them; the indices were taken, not the grays. If the grays are the labels, save gray PNGs"
        )
        yield Finding("warning", "palette of grays", message, split, file)


def judge_grays(
    parts: Mapping[str, Part], readings: Mapping[str, Sequence[Reading]], given: Colors, classes: ClassTable | None
) -> Iterator[Finding]:
    """Gray label files that were read by their colours, and whose values mean classes too, but others.

    Args:
        parts: The files of each split.
        readings: What was read of them.
        given: The colour of each value in label files.
        classes: What the values mean.
    """
    for split, part in parts.items():
        found = [
            str(item.labels)
            for item, reading in zip(part.items, readings[split], strict=True)
            if classes and _means_others(reading, given, classes)
        ]
        if found:
            message = (
                f"{found[0]}{_and_more(found)}: gray, and read by colour (masks color), but the grays are label values of other "
                "classes too; if values are meant, leave out masks color, and where files differ, save them all in one way"
            )
            yield Finding("warning", "gray or value", message, split, found[0])


def _means_others(reading: Reading, given: Colors, classes: ClassTable) -> bool:
    if not reading.label_kind.startswith(("gray", "1-bit")) or not reading.label_kind.endswith(READ_BY_COLOR):
        return False
    grays = {value: given[value][0] for value in reading.counts if value in given}
    return (
        bool(grays)
        and all(is_known(gray, classes) for gray in grays.values())
        and any(classes.lookup[gray] != classes.lookup[value] for value, gray in grays.items())
    )


def _usual(palettes: Iterator[Colors]) -> dict[int, Color]:
    """The most common colour of each index."""
    counts: dict[int, Counter[Color]] = {}
    for palette in palettes:
        for index, color in palette.items():
            counts.setdefault(index, Counter())[color] += 1
    return {index: colors.most_common(1)[0][0] for index, colors in counts.items()}


def _renumbering(palette: Colors, expected: Colors) -> tuple[tuple[int, int], ...]:
    """From each index of a file to the one that has its colour elsewhere; empty where that is not one to one."""
    owners: dict[Color, list[int]] = {}
    for index, color in expected.items():
        owners.setdefault(color, []).append(index)
    of_color = {color: indices[0] for color, indices in owners.items() if len(indices) == 1}
    new = {index: index if color == expected[index] else of_color.get(color) for index, color in palette.items()}
    numbers = tuple((old, number) for old, number in new.items() if number is not None)
    return numbers if len(numbers) == len(palette) == len({number for _, number in numbers}) else ()


def _explain(contradiction: _Contradiction, files: Sequence[str]) -> str:
    differing = [
        f"index {index} is {color} in the palette and {other} in {where}"
        for index, color, other, where in contradiction.differing
    ]
    text = f"{files[0]}{_and_more(files)}: {few(differing)}; the indices were taken, not the colours"
    if contradiction.renumbering:
        numbers = few([f"{old} -> {new}" for old, new in contradiction.renumbering if old != new], 10)
        return f"{text}. All are colours of other indices: renumbering {numbers} would make both agree"
    return text


def _and_more(files: Collection[str]) -> str:
    return f" and {plural(len(files) - 1, 'other label file')}" if len(files) > 1 else ""


def _may_hold_grays(palette: Colors, given: Colors, classes: ClassTable | None) -> bool:
    """Whether all colours that occur are grays whose values have a meaning of their own, other than that of their index."""
    if classes is None or any(len(set(color)) > 1 for color in palette.values()):
        return False
    if all(color[0] == index or given.get(index) == color for index, color in palette.items()):
        return False
    return all(is_known(color[0], classes) for color in palette.values())
