"""``attseg predict``: label files and overlays for pictures of any kind."""

from __future__ import annotations

import os
import sys
from argparse import Namespace
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from attseg.cli.measuring import add_crf, add_submission, crf_of, describe_submission
from attseg.cli.parser import Parser
from attseg.cli.protocol import add_protocol, protocol_of
from attseg.data.wording import plural
from attseg.errors import UsageError
from attseg.recipes.nested import put
from attseg.recipes.recipe import DataSpec
from attseg.recipes.values import from_values, settings

if TYPE_CHECKING:
    from rich.progress import Progress

    from attseg.bulk.files import Summary
    from attseg.bulk.share import Share
    from attseg.data.classes import ClassTable
    from attseg.data.reading.inputs import PictureFile
    from attseg.evaluation.submission import Submission
    from attseg.inference.segmenter import Segmenter

TEXT = """\
Segment pictures. DIR gets labels/NAME.png (a PNG as large as the picture, whose values are those of the data
set's own label files: it can stand in for one) and overlays/NAME.jpg (the picture under the colours of its
classes, with a legend), and manifest.jsonl gets a line for each picture: its classes with their areas in pixels
and their values, or why it failed. Pictures that are done
already are skipped, so that the same command goes on where it stopped, in a folder of a million too. In windows
(--window 512) pictures of any size take little memory. Under torchrun each process takes its share of the
pictures.

Videos (clip.mp4, or 'clips/*.mov') become labels/NAME.mkv, lossless, with the same values in gray, and
overlays/NAME.mp4, without sound.

In place of pictures, --split names a split of a data set, which need not have labels. Where it has the classes
of the model, the values are those of this data set."""

EXAMPLES = (
    "attseg predict runs/pan-camvid street.jpg --out segmented",
    "attseg predict runs/pan-camvid photos/ 'more/*.png' --out segmented --no-overlay",
    "attseg predict runs/aerial huge.tif --out segmented --window 512 --flip",
    "attseg predict demo photos/ --out segmented",
    "attseg predict runs/mine clip.mp4 --out segmented",
    "torchrun --nproc-per-node 8 -m attseg predict runs/mine photos/ --out segmented",
    "attseg predict runs/mine --split test --data.name voc2012 --data.root ~/data/voc --out segmented",
)

MOST_TOLD = 4
"""Classes whose values are shown at the end; the manifest has those of all."""

DATA = ("data.name", "data.root", "data.options")


