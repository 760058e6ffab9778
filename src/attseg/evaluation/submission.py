"""Archives that evaluation servers take: values, names and folders as each wants them, and checked before they are sent."""

from __future__ import annotations

import io
import tarfile
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import numpy as np
from PIL import Image, UnidentifiedImageError

from attseg.data.catalog import CATALOG
from attseg.data.classes import ClassTable
from attseg.data.sample import Array
from attseg.data.sets.record import SubmissionForm
from attseg.data.wording import few
from attseg.errors import UsageError, unknown
from attseg.files import replacing, require_file
from attseg.text import dimensions

Size = tuple[int, int]


@dataclass(frozen=True)
class Rules:
    """Rules of a submission server.

    Args:
        title: What people call the data set.
        table: Its classes, and the values of its label files.
        form: Form of the archive.
    """

    title: str
    table: ClassTable
    form: SubmissionForm


RULES = {
    kind: Rules(record.title, record.classes, form)
    for record in CATALOG.values()
    if record.classes
    for kind, form in record.submissions.items()
}
"""By kind, as the records of the data sets say."""


class Submission:
    """Collects predictions in an archive, and checks it when it is complete.

    Args:
        kind: Whose server is to take it.
        path: Where the archive goes; its suffix is set to what the server takes.
        classes: Those of the model.

    Raises:
        UsageError: There is no such kind, or the classes are others.

    Example:
        >>> import tempfile
        >>> from attseg.data.sets.voc import VOC
        >>> submission = Submission("voc", Path(tempfile.mkdtemp()) / "voc", VOC)
        >>> submission.add("2008_000006", np.zeros((3, 4), np.uint8), size=(3, 4))
        >>> submission.finish().name
        'voc.tgz'
    """

    def __init__(self, kind: str, path: Path, classes: ClassTable) -> None:
        if kind not in RULES:
            raise unknown("kind of submission", kind, RULES)
        self.rules = RULES[kind]
        if classes.names != self.rules.table.names:
            raise UsageError(
                f"a submission to {self.rules.title} is of its {len(self.rules.table)} classes ({few(self.rules.table.names)}), "
                f"and here are {len(classes)} ({few(classes.names)}); use a model that was trained on {self.rules.title}"
            )
        self.path = path.with_name(path.name + self.rules.form.archive)
        self.sizes: dict[str, Size] = {}
        """Height and width of each picture, by its name in the archive."""
        self._names: dict[str, str] = {}
        self._files: dict[str, bytes] = {}

    def __contains__(self, name: str) -> bool:
        return name in self._names

    def __len__(self) -> int:
        return len(self._files)

    def add(self, name: str, labels: Array, *, size: Size) -> None:
        """Add the prediction of a picture.

        Args:
            name: Of the picture in its data set.
            labels: (H, W) classes 0..K-1.
            size: Height and width of the picture.

        Raises:
            UsageError: The prediction has another size or other values, the name is none of the data set's, or comes twice.
        """
        if labels.shape != tuple(size):
            found = dimensions(labels.shape)
            raise UsageError(
                f"the prediction of {name} has {found} pixels (height x width), the picture {dimensions(size)}"
            )
        if labels.max(initial=0) >= len(self.rules.table):
            raise UsageError(
                f"the prediction of {name} holds the value {labels.max()}; classes 0..{len(self.rules.table) - 1} were expected"
            )
        inside = self.rules.form.folder + self._stem(name) + self.rules.form.ending
        if inside in self._files:
            raise UsageError(f"{name} and {self._names_of(inside)} would both be {inside}; give one picture a file")
        picture = Image.fromarray(self.rules.table.encode(labels))
        if self.rules.form.palette:
            picture.putpalette(self.rules.table.file_palette.tobytes())
        buffer = io.BytesIO()
        picture.save(buffer, "PNG", optimize=True)
        self._names[name] = inside
        self._files[inside] = buffer.getvalue()
        self.sizes[inside] = (size[0], size[1])

    def finish(self) -> Path:
        """Write the archive, and read it again to check it.

        Raises:
            FileError: It cannot be written.
            UsageError: It is not as it must be.
        """
        with replacing(self.path) as file:
            _write(file, self._files, self.rules.form.archive)
        check_archive(self.path, self.rules, self.sizes)
        return self.path

    def _stem(self, name: str) -> str:
        if not (found := self.rules.form.names.fullmatch(name.rpartition("/")[2])):
            raise UsageError(f"{name} is no name of a {self.rules.title} picture; {self.rules.form.expected}")
        return found[1]

    def _names_of(self, inside: str) -> str:
        return next(name for name, other in self._names.items() if other == inside)


def check_archive(path: Path, rules: Rules, sizes: dict[str, Size]) -> None:
    """Read an archive as the server does.

    Args:
        path: The archive.
        rules: What the server wants.
        sizes: Height and width of every file that must be there, by its name in the archive.

    Raises:
        UsageError: A file is missing, is one too many, is no PNG of bytes, or has a wrong size or value.
    """
    allowed = np.zeros(256, np.bool_)
    allowed[rules.table.values] = True
    seen = set()
    for name, content in _read(path, rules.form.archive):
        if name not in sizes:
            raise UsageError(f"{path} holds {name}, which belongs to no picture")
        seen.add(name)
        try:
            picture = Image.open(io.BytesIO(content), formats=("PNG",))
        except UnidentifiedImageError:
            raise UsageError(f"{name} in {path} is no PNG") from None
        wanted = "P" if rules.form.palette else "L"
        if picture.mode != wanted:
            raise UsageError(f"{name} in {path} has the mode {picture.mode}; {wanted}, one byte a pixel, was expected")
        values = np.asarray(picture)
        if values.shape != sizes[name]:
            raise UsageError(
                f"{name} in {path} has {dimensions(values.shape)} pixels (height x width); {dimensions(sizes[name])} were "
                "expected"
            )
        if wrong := sorted({int(value) for value in np.unique(values) if not allowed[value]}):
            raise UsageError(
                f"{name} in {path} holds {', '.join(map(str, wrong[:5]))}, which {rules.title} does not know"
            )
    if missing := sizes.keys() - seen:
        raise UsageError(f"{path} lacks {len(missing)} of {len(sizes)} files, such as {min(missing)}")


def _write(file: IO[bytes], files: dict[str, bytes], archive: str) -> None:
    """The same bytes for the same files."""
    if archive == ".zip":
        with zipfile.ZipFile(file, "w") as target:
            for name, content in sorted(files.items()):
                target.writestr(zipfile.ZipInfo(name), content)
        return
    with tarfile.open(fileobj=file, mode="w:gz", compresslevel=1) as packed:
        for name, content in sorted(files.items()):
            member = tarfile.TarInfo(name)
            member.size = len(content)
            packed.addfile(member, io.BytesIO(content))


def _read(path: Path, archive: str) -> Iterator[tuple[str, bytes]]:
    if archive == ".zip":
        with zipfile.ZipFile(require_file(path)) as source:
            yield from ((name, source.read(name)) for name in source.namelist())
        return
    with tarfile.open(require_file(path)) as packed:
        for member in packed:
            content = packed.extractfile(member)
            yield member.name, content.read() if content else b""
