"""Checks a whole data set before training: every problem is found and named, not only the first one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from attseg.data.catalog import open_files
from attseg.data.checking.advice import advise
from attseg.data.checking.assumed import CheckedData, assume
from attseg.data.checking.band_statistics import BandStatistics, measure_bands
from attseg.data.checking.findings import SEVERITIES, Advice, Assumption, Check, Finding, Severity, SplitSummary
from attseg.data.checking.images import judge_images
from attseg.data.checking.judgement import (
    NEEDED_SPLITS,
    judge_classes,
    judge_colors,
    judge_count,
    judge_images_within,
    judge_names,
    judge_unread,
    leaks,
    missing_splits,
    shared_images,
)
from attseg.data.checking.palettes import judge_grays, judge_palettes
from attseg.data.checking.readings import Item, Part, Progress, Reading, distinct_facts, read_all, summarise
from attseg.data.classes import ClassTable, explain_too_few
from attseg.data.reading.inputs import SUFFIXES
from attseg.data.reading.label_values import count_values
from attseg.data.reading.walk import hidden_below, unread_below
from attseg.data.sample import DataError
from attseg.data.sets.file_set import FileSet
from attseg.data.sets.folder import FolderFiles
from attseg.data.sets.scenes import Scenes
from attseg.data.sets.survey import Survey

SCENES_CHECKED = 100
"""Scenes a split that are counted: they cannot be damaged, and there is no end of them."""


def check(
    name: str,
    root: str | Path | None = None,
    *,
    options: Mapping[str, Any] | None = None,
    progress: Progress | None = None,
) -> Check:
    """Read every file of a data set and say everything that is wrong with it.

    Of a public data set, what is there is checked, and what is missing of the release is said; that alone is nothing wrong.

    Args:
        name: One of ``DATA_NAMES``.
        root: Folder of the data set; ``scenes`` have none, and their first ``SCENES_CHECKED`` of each split are counted.
        options: Options of the data set, as in ``open_data``; ``scenes`` are checked without.
        progress: Called with how many pictures were read, and how many there are.

    Returns:
        The findings, and what each split holds. Damaged data is a finding and raises nothing.

    Raises:
        UsageError: There is no such data set or option, or its folder was not given.
        DataError: An option names a folder that is not what it should be.
    """
    progress = progress or (lambda done, total: None)
    if name == "scenes":
        return _check_scenes(progress)
    files = open_files(name, root, **(options or {}))
    result = _check_files(files, progress)
    if isinstance(files, FolderFiles) and not result.ok and files.root.is_dir():
        result = replace(result, advice=advise(files.root, options or {}, files.splits()))
        if files.arrangement is None and not files.splits():
            result.findings[:] = [_as_recognised(finding, files, result.advice) for finding in result.findings]
    return result


def _as_recognised(finding: Finding, files: FolderFiles, advice: Advice | None) -> Finding:
    """The finding that a folder is not arranged as usual, by whether it was recognised nevertheless."""
    if finding.kind != "missing split":
        return finding
    if advice is None or not advice.commands:
        return replace(
            finding, message=f"{finding.message}\nno other arrangement of pictures and labels was recognised"
        )
    usual = ", ".join(files.trees("train")[0])
    told = "the commands at the end import it" if advice.imports else "the options at the end read it where it lies"
    return replace(finding, message=f"{files.root} is not arranged as {usual}; {told}")


def _check_files(files: FileSet, progress: Progress) -> Check:
    findings: list[Finding] = []
    existing = files.splits() if files.root.is_dir() else []
    parts: dict[str, Part] = {}
    for split in existing:
        try:
            survey = files.survey(split)
        except DataError as error:
            findings.append(Finding("error", "list", str(error), split))
            continue
        findings += _judge_survey(files, split, survey)
        items = [Item(pair.name, pair.image, pair.labels) for pair in survey.pairs]
        if survey.no_labels:
            items = [Item(picture.name, picture.path, None) for picture in survey.pictures]
        parts[split] = Part(items, _read_classes(files, split, findings), files, split)
    findings += missing_splits(files, existing)
    if parts and not any(part.items for part in parts.values()) and not any(f.severity == "error" for f in findings):
        findings.append(Finding("error", "no pictures", f"{files.root} holds no picture of {files.record.title}"))

    readings = read_all(parts, progress)
    splits: dict[str, SplitSummary] = {}
    for split, part in parts.items():
        splits[split] = summarise(readings[split], part.classes, released=files.record.released.get(split))
        for reading in readings[split]:
            findings += [Finding("error", kind, text, split, str(file)) for kind, text, file in reading.problems]
        if part.classes and any(item.labels for item in part.items):
            findings += judge_classes(split, splits[split], part.classes)
        findings += judge_images_within(split, part, readings[split])
    findings += judge_images(distinct_facts(parts, readings), files)
    shared = shared_images(parts, readings, files.record.overlapping)
    findings += leaks(parts, shared, files.record.overlapping)
    classes = next((part.classes for part in parts.values() if part.classes), None)
    if not files.record.official and classes:
        findings += [*judge_colors(classes), *judge_names(classes)]
    given = next((files.label_colors(split) for split, part in parts.items() if part.classes), {})
    findings += [*judge_palettes(parts, readings, given, classes), *judge_grays(parts, readings, given, classes)]
    hidden = hidden_below(files.root) if parts else []
    unread = Counter[str]() if files.record.official else unread_below(_folders(files.root, parts), {*SUFFIXES, ".mat"})
    findings += judge_unread(unread)
    measured = _measure_bands(files, parts)
    if measured is None and files.bands is not None and parts:
        message = (
            f"no band of {files.bands} could be measured: every image is broken, lacks one of them, or holds no data"
        )
        findings.append(Finding("error", "bands", message))
    if measured is not None and files.statistics is None:
        message = (
            f"the mean and standard deviation of the bands are not stated, which training needs; add {measured.options}"
        )
        findings.append(Finding("warning", "bands", message))
    assumed = assume(CheckedData(parts, readings, splits, classes, hidden, shared, files, unread)) if parts else []
    assumed += [Assumption(*line) for line in (measured.lines() if measured is not None else ())]
    if classes and (problem := explain_too_few(classes)):
        findings.append(Finding("error", "too few classes", problem))
    findings = sorted(_told_once(findings), key=lambda finding: SEVERITIES.index(finding.severity))
    return Check(files.record.name, str(files.root), classes, splits, findings, assumed)


def _measure_bands(files: FileSet, parts: Mapping[str, Part]) -> BandStatistics | None:
    """Statistics of the chosen bands over the training split, or the first that is there."""
    if files.bands is None or not parts:
        return None
    split = NEEDED_SPLITS[0] if NEEDED_SPLITS[0] in parts else next(iter(parts))
    images = [item.image for item in parts[split].items]
    return measure_bands(images, files.bands, files.value_range, apply_orientation=files.apply_orientation)


def _folders(root: Path, parts: Mapping[str, Part]) -> list[Path]:
    """The folders in the root in which images and label files lie."""
    paths = (path for part in parts.values() for item in part.items for path in (item.image, item.labels) if path)
    below = (path.relative_to(root).parts for path in paths if path.is_relative_to(root))
    return [root / name for name in sorted({places[0] for places in below if len(places) > 1})]


def _check_scenes(progress: Progress) -> Check:
    splits: dict[str, SplitSummary] = {}
    classes = None
    for number, split in enumerate(NEEDED_SPLITS):
        scenes = Scenes(split, count=SCENES_CHECKED)
        classes = scenes.classes
        readings = []
        for index in range(len(scenes)):
            labels = scenes[index].labels
            readings.append(Reading((labels.shape[0], labels.shape[1]), count_values(labels), None, []))
            progress(number * SCENES_CHECKED + index + 1, len(NEEDED_SPLITS) * SCENES_CHECKED)
        splits[split] = summarise(readings, classes)
    return Check("scenes", None, classes, splits, [])


def _told_once(findings: Iterable[Finding]) -> Iterator[Finding]:
    """Findings without those about a file that is in several splits and was told of in the first."""
    told = set()
    for finding in findings:
        key = finding.message, finding.file or finding.split
        if key not in told:
            told.add(key)
            yield finding


def _judge_survey(files: FileSet, split: str, survey: Survey) -> Iterator[Finding]:
    """Findings about a split from the names of its files."""
    for problem in survey.problems:
        yield Finding("error", "pairs", problem.message, split, str(problem.file) if problem.file else None)
    if split in files.record.withheld:
        yield Finding("note", "no labels", f"{split} has no labels: {survey.no_labels}; it can be predicted", split)
    elif survey.no_labels:
        severity: Severity = "error" if files.record.official or split in NEEDED_SPLITS else "warning"
        message = f"{split} has no labels: {survey.no_labels}, so nothing can be trained or measured on it"
        yield Finding(severity, "no labels", message, split)
    yield from judge_count(split, len(survey.pictures), files.record.released.get(split))
    for remark in survey.remarks:
        yield Finding("note", "remark", remark, split)


def _read_classes(files: FileSet, split: str, findings: list[Finding]) -> ClassTable | None:
    """The classes of a split; where they cannot be read, that is found once."""
    try:
        return files.read_classes(split)
    except DataError as error:
        finding = Finding("error", "classes", str(error))
        if finding not in findings:
            findings.append(finding)
        return None
