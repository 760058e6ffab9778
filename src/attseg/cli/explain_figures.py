"""``attseg explain --figure`` and ``--claims``: the papers' figures of a picture, and their claims as numbers over a data set."""

from __future__ import annotations

from argparse import Namespace
from typing import TYPE_CHECKING

from attseg.cli.explain_subject import longest_of, look_at, points_of, read_picture
from attseg.cli.parser import Parser
from attseg.errors import UsageError, unknown
from attseg.recipes.recipe import DataSpec
from attseg.recipes.values import settings
from attseg.text import harmless

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from attseg.explain.figures.seen import Pictured
    from attseg.inference.segmenter import Segmenter

FIGURES = {
    "a2r-scales": "the weight of each image scale at each position, and by class",
    "a2r-recalibration": "what the recalibration does to each class",
    "dfdam-7": "channel weights of the high-level and the low-level map as curves; with --second of two pictures",
    "dfdam-8": "channels of the low-level map, and the confidence in each position",
    "pan-fpa": "the value of the pyramid at each position, and by class",
    "pan-gau": "channel weights of every global attention upsample",
    "psanet-6": "where points (--at, several times) collect from and whom they distribute to",
}

OF_FIGURES = {"second": ("dfdam-7", "dfdam-8"), "channels": ("dfdam-8",), "at": ("psanet-6",)}
"""Options and the figures that have a use for them."""

SUFFIXES = (".png", ".pdf", ".svg")

DATA = ("data.name", "data.root", "data.options")


def add_figures(parser: Parser) -> None:
    """Add the options of figures and of claims."""
    group = parser.add_argument_group("a figure of a paper, with --out FIGURE.png, .pdf or .svg")
    listed = "; ".join(f"{name}: {text}" for name, text in FIGURES.items())
    group.add_argument("--figure", metavar="NAME", help=listed)
    group.add_argument("--second", metavar="IMAGE", help="another picture beside the first, for dfdam-7 and dfdam-8")
    group.add_argument(
        "--channels", metavar="A,B,..", help="which channels dfdam-8 shows (default: lowest and highest)"
    )
    group = parser.add_argument_group("the papers' claims as numbers, with --out DIR and without IMAGE")
    group.add_argument("--claims", action="store_true", help="measure the attention of RUN over a split with labels")
    group.add_argument("--split", help="which split (default: the one that the run validated on)")
    group.add_argument("--limit", metavar="N", help="at most so many pictures, spread evenly over the split")
    group.add_argument("--points", metavar="N", help="points a picture for attention between positions (default: 32)")
    group.add_argument("--seed", metavar="N", help="what the points are drawn with (default: 0)")
    parser.add_settings(
        "data, for --claims (default: those of the run)", (s for s in settings(DataSpec, "data") if s.key in DATA)
    )


def check_figures(arguments: Namespace) -> None:
    """Refuse options of figures and of claims where neither is asked for, and both at once.

    Raises:
        UsageError: They do not go together.
    """
    if arguments.figure is not None and arguments.claims:
        raise UsageError("--figure draws one picture and --claims measures a data set; give one of them")
    if arguments.figure is None:
        _refuse(arguments, ("second", "channels"), "--figure")
    if not arguments.claims:
        _refuse(arguments, ("split", "limit", "points", "seed"), "--claims")
        if arguments.given:
            raise UsageError(f"--{next(iter(arguments.given))} is for --claims, which was not given")
    if not arguments.claims and arguments.image is None:
        raise UsageError("a picture is missing: give a file, or scene:N for a generated one")


def run_figure(arguments: Namespace) -> int:
    """Draw a figure of a picture."""
    name, out = arguments.figure, arguments.out
    if name not in FIGURES:
        raise unknown("figure", name, FIGURES)
    if arguments.against is not None:
        raise UsageError("--against compares in a page; a figure shows one model")
    for option, figures in OF_FIGURES.items():
        if getattr(arguments, option) and name not in figures:
            raise UsageError(f"--{option} has no meaning for {name}; it is for {' and '.join(figures)}")
    if out.suffix.lower() not in SUFFIXES:
        raise UsageError(f"the figure is to be {out}; a name that ends in .png, .pdf or .svg was expected")

    points, longest = points_of(arguments), longest_of(arguments)
    channels = _numbers("--channels", arguments.channels)

    from io import BytesIO

    from attseg.cli.output import progress_bar
    from attseg.files import replacing
    from attseg.inference.segmenter import load
    from attseg.written import outputs

    with outputs(out, overwrite=arguments.overwrite), progress_bar() as bar:
        task = bar.add_task("looking", total=2)
        segmenter = load(arguments.run, device=arguments.device)
        seen = _see(arguments.run, segmenter, arguments.image, longest)
        second = None if arguments.second is None else _see(arguments.run, segmenter, arguments.second, longest)
        bar.advance(task)
        figure = _draw(name, seen, second, points, channels)
        buffer = BytesIO()
        figure.savefig(buffer, format=out.suffix.lower().removeprefix("."), dpi=200)
        with replacing(out) as file:
            file.write(buffer.getvalue())
    print(f"{out}: {FIGURES[name]}")
    return 0


