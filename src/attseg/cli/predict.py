"""``attseg predict``: label files and overlays for images and videos of any kind."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from attseg.cli.options import (
    Crf,
    Device,
    Kind,
    ProtocolOptions,
    RunName,
    ShowBands,
    Views,
    Whole,
    data_settings,
)
from attseg.cli.results import RESULTS, ResultOptions
from attseg.cli.settings import with_settings
from attseg.data.wording import plural
from attseg.errors import UsageError
from attseg.recipes.nested import section
from attseg.recipes.recipe import DataSpec
from attseg.recipes.values import from_values

if TYPE_CHECKING:
    from attseg.bulk.outputs import Summary
    from attseg.data.classes import ClassTable
    from attseg.data.reading.inputs import PictureFile


@with_settings(("Settings of the data", data_settings()))
def run(
    run: RunName,
    /,
    *pictures: str,
    out: Path,
    no_overlay: bool = False,
    overwrite: bool = False,
    batch: Whole = None,
    workers: Whole = None,
    device: Device = "auto",
    split: str | None = None,
    submission: Kind = None,
    crf: Crf = False,
    show_bands: ShowBands = None,
    results: Annotated[ResultOptions, Parameter(name="*", group=RESULTS)] = ResultOptions(),
    views: Views = ProtocolOptions(),
    given: dict[str, Any],
) -> int:
    """Segment images.

    --out gets labels/NAME.png (a PNG of the size of the image, with the values of the data set's own label files: it can replace
    one), overlays/NAME.jpg (the image under the colours of its classes, with a legend), and manifest.jsonl with a line for each
    image: its classes with their areas in pixels and their values, or why it failed. Images that are done already are skipped, so
    the same command continues where it stopped, in a folder of a million images too. In windows (--window 512) images of any size
    take little memory. Under torchrun each process takes its share of the images.

    Videos (clip.mp4, or 'clips/*.mov') become labels/NAME.mkv, lossless, with the same values in gray, and overlays/NAME.mp4,
    without sound.

    A raster that is larger than memory, or has a georeference, becomes a label raster where --out names a .tif: read and written
    in windows that are blended into each other, with the reference system, transform, palette, and a value for pixels without
    data. It needs rasterio (the extra geo).

    In place of images, --split names a split of a data set, which need not have labels. If it has the classes of the model, the
    values are those of this data set.

    Args:
        pictures: Images, videos, folders and patterns.
        out: Folder for labels/ and overlays/; or a .tif, for the labels of one raster.
        no_overlay: Write only the labels.
        overwrite: Segment again what is done already; label files of others are never replaced.
        batch: Images of one size in a batch, at most (default: 32; small ones on a CPU).
        workers: Threads that read, and threads that write (default: 1 and 4; with a GPU 4 and 4).
        split: A split of the data set that --data.name and --data.root name.

    Examples:
        attseg predict runs/pan-camvid street.jpg --out segmented
        attseg predict runs/pan-camvid photos/ 'more/*.png' --out segmented --no-overlay
        attseg predict runs/aerial huge.tif --out segmented --window 512 --flip
        attseg predict demo photos/ --out segmented
        attseg predict runs/mine clip.mp4 --out segmented
        attseg predict runs/cracks photos/ --out segmented --threshold crack=0.3 --min-region 50 --save labelme
        attseg predict runs/mine photos/ --out segmented --unsure-below 0.6 --save probabilities,coco
        attseg predict runs/aerial scene.tif --out labels.tif
        torchrun --nproc-per-node 8 -m attseg predict runs/mine photos/ --out segmented
        attseg predict runs/mine --split test --data.name voc2012 --data.root ~/data/voc --out segmented
    """
    from attseg.bulk.frames import find_videos, is_video
    from attseg.bulk.labels import describe_values, fill
    from attseg.bulk.share import device_of, joined, share_of
    from attseg.evaluation.job import describe_submission
    from attseg.evaluation.submission import Submission
    from attseg.inference.segmenter import load
    from attseg.prediction.crf import find_crf
    from attseg.prediction.decision import with_unsure_value
    from attseg.written import outputs

    if out.suffix.lower() in (".tif", ".tiff"):
        unused: dict[str, Any] = {
            "--no-overlay": no_overlay,
            "--batch": batch,
            "--workers": workers,
            "--split": split,
            "--crf": crf,
        }
        unused |= {
            "--submission": submission,
            "--show-bands": show_bands,
            "one of --threshold, --unsure-below, --min-region and --save": results != ResultOptions(),
        }
        return _label_raster(run, pictures, out, views, unused, device=device, overwrite=overwrite)
    inputs = _inputs(pictures, split, given)
    videos = [one for one in inputs if isinstance(one, str) and is_video(one)]
    images = [one for one in inputs if not (isinstance(one, str) and is_video(one))]
    if videos and crf:
        raise UsageError("--crf refines pictures, not videos; leave it out, or give the frames as pictures")
    if videos and results.save:
        raise UsageError(
            f"--save {results.save[0]} is for pictures, not videos; leave it out, or give the frames as pictures"
        )
    decision = results.decision()
    share = share_of(os.environ)
    films = find_videos(videos, outside=out)
    with joined(share) as gather:
        segmenter = load(run, device=device_of(os.environ, device))
        segmenter.show_bands(show_bands)
        if split is not None:
            segmenter.classes = _numbered(run, segmenter.classes, split, given)
        if decision.leaves_unsure or results.unsure_value is not None:
            segmenter.classes = with_unsure_value(segmenter.classes, results.unsure_value)
        archive = None
        if submission:
            archive = Submission(submission, out / f"submission-{submission}", segmenter.classes)
            with outputs(archive.path, overwrite=overwrite):  # refused before hours of work
                pass
        options: dict[str, Any] = {
            "overlay": not no_overlay,
            "overwrite": overwrite,
            "protocol": views.find(segmenter.data),
            "decision": decision,
            "memory": views.memory,
            "batch": batch,
            "share": share,
        }
        summaries = []
        if images:
            from attseg.bulk.images import predict_files

            with _progress("predicting", "windows", shown=share.rank == 0) as (on_file, on_views):
                more: dict[str, Any] = {"crf": find_crf() if crf else None, "workers": workers, "on_views": on_views}
                more |= {"further": results.save, "of": results.probabilities_of}
                summaries.append(predict_files(segmenter, images, out, **options, **more, on_file=on_file))
        if films:
            from attseg.bulk.video import predict_videos

            with _progress("videos", "frames", shown=share.rank == 0) as (on_file, on_frames):
                summaries.append(predict_videos(segmenter, films, out, **options, on_frames=on_frames, on_file=on_file))
        _print_problems(summaries)
        own = [(summary.done, summary.skipped, len(summary.failed)) for summary in summaries]
        counts = gather([sum(column) for column in zip(*own, strict=True)])
        done, skipped, failed = (sum(column) for column in zip(*counts, strict=True))
        if share.rank == 0 or len(counts) < share.world:
            parts = [f"{done} segmented"]
            if skipped:
                parts.append(f"{skipped} done before (--overwrite segments them anew)")
            if failed:
                parts.append(f"{failed} failed")
            print(f"{out}: {', '.join(parts)}{f', by {len(counts)} processes' if len(counts) > 1 else ''}")
            if told := describe_values(segmenter.classes):
                print(told)
            if archive is not None and not failed:
                with outputs(archive.path, overwrite=overwrite):
                    fill(archive, images, out, segmenter.classes)
                print(describe_submission(archive))
    return 1 if failed else 0


def _label_raster(
    run: str,
    pictures: Sequence[str],
    out: Path,
    views: ProtocolOptions,
    unused: dict[str, Any],
    *,
    device: str,
    overwrite: bool,
) -> int:
    """Segment one raster into a label raster."""
    if others := [name for name, value in unused.items() if value]:
        raise UsageError(
            f"{others[0]} was given, and a label raster ({out}) is made without; leave it out, or give a folder to --out for "
            "tiles of up to 8192 x 8192 pixels"
        )
    if len(pictures) != 1:
        raise UsageError(
            f"--out is {out}, the label raster of one raster, and {len(pictures)} were named; name one, or give a folder to --out"
        )

    from attseg.bulk.label_raster import label_raster
    from attseg.bulk.raster import need_rasterio
    from attseg.inference.segmenter import load
    from attseg.written import outputs

    need_rasterio()
    with outputs(out, overwrite=overwrite), _progress("predicting", "windows", shown=True) as (_, on_views):
        segmenter = load(run, device=device)
        protocol = views.find(segmenter.data)
        source = Path(pictures[0]).expanduser()
        made = label_raster(segmenter, source, out, protocol=protocol, memory=views.memory, on_views=on_views)
    print(f"{out}: {next(lines := made.describe())}")
    for line in lines:
        print(f"  {line}")
    return 0


def _inputs(pictures: Sequence[str], split: str | None, given: dict[str, Any]) -> Sequence[str | PictureFile]:
    """The inputs that the command line names, or the images of a split."""
    if split is None:
        if not pictures or given:
            raise UsageError(
                "name pictures, or a split of a data set: PICTURES, or --split with --data.name and --data.root"
            )
        return pictures
    if pictures or "data.name" not in given:
        raise UsageError(f"--split {split} takes no PICTURES beside it, but --data.name and --data.root")

    from attseg.data.catalog import open_pictures

    spec = from_values(DataSpec, section(given, "data"), "data")
    return open_pictures(spec.name, split, root=spec.root, **spec.options)


def _numbered(run: str, classes: ClassTable, split: str, given: dict[str, Any]) -> ClassTable:
    """The classes of the model with the values of the data set that the command line names, if it has the same classes."""
    from attseg.bulk.labels import with_values
    from attseg.data.catalog import open_files
    from attseg.data.sample import DataError

    spec = from_values(DataSpec, section(given, "data"), "data")
    try:
        table = open_files(spec.name, spec.root, **spec.options).read_classes(split)
    except DataError:  # images without a class table
        return classes
    if (found := with_values(classes, table)) is None:
        print(
            f"note: {spec.root or spec.name} has other classes than {run}, so label files get the values of the data that it "
            "was trained on",
            file=sys.stderr,
        )
    return found or classes


def _print_problems(summaries: Sequence[Summary]) -> None:
    for path, problem in (pair for summary in summaries for pair in summary.failed):
        print(f"  {problem}" if str(path) in problem else f"  {path}: {problem}", file=sys.stderr)
    for remark, count in (pair for summary in summaries for pair in summary.remarks.items()):
        print(f"note: {plural(count, 'image')}: each {remark}", file=sys.stderr)


@contextmanager
def _progress(
    files: str, parts: str, *, shown: bool
) -> Iterator[tuple[Callable[[int, int, Path, str | None], None], Callable[[int, int | None], None]]]:
    """Shows the progress over files, and over the parts of one that has several; of several processes, the first shows it."""
    from attseg.cli.output import progress_bar

    if not shown:
        yield lambda *_: None, lambda *_: None
        return
    with progress_bar() as bar:
        task, within = bar.add_task(files, total=None), bar.add_task(parts, total=None, visible=False)

        def on_file(done: int, total: int, path: Path, problem: str | None) -> None:
            bar.update(task, completed=done, total=total)

        def on_parts(done: int, total: int | None) -> None:
            bar.update(within, completed=done, total=total, visible=total is None or done < total)

        yield on_file, on_parts
