"""``attseg explain``: a page that shows what a model's attention says about each pixel of a picture."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

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
first."""

EXAMPLES = (
    "attseg explain demo scene:3 --out scene.html",
    "attseg explain runs/pan-camvid street.jpg --at 120,80 --out street.html",
    "attseg explain runs/pan street.jpg --against runs/psanet --out compared.html",
    "attseg explain runs/psanet photo.jpg --longest 1000 --out photo.html",
)

SCENE = (240, 320)
"""Height and width of generated scenes."""

SHORTEST = 32
"""Least of ``--longest``: networks take nothing smaller."""


def run(argv: Sequence[str]) -> int:
    """Write a page."""
    parser = Parser("explain", TEXT, EXAMPLES)
    parser.add_argument("run", metavar="RUN", help="a run folder, a .safetensors file, or demo")
    parser.add_argument("image", metavar="IMAGE", help="a picture, or scene:N for a generated one")
    parser.add_argument("--out", type=Path, required=True, metavar="PAGE.html", help="where the page goes")
    parser.add_argument("--at", metavar="X,Y", help="pixel that is looked at first, from the left and from the top")
    parser.add_argument("--against", metavar="RUN", help="another model beside the first")
    parser.add_argument("--longest", metavar="N", help="scale the picture down to N pixels along its longer side first")
    parser.add_argument("--device", default="auto", help="auto (a GPU if there is one), cpu, cuda or cuda:N")
    arguments = parser.parse(argv)
    _check_out(arguments.out)
    at = None if arguments.at is None else _whole_numbers("--at", arguments.at, "120,80")
    longest = None if arguments.longest is None else _whole_numbers("--longest", arguments.longest, "1000")[0]
    if longest is not None and longest < SHORTEST:
        raise UsageError(f"--longest is {longest}; at least {SHORTEST} was expected")

    from attseg.cli.output import progress_bar
    from attseg.explain.bundle import make_bundle
    from attseg.explain.looked import check_pixel
    from attseg.explain.page.page import make_page
    from attseg.files import replacing

    image, name = read_picture(arguments.image, longest)
    if at is not None:
        check_pixel(at[0], at[1], (image.shape[0], image.shape[1]))
    runs = [arguments.run] if arguments.against is None else [arguments.run, arguments.against]
    with progress_bar() as bar:
        task = bar.add_task("looking", total=len(runs) + 1)
        sides = []
        for one in runs:
            sides.append(_look(one, image, arguments))
            bar.advance(task)
        page = make_page(make_bundle(image, sides, name=name, at=None if at is None else (at[0], at[1])))
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
    return np.asarray(picture), name


def _look(run: str, image: Array, arguments: Namespace) -> Side:
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


def _check_out(out: Path) -> None:
    if out.suffix.lower() not in (".html", ".htm"):
        raise UsageError(f"--out is {out}; the page is an HTML file: give it a name that ends in .html")


def _whole_numbers(option: str, text: str, example: str) -> list[int]:
    """As many whole numbers as the example has."""
    parts = [part.strip() for part in text.split(",")]
    if len(parts) != len(example.split(",")) or not all(part.isdecimal() for part in parts):
        raise UsageError(f"{option} is {text!r}; something like {example} was expected")
    return [int(part) for part in parts]