def run(argv: Sequence[str]) -> int:
    """Segment files; 1 if one of them failed."""
    parser = Parser("predict", TEXT, EXAMPLES)
    parser.add_argument("run", metavar="RUN", help="a run folder, a .safetensors or exported file, or demo")
    parser.add_argument("pictures", nargs="*", metavar="PICTURES", help="files, folders and patterns; videos too")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="where labels/ and overlays/ go")
    parser.add_argument("--no-overlay", action="store_true", help="write only the labels")
    parser.add_argument(
        "--overwrite",
        action="store_true",
        help="segment anew; labels of others are never replaced",
    )
    parser.add_argument(
        "--batch", type=int, metavar="N", help="pictures of one size in a batch, at most (32; small ones on cpu)"
    )
    parser.add_argument("--workers", type=int, metavar="N", help="threads that read, and that write (1; with a GPU 4)")
    parser.add_argument("--device", default="auto", help="auto (a GPU if there is one), cpu, cuda or cuda:N")
    parser.add_argument("--split", help="a split of the data set that --data.name and --data.root name")
    parser.add_settings("data", (setting for setting in settings(DataSpec, "data") if setting.key in DATA))
    add_submission(parser)
    add_protocol(parser)
    add_crf(parser)
    arguments = parser.parse(argv)
    pictures, videos = _told_apart(_pictures(arguments))
    if videos and arguments.crf:
        raise UsageError("--crf refines pictures, not videos; leave it out, or give the frames as pictures")

    from attseg.bulk.frames import find_videos
    from attseg.bulk.share import device_of, joined, share_of
    from attseg.inference.segmenter import load
    from attseg.written import outputs

    share = share_of(os.environ)
    films = find_videos(videos, outside=arguments.out)
    with joined(share) as gather:
        segmenter = load(arguments.run, device=device_of(os.environ, arguments.device))
        segmenter.classes = _numbered(arguments, segmenter.classes)
        submission = _submission(arguments, segmenter.classes)
        if submission is not None:
            with outputs(submission.path, overwrite=arguments.overwrite):  # refused before hours of work
                pass
        summaries = [_predict(arguments, segmenter, pictures, share)] if pictures else []
        summaries += [_predict_videos(arguments, segmenter, films, share)] if films else []
        for path, problem in (pair for summary in summaries for pair in summary.failed):
            print(f"  {problem}" if str(path) in problem else f"  {path}: {problem}", file=sys.stderr)
        for remark, count in (pair for summary in summaries for pair in summary.remarks.items()):
            print(f"note: {plural(count, 'image')}: each {remark}", file=sys.stderr)
        own = [(summary.done, summary.skipped, len(summary.failed)) for summary in summaries]
        counts = gather([sum(column) for column in zip(*own, strict=True)])
        done, skipped, failed = (sum(column) for column in zip(*counts, strict=True))
        if share.rank == 0 or len(counts) < share.world:
            parts = [f"{done} segmented"]
            if skipped:
                parts.append(f"{skipped} done before (--overwrite segments them anew)")
            if failed:
                parts.append(f"{failed} failed")
            print(f"{arguments.out}: {', '.join(parts)}{f', by {len(counts)} processes' if len(counts) > 1 else ''}")
            if told := _told_values(segmenter.classes):
                print(told)
            if submission is not None and not failed:
                with outputs(submission.path, overwrite=arguments.overwrite):
                    _fill(submission, pictures, arguments.out, segmenter.classes)
                print(describe_submission(submission))
    return 1 if failed else 0


def _predict(
    arguments: Namespace, segmenter: Segmenter, pictures: Sequence[str | Path | PictureFile], share: Share
) -> Summary:
    """Segment this process's share of the pictures; of several processes, the first shows how far it is."""
    from attseg.bulk.files import predict_files
    from attseg.cli.output import progress_bar

    with progress_bar() if share.rank == 0 else nullcontext() as bar:
        on_file, on_views = _shown(bar, "predicting", "windows")
        return predict_files(
            segmenter,
            pictures,
            arguments.out,
            overlay=not arguments.no_overlay,
            overwrite=arguments.overwrite,
            protocol=protocol_of(arguments, segmenter.data),
            crf=crf_of(arguments),
            memory=arguments.memory,
            batch=arguments.batch,
            workers=arguments.workers,
            share=share,
            on_file=on_file,
            on_views=on_views,
        )


def _predict_videos(arguments: Namespace, segmenter: Segmenter, videos: Sequence[PictureFile], share: Share) -> Summary:
    """The same with videos."""
    from attseg.bulk.video import predict_videos
    from attseg.cli.output import progress_bar

    with progress_bar() if share.rank == 0 else nullcontext() as bar:
        on_file, on_frames = _shown(bar, "videos", "frames")
        return predict_videos(
            segmenter,
            videos,
            arguments.out,
            overlay=not arguments.no_overlay,
            overwrite=arguments.overwrite,
            protocol=protocol_of(arguments, segmenter.data),
            memory=arguments.memory,
            batch=arguments.batch,
            share=share,
            on_file=on_file,
            on_frames=on_frames,
        )


def _shown(
    bar: Progress | None, files: str, parts: str
) -> tuple[Callable[[int, int, Path, str | None], None], Callable[[int, int | None], None]]:
    """What shows the progress over files, and over the parts of one that has several."""
    if bar is None:
        return lambda *_: None, lambda *_: None
    task, within = bar.add_task(files, total=None), bar.add_task(parts, total=None, visible=False)

    def on_file(done: int, total: int, path: Path, problem: str | None) -> None:
        bar.update(task, completed=done, total=total)

    def on_parts(done: int, total: int | None) -> None:
        bar.update(within, completed=done, total=total, visible=total is None or done < total)

    return on_file, on_parts


