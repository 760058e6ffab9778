"""The command lines that make a folder of your own work: its arrangement, whether labels are colours, and where classes stand."""

from __future__ import annotations

import re
import shlex
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

from attseg.data.checking.findings import Advice
from attseg.data.checking.judgement import VAL_NAMES
from attseg.data.checking.recognise import arguments, is_endless, recognise
from attseg.data.importing.detect import FORMATS, find_formats
from attseg.data.importing.search import Search
from attseg.data.reading.image import read_raw_labels
from attseg.data.sample import DataError
from attseg.data.sets.class_file import CLASS_FILE
from attseg.data.sets.folder import ARRANGED, DIVIDED, FolderFiles
from attseg.data.sets.own import RECORD
from attseg.data.sets.survey import Pair
from attseg.data.wording import few
from attseg.errors import UsageError

LOOKED_AT = 12
"""Label files that are read for whether they hold values or colours."""

FRAMES = 5
"""Pictures with one name but for a number at the end from which on they look like frames of a video."""


def advise(root: Path, given: Mapping[str, Any], existing: Collection[str]) -> Advice | None:
    """The options with which a folder of your own is read; None where the given ones are enough.

    Args:
        root: The folder.
        given: Options of the data set that were given.
        existing: The splits that were found with them.
    """
    options, why, names = dict(given), [], list(existing)
    if not existing and not any(name in given for name in (*ARRANGED, *DIVIDED)):
        found = recognise(root)
        if len(found) > 1:
            told = f"{len(found)} arrangements fit, with other label files for the same pictures: "
            told += few([one.arguments for one in found])
            return Advice([told], [_check(root, {**options, **one.options}) for one in found])
        if not found:
            return _advise_import(root)
        options |= found[0].options
        names = [*found[0].splits]
        why += [found[0].describe(), *found[0].problems[:3]]
    try:
        files = FolderFiles(RECORD, root, **options)
        pairs = files.pairs_of(names)
        if files.division is not None and "group" not in options:
            why += _frames(pairs)
        has_classes = _has_classes(files, names)
        colored, reason = _holds_colors(root, options, files, [pair.labels for pair in pairs], names)
    except (DataError, UsageError) as error:
        return Advice([*why, str(error)]) if why else None
    if colored:
        options["masks"] = "color"
        why.append(reason)
    if not has_classes and pairs:
        why.append(
            f"there is no table of classes; the first command writes {CLASS_FILE} with the {'colours' if colored else 'values'} "
            "that occur, and you put in their names"
        )
        propose = f"{_check(root, options)} --propose {shlex.quote(str(root / CLASS_FILE))}"
        return Advice(why, [propose, _train(root, options, names)])
    if options == dict(given):
        return None
    return Advice(why, [_check(root, options), _train(root, options, names)])


def _advise_import(root: Path) -> Advice | None:
    """How to import what a labelling tool exported; None where no format is recognised."""
    if is_endless(root):
        return None
    formats, _ = find_formats(root, Search([root]))
    if not formats:
        return None
    why = [f"{FORMATS[name].title}, by {what}" if what else FORMATS[name].title for name, what in formats.items()]
    home = root if root.name and root.name != ".." else root.resolve()
    out = shlex.quote(str(home.with_name(f"{home.name}-imported")))
    imports = [f"attseg data import {shlex.quote(str(root))} --out {out}"]
    if len(formats) > 1:
        why.append("nothing tells which of these is meant; give one of the first commands")
        imports = [f"{imports[0]} --format {name}" for name in formats]
    return Advice(why, [*imports, f"attseg train pan-folder --data.root {out}"], imports=True)


def _has_classes(files: FolderFiles, splits: Sequence[str]) -> bool:
    """Whether there is a table of classes, right or wrong."""
    try:
        files.read_classes(splits[0] if splits else "train")
    except DataError as error:
        return not str(error).startswith("there is no ")
    return True


def _holds_colors(
    root: Path, options: Mapping[str, Any], files: FolderFiles, labels: Sequence[Path], splits: Sequence[str]
) -> tuple[bool, str]:
    """Whether label files have to be read by their colours, as far as some of them tell, and why."""
    if files.by_color or not labels:
        return False, ""
    split = splits[0] if splits else "train"
    some = labels[:: max(1, len(labels) // LOOKED_AT)][:LOOKED_AT]
    holding, unknown = [], []
    for path in some:
        try:
            values = read_raw_labels(path).values
        except DataError as error:
            if "colours" in str(error) or "bands" in str(error):
                holding.append(path)
            continue
        if _has_classes(files, splits):
            try:
                if files.read_classes(split).decode(values) is None:
                    unknown.append(path)
            except DataError:
                return False, ""
    if not holding and not unknown:
        return False, ""
    if not _has_classes(files, splits):
        return True, "label files hold colours"
    by_color = FolderFiles(RECORD, root, **{**options, "masks": "color"})
    try:
        for path in some:
            by_color.read_raw_labels(path, split)
    except DataError as error:
        return bool(holding), f"label files hold colours, not all of which the classes have: {error}"
    return True, "label files hold colours, all of which the classes have"


def _frames(pairs: Sequence[Pair]) -> list[str]:
    """A sentence where the names of pictures look like those of frames of videos."""
    folders = Counter(pair.name.rpartition("/")[0] for pair in pairs)
    if len(folders) > 1:
        return [
            f"the pictures lie in {len(folders)} folders; if those of one folder look alike, add --data.options.group folder, so "
            "that they stay in one split"
        ]
    starts = Counter(match[1] for pair in pairs if (match := re.fullmatch(r"(.*\D)\d+", pair.name)))
    numbered = [start for start, count in starts.items() if count >= FRAMES]
    if len(numbered) > 1 and sum(starts[start] for start in numbered) > len(pairs) / 2:
        return [
            f"names such as {numbered[0]}.. end in numbers; if they are frames of videos, add --data.options.group "
            "'^(.*?)[0-9]+$', so that those of one video stay in one split"
        ]
    return []


def _check(root: Path, options: Mapping[str, Any]) -> str:
    return f"attseg data check {shlex.quote(str(root))} {arguments(options)}".rstrip()


def _train(root: Path, options: Mapping[str, Any], splits: Sequence[str]) -> str:
    val = next((split for split in VAL_NAMES if split in splits), "val")
    other = f" --data.val {val}" if val != "val" and "split" not in options and "fold" not in options else ""
    return f"attseg train pan-folder --data.root {shlex.quote(str(root))}{other} {arguments(options)}".rstrip()
