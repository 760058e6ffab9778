"""Patterns of paths below a data set: where pictures and label files lie, and which part of their names they share."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from attseg.data.reading.inputs import SUFFIXES
from attseg.data.reading.walk import entries
from attseg.data.sets.survey import list_files
from attseg.errors import UsageError

STEM, SPLIT = "{stem}", "{split}"


@dataclass(frozen=True)
class PathPattern:
    """Files of one kind.

    Args:
        folder: Below the root, with ``{split}`` where the splits lie apart; None for the folder of each picture.
        before: How their names begin, before the stem.
        after: How they end; ``.*`` at the end stands for the suffix of any picture format.

    Example:
        >>> pattern = PathPattern.read("masks/{split}/{stem}_mask.png", "labels")
        >>> pattern.folder, pattern.before, pattern.after
        ('masks/{split}', '', '_mask.png')
        >>> PathPattern.read("labels", "labels").after
        '.*'
    """

    folder: str | None
    before: str = ""
    after: str = ".*"

    @classmethod
    def read(cls, given: Any, option: str) -> PathPattern:
        """The pattern that an option states: a folder, or a path with ``{stem}`` in its last part.

        Raises:
            UsageError: It is something else.
        """
        if isinstance(given, dict) and len(given) == 1:  # YAML takes {split} for a mapping
            given = "{" + str(next(iter(given))) + "}"
        if not isinstance(given, str) or not given:
            raise UsageError(
                f"{option} is {given!r}; a folder below the data set, or a path with {STEM} in it, was expected"
            )
        path = PurePosixPath(given.replace("\\", "/"))
        folder, name = ("/".join(path.parts[:-1]), path.name) if STEM in path.name else (str(path), STEM)
        rest = folder.replace(SPLIT, "") + name.replace(SPLIT, "").replace(STEM, "", 1)
        if path.is_absolute() or ".." in path.parts or "{" in rest or "}" in rest or "*" in rest.removesuffix(".*"):
            raise UsageError(
                f"{option} is {given!r}; a path below the data set was expected, in which {SPLIT} stands for the split and "
                f"{STEM} once, in the last part, for what a picture and its labels have in common, such as labels/{STEM}_mask.png"
            )
        before, _, after = name.partition(STEM)
        beside = STEM in path.name and len(path.parts) == 1
        return cls(None if beside else folder, before, after if "." in after else after + ".*")

    @property
    def has_split(self) -> bool:
        """Whether splits lie apart."""
        return any(SPLIT in part for part in (self.folder or "", self.before, self.after))

    @property
    def takes_any(self) -> bool:
        """Whether every picture in the folder fits."""
        return (self.before, self.after) == ("", ".*")

    def home(self, root: Path, split: str) -> Path:
        """The folder of a split, below which the files lie."""
        return root / (self.folder or "").replace(SPLIT, split)

    def splits(self, root: Path) -> list[str]:
        """Names that ``{split}`` may stand for: folders, where it is a whole part of the path."""
        parts = (self.folder or "").split("/")
        if SPLIT not in parts:
            return []
        place = parts.index(SPLIT)
        start = root.joinpath(*parts[:place])
        names = (entry.name for entry in entries(start) if entry.is_dir())
        return sorted(name for name in names if self.home(root, name).is_dir())

    def stem_of(self, name: str, split: str) -> str | None:
        """The stem of a file's name; None where it does not fit."""
        before, after = self.before.replace(SPLIT, split), self.after.replace(SPLIT, split)
        path = PurePosixPath(name)
        if path.suffix.lower() not in SUFFIXES or not name.startswith(before):
            return None
        if after.endswith(".*"):
            name, after = path.stem, after.removesuffix(".*")
        elif name.lower().endswith(after.lower()):
            name = name[: -len(after)] + after
        if not name.endswith(after) or len(name) <= len(before) + len(after):
            return None
        return name[len(before) : len(name) - len(after)]

    def find(
        self, root: Path, split: str, *, beside: str = "", without: Collection[Path] = (), outside: Path | None = None
    ) -> tuple[dict[str, Path], list[Path]]:
        """The files of a split by their stem, with ``/`` between folders, and files whose stem was taken already.

        Args:
            root: Of the data set.
            split: The split.
            beside: The folder to look in, where the pattern has none of its own.
            without: Files that do not count.
            outside: A folder in which nothing counts.
        """
        home = root / (beside if self.folder is None else self.folder).replace(SPLIT, split)
        return list_files(home, lambda name: self.stem_of(name, split), without=without, outside=outside)

    def __str__(self) -> str:
        name = f"{self.before}{STEM}{self.after}"
        return name if self.folder is None else (PurePosixPath(self.folder) / name).as_posix()
