"""``attseg profile``: what networks cost, counted in seconds without weights, and measured with ``--time``."""

from __future__ import annotations

from collections.abc import Sequence
from json import dumps
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from attseg.cli.options import Json, Overwrite, Size, Whole
from attseg.cli.output import print_parts, progress_bar
from attseg.cli.settings import value_of
from attseg.errors import UsageError

if TYPE_CHECKING:
    from attseg.profiling.subject import Subject

SIZE = (512, 512)


def run(
    *model: str,
    encoder: str | None = None,
    arg: Annotated[list[str] | None, Parameter(metavar="KEY=VALUE")] = None,
    num_classes: Whole = None,
    size: Size = None,
    time: bool = False,
    device: str | None = None,
    plot: Path | None = None,
    table: str | None = None,
    json: Json = False,
    overwrite: Overwrite = False,
) -> int:
    """Report what a network costs for one image: parameters, multiply-adds, and the memory of its activations.

    Multiply-adds are those of convolutions and matrix products; FLOPs are two each. Memory is what training keeps for the
    backward pass, and the most that is alive at once in inference. One MODEL is shown part by part, several make one table.
    Nothing is computed and no weights are needed, unless --time measures.

    Args:
        model: A class (attseg models), a recipe (attseg recipes), a run folder, a .safetensors file, or demo.
        encoder: Short for --arg encoder=NAME.
        arg: An argument of the class; may be given several times.
        num_classes: Number of classes (default: 21; a trained network has its own).
        size: Height and width of the image (default: 512x512).
        time: Measure latency and peak memory with random weights.
        device: Where --time measures: auto (a GPU if there is one), cpu, cuda or cuda:N.
        plot: File to draw mIoU over multiply-adds of evaluated runs in.
        table: Show the rows of a paper's table beside ours: dfdam:4 or dfdam:6.

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
            raise UsageError("--table says itself what is counted and how; leave out all else but --json")
        return _table(table, json=json)
    if not model:
        raise UsageError("no model was given; name a class such as PAN, a recipe or a run, or a paper's --table")
    if device and not time:
        raise UsageError("--device says where --time measures; add --time, or leave it out")
    if num_classes is not None and num_classes < 1:
        raise UsageError(f"--num-classes is {num_classes}; at least 1 was expected")
    args = ({"encoder": encoder} if encoder else {}) | _arguments(arg or [])

    from attseg.devices import find_device
    from attseg.models.frame import SMALLEST
    from attseg.profiling.count import profile
    from attseg.profiling.report import profiles_dict
    from attseg.profiling.shown import profiles_parts, timings_parts
    from attseg.profiling.speed import measure_cost
    from attseg.profiling.subject import find_subject

    size = size or SIZE
    if min(size) < SMALLEST:
        raise UsageError(f"--size is {size[0]} x {size[1]}; at least {SMALLEST} x {SMALLEST} was expected")
    subjects = [find_subject(name, args, num_classes=num_classes) for name in model]
    place = find_device(device or "auto") if time else None
    profiles = [profile(subject.build(), size, channels=subject.in_channels) for subject in subjects]
    if plot:
        _plot(subjects, [each.total.multiply_adds for each in profiles], size, plot, overwrite=overwrite)
    timings = []
    if place is not None:
        with progress_bar() as bar:
            timings = [measure_cost(each, size, place) for each in bar.track(subjects, description="measuring")]
    if json:
        print(dumps(profiles_dict(subjects, profiles, timings, size), indent=2))
        return 0
    print_parts(profiles_parts(subjects, profiles, size))
    if timings:
        print_parts(timings_parts(subjects, timings))
    if plot:
        print(f"\nmIoU over multiply-adds is in {plot}")
    return 0


def _table(name: str, *, json: bool) -> int:
    """A paper's table, with what we count beside what it prints."""
    from attseg.profiling.report import paper_dict, profile_table
    from attseg.profiling.shown import paper_table_parts
    from attseg.profiling.tables import find_table

    table = find_table(name)
    ours = profile_table(table)
    if json:
        print(dumps(paper_dict(table, ours), indent=2))
    else:
        print_parts(paper_table_parts(table, ours))
    return 0


def _arguments(given: Sequence[str]) -> dict[str, Any]:
    """Arguments of the constructor."""
    pairs = {}
    for text in given:
        key, equals, value = text.partition("=")
        if not equals or not key:
            raise UsageError(f"--arg is {text!r}; KEY=VALUE was expected, such as context=psp")
        pairs[key] = value_of(value)
    return pairs


def _plot(subjects: list[Subject], costs: list[int], size: tuple[int, int], out: Path, *, overwrite: bool) -> None:
    from attseg.profiling.chart import draw_tradeoff, read_score
    from attseg.written import outputs

    points = [(Path(each.label).name, cost, read_score(each)) for each, cost in zip(subjects, costs, strict=True)]
    with outputs(out, overwrite=overwrite):
        draw_tradeoff(points, size, out)
