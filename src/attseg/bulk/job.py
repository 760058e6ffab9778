"""A prediction from start to end: images, videos or a split of a data set become files, shared between processes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from attseg.bulk.frames import find_videos, is_video
from attseg.bulk.images import predict_files
from attseg.bulk.labels import describe_values, fill, with_values
from attseg.bulk.outputs import Summary
from attseg.bulk.share import Gather, Share
from attseg.bulk.video import predict_videos
from attseg.data.catalog import open_files, open_pictures
from attseg.data.classes import ClassTable
from attseg.data.reading.inputs import PictureFile
from attseg.data.sample import DataError
from attseg.data.wording import plural
from attseg.errors import UsageError
from attseg.evaluation.job import describe_submission
from attseg.evaluation.submission import Submission
from attseg.inference.segmenter import Segmenter
from attseg.recipes.recipe import DataSpec
from attseg.written import outputs


class Line(Protocol):
    """A line of a progress bar."""

    def __call__(self, done: int, total: int | None = None, *more: object) -> None:
        """Show how much is done."""
        ...

    def within(self, name: str) -> Line:
        """A line for the parts of what this line counts."""
        ...


Bar = Callable[[str], AbstractContextManager[Line]]
"""Opens a progress bar with a name."""


@dataclass(frozen=True)
class Predicted:
    """A prediction that is done.

    Args:
        done: How many files were segmented, over all processes.
        skipped: How many had been done before.
        failed: How many failed.
        processes: How many processes there were.
        notes: What is to be said of the label files and the archive.
    """

    done: int
    skipped: int
    failed: int
    processes: int = 1
    notes: Sequence[str] = ()

    def describe(self, out: Path) -> Iterator[str]:
        """In words, for people."""
        parts = [f"{self.done} segmented"]
        if self.skipped:
            parts.append(f"{self.skipped} done before (--overwrite segments them anew)")
        if self.failed:
            parts.append(f"{self.failed} failed")
        yield f"{out}: {', '.join(parts)}{f', by {self.processes} processes' if self.processes > 1 else ''}"
        yield from self.notes


def predict_inputs(
    segmenter: Segmenter,
    inputs: Sequence[str | PictureFile],
    out: Path,
    *,
    share: Share,
    gather: Gather,
    bar: Bar,
    tell: Callable[[str], None],
    submission: str | None = None,
    overwrite: bool = False,
    of_images: dict[str, Any],
    **options: Any,
) -> Predicted:
    """Segment images and videos, and fill an archive for a server.

    Args:
        segmenter: The model.
        inputs: As of ``predict_files`` and ``find_videos``.
        out: The folder.
        share: Which of several processes this is.
        gather: Brings the counts of all together.
        bar: Shows how far it is.
        tell: Called with what failed, and with remarks.
        submission: Kind of an archive for a server.
        overwrite: As of ``predict_files``.
        of_images: Further arguments of ``predict_files``.
        **options: Arguments of both ``predict_files`` and ``predict_videos``.

    Raises:
        UsageError: There is nothing to segment, or files are in the way.
    """
    videos = find_videos([one for one in inputs if isinstance(one, str) and is_video(one)], outside=out)
    images = [one for one in inputs if not (isinstance(one, str) and is_video(one))]
    archive = Submission(submission, out / f"submission-{submission}", segmenter.classes) if submission else None
    options |= {"overwrite": overwrite, "share": share}
    summaries = []
    with outputs(*([archive.path] if archive is not None else []), overwrite=overwrite):  # refused before hours of work
        if images:
            with bar("predicting") as line:
                callbacks: dict[str, Any] = {"on_file": line, "on_views": line.within("windows")}
                summaries.append(predict_files(segmenter, images, out, **options, **of_images, **callbacks))
        if videos:
            with bar("videos") as line:
                callbacks = {"on_file": line, "on_frames": line.within("frames")}
                summaries.append(predict_videos(segmenter, videos, out, **options, **callbacks))
        for text in _problems(summaries):
            tell(text)
        own = [(summary.done, summary.skipped, len(summary.failed)) for summary in summaries]
        counts = gather([sum(column) for column in zip(*own, strict=True)])
        done, skipped, failed = (sum(column) for column in zip(*counts, strict=True))
        notes = [*filter(None, [describe_values(segmenter.classes)])]
        if archive is not None and not failed and (share.rank == 0 or len(counts) < share.world):
            fill(archive, images, out, segmenter.classes)
            notes.append(describe_submission(archive))
    return Predicted(done, skipped, failed, len(counts), notes)


def _problems(summaries: Sequence[Summary]) -> Iterator[str]:
    for path, problem in (pair for summary in summaries for pair in summary.failed):
        yield f"  {problem}" if str(path) in problem else f"  {path}: {problem}"
    for remark, count in (pair for summary in summaries for pair in summary.remarks.items()):
        yield f"note: {plural(count, 'image')}: each {remark}"


def find_inputs(pictures: Sequence[str], spec: DataSpec | None, split: str | None) -> Sequence[str | PictureFile]:
    """The inputs that are named, or the images of a split.

    Args:
        pictures: Images, videos, folders and patterns.
        spec: A data set, in place of these.
        split: Its split.

    Raises:
        UsageError: Neither is named, or both.
    """
    if split is None:
        if not pictures or spec is not None:
            raise UsageError(
                "name pictures, or a split of a data set: PICTURES, or --split with --data.name and --data.root"
            )
        return pictures
    if pictures or spec is None:
        raise UsageError(f"--split {split} takes no PICTURES beside it, but --data.name and --data.root")
    return open_pictures(spec.name, split, root=spec.root, **spec.options)


def numbered(run: str, classes: ClassTable, spec: DataSpec, split: str, tell: Callable[[str], None]) -> ClassTable:
    """The classes of a model with the label values of a data set, if that has the same classes.

    Args:
        run: What the model is called.
        classes: Its classes.
        spec: The data set.
        split: The split, which may have no labels.
        tell: Told where the classes are others.
    """
    try:
        table = open_files(spec.name, spec.root, **spec.options).read_classes(split)
    except DataError:  # images without a class table
        return classes
    if (found := with_values(classes, table)) is None:
        tell(
            f"note: {spec.root or spec.name} has other classes than {run}, so label files get the values of the data that it was "
            "trained on"
        )
    return found or classes
