"""``attseg explain``: a page that shows what a model's attention says about each pixel of a picture."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Sequence
from pathlib import Path

from attseg.cli.explain_figures import add_figures, check_figures, run_claims, run_figure
from attseg.cli.explain_subject import longest_of, look_at, points_of, read_picture
from attseg.cli.parser import Parser
from attseg.errors import UsageError

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


def run(argv: Sequence[str]) -> int:
    """Write a page, draw a figure, or measure claims."""
    parser = Parser("explain", TEXT, EXAMPLES)
    parser.add_argument("run", metavar="RUN", help="a run folder, a .safetensors or exported file, or demo")
    parser.add_argument("image", metavar="IMAGE", nargs="?", help="a picture, or scene:N for a generated one")
    parser.add_argument("--out", type=Path, required=True, metavar="PAGE.html", help="where it goes")
    parser.add_argument(
        "--at", metavar="X,Y", action="append", default=[], help="pixel looked at first, from the left and from the top"
    )
    parser.add_argument("--against", metavar="RUN", help="another model beside the first")
    parser.add_argument("--longest", metavar="N", help="scale the picture down to N pixels along its longer side first")
    parser.add_argument("--device", default="auto", help="auto (a GPU if there is one), cpu, cuda or cuda:N")
    parser.add_argument("--overwrite", action="store_true", help="replace files that attseg did not write")
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

    from attseg.written import outputs

    with outputs(arguments.out, overwrite=arguments.overwrite):
        return _write(arguments, points, longest)


def _write(arguments: Namespace, points: list[tuple[int, int]], longest: int | None) -> int:
    from attseg.cli.output import progress_bar
    from attseg.data.preprocessing import common_range
    from attseg.explain.bundle import make_bundle
    from attseg.explain.looked import check_pixel
    from attseg.explain.page.page import make_page
    from attseg.files import replacing
    from attseg.inference.segmenter import load

    runs = [arguments.run] if arguments.against is None else [arguments.run, arguments.against]
    segmenters = [load(one, device=arguments.device) for one in runs]
    value_range = common_range(runs, [segmenter.preprocessing for segmenter in segmenters])
    image, name = read_picture(arguments.image, longest, value_range)
    for x, y in points:
        check_pixel(x, y, (image.shape[0], image.shape[1]))
    with progress_bar() as bar:
        task = bar.add_task("looking", total=len(runs) + 1)
        sides = []
        for one, segmenter in zip(runs, segmenters, strict=True):
            sides.append(look_at(one, segmenter, image))
            bar.advance(task)
        page = make_page(make_bundle(image, sides, name=name, at=next(iter(points), None)))
        with replacing(arguments.out) as file:
            file.write(page.encode())
    print(f"{arguments.out}: {len(page) / 1e6:.1f} MB; open it in a browser")
    return 0


def _check_out(out: Path) -> None:
    if out.suffix.lower() not in (".html", ".htm"):
        raise UsageError(f"--out is {out}; the page is an HTML file: give it a name that ends in .html")
