"""Counts of each picture in a file, line by line as they come, so that a broken evaluation goes on where it stopped."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from attseg.errors import UsageError
from attseg.evaluation.counts import Counts, pack, unpack
from attseg.files import FileError, open_file, refuse_link, replacing

FORMAT = 1
LONGEST_HEAD = 2**20
"""Bytes of the first line, which says what was evaluated."""


class KeptCounts:
    """A file of JSON lines: what was evaluated, then the counts of each picture.

    Lines are only ever added, each at once. A line that a kill cut short, or a disk changed, is dropped, with everything behind
    it.

    Args:
        path: The file. Folders on the way are made.
        about: Plain values that decide the counts; an evaluation with others cannot go on from the file.
        resume: Go on from what the file holds, if it is there; else begin anew.

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
        about = json.loads(json.dumps({"format": FORMAT, **about}))
        if resume and path.exists():
            refuse_link(path)
            self._read(about)
        else:
            if path.exists():
                with open_file(path) as file:
                    if _parse(file.readline(LONGEST_HEAD), "format") is None:
                        raise self._foreign()
            with replacing(path) as file:
                file.write(json.dumps(about).encode() + b"\n")

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
        values: dict[str, Any] = {"index": index, "name": name, "counts": pack(counts)}
        if index in self._stamps:
            values["stamp"] = self._stamps[index]
        line = json.dumps(values).encode() + b"\n"
        try:
            with open_file(self.path, "ab") as file:
                place = file.tell()
                file.write(line)
        except OSError as error:
            raise FileError(f"cannot write {self.path}: {error.strerror}") from error
        self.names[index] = name
        self._places[index] = place

    def __iter__(self) -> Iterator[Counts]:
        """The counts of each picture, in the order of the pictures, whenever they were counted."""
        with open_file(self.path) as file:
            for _, place in sorted(self._places.items()):
                file.seek(place)
                yield unpack(json.loads(file.readline())["counts"])

    def _read(self, about: Mapping[str, Any]) -> None:
        with open_file(self.path, "rb+") as file:
            self._check(_parse(file.readline(), "format"), about)
            place = file.tell()
            while (line := _parse(file.readline(), "index")) and _is_picture(line):
                self.names[line["index"]] = line["name"]
                self._places[line["index"]] = place
                self._kept_stamps[line["index"]] = line.get("stamp")
                place = file.tell()
            file.truncate(place)

    def _foreign(self) -> UsageError:
        return UsageError(
            f"{self.path} does not hold the counts of an evaluation; move it away, or choose another folder"
        )

    def _check(self, found: dict[str, Any] | None, about: Mapping[str, Any]) -> None:
        if found is None:
            raise self._foreign()
        unnoted = {"classes"} - found.keys()  # by attseg 0.1.0, which did not note stamps either: nothing is taken over
        noted = (about.keys() | found.keys()) - unnoted
        other = [name for name in sorted(noted) if about.get(name) != found.get(name)]
        if other:
            raise UsageError(
                f"{self.path} belongs to an evaluation with another {', '.join(other)}; repeat its options to go on with it, "
                "leave out --resume to begin anew, or choose another folder with --out"
            )


def _is_picture(line: dict[str, Any]) -> bool:
    """Whether a line holds what ``add`` writes; a disk may have changed it."""
    try:
        unpack(line["counts"])
    except (LookupError, TypeError, ValueError, AttributeError, RuntimeError):
        return False
    return type(line["index"]) is int and isinstance(line.get("name"), str)


def _parse(line: bytes, key: str) -> dict[str, Any] | None:
    """The values of a line that was written to its end and has a key."""
    if not line.endswith(b"\n"):
        return None
    try:
        values = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return values if isinstance(values, dict) and key in values else None
