"""``attseg profile``: what networks cost, counted in seconds without weights, and measured with ``--time``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from attseg.cli.options import Count, File, Json, Overwrite, Size, typed
from attseg.cli.output import print_result
from attseg.console import progress
from attseg.errors import UsageError
from attseg.recipes.files import value_of
from attseg.text import dimensions

SIZE = (512, 512)


def _read_pair(text: str) -> tuple[str, Any]:
    key, value = text.split("=", 1)
    return key, value_of(value)


Pairs = Annotated[
    tuple[tuple[str, Any], ...],
    typed(_read_pair, "KEY=VALUE, such as context=psp,", "KEY=VALUE", several=True),
]


def run(
    *model: str,
    encoder: Annotated[str | None, Parameter(metavar="NAME")] = None,
    arg: Pairs = (),
    num_classes: Count = None,
    size: Size = None,
    time: bool = False,
    device: Annotated[str | None, Parameter(metavar="NAME")] = None,
    plot: File = None,
    table: Annotated[str | None, Parameter(metavar="NAME")] = None,
    json: Json = False,
    overwrite: Overwrite = False,
) -> int:
    """Report what a network costs for one image: parameters, multiply-adds, and the memory of its activations.

    Multiply-adds are those of convolutions and matrix products; one multiply-add is two FLOPs. Two figures of memory are shown:
    activations kept for the backward pass in training, and the peak in inference. One MODEL is shown part by part, several in
    one table. Without --time nothing is computed, and no weights are needed.

    Args:
        model: A class (attseg models), a recipe (attseg recipes), a run folder, a .safetensors file, or demo.
        encoder: Short for --arg encoder=NAME.
        arg: An argument of the class. May be given several times.
        num_classes: Number of classes (default: 21; that of a trained network).
        size: Height x width of the image (default: 512x512).
        time: Measure latency and peak memory with random weights.
        device: Where --time measures: auto (a GPU if there is one), cpu, cuda or cuda:N.
        plot: Draw mIoU over multiply-adds of evaluated runs, as .png, .svg or .pdf.
        table: Compare a table of a paper with our counts: dfdam:4 or dfdam:6.

    Examples:
        attseg profile PAN
        attseg profile PAN DFDAM FCN --encoder resnet50 --num-classes 19 --size 512x1024
        attseg profile PAN --arg context=psp --arg pyramid_kernels=3,3,3
        attseg profile a2r-camvid --arg base_args.encoder=resnet34   the network that both image scales share
        attseg profile runs/pan-camvid --time                     how long an image takes here
        attseg profile runs/* --plot tradeoff.png                 mIoU over multiply-adds
        attseg profile --table dfdam:4                            a paper's numbers and ours, side by side
        attseg profile PAN FCN --json > costs.json
    """
    if table:
        if any((model, encoder, arg, num_classes, size, time, device, plot)):
            raise UsageError("--table says itself what is counted and how; leave out everything but --json")

        from attseg.profiling.report import paper_dict, profile_table
        from attseg.profiling.shown import paper_table_parts
        from attseg.profiling.tables import find_table

        paper = find_table(table)
        ours = profile_table(paper)
        print_result(paper_dict(paper, ours), paper_table_parts(paper, ours), json=json)
        return 0
    if not model:
        raise UsageError("no model was given; name a class such as PAN, a recipe or a run, or a paper's --table")
    if device and not time:
        raise UsageError("--device says where --time measures; add --time, or leave it out")

    from attseg.devices import find_device
    from attseg.models.frame import SMALLEST
    from attseg.profiling.count import profile
    from attseg.profiling.report import profiles_dict
    from attseg.profiling.shown import profiles_parts, timings_parts
    from attseg.profiling.speed import measure_cost
    from attseg.profiling.subject import find_subject

    if min(size := size or SIZE) < SMALLEST:
        raise UsageError(f"--size is {dimensions(size)}; at least {SMALLEST} x {SMALLEST} was expected")
    args = ({"encoder": encoder} if encoder else {}) | dict(arg)
    subjects = [find_subject(name, args, num_classes=num_classes) for name in model]
    place = find_device(device or "auto") if time else None
    profiles = [profile(subject.build(), size, channels=subject.in_channels) for subject in subjects]
    if plot:
        from attseg.profiling.chart import draw_tradeoff, read_score
        from attseg.written import outputs

        costs = [each.total.multiply_adds for each in profiles]
        points = [(Path(one.label).name, cost, read_score(one)) for one, cost in zip(subjects, costs, strict=True)]
        with outputs(plot, overwrite=overwrite):
            draw_tradeoff(points, size, plot)
    timings = []
    if place is not None:
        with progress("measuring", total=len(subjects)) as bar:
            for done, subject in enumerate(subjects, 1):
                timings.append(measure_cost(subject, size, place))
                bar(done, len(subjects))
    parts = [*profiles_parts(subjects, profiles, size), *(timings_parts(subjects, timings) if timings else ())]
    parts += [f"\nmIoU over multiply-adds is in {plot}"] * (plot is not None)
    print_result(profiles_dict(subjects, profiles, timings, size), parts, json=json)
    return 0