def run_claims(arguments: Namespace) -> int:
    """Measure over a split, and write claims.json, claims.md and claims.png."""
    for option in ("image", "against", "longest", "at"):
        if getattr(arguments, option):
            given = option.upper() if option == "image" else f"--{option}"
            raise UsageError(f"{given} has no meaning with --claims, which measures over a split of a data set")
    if arguments.out.suffix.lower() in (*SUFFIXES, ".html", ".json", ".md"):
        raise UsageError(f"--out is {arguments.out}; with --claims several files are written: give a folder")
    numbers = {name: _number(name, getattr(arguments, name)) for name in ("limit", "points", "seed")}

    import json

    from attseg.cli.output import progress_bar
    from attseg.cli.run_data import check_classes, data_spec, read_about, recipe_of
    from attseg.data.catalog import open_data
    from attseg.explain.claims.measure import measure
    from attseg.explain.claims.report import as_markdown, as_png, draw_claims
    from attseg.files import replacing
    from attseg.hub.sources import find_weights
    from attseg.inference.segmenter import load
    from attseg.written import outputs

    file = find_weights(arguments.run)
    spec = data_spec(arguments, file, recipe_of(read_about(file).info))
    segmenter = load(arguments.run, device=arguments.device)
    data = open_data(spec.name, arguments.split or spec.val, root=spec.root, **spec.options)
    check_classes(segmenter.classes, data.classes, arguments.run)
    places = [arguments.out / name for name in ("claims.json", "claims.md", "claims.png")]
    with outputs(*places, overwrite=arguments.overwrite):  # refused before minutes of work
        pass
    with progress_bar() as bar:
        task = bar.add_task("measuring", total=None)
        claims = measure(
            segmenter.model,
            data,
            segmenter.preprocessing,
            device=segmenter.device,
            on_picture=lambda done, total: bar.update(task, completed=done, total=total),
            **{name: value for name, value in numbers.items() if value is not None},
        )
    model = type(segmenter.model).__name__
    origin = {"model": model, "weights": str(file), "data": spec.name}
    text = as_markdown(claims, title=f"{model} on {spec.name} {data.split}")
    contents = {
        "claims.json": json.dumps(origin | claims.to_dict(), indent=2).encode(),
        "claims.md": harmless(text).encode(),
        "claims.png": as_png(draw_claims(claims)),
    }
    with outputs(*places, overwrite=arguments.overwrite):
        for name, content in contents.items():
            with replacing(arguments.out / name) as target:
                target.write(content)
    print(text)
    print(f"claims.json, claims.md and claims.png are in {arguments.out}")
    return 0


def _see(run: str, segmenter: Segmenter, source: str, longest: int | None) -> Pictured:
    from attseg.explain.figures.seen import Pictured

    image, _ = read_picture(source, longest, segmenter.preprocessing.value_range)
    side = look_at(run, segmenter, image)
    height, width = image.shape[:2]
    return Pictured(image, side.looked.labels[:height, :width], side.classes, side.looked)


def _draw(
    name: str, seen: Pictured, second: Pictured | None, points: list[tuple[int, int]], channels: list[int] | None
) -> Figure:
    from attseg.explain import figures

    match name:
        case "a2r-scales":
            return figures.a2r_scales(seen)
        case "a2r-recalibration":
            return figures.a2r_recalibration(seen)
        case "dfdam-7":
            return figures.dfdam_7(seen, second)
        case "dfdam-8":
            return figures.dfdam_8(seen, second, channels=channels)
        case "pan-fpa":
            return figures.pan_fpa(seen)
        case "pan-gau":
            return figures.pan_gau(seen)
    return figures.psanet_6(seen, points)


def _refuse(arguments: Namespace, options: tuple[str, ...], wanted: str) -> None:
    for option in options:
        if getattr(arguments, option) is not None:
            raise UsageError(f"--{option} is for {wanted}, which was not given")


def _number(name: str, text: str | None) -> int | None:
    numbers = _numbers(f"--{name}", text)
    if numbers is not None and (len(numbers) != 1 or (name != "seed" and numbers[0] < 1)):
        raise UsageError(f"--{name} is {text!r}; a whole number was expected{'' if name == 'seed' else ', at least 1'}")
    return None if numbers is None else numbers[0]


def _numbers(option: str, text: str | None) -> list[int] | None:
    if text is None:
        return None
    parts = [part.strip() for part in text.split(",")]
    if not all(part.isdecimal() for part in parts):
        raise UsageError(f"{option} is {text!r}; whole numbers were expected")
    return [int(part) for part in parts]
