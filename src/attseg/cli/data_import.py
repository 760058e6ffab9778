"""``attseg data import``: the export of a labelling tool becomes a data set."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from attseg.cli.options import WHOLE, Json, typed
from attseg.data.importing.choices import Boxes, Crowd, Orientation, Overlap, Uncovered, Unlabeled


def _read_split(text: str) -> float | Path:
    try:
        return float(text)
    except ValueError:
        return Path(text)


def _read_names(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(",") if name.strip())


Split = Annotated[float | Path | None, typed(_read_split, "a share such as 0.8, or a split file", "SHARE|FILE")]
Names = Annotated[tuple[str, ...], typed(_read_names, "names with commas", "A,B,..")]
Folders = Annotated[list[Path] | None, Parameter(metavar="DIR")]


def import_(
    source: Annotated[Path, Parameter(name="SOURCE", help="Folder, zip, tar or JSON file that the tool has exported.")],
    /,
    *,
    out: Annotated[Path, Parameter(metavar="DIR")],
    format: Annotated[str | None, Parameter(metavar="NAME")] = None,
    images: Folders = None,
    split: Split = None,
    seed: Annotated[int, WHOLE] = 0,
    group: Annotated[str | None, Parameter(metavar="folder|REGEX")] = None,
    classes: Names = (),
    overlap: Overlap = "later",
    boxes: Boxes | None = None,
    crowd: Crowd = "class",
    uncovered: Uncovered = "background",
    unlabeled: Unlabeled | None = None,
    orientation: Orientation = "applied",
    link: bool = False,
    json: Json = False,
) -> int:
    """Import the export of a labelling tool as a data set of your own.

    Read are labelme, COCO (also Roboflow's export), CVAT, Label Studio, Supervisely, the layout of Pascal VOC, Datumaro, and
    pictures with label images. The tool is recognised by its files. Pictures are copied as they are; labels are the pixels that
    the tool itself gives its shapes. The data set is there as a whole or not at all, and import.json in it is the report.

    A picture whose file is broken or missing is named and skipped, and the exit status is 1.

    Args:
        out: Folder of the new data set.
        format: labelme, coco, cvat, label-studio, supervisely, voc, masks, datumaro, or datumaro:NAME (default: recognised).
        images: Further folder with the pictures; may be given several times.
        split: Share of the pictures to train on, or the splits.csv of an earlier import, whose pictures keep their split
            (default: the splits of the export, or 0.8).
        seed: Of the split.
        group: Pictures that stay in one split: those of a folder, or of equal match in their names, such as 'video_[0-9]+'.
        classes: The classes to take, in this order (default: all).
        overlap: Region that a pixel belongs to where two overlap.
        boxes: Whether boxes are filled or left out (default: as the tool does; refused where nothing else is drawn).
        crowd: Whether crowds of COCO are their class, or ignored.
        uncovered: What pixels are that no region covers.
        unlabeled: Whether pictures without a region are background or left out (default: as the tool says).
        orientation: Whether shapes were drawn on pictures turned upright by EXIF, where sizes do not tell.
        link: Link pictures to those of the export, in place of copies; on the same disk.

    Examples:
        attseg data import labelme-folder --out mine
        attseg data import roboflow.zip --out mine
        attseg data import annotations.xml --images photos --out mine --group 'video_[0-9]+'
        attseg train pan-folder --data.root mine
    """
    from json import dumps

    from attseg.cli.output import print_parts, progress_bar
    from attseg.data.importing.job import import_data
    from attseg.data.importing.report import report_parts
    from attseg.data.wording import plural

    with progress_bar() as bar:
        task = bar.add_task("looking for pictures", total=None)

        def show(step: str, done: int, total: int | None) -> None:
            bar.update(task, description=step, completed=done, total=total)

        report = import_data(
            source,
            out,
            format=format,
            images=images or (),
            progress=show,
            split=split,
            seed=seed,
            group=group,
            classes=classes,
            overlap=overlap,
            boxes=boxes,
            crowd=crowd,
            uncovered=uncovered,
            unlabeled=unlabeled,
            orientation=orientation,
            link=link,
        )
    if json:
        print(dumps(report.to_dict(), indent=2))
        return 0 if report.ok else 1
    print_parts(report_parts(report))
    if not report.ok:
        print(f"{plural(len(report.broken), 'picture')} skipped for broken or missing files; the others are in {out}")
    print("next:")
    print(f"  attseg data check {shlex.quote(str(out))}")
    print(f"  attseg train pan-folder --data.root {shlex.quote(str(out))}")
    return 0 if report.ok else 1
