"""``attseg data import``: the export of a labelling tool becomes a data set."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from attseg.cli.options import WHOLE, Json, Names, typed, unwrapped
from attseg.data.importing.choices import Boxes, Crowd, Orientation, Overlap, Uncovered, Unlabeled


def _read_split(text: str) -> float | Path:
    try:
        return float(text)
    except ValueError:
        return Path(text)


Split = Annotated[float | Path | None, typed(_read_split, "a share such as 0.8, or a split file", "SHARE|FILE")]


@unwrapped
@dataclass(frozen=True, kw_only=True)
class Options:
    """What is imported, and how.

    Args:
        format: labelme, coco, cvat, label-studio, supervisely, voc, masks, datumaro, or datumaro:NAME (default: recognised).
        images: Further folder with the pictures. May be given several times.
        split: Share of the pictures to train on, or the splits.csv of an earlier import, whose pictures keep their split
            (default: the splits of the export, or 0.8).
        seed: Seed of the split.
        group: Keep pictures together in one split: those of one folder, or those whose names match alike, such as
            'video_[0-9]+'.
        classes: Classes to import, in this order (default: all).
        overlap: Where two regions overlap, pixels belong to the later one, or to the smaller one.
        boxes: Fill boxes, or skip them (default: as the tool does; an export with nothing but boxes needs this option).
        crowd: Crowd regions of COCO become their class, or are ignored.
        uncovered: Pixels without a region become background, or are ignored.
        unlabeled: Pictures without any region become background, or are skipped (default: as the tool says).
        orientation: Shapes were drawn on pictures turned upright by EXIF (applied) or as stored (raw); used where sizes do not
            tell.
        link: Hard-link the pictures of the export instead of copying them; needs the same disk.
    """

    format: Annotated[str | None, Parameter(metavar="NAME")] = None
    images: Annotated[tuple[Path, ...], Parameter(metavar="DIR", n_tokens=1)] = ()
    split: Split = None
    seed: Annotated[int, WHOLE] = 0
    group: Annotated[str | None, Parameter(metavar="folder|REGEX")] = None
    classes: Names = ()
    overlap: Overlap = "later"
    boxes: Boxes | None = None
    crowd: Crowd = "class"
    uncovered: Uncovered = "background"
    unlabeled: Unlabeled | None = None
    orientation: Orientation = "applied"
    link: bool = False


def import_(
    source: Annotated[Path, Parameter(name="SOURCE", help="Folder, zip, tar or JSON file that the tool has exported.")],
    /,
    *,
    out: Annotated[Path, Parameter(metavar="DIR")],
    json: Json = False,
    asked: Annotated[Options, Parameter(name="*")] = Options(),
) -> int:
    """Import the export of a labelling tool as a data set of your own.

    Formats: labelme, COCO (also Roboflow's export), CVAT, Label Studio, Supervisely, the layout of Pascal VOC, Datumaro, and
    pictures with label images. The tool is recognised by its files. Pictures are copied unchanged; each shape is drawn with
    exactly the pixels that the tool itself gives it. The data set is written as a whole or not at all; import.json in it is the
    report.

    Pictures whose files are broken or missing are named and skipped, and the exit status is 1.

    Args:
        out: Folder of the new data set.

    Examples:
        attseg data import labelme-folder --out mine
        attseg data import roboflow.zip --out mine
        attseg data import annotations.xml --images photos --out mine --group 'video_[0-9]+'
        attseg train pan-folder --data.root mine
    """
    from attseg.cli.output import print_result
    from attseg.console import progress
    from attseg.data.importing.job import import_data
    from attseg.data.importing.report import report_parts

    with progress("looking for pictures") as bar:
        report = import_data(source, out, progress=bar.step, **vars(asked))
    print_result(report.to_dict(), report_parts(report), json=json)
    return 0 if report.ok else 1