def _told_apart(
    inputs: Sequence[str | Path | PictureFile],
) -> tuple[list[str | Path | PictureFile], list[str | Path]]:
    """Pictures, and videos."""
    from attseg.bulk.frames import is_video

    pictures: list[str | Path | PictureFile] = []
    videos: list[str | Path] = []
    for one in inputs:
        if isinstance(one, str | Path) and is_video(one):
            videos.append(one)
        else:
            pictures.append(one)
    return pictures, videos


def _submission(arguments: Namespace, classes: ClassTable) -> Submission | None:
    if arguments.submission is None:
        return None
    from attseg.evaluation.submission import Submission

    return Submission(arguments.submission, arguments.out / f"submission-{arguments.submission}", classes)


def _fill(submission: Submission, pictures: Sequence[str | Path | PictureFile], out: Path, classes: ClassTable) -> None:
    """Take over the labels of all pictures, those of earlier runs too, and write the archive."""
    from attseg.data.reading.image import read_raw
    from attseg.data.reading.inputs import PictureFile, Pictures
    from attseg.inference.result import read_saved_labels, saved_files

    named = [one for one in pictures if isinstance(one, PictureFile)]
    for file in named or Pictures([one for one in pictures if not isinstance(one, PictureFile)], outside=out):
        path = saved_files(out, file.name).labels
        if (labels := read_saved_labels(path, classes)) is None:
            raise UsageError(f"{path} is damaged, or another program wrote it; remove it, and predict again")
        height, width = read_raw(file.path, apply_orientation=file.apply_orientation).values.shape[:2]
        submission.add(file.name, labels, size=(height, width))
    submission.finish()


def _numbered(arguments: Namespace, classes: ClassTable) -> ClassTable:
    """The classes of the model with the values of the data set that the command line names, if it has the same classes.

    Classes are the same by their names; their order, which follows the values in label files, may be another one.
    """
    if arguments.split is None:
        return classes
    from attseg.data.catalog import open_files
    from attseg.data.sample import DataError

    spec = from_values(DataSpec, put({}, arguments.given)["data"], "data")
    try:
        table = open_files(spec.name, spec.root, **spec.options).read_classes(arguments.split)
    except DataError:  # pictures without a class table
        return classes
    if set(table.names) != set(classes.names):
        print(
            f"note: {spec.root or spec.name} has other classes than {arguments.run}, so label files get the values of the "
            "data that it was trained on",
            file=sys.stderr,
        )
        return classes
    means = {raw: classes.names.index(table.names[place]) for raw, place in _meanings(table).items()}
    return replace(classes, raw_to_train=means, values_known=True)


def _meanings(table: ClassTable) -> dict[int, int]:
    """The class that each value of a label file means; ignored values are left out."""
    return {raw: place for raw, place in enumerate(table.lookup.tolist()) if 0 <= place < len(table)}


def _told_values(classes: ClassTable) -> str | None:
    """What the values in the label files mean, of the first classes; None where they are known to be the class indices."""
    if classes.values_known and classes.values.tolist() == list(range(len(classes))):
        return None
    pairs = [f"{value} {name}" for value, name in zip(classes.values.tolist(), classes.names, strict=True)]
    listed = ", ".join(pairs[:MOST_TOLD]) + (f" and {len(pairs) - MOST_TOLD} more" if len(pairs) > MOST_TOLD else "")
    if classes.values_known:
        return f"label files hold the values of the data set's own: {listed}"
    return f"label files hold class indices, as these weights do not say the values of their data set: {listed}"


def _pictures(arguments: Namespace) -> Sequence[str | Path | PictureFile]:
    """What the command line names: inputs, or the pictures of a split."""
    if arguments.split is None:
        if not arguments.pictures or arguments.given:
            raise UsageError(
                "name pictures, or a split of a data set: PICTURES, or --split with --data.name and --data.root"
            )
        return list(arguments.pictures)
    if arguments.pictures or "data.name" not in arguments.given:
        raise UsageError(f"--split {arguments.split} takes no PICTURES beside it, but --data.name and --data.root")

    from attseg.data.catalog import open_pictures

    spec = from_values(DataSpec, put({}, arguments.given)["data"], "data")
    return open_pictures(spec.name, arguments.split, root=spec.root, **spec.options)
