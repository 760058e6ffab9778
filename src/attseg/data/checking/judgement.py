"""Findings about a data set as a whole: missing parts, classes that never occur, images in two splits."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import combinations, product

from attseg.data.checking.findings import Finding, SplitSummary
from attseg.data.checking.readings import Part, Reading
from attseg.data.classes import BACKGROUND_IS_A_CLASS, IGNORE, ClassTable, Color
from attseg.data.sets.file_set import FileSet
from attseg.data.wording import few, plural

NEEDED_SPLITS = ("train", "val")

VAL_NAMES = ("val", "valid", "validation", "dev")
"""Usual names of the split to measure on; --data.val says which."""


def missing_splits(files: FileSet, existing: Collection[str]) -> Iterator[Finding]:
    """Splits that are not there: errors where no model could be trained or measured, and of a public data set just said."""
    if not files.root.is_dir():
        yield Finding("error", "no folder", files.explain_missing(NEEDED_SPLITS[0], existing))
    elif not existing:
        yield Finding("error", "missing split", files.explain_missing(NEEDED_SPLITS[0], existing))
    elif files.record.released:
        missing = [
            f"{split} ({files.record.released[split]:,} pictures)"
            for split in files.record.released
            if split not in existing
        ]
        if missing:
            yield Finding("note", "part", f"of what was released, this is not there: {', '.join(missing)}")
    else:
        for split in NEEDED_SPLITS:
            if split not in existing and not (split == "val" and {*VAL_NAMES} & {*existing}):
                yield Finding("error", "missing split", files.explain_missing(split, existing), split)


def judge_count(split: str, found: int, released: int | None) -> Iterator[Finding]:
    """A split with fewer pictures than were released is a part of it; one with more is strange."""
    if released is not None and found < released:
        yield Finding(
            "note", "part", f"{split} is a part: {found:,} of the {released:,} pictures released are there", split
        )
    if released is not None and found > released:
        message = f"{split} has {found:,} pictures, but only {released:,} were released: where do the others come from?"
        yield Finding("warning", "more than released", message, split)


def judge_classes(split: str, summary: SplitSummary, classes: ClassTable) -> Iterator[Finding]:
    """Classes that never occur, and masks of 0 and 255 whose 255 is silently ignored."""
    if len(classes) > 1 and set(summary.values) == {0, 255} and classes.lookup[255] == IGNORE:
        message = (
            f"the label files of {split} hold only 0 and 255, and 255 is ignored: if these are masks in which 255 is a class, "
            "divide them by 255, or give 255 its class in classes.csv"
        )
        yield Finding("warning", "masks of 0 and 255", message, split)
    present = [name for name, count in zip(classes.names, summary.pixels, strict=True) if count]
    if summary.ignored and not present and not summary.unknown:
        message = f"no pixel of {split} counts: all {summary.ignored:,} hold ignored values"
        yield Finding("error" if split.startswith(NEEDED_SPLITS) else "warning", "nothing counts", message, split)
        return
    if len(present) == 1 and len(classes) > 1 and not summary.unknown:
        message = (
            f"every pixel of {split} that counts is of the class {present[0]}: a network that gives it to every pixel is always "
            f"right. {BACKGROUND_IS_A_CLASS}"
        )
        yield Finding("error" if split.startswith("train") else "warning", "one class", message, split)
    absent = [name for name, count in zip(classes.names, summary.pictures_with, strict=True) if not count]
    if absent and summary.pictures:
        shifted = absent == [classes.names[0]] and len(classes) > 2 and int(classes.values[0]) == 0
        effect = (
            "be learnt"
            if split.startswith("train")
            else "be measured, and the mean IoU leaves out what is neither there nor predicted"
        )
        message = (
            f"{len(absent)} of {len(classes)} classes never occur in {split} and cannot {effect}: {few(absent, 10)}"
            + "; if the label files count their classes from 1, classes.csv has to count from 1 as well" * shifted
        )
        yield Finding("warning", "absent class", message, split)


def shared_images(
    parts: Mapping[str, Part], readings: Mapping[str, Sequence[Reading]], overlapping: Collection[frozenset[str]]
) -> dict[tuple[str, str], list[str]]:
    """Names of images of one split whose file has the same content as one of another, where splits do not overlap on purpose."""
    contents: dict[str, dict[bytes, list[str]]] = {split: {} for split in parts}
    for split, part in parts.items():
        for item, reading in zip(part.items, readings[split], strict=True):
            if reading.digest:
                contents[split].setdefault(reading.digest, []).append(item.name)
    shared: dict[tuple[str, str], list[str]] = {}
    for one, other in combinations(parts, 2):
        same = contents[one].keys() & contents[other].keys()
        if same and frozenset({one, other}) not in overlapping:
            names = (pair for digest in same for pair in product(contents[one][digest], contents[other][digest]))
            shared[one, other] = sorted(a if a == b else f"{a} = {b}" for a, b in names)
    return shared


def judge_colors(classes: ClassTable) -> Iterator[Finding]:
    """Classes that share a colour, and so look the same in every image."""
    names: dict[Color, list[str]] = {}
    for name, color in zip(classes.names, classes.colors, strict=True):
        names.setdefault(color, []).append(name)
    for color, same in names.items():
        if len(same) > 1:
            message = f"{few(same)} have the same colour {color} and cannot be told apart in images; give each its own"
            yield Finding("warning", "same colour", message)


def judge_names(classes: ClassTable) -> Iterator[Finding]:
    """Names of classes that look alike, and those that sound as if they were to be ignored."""
    alike: dict[str, list[str]] = {}
    for name in classes.names:
        alike.setdefault(_appearance(name), []).append(name)
    for same in alike.values():
        if len(same) > 1:
            message = (
                f"the classes {', '.join(map(ascii, same))} differ only in upper and lower case, spaces or invisible characters: "
                "if they are one, give all its numbers one name by renumbering the label files"
            )
            yield Finding("warning", "names alike", message)
    for index, name in enumerate(classes.names):
        if SOUND_IGNORED.fullmatch(_appearance(name)):
            message = (
                f"{name!r} is trained and counted as a class like any other (value {classes.values[index]}); if its pixels are "
                "to be left out, put 1 into the column ignore of classes.csv"
            )
            yield Finding("warning", "named as ignored", message)


SOUND_IGNORED = re.compile(
    "don'?t ?care|ignored|invalid|no ?data|no label|not labell?ed|unannotated|undefined|unlabell?ed area|voids"
)
"""Names, as ``_appearance`` gives them, of what other tools leave out."""


def _appearance(name: str) -> str:
    """A name as a reader sees it: without case, Unicode form, repeated spaces and invisible characters."""
    folded = unicodedata.normalize("NFKC", name).casefold().replace("_", " ").replace("-", " ").replace("\u2019", "'")
    return " ".join("".join(one for one in folded if unicodedata.category(one) != "Cf").split())


def judge_images_within(split: str, part: Part, readings: Sequence[Reading]) -> Iterator[Finding]:
    """Images that a split has more than once, with equal or with other labels, and images that show nothing."""
    same: dict[bytes, list[tuple[str, Reading]]] = {}
    for item, reading in zip(part.items, readings, strict=True):
        if reading.digest:
            same.setdefault(reading.digest, []).append((item.name, reading))
    repeated = [group for group in same.values() if len(group) > 1]
    contrary = [group for group in repeated if len({reading.meaning for _, reading in group if reading.meaning}) > 1]
    if contrary:
        names = few([" = ".join(name for name, _ in group) for group in contrary])
        message = (
            f"{plural(len(contrary), 'image')} in {split} more than once, with different labels each time: {names}"
        )
        yield Finding("warning", "contrary labels", message, split)
    if equal := [group for group in repeated if group not in contrary]:
        names = few([" = ".join(name for name, _ in group) for group in equal])
        message = f"{plural(len(equal), 'image')} in {split} more than once, to be counted as often: {names}"
        yield Finding("note", "repeated image", message, split)
    empty = [
        item.name for item, reading in zip(part.items, readings, strict=True) if reading.image and reading.image.flat
    ]
    if empty:
        message = f"{plural(len(empty), 'image')} in {split} read as one value in all pixels and showing nothing: {few(empty)}"
        yield Finding("warning", "empty image", message, split)


IMAGE_ENDINGS = re.compile(r"\.(jfif|jpe|jif|heic|heif|jxl|dib|pbm|pnm|j2k|npy|npz|dcm|nii|exr|psd)")
"""Endings of images and arrays that are not read."""


def judge_unread(unread: Mapping[str, int]) -> Iterator[Finding]:
    """Images that are skipped because of how their names end.

    Args:
        unread: How many files end in what is not read, by ending.
    """
    images = {ending: count for ending, count in unread.items() if IMAGE_ENDINGS.fullmatch(ending)}
    if images:
        listed = ", ".join(f"{ending} ({count})" for ending, count in sorted(images.items()))
        message = (
            f"{plural(sum(images.values()), 'file')} beside the images and label files are skipped, since their endings are not "
            f"read: {listed}; convert them to PNG (.jfif and .jpe are JPEG: name them .jpg)"
        )
        yield Finding("warning", "not read", message)


def leaks(
    parts: Mapping[str, Part],
    shared: Mapping[tuple[str, str], Sequence[str]],
    overlapping: Collection[frozenset[str]],
) -> Iterator[Finding]:
    """Images of one split that are in another as well, by content or by name, where splits do not overlap on purpose."""
    names = {split: {item.name for item in part.items} for split, part in parts.items()}
    for one, other in combinations(parts, 2):
        if frozenset({one, other}) in overlapping:
            continue
        equal = shared.get((one, other), ())
        if equal:
            message = (
                f"{plural(len(equal), 'image')} of {one} found in {other} too ({few(equal)}): scores there mean little"
            )
            yield Finding("warning", "leak", message)
        same_name = sorted((names[one] & names[other]) - set(equal))
        if same_name:
            which = f"{plural(len(same_name), 'name')} found in both {one} and {other} ({few(same_name)})"
            yield Finding("warning", "same name", f"{which}: check that the images differ")
