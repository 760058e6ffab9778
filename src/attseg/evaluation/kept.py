"""Counts of each picture in a file, line by line as they come, so that a broken evaluation goes on where it stopped."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from attseg.errors import UsageError
from attseg.evaluation.counts import Counts, pack, unpack
from attseg.files import open_file, write_file
from attseg.json_lines import JsonLines, read_lines

FORMAT = 1


class KeptCounts:
    """A file of JSON lines: what was evaluated, then the counts of each picture. Damaged lines are passed over.

    Args:
        path: The file. Folders on the way are made.
        about: Plain values that decide the counts; an evaluation with others cannot go on from the file.
        resume: Go on from what the file holds, if it is there and not empty; else begin anew.

    Raises:
        UsageError: The file is about another evaluation, or is none of this kind.
        FileError: The file cannot be written.

    Example:
        >>> import tempfile, torch
        >>> path = Path(tempfile.mkdtemp()) / "pictures.jsonl"
        >>> KeptCounts(path, {"protocol": "single"}).add(3, "street", {"pixels": torch.tensor(7)})
        >>> kept = KeptCounts(path, {"protocol": "single"}, resume=True)
        >>> kept.names, list(kept)
        ({3: 'street'}, [{'pixels': tensor(7)}])
    """

    def __init__(self, path: Path, about: Mapping[str, Any], *, resume: bool = False) -> None:
        self.path = path
        self.names: dict[int, str] = {}
        """Names of the pictures that are counted, by their index."""
        self.changed: list[str] = []
        """Names of the pictures whose files changed since they were counted; they are not in ``names`` any more."""
        self._places: dict[int, int] = {}
        self._kept_stamps: dict[int, Any] = {}
        self._stamps: Mapping[int, Any] = {}
        self._lines = JsonLines(path, "format", "file of counts of an evaluation")
        about = json.loads(json.dumps({"format": FORMAT, **about}))
        if resume and path.exists() and path.stat().st_size:
            self._read(about)
        else:
            write_file(path, json.dumps(about).encode() + b"\n")

    @classmethod
    def unfinished(cls, path: Path, about: Mapping[str, Any], pictures: int) -> int:
        """How many of so many pictures a file holds of the same evaluation, where it does not hold all; else 0."""
        if not path.exists():
            return 0
        try:
            found = len(cls(path, about, resume=True).names)
        except UsageError:
            return 0
        return found if found < pictures else 0

    def compare(self, stamps: Mapping[int, Any]) -> None:
        """Forget the counts of pictures whose files are not what they were, and those of which nobody noted what they were.

        Args:
            stamps: Plain values by index that change with the files of a picture. Those of pictures that are added later are kept
                with their counts.
        """
        self._stamps = stamps
        for index in [index for index in self.names if self._kept_stamps.get(index) != stamps.get(index)]:
            self.changed.append(self.names.pop(index))
            del self._places[index]

    def add(self, index: int, name: str, counts: Counts) -> None:
        """Keep the counts of a picture."""
        stamp = {"stamp": self._stamps[index]} if index in self._stamps else {}
        self._places[index] = self._lines.add({"index": index, "name": name, "counts": pack(counts), **stamp})
        self.names[index] = name

    def __iter__(self) -> Iterator[Counts]:
        """The counts of each picture, in the order of the pictures, whenever they were counted."""
        with open_file(self.path) as file:
            for _, place in sorted(self._places.items()):
                file.seek(place)
                yield unpack(json.loads(file.readline())["counts"])

    def _read(self, about: Mapping[str, Any]) -> None:
        lines = read_lines(self.path)
        found = next(lines, (0, {}))[1]
        unnoted = {"classes"} - found.keys()  # by attseg 0.1.0, which did not note stamps either: nothing is taken over
        noted = (about.keys() | found.keys()) - unnoted
        if other := [name for name in sorted(noted) if about.get(name) != found.get(name)]:
            raise UsageError(
                f"{self.path} belongs to an evaluation with another {', '.join(other)}; repeat its options to go on with it, "
                "leave out --resume to begin anew, or choose another folder with --out"
            )
        for place, line in lines:
            if _is_picture(line):
                self.names[line["index"]] = line["name"]
                self._places[line["index"]] = place
                self._kept_stamps[line["index"]] = line.get("stamp")


def _is_picture(line: dict[str, Any]) -> bool:
    """Whether a line holds what ``add`` writes; a disk may have changed it."""
    try:
        unpack(line["counts"])
    except (LookupError, TypeError, ValueError, AttributeError, RuntimeError):
        return False
    return type(line.get("index")) is int and isinstance(line.get("name"), str)
