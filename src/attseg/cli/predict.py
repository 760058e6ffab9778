"""``attseg predict``: label files and overlays for images and videos of any kind."""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from attseg.cli.options import Crf, Device, Kind, ProtocolOptions, RunName, ShowBands, Views, Whole, data_settings
from attseg.cli.output import print_parts, tell
from attseg.cli.results import RESULTS, ResultOptions
from attseg.cli.settings import with_settings
from attseg.console import TerminalConsole, progress
from attseg.errors import UsageError
from attseg.recipes.nested import section
from attseg.recipes.recipe import DataSpec
from attseg.recipes.values import from_values


@with_settings(("Settings of the data", data_settings()))
def run(
    run: RunName,
    /,
    *pictures: str,
    out: Annotated[Path, Parameter(metavar="DIR")],
    no_overlay: bool = False,
    overwrite: bool = False,
    batch: Whole = None,
    workers: Whole = None,
    device: Device = "auto",
    split: Annotated[str | None, Parameter(metavar="NAME")] = None,
    submission: Kind = None,
    crf: Crf = False,
    show_bands: ShowBands = None,
    results: Annotated[ResultOptions, Parameter(name="*", group=RESULTS)] = ResultOptions(),
    views: Views = ProtocolOptions(),
    given: dict[str, Any],
) -> int:
    """Segment images, videos and rasters.

    For each image, --out gets labels/NAME.png (a PNG of the size of the image, in the values of the data set's own label files),
    overlays/NAME.jpg (the image under the colours of its classes, with a legend), and a line of manifest.jsonl: its classes with
    their areas in pixels and their values, or why it failed. Images that are done are skipped, so the same command continues
    where it stopped, even in a folder of a million images. With windows (--window 512), images of any size take little memory.
    Under torchrun each process takes its share of the images.

    Videos (clip.mp4, or 'clips/*.mov') become labels/NAME.mkv, lossless, with the same values in gray, and overlays/NAME.mp4,
    without sound.

    A raster that is larger than memory, or has a georeference, becomes a label raster if --out names a .tif. It is read and
    written in windows that are blended, and keeps the reference system and the transform; it gets a palette, and a value for
    pixels without data. This needs rasterio (the extra geo).

    --split predicts a split of a data set instead of images that you name; the split need not have labels. If the data set has
    the classes of the model, label files get the values of that data set.

    Args:
        pictures: Images, videos, folders and patterns.
        out: Folder for labels/ and overlays/; or a .tif, for the labels of one raster.
        no_overlay: Write only the labels.
        overwrite: Segment again what is done already. Label files that attseg did not write are never replaced.
        batch: Largest number of images of one size in a batch (default: 32; only small images are batched on a CPU).
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
    if out.suffix.lower() in (".tif", ".tiff"):
        unused: dict[str, Any] = {"--no-overlay": no_overlay, "--batch": batch, "--workers": workers}
        unused |= {"--split": split, "--crf": crf, "--submission": submission, "--show-bands": show_bands}
        unused |= {"one of --threshold, --unsure-below, --min-region and --save": results != ResultOptions()}
        if others := [name for name, value in unused.items() if value]:
            raise UsageError(
                f"{others[0]} was given, and a label raster ({out}) is made without; leave it out, or give a folder to --out for "
                "tiles of up to 8192 x 8192 pixels"
            )
        return _label_raster(run, pictures, out, views, device=device, overwrite=overwrite)

    from attseg.bulk.frames import is_video
    from attseg.bulk.job import find_inputs, numbered, predict_inputs
    from attseg.bulk.share import device_of, joined, share_of
    from attseg.inference.segmenter import load
    from attseg.prediction.crf import find_crf
    from attseg.prediction.decision import with_unsure_value

    if given and "data.name" not in given:
        raise UsageError("--data.name is missing: it names the data set, of which --split names the split")
    spec = from_values(DataSpec, section(given, "data"), "data") if given else None
    inputs = find_inputs(pictures, spec, split)
    of_pictures = ["--crf"] * crf + [f"--save {name}" for name in results.save]
    if of_pictures and any(isinstance(one, str) and is_video(one) for one in inputs):
        raise UsageError(f"{of_pictures[0]} is for pictures, not videos; leave it out, or give the frames as pictures")
    decision, share = results.decision(), share_of(os.environ)
    with joined(share) as gather:
        segmenter = load(run, device=device_of(os.environ, device))
        segmenter.show_bands(show_bands)
        if split is not None and spec is not None:
            segmenter.classes = numbered(run, segmenter.classes, spec, split, tell)
        if decision.leaves_unsure or results.unsure_value is not None:
            segmenter.classes = with_unsure_value(segmenter.classes, results.unsure_value)
        found = predict_inputs(
            segmenter,
            inputs,
            out,
            share=share,
            gather=gather,
            bar=partial(progress, console=TerminalConsole(quiet=True) if share.rank else None),
            tell=tell,
            submission=submission,
            overwrite=overwrite,
            overlay=not no_overlay,
            protocol=views.find(segmenter.data),
            decision=decision,
            memory=views.memory,
            batch=batch,
            of_images={
                "crf": find_crf() if crf else None,
                "workers": workers,
                "further": results.save,
                "of": results.probabilities_of,
            },
        )
        if share.rank == 0 or found.processes < share.world:
            print_parts(found.describe(out))
    return 1 if found.failed else 0


def _label_raster(
    run: str, pictures: tuple[str, ...], out: Path, views: ProtocolOptions, *, device: str, overwrite: bool
) -> int:
    """Segment one raster into a label raster."""
    if len(pictures) != 1:
        raise UsageError(
            f"--out is {out}, the label raster of one raster, and {len(pictures)} were named; name one, or give a folder to --out"
        )

    from attseg.bulk.label_raster import label_raster
    from attseg.bulk.raster import need_rasterio
    from attseg.inference.segmenter import load
    from attseg.written import outputs

    need_rasterio()
    with outputs(out, overwrite=overwrite), progress("windows") as on_views:
        segmenter, source = load(run, device=device), Path(pictures[0]).expanduser()
        protocol = views.find(segmenter.data)
        made = label_raster(segmenter, source, out, protocol=protocol, memory=views.memory, on_views=on_views)
    print(f"{out}: " + "\n  ".join(made.describe()))
    return 0
