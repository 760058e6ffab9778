"""Checks a whole data set before training: every problem is found and named, not only the first one."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Collection, Iterator
from concurrent.futures import ThreadPoolExecutor
from hashlib import blake2b
from itertools import combinations
from pathlib import Path
from typing import NamedTuple

from attseg.data.catalog import DATA_NAMES, FILE_DATA, need_root
from attseg.data.checking.findings import Check, Finding, Severity, SplitSummary
from attseg.data.classes import IGNORE, ClassTable
from attseg.data.reading.image import read_image, read_raw_labels
from attseg.data.reading.label_values import count_values, explain_unknown
from attseg.data.sample import DataError
from attseg.data.sets.files import FileData, explain_sizes
from attseg.data.sets.layout import compare_trees, existing_splits
from attseg.data.sets.pairs import Pair, pair_up
from attseg.data.sets.scenes import Scenes
from attseg.data.wording import few, plural
from attseg.errors import unknown

NEEDED_SPLITS = ("train", "val")

SCENES_CHECKED = 100
"""Scenes a split that are counted: they cannot be damaged, and there is no end of them."""

Progress = Callable[[int, int], None]


def check(name: str, root: str | Path | None = None, *, progress: Progress | None = None) -> Check:
    """Read every file of a data set and say everything that is wrong with it.

    Args:
        name: One of ``DATA_NAMES``.
        root: Folder of the data set; ``scenes`` have none, and their first ``SCENES_CHECKED`` of each split are counted.
        progress: Called with how many pictures were read, and how many there are.

    Returns:
        The findings, and what each split holds. Damaged data is a finding and raises nothing.

    Raises:
        UsageError: There is no such data set, or its folder was not given.
    """
    if name not in DATA_NAMES:
        raise unknown("data set", name, DATA_NAMES)
    progress = progress or (lambda done, total: None)
    if name == "scenes":
        return _check_scenes(progress)
    return _check_files(name, FILE_DATA[name], need_root(name, root), progress)


class _Reading(NamedTuple):
    """What was seen of one pair of files; a problem is its kind, its sentence and its file."""

    size: tuple[int, int] | None
    counts: dict[int, int]
    digest: bytes | None
    problems: list[tuple[str, str, Path]]


def _check_files(name: str, data: type[FileData], root: Path, progress: Progress) -> Check:
    findings: list[Finding] = []
    classes: ClassTable | None = None
    if root.is_dir():
        try:
            classes = data.read_classes(root)
        except DataError as error:
            findings.append(Finding("error", "classes", str(error)))
    pairs: dict[str, list[Pair]] = {}
    existing = existing_splits(root, data.layouts)
    for split, layout in existing.items():
        images, labels = layout.folders(root, split)
        if not labels.is_dir():
            severity: Severity = "error" if split in NEEDED_SPLITS else "warning"
            message = f"{images} has no labels: the folder {labels} does not exist, so nothing can be trained or measured on it"
            findings.append(Finding(severity, "no labels", message, split))
            continue
        pairing = pair_up(images, labels)
        pairs[split] = pairing.pairs
        findings += [Finding("error", "pairs", problem, split) for problem in pairing.problems()]
    findings += _missing_splits(root, data, existing)

    readings = _read_all(pairs, classes, progress)
    splits = {split: _summarise(found, classes) for split, found in readings.items()}
    for split, found in readings.items():
        for reading in found:
            findings += [Finding("error", kind, text, split, str(file)) for kind, text, file in reading.problems]
        if classes:
            findings += _judge_classes(split, splits[split], classes)
    findings += _leaks(pairs, readings)
    return Check(name, str(root), classes, splits, sorted(findings, key=lambda finding: finding.severity != "error"))


def _check_scenes(progress: Progress) -> Check:
    splits: dict[str, SplitSummary] = {}
    classes = None
    for number, split in enumerate(NEEDED_SPLITS):
        scenes = Scenes(split, count=SCENES_CHECKED)
        classes = scenes.classes
        readings = []
        for index in range(len(scenes)):
            labels = scenes[index].labels
            readings.append(_Reading((labels.shape[0], labels.shape[1]), count_values(labels), None, []))
            progress(number * SCENES_CHECKED + index + 1, len(NEEDED_SPLITS) * SCENES_CHECKED)
        splits[split] = _summarise(readings, classes)
    return Check("scenes", None, classes, splits, [])


def _missing_splits(root: Path, data: type[FileData], existing: Collection[str]) -> Iterator[Finding]:
    if not root.is_dir():
        yield Finding("error", "no folder", f"there is no folder {root}; give the one in which {data.title} lies")
    elif not existing:
        message = f"{root} does not look like {data.title}:\n{compare_trees(root, NEEDED_SPLITS[0], data.layouts)}"
        yield Finding("error", "missing split", message)
    else:
        for split in NEEDED_SPLITS:
            if split not in existing:
                wanted = " or ".join(str(layout.folders(root, split)[0]) for layout in data.layouts)
                message = f"there is no split {split!r}: {wanted} does not exist; it has {', '.join(existing)}"
                yield Finding("error", "missing split", message, split)


def _read_all(
    pairs: dict[str, list[Pair]], classes: ClassTable | None, progress: Progress
) -> dict[str, list[_Reading]]:
    """Read every file; threads are enough, since decoding holds no lock."""
    total, done = sum(map(len, pairs.values())), 0
    readings: dict[str, list[_Reading]] = {split: [] for split in pairs}
    with ThreadPoolExecutor(min(8, os.cpu_count() or 1)) as pool:
        try:
            for split, members in pairs.items():
                for reading in pool.map(lambda pair: _read_pair(pair, classes), members):
                    readings[split].append(reading)
                    progress(done := done + 1, total)
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
    return readings


def _read_pair(pair: Pair, classes: ClassTable | None) -> _Reading:
    problems: list[tuple[str, str, Path]] = []
    image, raw, digest = None, None, None
    counts: dict[int, int] = {}
    try:
        digest = blake2b(pair.image.read_bytes(), digest_size=16).digest()
        image = read_image(pair.image)
    except (DataError, OSError) as error:
        problems.append(("unreadable picture", str(error), pair.image))
    try:
        raw = read_raw_labels(pair.labels)
    except DataError as error:
        problems.append(("unreadable labels", str(error), pair.labels))
    if raw is not None:
        counts = count_values(raw.values)
        if classes and (problem := explain_unknown(counts, classes, file=pair.labels.name, paletted=raw.paletted)):
            problems.append(("unknown label", f"{pair.labels}: {problem}", pair.labels))
    if image is not None and raw is not None and (problem := explain_sizes(image, raw.values)):
        problems.append(("different size", f"{pair.labels}: {problem}", pair.labels))
    return _Reading(None if image is None else (image.shape[0], image.shape[1]), counts, digest, problems)


def _summarise(readings: list[_Reading], classes: ClassTable | None) -> SplitSummary:
    number = len(classes) if classes else 0
    summary = SplitSummary(len(readings), [0] * number, [0] * number)
    values: Counter[int] = Counter()
    for reading in readings:
        values.update({value: count for value, count in reading.counts.items() if 0 <= value <= 255})
        if not classes:
            continue
        present = set()
        for value, count in reading.counts.items():
            meaning = int(classes.lookup[value]) if 0 <= value <= 255 else -1
            if meaning == IGNORE:
                summary.ignored += count
            elif meaning < 0:
                summary.unknown += count
            else:
                summary.pixels[meaning] += count
                present.add(meaning)
        for meaning in present:
            summary.pictures_with[meaning] += 1
    summary.values = dict(sorted(values.items()))
    sizes = [reading.size for reading in readings if reading.size]
    if sizes:
        heights, widths = zip(*sizes, strict=True)
        summary.smallest, summary.largest = (min(heights), min(widths)), (max(heights), max(widths))
    return summary


def _judge_classes(split: str, summary: SplitSummary, classes: ClassTable) -> Iterator[Finding]:
    """Classes that never occur, and masks of 0 and 255 whose 255 is silently ignored."""
    if len(classes) > 1 and set(summary.values) == {0, 255} and classes.lookup[255] == IGNORE:
        message = (
            f"the label files of {split} hold only 0 and 255, and 255 is ignored: if these are masks in which 255 is a class, "
            "divide them by 255, or give 255 its class in classes.csv"
        )
        yield Finding("warning", "masks of 0 and 255", message, split)
    absent = [name for name, count in zip(classes.names, summary.pictures_with, strict=True) if not count]
    if absent and summary.pictures:
        effect = (
            "be learnt"
            if split == "train"
            else "be measured, and the mean IoU leaves out what is neither there nor predicted"
        )
        message = (
            f"{len(absent)} of {len(classes)} classes never occur in {split} and cannot {effect}: {few(absent, 10)}"
        )
        yield Finding("warning", "absent class", message, split)


def _leaks(pairs: dict[str, list[Pair]], readings: dict[str, list[_Reading]]) -> Iterator[Finding]:
    """Pictures of one split that are in another as well, by content or by name."""
    names = {split: {pair.name for pair in members} for split, members in pairs.items()}
    contents = {
        split: {
            reading.digest: pair.name for pair, reading in zip(pairs[split], members, strict=True) if reading.digest
        }
        for split, members in readings.items()
    }
    for one, other in combinations(pairs, 2):
        equal = sorted(contents[one][digest] for digest in contents[one].keys() & contents[other].keys())
        if equal:
            message = f"{plural(len(equal), 'picture')} of {one} found in {other} too ({few(equal)}): scores there mean little"
            yield Finding("warning", "leak", message)
        same_name = sorted((names[one] & names[other]) - set(equal))
        if same_name:
            which = f"{plural(len(same_name), 'name')} found in both {one} and {other} ({few(same_name)})"
            yield Finding("warning", "same name", f"{which}: check that the pictures differ")
