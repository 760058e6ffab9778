"""``attseg panel``: picture, labels, and what several runs predict, side by side."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from attseg.cli import options
from attseg.cli.settings import with_settings
from attseg.console import progress
from attseg.data.wording import plural
from attseg.errors import UsageError


@with_settings(("Settings of the data (default: those of the first run)", options.data_settings()))
def run(
    *run: Annotated[str, Parameter(help="Run folders, files or repositories, as for evaluate; a column each.")],
    out: Annotated[Path, Parameter(metavar="FILE")],
    picture: Annotated[list[str] | None, Parameter(metavar="NAME")] = None,
    rows: Annotated[int, options.WHOLE] = 4,
    names: options.Names = (),
    split: options.Split = None,
    limit: options.Whole = None,
    show_bands: options.ShowBands = None,
    device: options.Device = "auto",
    overwrite: options.Overwrite = False,
    given: dict[str, Any],
) -> int:
    """Draw a figure of results as papers have them: picture, labels, and a column for each run.

    Each row is a picture. Without --picture, the rows are the pictures of the split on which the runs differ most in pixel
    accuracy; with a single run, pictures spread evenly over the split. Such rows show where runs differ, not how they do on
    average. The pixel accuracy stands below each prediction.

    Args:
        out: The figure: a .png, .pdf or .svg.
        picture: Name of a picture of the split, for a row. May be given several times.
        rows: Number of rows if no picture is named.
        names: Headings of the columns (default: from the runs).
        limit: Look at no more than N pictures, spread evenly over the split (default: all).

    Examples:
        attseg panel runs/fcn-camvid runs/pan-camvid --out panel.png
        attseg panel runs/fcn runs/pan --names FCN,PAN --picture 0016E5_07961 --picture 0016E5_08085 --out figure-1.pdf
        attseg panel runs/dfdam-camvid --split test --rows 6 --out results.svg
    """
    if not run:
        raise UsageError("no run was given; name one or several, such as runs/fcn-camvid runs/pan-camvid")
    options.check_ending(out, *options.FIGURE)
    if names and len(names) != len(run):
        raise UsageError(f"--names has {plural(len(names), 'name')} for {plural(len(run), 'run')}; give one a run")

    from attseg.evaluation.folds import short_names
    from attseg.evaluation.run_data import check_classes, open_own
    from attseg.explain.figures.panels import write_figure
    from attseg.explain.figures.runs import chosen_pictures, predictor_of, runs_figure
    from attseg.hub.sources import find_weights
    from attseg.inference.segmenter import read_about
    from attseg.inference.together import load_together
    from attseg.written import outputs

    with outputs(out, overwrite=overwrite), progress("looking") as on_picture:
        file = find_weights(run[0])
        _, data = open_own(read_about(file).info, file, given, split)
        models = load_together(run, device=device, show=show_bands)
        for one, model in zip(run, models, strict=True):
            check_classes(model.classes, data.classes, one)
        chosen = chosen_pictures(
            data,
            [predictor_of(model) for model in models],
            models[0].visible,
            names=picture or (),
            count=rows,
            limit=limit,
            on_picture=on_picture,
        )
        write_figure(runs_figure(chosen, names or short_names(run), data.classes), out)
    print(f"{out}: {', '.join(row.name for row in chosen)}")
    return 0
