"""``attseg profile``: what networks cost, counted in seconds without weights, and measured with ``--time``."""

from __future__ import annotations

import json
import re
from argparse import Namespace
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from attseg.cli.output import progress_bar
from attseg.cli.parser import Parser, value_of
from attseg.cli.profile_report import (
    paper_dict,
    print_paper_table,
    print_profiles,
    print_timings,
    profiles_dict,
)
from attseg.errors import UsageError

if TYPE_CHECKING:
    from attseg.profiling.speed import Latency
    from attseg.profiling.subject import Subject

TEXT = """\
Say what a network costs for one picture: parameters, multiply-adds (of convolutions and matrix products; FLOPs
are two each), and the memory of its activations: what training keeps for the backward pass, and the most that is
alive at once in inference. One MODEL is shown part by part, several make one table. Nothing is computed and no
weights are needed, unless --time measures.

MODEL is a class (`attseg models`), a recipe (`attseg recipes`), or something trained: a run folder, a .safetensors
file, demo."""

EXAMPLES = (
    "attseg profile PAN",
    "attseg profile PAN DFDAM FCN --encoder resnet50 --num-classes 19 --size 512x1024",
    "attseg profile PAN --arg context=psp --arg pyramid_kernels=3,3,3",
    "attseg profile a2r-camvid --arg base_args.encoder=resnet34   the network that both image scales share",
    "attseg profile runs/pan-camvid --time                     how long a picture takes here",
    "attseg profile runs/* --plot tradeoff.png                 mIoU over multiply-adds",
    "attseg profile --table dfdam:4                            a paper's numbers and ours, side by side",
    "attseg profile PAN FCN --json > costs.json",
)

SIZE = "512x512"


def run(argv: Sequence[str]) -> int:
    """Count, measure if asked to, and print."""
    parser = Parser("profile", TEXT, EXAMPLES)
    parser.add_argument("models", nargs="*", metavar="MODEL", help="classes, recipes, run folders, .safetensors files")
    parser.add_argument("--encoder", metavar="NAME", help="short for --arg encoder=NAME")
    parser.add_argument("--arg", action="append", default=[], metavar="KEY=VALUE", help="an argument of the class")
    parser.add_argument(
        "--num-classes", type=int, metavar="N", help="classes (default: 21; a trained network has its own)"
    )
    parser.add_argument("--size", metavar="HxW", help=f"height and width of the picture (default: {SIZE})")
    parser.add_argument("--time", action="store_true", help="measure latency and peak memory with random weights")
    parser.add_argument("--device", help="where --time measures: auto (a GPU if there is one), cpu, cuda or cuda:N")
    parser.add_argument("--overwrite", action="store_true", help="replace a file at --plot that attseg did not write")
    parser.add_argument("--plot", type=Path, metavar="FILE", help="draw mIoU over multiply-adds of evaluated runs")
    parser.add_argument("--table", metavar="NAME", help="rows of a paper beside ours: dfdam:4 or dfdam:6")
    parser.add_argument("--json", action="store_true", help="one JSON object on standard output")
    arguments = parser.parse(argv)
    return _table(arguments) if arguments.table else _profile(arguments)


def _profile(arguments: Namespace) -> int:
    from attseg.profiling.count import profile
    from attseg.profiling.speed import find_device
    from attseg.profiling.subject import find_subject

    if not arguments.models:
        raise UsageError("no model was given; name a class such as PAN, a recipe or a run, or a paper's --table")
    if arguments.device and not arguments.time:
        raise UsageError("--device says where --time measures; add --time, or leave it out")
    size, args = _size(arguments.size or SIZE), _arguments(arguments)
    subjects = [find_subject(name, args, num_classes=arguments.num_classes) for name in arguments.models]
    device = find_device(arguments.device or "auto") if arguments.time else None
    profiles = [profile(subject.build(), size) for subject in subjects]
    if arguments.plot:
        _plot(
            subjects,
            [each.total.multiply_adds for each in profiles],
            size,
            arguments.plot,
            overwrite=arguments.overwrite,
        )
    timings = _measure(subjects, size, device) if device is not None else []
    if arguments.json:
        print(json.dumps(profiles_dict(subjects, profiles, timings, size), indent=2))
        return 0
    print_profiles(subjects, profiles, size)
    if timings:
        print_timings(subjects, timings)
    if arguments.plot:
        print(f"\nmIoU over multiply-adds is in {arguments.plot}")
    return 0


def _table(arguments: Namespace) -> int:
    """A paper's table, with what we count beside what it prints."""
    from attseg.profiling.count import profile
    from attseg.profiling.subject import find_subject
    from attseg.profiling.tables import find_table

    given = ("encoder", "arg", "num_classes", "size", "time", "device", "plot")
    if arguments.models or any(getattr(arguments, name) for name in given):
        raise UsageError("--table says itself what is counted and how; leave out all else but --json")
    table = find_table(arguments.table)
    subjects = [
        find_subject(row.model, row.args, num_classes=table.num_classes) if row.model else None for row in table.rows
    ]
    ours = [profile(subject.build(), table.size) if subject else None for subject in subjects]
    if arguments.json:
        print(json.dumps(paper_dict(table, ours), indent=2))
    else:
        print_paper_table(table, ours)
    return 0


def _size(text: str) -> tuple[int, int]:
    from attseg.models.frame import SMALLEST

    found = re.fullmatch(r"(\d+)[x×,](\d+)", text.strip())
    if not found:
        raise UsageError(f"the size is {text!r}; HEIGHTxWIDTH in pixels was expected, such as 512x1024")
    height, width = int(found[1]), int(found[2])
    if min(height, width) < SMALLEST:
        raise UsageError(f"the size is {height} x {width}; at least {SMALLEST} x {SMALLEST} was expected")
    return height, width


def _arguments(arguments: Namespace) -> dict[str, Any]:
    """Arguments of the constructor."""
    args = {"encoder": arguments.encoder} if arguments.encoder else {}
    for text in arguments.arg:
        key, equals, value = text.partition("=")
        if not equals or not key:
            raise UsageError(f"--arg is {text!r}; KEY=VALUE was expected, such as context=psp")
        args[key] = value_of(value)
    if arguments.num_classes is not None and arguments.num_classes < 1:
        raise UsageError(f"--num-classes is {arguments.num_classes}; at least 1 was expected")
    return args


def _plot(subjects: list[Subject], costs: list[int], size: tuple[int, int], out: Path, *, overwrite: bool) -> None:
    from attseg.profiling.chart import draw_tradeoff, read_score
    from attseg.written import outputs

    points = [(Path(each.label).name, cost, read_score(each)) for each, cost in zip(subjects, costs, strict=True)]
    with outputs(out, overwrite=overwrite):
        draw_tradeoff(points, size, out)


def _measure(subjects: list[Subject], size: tuple[int, int], device: Any) -> list[tuple[Latency, int | None]]:
    """Latency and peak memory of each."""
    import torch

    from attseg.profiling.memory import measure_memory
    from attseg.profiling.speed import measure_gpu_memory, measure_latency

    found = []
    with progress_bar() as bar:
        for subject in bar.track(subjects, description="measuring"):
            model = subject.build("cpu").to(device)
            images = torch.rand(1, 3, *size, device=device)
            latency = measure_latency(model, images)
            on_gpu = device.type == "cuda"
            memory = measure_gpu_memory(model, images) if on_gpu else measure_memory(subject, size)
            found.append((latency, memory))
    return found
