"""``attseg panel``: picture, labels, and what several runs predict, side by side."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from attseg.cli.options import WHOLE, Device, Names, Overwrite, ShowBands, Whole, data_settings
from attseg.cli.output import progress_bar
from attseg.cli.settings import with_settings
from attseg.data.wording import plural
from attseg.errors import UsageError

if TYPE_CHECKING:
    from attseg.explain.figures.runs import Predict
    from attseg.inference.segmenter import Segmenter

SUFFIXES = (".png", ".pdf", ".svg")


@with_settings(("Settings of the data (default: those of the first run)", data_settings()))
def run(
    *run: Annotated[str, Parameter(help="Run folders, files or repositories, as for evaluate; a column each.")],
    out: Path,
    picture: Annotated[list[str] | None, Parameter(metavar="NAME")] = None,
    rows: Annotated[int, WHOLE] = 4,
    names: Names = (),
    split: str | None = None,
    limit: Whole = None,
    show_bands: ShowBands = None,
    device: Device = "auto",
    overwrite: Overwrite = False,
    given: dict[str, Any],
) -> int:
    """Draw a figure of results as papers have them: picture, labels, and a column for each run.

    Without --picture, the rows are the pictures of the split on which the runs differ most in their share of right pixels, and
    with a single run pictures spread over the split. Which those are says where runs differ, not what they are like on average;
    the share of right pixels stands below each prediction.

    Args:
        out: FIGURE.png, .pdf or .svg.
        picture: Name of a picture of the split, one a row; may be given several times.
        rows: Rows where no picture is named.
        names: Headings of the columns (default: from the runs).
        split: Split with labels (default: the one that the first run validated on).
        limit: Look at no more than so many pictures, spread evenly over the split (default: all).

    Examples:
        attseg panel runs/fcn-camvid runs/pan-camvid --out panel.png
        attseg panel runs/fcn runs/pan --names FCN,PAN --picture 0016E5_07961 --picture 0016E5_08085 --out figure-1.pdf
        attseg panel runs/dfdam-camvid --split test --rows 6 --out results.svg
    """
    if not run:
        raise UsageError("no run was given; name one or several, such as runs/fcn-camvid runs/pan-camvid")
    if out.suffix.lower() not in SUFFIXES:
        raise UsageError(f"the figure is to be {out}; a name that ends in .png, .pdf or .svg was expected")
    if names and len(names) != len(run):
        raise UsageError(f"--names has {plural(len(names), 'name')} for {plural(len(run), 'run')}; give one a run")

    from attseg.data.catalog import open_data
    from attseg.data.preprocessing import common_reading
    from attseg.evaluation.folds import short_names
    from attseg.evaluation.run_data import check_classes, data_spec, kept_spec, recipe_of
    from attseg.explain.figures.runs import chosen_pictures, runs_figure
    from attseg.files import replacing
    from attseg.hub.sources import find_weights
    from attseg.inference.segmenter import load, read_about
    from attseg.written import outputs

    with outputs(out, overwrite=overwrite), progress_bar() as bar:
        task = bar.add_task("looking", total=None)
        file = find_weights(run[0])
        spec = kept_spec(data_spec(given, recipe_of(read_about(file).info), file), given, file)
        data = open_data(spec.name, split or spec.val, root=spec.root, **spec.options)
        segmenters = [load(one, device=device) for one in run]
        common_reading(list(run), [segmenter.preprocessing for segmenter in segmenters])
        for one, segmenter in zip(run, segmenters, strict=True):
            check_classes(segmenter.classes, data.classes, one)
            segmenter.show_bands(show_bands)
        chosen = chosen_pictures(
            data,
            [_labelling(segmenter) for segmenter in segmenters],
            segmenters[0].visible,
            names=picture or (),
            count=rows,
            limit=limit,
            on_picture=lambda done, total: bar.update(task, completed=done, total=total),
        )
        buffer = BytesIO()
        drawn = runs_figure(chosen, names or short_names(run), data.classes)
        drawn.savefig(buffer, format=out.suffix.lower().removeprefix("."), dpi=200)
        with replacing(out) as opened:
            opened.write(buffer.getvalue())
    print(f"{out}: {', '.join(row.name for row in chosen)}")
    return 0


def _labelling(segmenter: Segmenter) -> Predict:
    return lambda image: segmenter(image).labels
