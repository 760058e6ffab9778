"""List files of pictures and their labels: ``images/a.jpg labels/a.png`` a line, or one name a line."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from unicodedata import normalize

from attseg.data.reading.content import read_content
from attseg.data.reading.inputs import SUFFIXES
from attseg.data.reading.walk import entries
from attseg.data.sample import DataError
from attseg.data.sets.patterns import SPLIT
from attseg.data.sets.survey import Pair, Problem, Survey, match, picture_files
from attseg.data.wording import few, plural

MOST_BYTES = 2**26
"""Bytes of a list; a million pairs of paths take some 64 million."""

LISTED = re.compile(r"(train|val|test|dev|eval|all)", re.IGNORECASE)
"""A pattern of split names, where files that are no lists lie beside the lists."""


@dataclass(frozen=True)
class PairList:
    """Lines of a list.

    Args:
        file: The list.
        root: The folder below which its paths are.
        lines: Number and parts of each line: the picture, and the label file if there is one.
        named: Whether lines are paths of pictures; else they are names, which patterns complete.
    """

    file: Path
    root: Path
    lines: list[tuple[int, tuple[str, ...]]]
    named: bool

    @classmethod
    def read(cls, file: Path, root: Path) -> PairList:
        """Read a list; a line has one or two parts with a tab, a comma or spaces between them.

        Paths are below the root or else below the folder of the list. A path with spaces is told from two paths by which of them
        exist.

        Raises:
            DataError: The file cannot be read, is no text or empty, or a line has other parts.
        """
        lines = _read_lines(file, "a picture and its labels")
        base = root
        if not _begins(root, lines[0][1]) and _begins(file.parent, lines[0][1]):
            base = file.parent
        parts = [(number, _parts(line, base, f"{file}, line {number}")) for number, line in lines]
        counts = {len(part) for _, part in parts}
        if len(counts) > 1:
            odd = next(number for number, part in parts if len(part) != len(parts[0][1]))
            raise DataError(
                f"{file}, line {odd}: {plural(len(dict(parts)[odd]), 'path')}, and line {parts[0][0]} has "
                f"{len(parts[0][1])}; the same in each line was expected"
            )
        named = counts == {2} or (
            PurePosixPath(parts[0][1][0]).suffix.lower() in SUFFIXES and _there(base, parts[0][1][0])
        )
        return cls(file, base, parts, named)

    def survey(self) -> Survey:
        """Survey of a list of paths. What it names and is not there is a problem."""
        files: list[tuple[str, tuple[Path, ...]]] = []
        problems = []
        for number, parts in self.lines:
            paths = tuple(_path(self.root, part) for part in parts)
            problems += [
                Problem(f"{self.file}, line {number}: {path} does not exist", path)
                for path in paths
                if not path.is_file()
            ]
            files.append((normalize("NFC", PurePosixPath(parts[0].lstrip("/")).with_suffix("").as_posix()), paths))
        times = Counter(name for name, _ in files)
        if twice := sorted(name for name, count in times.items() if count > 1):
            problems.append(Problem(f"{self.file} lists {few(twice)} more than once; names without suffix must differ"))
        pictures = picture_files({name: paths[0] for name, paths in files})
        if len(self.lines[0][1]) == 1:
            return Survey(
                pictures, problems=problems, no_labels=f"{self.file} has one path in each line, and two are needed"
            )
        pairs = sorted(Pair(name, *paths) for name, paths in dict(files).items())
        return Survey(
            pictures, pairs, problems, f". Paths are below {self.root}: correct the list, or put the files there"
        )

    def match(self, pictures: Mapping[str, Path], labels: Mapping[str, Path]) -> Survey:
        """Survey of a list of names.

        Args:
            pictures: Files of pictures by name, more than are listed.
            labels: Label files by name.
        """
        problems, found = [], {}
        for number, (given, *_) in self.lines:
            name = normalize("NFC", given.lstrip("/"))
            path = PurePosixPath(name)
            if name not in pictures and path.suffix.lower() in SUFFIXES:
                name = path.with_suffix("").as_posix()
            if name not in pictures:
                problems.append(Problem(f"{self.file}, line {number}: there is no picture {given!r}"))
            elif name in found:
                problems.append(Problem(f"{self.file}, line {number}: {given!r} stands there already"))
            else:
                found[name] = pictures[name]
                if name not in labels:
                    problems.append(
                        Problem(f"{pictures[name]}, which {self.file} lists, has no labels", pictures[name])
                    )
        pairs = [Pair(name, found[name], labels[name]) for name in sorted(found) if name in labels]
        if found and not pairs:
            return Survey(picture_files(found), no_labels=f"no picture that {self.file} lists has a label file")
        return Survey(picture_files(found), pairs, problems, ". Correct the list, or put the files there")


def _read_lines(path: Path, what: str) -> list[tuple[int, str]]:
    """Number and text of each line that is neither blank nor a comment."""
    try:
        text = read_content(path, most=MOST_BYTES, what=f"a list with {what} in each line").decode("utf-8-sig")
    except UnicodeDecodeError:
        raise DataError(f"{path} is no UTF-8 text; a list with {what} in each line was expected") from None
    lines = [(number, line.strip()) for number, line in enumerate(text.splitlines(), 1) if line.strip()]
    lines = [(number, line) for number, line in lines if not line.startswith("#")]
    if not lines:
        raise DataError(f"{path} is empty; a list with {what} in each line was expected")
    return lines


def list_names(root: Path, pattern: str) -> list[str]:
    """The splits of which there is a list, where ``{split}`` stands in the name of a list."""
    path = PurePosixPath(pattern)
    before, _, after = path.name.partition(SPLIT)
    names = [
        entry.name
        for entry in entries(root / path.parent)
        if entry.name.startswith(before) and entry.name.endswith(after)
    ]
    splits = [name[len(before) : len(name) - len(after)] for name in names]
    return sorted(split for split in splits if LISTED.search(split))


def _parts(line: str, base: Path, where: str) -> tuple[str, ...]:
    """The one or two parts of a line."""
    for separator in ("\t", ","):
        if separator in line:
            parts = [part.strip() for part in line.split(separator) if part.strip()]
            if len(parts) <= 2:
                return tuple(parts)
            raise DataError(f"{where}: {len(parts)} parts; a picture and its labels were expected")
    words = line.split(" ")
    suffixes = [PurePosixPath(word).suffix.lower() in SUFFIXES for word in words]
    if sum(suffixes) < 2 or _there(base, line):
        return (line,)  # a name, perhaps with spaces
    if len(words) == 2:
        return (words[0], words[1])
    cuts = [(" ".join(words[:at]).strip(), " ".join(words[at:]).strip()) for at in range(1, len(words))]
    fitting = [cut for cut in cuts if all(_there(base, part) for part in cut)]
    if len(fitting) != 1:
        raise DataError(
            f"{where}: {line[:200]!r} holds several spaces, and {'no' if not fitting else 'more than one'} way to take it as a "
            "picture and its labels names files that exist; put a tab between the two"
        )
    return fitting[0]


def _begins(base: Path, line: str) -> bool:
    """Whether a line begins with the path of a file that exists."""
    words = re.split(r"[\t, ]", line)
    return any(_there(base, line[: len(" ".join(words[:count]))]) for count in range(1, len(words) + 1))


def _path(base: Path, part: str) -> Path:
    """A path of a list; ``/images/a.jpg`` is below the root as well, where there is no such file on the system."""
    path = Path(part.replace("\\", "/"))
    return path if path.is_absolute() and path.is_file() else base / part.replace("\\", "/").lstrip("/")


def _there(base: Path, part: str) -> bool:
    return bool(part) and _path(base, part).is_file()


@dataclass(frozen=True)
class NameList:
    """Names of pictures, and where they stand.

    Args:
        names: In the order of the file.
        source: The file, or how the names were found.
    """

    names: list[str]
    source: str


def read_list(path: Path) -> NameList:
    """Read a list.

    Where a line holds paths (``/JPEGImages/2007_000032.jpg /SegmentationClassAug/2007_000032.png``), the name is that of the
    first without its suffix.

    Raises:
        DataError: The file cannot be read, is no text, or is empty.
    """
    names = [PurePosixPath(line.split()[0]) for _, line in _read_lines(path, "the name of a picture")]
    stems = [name.stem if name.suffix in (".jpg", ".png") else name.name for name in names]
    return NameList([normalize("NFC", stem) for stem in stems], str(path))


def survey_list(
    listed: NameList,
    pictures: Mapping[str, Path],
    labels: Mapping[str, Path],
    *,
    whole: int,
    expected: Callable[[str], tuple[Path, Path]],
    no_labels: str = "",
) -> Survey:
    """The part of a list that is there.

    A picture that is listed and not there is a problem, unless the list is the one that was released: with that, somebody has
    only a part of the pictures, which is remarked.

    Args:
        listed: The list.
        pictures: Files of pictures by name, more than are listed.
        labels: Label files by name, more than are listed.
        whole: How many names the released list has.
        expected: Where the picture and the labels of a name should lie.
        no_labels: Why there are no labels at all, as in ``Survey``.
    """
    names = set(listed.names)
    there = {name: pictures[name] for name in names if name in pictures}
    if no_labels:
        found = Survey(picture_files(there), no_labels=no_labels)
    else:
        wanted = {name: labels[name] for name in there if name in labels}
        found = match(there, wanted, lambda name: expected(name)[1])
    absent = sorted(names - there.keys())
    repeated = sorted(name for name, times in Counter(listed.names).items() if times > 1)
    found.problems.extend(Problem(f"{listed.source} lists {name} more than once") for name in repeated)
    if absent and len(names) == whole:
        missing = few([expected(name)[0].name for name in absent])
        found.remarks.append(f"{plural(len(absent), 'picture')} that {listed.source} lists are not there: {missing}")
    else:
        for name in absent:
            picture = expected(name)[0]
            found.problems.append(Problem(f"{listed.source} lists {name}, but {picture} does not exist", picture))
    return found
