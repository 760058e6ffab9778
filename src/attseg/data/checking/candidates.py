"""Arrangements that a folder of pictures may have, from the names of its files and folders."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unicodedata import normalize

from attseg.data.checking.judgement import VAL_NAMES
from attseg.data.reading.inputs import SUFFIXES
from attseg.data.reading.walk import entries, walk
from attseg.data.sample import DataError
from attseg.data.sets.lists import PairList
from attseg.data.sets.patterns import SPLIT, STEM

IMAGES = re.compile(r"image|img|photo|picture|rgb|input|original|frame", re.IGNORECASE)
LABELS = re.compile(r"label|lbl|mask|annot|^anns?(?![a-z])|^gt|_gt|ground|segm|^seg$|target", re.IGNORECASE)
OTHERS = re.compile(r"object|instance|overlay|visual|preview|predict", re.IGNORECASE)
"""Folders, and ends of names, of pictures, of label files, and of what is drawn or counted differently."""

SPLITS = ("train", "training", "val", "valid", "validation", "dev", "test", "testing", "trainval")
SHARE = 0.8

END, BEGINNING = re.compile(r"[-_][A-Za-z][A-Za-z0-9]*$"), re.compile(r"^[A-Za-z]+[-_]")
"""Words at the end and at the beginning of names."""

Options = dict[str, Any]


@dataclass
class _Folder:
    """Files below one folder, or below those of all splits.

    Args:
        path: Below the root, with ``{split}``.
        stems: Suffixes of the files by stem, with ``/`` between folders.
    """

    path: str
    stems: dict[str, set[str]] = field(default_factory=dict)

    @property
    def holds_labels(self) -> bool:
        return any(LABELS.search(part) for part in self.path.split("/"))

    def pattern(self, before: str, after: str, stems: Collection[str], *, beside: bool = False) -> str:
        """The pattern of some files; a folder alone where names begin and end with the stem."""
        suffixes = {suffix for stem in stems for suffix in self.stems[stem]}
        name = f"{before}{STEM}{after}{suffixes.pop() if len(suffixes) == 1 else '.*'}"
        if not (before or after or beside):
            return self.path or "."
        return name if beside or not self.path else f"{self.path}/{name}"

    def with_word(self, word: str, *, beside: bool = False) -> str:
        """The pattern of the files whose names begin, or end, with a word."""
        before, after = (word, "") if BEGINNING.fullmatch(word) else ("", word)
        return self.pattern(before, after, [stem for stem in self.stems if _inside(stem, before, after)], beside=beside)


def find_candidates(root: Path) -> Iterator[Options]:
    """Options that may read a folder, to be tried."""
    folders = _folders(root)
    pairs = [*_two_folders(folders), *_one_folder(folders)]
    lists = _lists(root)
    for pattern, named in lists:
        if named:
            yield {"lists": pattern} if SPLIT in pattern else {"lists": pattern, "split": SHARE}
        else:
            yield from (
                {"lists": pattern, **options} for options in pairs if SPLIT in pattern and SPLIT not in str(options)
            )
    for options in pairs:
        yield options if SPLIT in options["images"] else {**options, "split": SHARE}


def _folders(root: Path) -> list[_Folder]:
    """Folders of pictures: up to the last part of the path that names a kind or a split; what is below is part of the stem."""
    found: dict[str, _Folder] = {}
    for path, names in walk(root):
        parts = path.relative_to(root).parts
        if any(OTHERS.search(part) for part in parts):
            continue
        marked = [
            at for at, part in enumerate(parts) if part.lower() in SPLITS or IMAGES.search(part) or LABELS.search(part)
        ]
        depth = marked[-1] + 1 if marked else 0
        base = "/".join(SPLIT if part.lower() in SPLITS else part for part in parts[:depth])
        below = "".join(f"{part}/" for part in parts[depth:])
        for name in names:
            file = Path(name)
            if file.suffix.lower() in SUFFIXES:
                folder = found.setdefault(base, _Folder(base))
                folder.stems.setdefault(normalize("NFC", below + file.stem), set()).add(file.suffix)
    return list(found.values())


def _two_folders(folders: Collection[_Folder]) -> Iterator[Options]:
    """Pictures in one folder, label files in another."""
    for labels in folders:
        for images in folders:
            if images is labels or images.holds_labels or not labels.holds_labels:
                continue
            if (SPLIT in images.path) != (SPLIT in labels.path):
                continue
            for before, after in _affixes(images.stems, labels.stems, same=True):
                pattern = labels.pattern(before, after, labels.stems)
                yield {"images": images.path or ".", "labels": pattern}
            for end in (END, BEGINNING):
                for photo in _words(images.stems, end):
                    for mask in _words(labels.stems, end).keys() - {photo}:
                        yield {"images": images.with_word(photo), "labels": labels.with_word(mask)}


def _one_folder(folders: Collection[_Folder]) -> Iterator[Options]:
    """Pictures and label files in one folder, told apart by the end or the beginning of their names, or by the suffix alone."""
    for folder in folders:
        for before, after in _affixes(folder.stems, folder.stems, same=False):
            labels = [stem for stem in folder.stems if _inside(stem, before, after)]
            pattern = folder.pattern(before, after, labels, beside=True)
            yield {"images": folder.path or ".", "labels": pattern}
            pictures = {_picture_of(stem, before, after) for stem in labels} & folder.stems.keys()
            for suffix in sorted({suffix for stem in pictures for suffix in folder.stems[stem]}):
                # beside overlays
                yield {"images": "/".join(filter(None, (folder.path, STEM + suffix))), "labels": pattern}
        twice = Counter(tuple(sorted(suffixes)) for suffixes in folder.stems.values() if len(suffixes) == 2)
        for (one, other), count in twice.items():
            photo, mask = (one, other) if one.lower() in (".jpg", ".jpeg") else (other, one)
            if 2 * count >= len(folder.stems) and photo.lower() in (".jpg", ".jpeg"):
                yield {"images": "/".join(filter(None, (folder.path, STEM + photo))), "labels": f"{STEM}{mask}"}
        for end in (END, BEGINNING):
            words = _words(folder.stems, end)
            for mask in filter(LABELS.search, words):
                for photo in (word for word in words if word != mask and words[word] == words[mask]):
                    if IMAGES.search(photo) or 2 * words[mask] == len(folder.stems):
                        yield {"images": folder.with_word(photo), "labels": folder.with_word(mask, beside=True)}


def _words(stems: Collection[str], end: re.Pattern[str]) -> Counter[str]:
    """The most common words at one end of names, and how many have each."""
    names = (stem.rpartition("/")[2] for stem in stems)
    counts = Counter(match[0] for name in names if (match := end.search(name)) and not OTHERS.search(match[0]))
    return Counter(dict(counts.most_common(8)))


def _inside(stem: str, before: str, after: str) -> bool:
    name = stem.rpartition("/")[2]
    return name.startswith(before) and name.endswith(after) and len(name) > len(before) + len(after)


def _picture_of(stem: str, before: str, after: str) -> str:
    """The stem of the picture of a label file."""
    folder, slash, name = stem.rpartition("/")
    return folder + slash + name[len(before) : len(name) - len(after)]


def _affixes(images: Collection[str], labels: Collection[str], *, same: bool) -> list[tuple[str, str]]:
    """Prefixes and suffixes of label files around the stem of their picture; most common first, ties included."""
    if same and 2 * len(set(images) & set(labels)) >= min(len(images), len(labels)):
        return [("", "")]
    counts: Counter[tuple[str, str]] = Counter()
    for stem in labels:
        folder, slash, name = stem.rpartition("/")
        for cut in range(1, len(name)):
            if folder + slash + name[:cut] in images:
                counts["", name[cut:]] += 1
            if folder + slash + name[cut:] in images:
                counts[name[:cut], ""] += 1
    least = 0.3 * len(labels) if not same else 0.5 * min(len(images), len(labels))
    common = [affix for affix, count in counts.most_common(8) if count >= least and not OTHERS.search("".join(affix))]
    named = [affix for affix in common if LABELS.search("".join(affix))]
    return named or common


def _lists(root: Path) -> list[tuple[str, bool]]:
    """Lists of the pictures of splits: the path of each, with ``{split}``, and whether its lines are pairs of files."""
    found = []
    places = [Path(), *(Path(name) for name in ("lists", "splits", "ImageSets", "ImageSets/Segmentation"))]
    for place in places:
        names = [entry.name for entry in entries(root / place) if entry.name.endswith(".txt") and entry.is_file()]
        for name in sorted(names):
            pattern = name.replace("train", SPLIT)
            if "train" not in name or not any(pattern.replace(SPLIT, val) in names for val in VAL_NAMES):
                continue
            try:
                listed = PairList.read(root / place / name, root)
            except DataError:
                continue
            found.append(((place / pattern).as_posix(), listed.named and len(listed.lines[0][1]) == 2))
    return found
