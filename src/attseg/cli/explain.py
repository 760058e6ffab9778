"""``attseg explain``: a page that shows what a model's attention says about each pixel of a picture."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from attseg.cli.explain_figures import add_figures, check_figures, run_claims, run_figure
from attseg.cli.parser import Parser
from attseg.errors import UsageError

if TYPE_CHECKING:
    from attseg.data.sample import Array
    from attseg.explain.bundle import Side

TEXT = """\
Look into a model. The page is one file that needs no network and can be sent to anybody: the picture, what the
model predicts, and for the pixel under the pointer what each of its attention maps says - where it collects from
and gives to, which image scale counts, what is done to each class, how wide each channel's gate is open.

Large pictures are kept at 1200 pixels along the longer side, and large maps as means; the page says so. With --longest
the network itself sees a smaller picture, which takes less time and memory. --against puts a second model beside the
first.

With --figure, a figure of one of the papers is drawn instead; with --claims, what the papers say of their attention is
measured over a data set."""

EXAMPLES = (
    "attseg explain demo scene:3 --out scene.html",
    "attseg explain runs/pan-camvid street.jpg --at 120,80 --out street.html",
    "attseg explain runs/pan street.jpg --against runs/psanet --out compared.html",
    "attseg explain runs/psanet photo.jpg --longest 1000 --out photo.html",
    "attseg explain runs/psanet street.jpg --figure psanet-6 --at 120,80 --at 300,200 --out figure-6.pdf",
    "attseg explain runs/dfdam-camvid --claims --split test --out claims",
)

SCENE = (240, 320)
"""Height and width of generated scenes."""

SHORTEST = 32
"""Least of ``--longest``: networks take nothing smaller."""


def run(argv: Sequence[str]) -> int:
    """Write a page, draw a figure, or measure claims."""
    parser = Parser("explain", TEXT, EXAMPLES)
    parser.add_argument("run", metavar="RUN", help="a run folder, a .safetensors file, or demo")
    parser.add_argument("image", metavar="IMAGE", nargs="?", help="a picture, or scene:N for a generated one")
    parser.add_argument("--out", type=Path, required=True, metavar="PAGE.html", help="where it goes")
    parser.add_argument(
        "--at", metavar="X,Y", action="append", default=[], help="pixel looked at first, from the left and from the top"
    )
    parser.add_argument("--against", metavar="RUN", help="another model beside the first")
    parser.add_argument("--longest", metavar="N", help="scale the picture down to N pixels along its longer side first")
    parser.add_argument("--device", default="auto", help="auto (a GPU if there is one), cpu, cuda or cuda:N")
    add_figures(parser)
    arguments = parser.parse(argv)
    check_figures(arguments)
    if arguments.claims:
        return run_claims(arguments)
    if arguments.figure is not None:
        return run_figure(arguments)
    return _write_page(arguments)


def _write_page(arguments: Namespace) -> int:
    _check_out(arguments.out)
    points, longest = points_of(arguments), longest_of(arguments)
    if len(points) > 1:
        raise UsageError(
            f"--at was given {len(points)} times; a page looks at one pixel first (--figure psanet-6 at several)"
        )

    from attseg.cli.output import progress_bar
    from attseg.explain.bundle import make_bundle
    from attseg.explain.looked import check_pixel
    from attseg.explain.page.page import make_page
    from attseg.files import replacing

    image, name = read_picture(arguments.image, longest)
    for x, y in points:
        check_pixel(x, y, (image.shape[0], image.shape[1]))
    runs = [arguments.run] if arguments.against is None else [arguments.run, arguments.against]
    with progress_bar() as bar:
        task = bar.add_task("looking", total=len(runs) + 1)
        sides = []
        for one in runs:
            sides.append(look_at(one, image, arguments))
            bar.advance(task)
        page = make_page(make_bundle(image, sides, name=name, at=next(iter(points), None)))
        with replacing(arguments.out) as file:
            file.write(page.encode())
    print(f"{arguments.out}: {len(page) / 1e6:.1f} MB; open it in a browser")
    return 0


def read_picture(source: str, longest: int | None = None) -> tuple[Array, str]:
    """A picture file, or the generated scene that ``scene:N`` means, with its name.

    Args:
        source: As on the command line.
        longest: Pixels along the longer side to which a larger picture is scaled down.

    Raises:
        UsageError: There is no such file, or N is no number.
        DataError: The file cannot be read as a picture.
    """
    import numpy as np
    from PIL import Image

    from attseg.data.reading.image import read_image
    from attseg.data.sets.scenes import Scenes
    from attseg.files import no_such_path

    kind, _, number = source.partition(":")
    path = Path(source).expanduser()
    if kind == "scene" and not path.exists():
        if not number.isdecimal() or int(number) > 1_000_000:
            raise UsageError(
                f"{source!r} names no scene; scene:0, scene:1 and so on were expected, up to scene:1000000"
            )
        image, name = Scenes("val", size=SCENE, count=int(number) + 1)[int(number)].image, f"scene {number}"
    elif path.is_dir():
        raise UsageError(f"{source} is a folder; a page shows one picture: give a file")
    elif not path.exists():
        raise no_such_path(path)
    else:
        image, name = read_image(path), path.stem
    if longest is None or max(image.shape[:2]) <= longest:
        return image, name
    picture = Image.fromarray(image)
    picture.thumbnail((longest, longest), Image.Resampling.LANCZOS)
    return np.array(picture), name


def look_at(run: str, image: Array, arguments: Namespace) -> Side:
    """What the model of a run makes of a picture."""
    import torch

    from attseg.explain.bundle import Side, scale_names
    from attseg.explain.looked import look
    from attseg.inference.segmenter import load
    from attseg.prediction.whole import as_batch

    segmenter = load(run, device=arguments.device)
    try:
        looked = look(segmenter.model, as_batch(image, segmenter.preprocessing, segmenter.device))
    except (RuntimeError, MemoryError) as error:
        if not isinstance(error, torch.OutOfMemoryError | MemoryError) and "DefaultCPUAllocator" not in str(error):
            raise
        raise UsageError(
            f"{run} does not fit into the memory of {segmenter.device} for a picture of {image.shape[1]} x {image.shape[0]}; "
            "let it see a smaller one, such as with --longest 1000, or use another device"
        ) from error
    title = type(segmenter.model).__name__
    return Side(title, Path(run).name, segmenter.classes, looked, scale_names(segmenter.model))


def points_of(arguments: Namespace) -> list[tuple[int, int]]:
    """The pixels (x, y) that ``--at`` names.

    Raises:
        UsageError: One is not two whole numbers.
    """
    pairs = (_whole_numbers("--at", text, "120,80") for text in arguments.at)
    return [(x, y) for x, y in pairs]


def longest_of(arguments: Namespace) -> int | None:
    """What ``--longest`` says.

    Raises:
        UsageError: It is no number, or too small.
    """
    if arguments.longest is None:
        return None
    (longest,) = _whole_numbers("--longest", arguments.longest, "1000")
    if longest < SHORTEST:
        raise UsageError(f"--longest is {longest}; at least {SHORTEST} was expected")
    return longest


def _check_out(out: Path) -> None:
    if out.suffix.lower() not in (".html", ".htm"):
        raise UsageError(f"--out is {out}; the page is an HTML file: give it a name that ends in .html")


def _whole_numbers(option: str, text: str, example: str) -> list[int]:
    """As many whole numbers as the example has."""
    parts = [part.strip() for part in text.split(",")]
    if len(parts) != len(example.split(",")) or not all(part.isdecimal() for part in parts):
        raise UsageError(f"{option} is {text!r}; something like {example} was expected")
    return [int(part) for part in parts]
