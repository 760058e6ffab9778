"""Splits that a text file lists: a name a line, to which a picture and its labels belong."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from unicodedata import normalize

from attseg.data.reading.content import read_content
from attseg.data.sample import DataError
from attseg.data.sets.survey import Problem, Survey, match, picture_files
from attseg.data.wording import few, plural

MOST_BYTES = 2**26
"""Bytes of a list; a million names take some 16 million."""


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
    try:
        lines = read_content(path, most=MOST_BYTES, what="a list of names").decode("utf-8-sig").splitlines()
    except UnicodeDecodeError:
        raise DataError(f"{path} is no text; a list with the name of a picture in each line was expected") from None
    names = [PurePosixPath(line.split()[0]) for line in lines if line.strip()]
    if not names:
        raise DataError(f"{path} is empty; a list with the name of a picture in each line was expected: get it anew")
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
