"""Imports the export of a labelling tool as a data set of the kind ``folder``."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

from attseg.ahead import ahead
from attseg.data.classes import IGNORE
from attseg.data.importing.choices import Choices
from attseg.data.importing.classes import Classes, choose_classes
from attseg.data.importing.detect import open_export
from attseg.data.importing.export import Entry, Export, as_written_by
from attseg.data.importing.naming import named
from attseg.data.importing.output import building, is_archive, open_new, opened_source, save
from attseg.data.importing.placing import PARTS, place
from attseg.data.importing.report import ImportReport
from attseg.data.importing.search import Search
from attseg.data.importing.shapes import MissingPackage
from attseg.data.importing.writing import EntryContents, Placed, SampleWriter, Written, survey
from attseg.data.sample import DataError
from attseg.data.sets.class_file import CLASS_FILE, read_class_file
from attseg.data.sets.layout import SPLITS
from attseg.data.splitting import SPLIT_FILE, write_splits
from attseg.data.wording import plural
from attseg.errors import UsageError
from attseg.files import no_such_path

Input = TypeVar("Input")
Output = TypeVar("Output")
Progress = Callable[[str, int, int | None], None]


def import_data(
    source: str | Path,
    out: str | Path,
    *,
    format: str | None = None,
    images: Sequence[str | Path] = (),
    progress: Progress = lambda *_: None,
    **choices: Any,
) -> ImportReport:
    """Import the export of a labelling tool as a data set of the kind ``folder``.

    Pictures are copied as they are. The data set is written beside its place and renamed when it is whole, so that it is there as
    a whole or not at all.

    Args:
        source: A folder, a zip or tar file, or the only file of an export: of labelme, COCO (Roboflow), CVAT, Label Studio,
            Supervisely, in the layout of Pascal VOC, of Datumaro, or pictures with label images.
        out: Folder of the new data set. One that is there is replaced where an import wrote it and nothing was changed since.
        format: ``labelme``, ``coco``, ``cvat``, ``label-studio``, ``supervisely``, ``voc``, ``masks``, ``datumaro``, or
            ``datumaro:NAME`` for a format that Datumaro reads; None: recognised by the files.
        images: Further folders with the pictures.
        progress: Called with the step, and the pictures done and in all.
        **choices: As of ``attseg.data.importing.choices.Choices``: ``split``, ``seed``, ``group``, ``classes``, ``overlap``,
            ``boxes``, ``crowd``, ``uncovered``, ``unlabeled``, ``orientation``, ``link``.

    Returns:
        What was taken, left out and skipped. ``report.ok`` is False where pictures are missing for a broken file.

    Raises:
        UsageError: The export is not recognised or may mean two things, ``out`` is not ours, or a choice does not fit.
        DataError: A file that all depends on is broken, or no picture could be taken.
        FileError: The data set cannot be written.
    """
    source, out = Path(source).expanduser(), Path(out).expanduser()
    decided = Choices(**choices)
    if is_archive(source):  # what was unpacked is removed, and its links stay
        decided = replace(decided, link=True)
    folders = [Path(folder).expanduser() for folder in images]
    for path in (source, *folders):
        if not path.exists():
            raise no_such_path(path)
    with opened_source(source, out) as (place_of_files, home), building(out, source) as folder:
        progress("looking for pictures", 0, None)
        search = Search(list(dict.fromkeys([home, *folders])))
        name, export = open_export(place_of_files, search, format)
        report = ImportReport(source, out, name, export.title, remarks=list(export.remarks))
        _run(export, decided, folder, report, progress)
        save(folder, report)
    return report


def _run(export: Export, choices: Choices, folder: Path, report: ImportReport, progress: Progress) -> None:
    with as_written_by(report.source, report.title):
        entries = named(list(export.entries()))
    if not entries:
        raise UsageError(f"{report.source} lists no pictures")
    seen = _survey(export, entries, report, progress)
    if not seen:
        raise DataError(_nothing_left(report))
    fills = _decide_boxes(export, seen, choices, report)
    if not fills:
        for found in seen.values():
            found.shapes = Counter({key: count for key, count in found.shapes.items() if not key[1]})
    labels = {label for found in seen.values() for label, _, _ in found.shapes}
    if not labels:
        told = (
            ", ".join(f"{count} of the kind {kind!r}" for kind, count in report.left_out.items()) or "none of any kind"
        )
        raise UsageError(f"no region with an area is drawn in {report.source}; shapes that were left out: {told}")
    classes = choose_classes(
        export.classes, labels, drawn=export.drawn, chosen=choices.classes, ignore_rest=choices.uncovered == "ignore"
    )
    if choices.crowd == "ignore" and any(crowd for found in seen.values() for _, _, crowd in found.shapes):
        classes = replace(classes, ignores=True, remarks=[*classes.remarks, "regions of crowds are ignored (255)"])
    report.classes, report.remarks = classes.names, report.remarks + classes.remarks
    _add_unlisted(export, seen, choices, report)
    _drop_empty(export, seen, classes, choices, report)
    if len(seen) < len(PARTS):
        raise DataError(_nothing_left(report, len(seen)))
    placed = place(seen, classes, choices, report)
    with open_new(folder / CLASS_FILE) as file:
        file.write(classes.to_csv())
    writer = SampleWriter(export, folder, classes, read_class_file(folder / CLASS_FILE), choices, fills)
    _write(writer, placed, report, progress)
    splits = {one.entry.name: one.split for one in placed if one.entry.name not in report.broken}
    if not splits:
        raise DataError(_nothing_left(report))
    for split in dict.fromkeys(one.split for one in placed):
        if split not in splits.values():
            raise DataError(f"no picture of the split {split!r} could be taken; {_first(report)}")
    with open_new(folder / SPLIT_FILE) as file:
        write_splits(file, splits)
    counts = Counter(splits.values())
    report.splits = {
        split: counts[split]
        for split in sorted(counts, key=lambda split: (SPLITS.index(split) if split in SPLITS else len(SPLITS), split))
    }
    report.pixels = {split: report.pixels[split] for split in report.splits}


def _attempts(work: Callable[[Input], Output], inputs: Sequence[Input]) -> Iterator[tuple[Input, Output | DataError]]:
    """Each input with what several threads make of it, or the ``DataError`` that this raised, in their order."""

    def attempt(one: Input) -> tuple[Input, Output | DataError]:
        try:
            return one, work(one)
        except MissingPackage:
            raise
        except DataError as error:
            return one, error

    threads = min(8, os.cpu_count() or 1)
    return ahead(attempt, inputs, by=2 * threads, threads=threads)


def _survey(
    export: Export, entries: Sequence[Entry], report: ImportReport, progress: Progress
) -> dict[Entry, EntryContents]:
    """The contents of each entry; broken ones are noted."""
    seen: dict[Entry, EntryContents] = {}
    pictures: dict[Path, str] = {}
    for done, (entry, found) in enumerate(_attempts(lambda entry: survey(export, entry), entries), 1):
        progress("reading pictures and labels", done, len(entries))
        if isinstance(found, Exception):
            report.broken[entry.name] = _reason(entry, found)
        elif found.image is not None and (first := pictures.setdefault(found.image, entry.name)) != entry.name:
            report.broken[entry.name] = (
                f"{entry.source}: its picture {found.image} is that of {first} too, which was taken"
            )
        else:
            seen[entry] = found
    return seen


def _decide_boxes(export: Export, seen: dict[Entry, EntryContents], choices: Choices, report: ImportReport) -> bool:
    """Whether boxes are filled."""
    boxes = sum(count for found in seen.values() for (_, box, _), count in found.shapes.items() if box)
    others = sum(count for found in seen.values() for (_, box, _), count in found.shapes.items() if not box)
    lines = Counter(kind for found in seen.values() for kind in found.left_out)
    report.left_out.update(sorted(lines.items()))
    if boxes and not others and choices.boxes != "fill":
        raise UsageError(
            f"{report.source} holds {boxes} box{'es' * (boxes > 1)} and no outline, and a network learns the shapes of the "
            "labels. Export outlines or masks, or take the boxes as they are: --boxes fill"
        )
    if not boxes:
        return False
    fills = (choices.boxes or ("fill" if export.fills_boxes else "skip")) == "fill"
    if fills:
        report.remarks.append(f"boxes that were filled: {boxes} (--boxes skip leaves them out)")
    else:
        report.left_out["box without outline (--boxes fill takes them)"] = boxes
    return fills


def _add_unlisted(export: Export, seen: dict[Entry, EntryContents], choices: Choices, report: ImportReport) -> None:
    """Pictures that nobody has labelled: left out, but where they are to be background."""
    why = "nobody has labelled them" + " (--unlabeled background takes them)" * export.drawn
    others = [
        Entry("/".join(export.search.files[path]), path, labelled=False, picture=path) for path in export.unlisted()
    ]
    others = named(others, {entry.name for entry in seen})
    if choices.unlabeled == "background" and export.drawn:
        seen.update(_survey(export, others, report, lambda *_: None))
        return
    unlabelled = [entry for entry in seen if not entry.labelled]
    report.skipped.update((entry.name, why) for entry in [*others, *unlabelled])
    for entry in unlabelled:
        del seen[entry]


def _drop_empty(
    export: Export, seen: dict[Entry, EntryContents], classes: Classes, choices: Choices, report: ImportReport
) -> None:
    """Pictures without a region: background, or left out."""
    empty = [entry for entry, found in seen.items() if not any(label in classes.values for label, _, _ in found.shapes)]
    if not export.drawn or not empty:
        return
    if choices.unlabeled == "skip" or classes.rest == IGNORE:
        why = (
            "no region is on them"
            if classes.rest != IGNORE
            else "no region is on them, and what is not covered is ignored"
        )
        for entry in empty:
            report.skipped[entry.name] = why
            del seen[entry]
        return
    report.remarks.append(
        f"{plural(len(empty), 'picture')} without a region {'is' if len(empty) == 1 else 'are'} background alone (--unlabeled "
        "skip leaves them out)"
    )


def _write(writer: SampleWriter, placed: Sequence[Placed], report: ImportReport, progress: Progress) -> None:
    unclear = turned = outside = copied = 0
    names = [*report.classes, *["ignored"] * (IGNORE + 1 - len(report.classes))]
    for done, (one, found) in enumerate(_attempts(writer.write, placed), 1):
        progress("writing", done, len(placed))
        if isinstance(found, Exception):
            report.broken[one.entry.name] = _reason(one.entry, found)
            continue
        _count(found, one.split, names, report)
        unclear += found.turned == "unclear"
        turned += found.turned == "raw"
        outside += found.outside
        copied += not found.linked
    if outside:
        report.left_out["region without a pixel in its picture"] = outside
    if turned:
        report.remarks.append(
            f"{plural(turned, 'picture')} with an EXIF orientation: labels were drawn as stored, and turned upright"
        )
    if unclear:
        report.remarks.append(
            f"{plural(unclear, 'picture')} with an EXIF orientation that sizes do not reveal: labels are taken as drawn upright "
            "(--orientation raw: as stored)"
        )
    if report.overlaps:
        wins = "what was drawn later" if writer.choices.overlap == "later" else "the smaller region"
        other = "smaller" if writer.choices.overlap == "later" else "later"
        report.remarks.append(f"where regions overlap, {wins} wins (--overlap {other}: the other way)")
    if writer.choices.link and copied:
        report.remarks.append(f"copied, since they cannot be linked (another disk): {plural(copied, 'picture')}")


def _count(found: Written, split: str, names: Sequence[str], report: ImportReport) -> None:
    pixels = report.pixels.setdefault(split, {})
    for value, count in found.pixels.items():
        pixels[names[value]] = pixels.get(names[value], 0) + count
        report.in_pictures[names[value]] = report.in_pictures.get(names[value], 0) + 1
    for (below, above), count in found.overlaps.items():
        pair = names[below], names[above]
        report.overlaps[pair] = report.overlaps.get(pair, 0) + count
    report.overlapping_pictures += bool(found.overlaps)


def _reason(entry: Entry, error: Exception) -> str:
    text = str(error)
    return text if str(entry.source) in text else f"{entry.source}: {text}"


def _first(report: ImportReport) -> str:
    name, reason = next(iter(report.broken.items()))
    return f"the first that was skipped is {name}: {reason}"


def _nothing_left(report: ImportReport, left: int = 0) -> str:
    count = f"only {plural(left, 'picture')}" if left else "no picture"
    why = _first(report) if report.broken else next(iter(report.skipped.values()), "it lists no others")
    needed = ", and train and val need one each" if left else ""
    return f"{count} of {report.source} could be taken{needed} ({len(report.broken)} were skipped); {why}"
