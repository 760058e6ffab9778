"""``attseg explain``: a page of attention, a figure of a paper, a paper's claims as numbers, or what is lost without a map."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path
from typing import Annotated, Any, Literal

from cyclopts import Group, Parameter

from attseg.cli import explain_page, explain_split, explain_without
from attseg.cli.explain_without import SUFFIXES
from attseg.cli.options import Device, Json, Numbers, Overwrite, RunName, ShowBands, Whole, data_settings, read_numbers
from attseg.cli.output import progress_bar
from attseg.cli.settings import with_settings
from attseg.errors import UsageError, unknown

FIGURES = {
    "a2r-scales": "the weight of each image scale at each position, and by class",
    "a2r-recalibration": "what the recalibration does to each class",
    "dfdam-7": "channel weights of the high-level and the low-level map as curves; with --second of two pictures",
    "dfdam-8": "channels of the low-level map, the confidence in each position, and the labels (--labels)",
    "pan-fpa": "the value of the pyramid at each position, and by class",
    "pan-gau": "channel weights of every global attention upsample",
    "psanet-6": "where points (--at, several times) collect from and whom they distribute to",
}

OF_FIGURES = {
    "second": ("dfdam-7", "dfdam-8"),
    "labels": ("dfdam-8",),
    "second_labels": ("dfdam-8",),
    "channels": ("dfdam-8",),
    "at": ("psanet-6",),
}
"""Options and the figures that have a use for them."""

SHORTEST = 32
"""Least of ``--longest``: networks take nothing smaller."""

PAPER = Parameter(group=Group("A figure of a paper, with --out FIGURE.png, .pdf or .svg", sort_key=5))
WITHOUT = Parameter(group=Group("Without some attention maps", sort_key=6))
CLAIMS = Parameter(group=Group("Over a data set, with --out DIR and without IMAGE", sort_key=7))


@with_settings(("Settings of the data, for --claims and --ablate (default: those of the run)", data_settings()))
def run(
    run: RunName,
    image: str | None = None,
    /,
    *,
    out: Path | None = None,
    at: Annotated[list[str] | None, Parameter(metavar="X,Y")] = None,
    against: Annotated[str | None, Parameter(metavar="RUN")] = None,
    labels: Annotated[str | None, Parameter(metavar="FILE")] = None,
    longest: Whole = None,
    show_bands: ShowBands = None,
    device: Device = "auto",
    overwrite: Overwrite = False,
    figure: Annotated[
        str | None,
        PAPER,
        Parameter(metavar="NAME", help="; ".join(f"{name}: {text}" for name, text in FIGURES.items())),
    ] = None,
    second: Annotated[str | None, Parameter(metavar="IMAGE"), PAPER] = None,
    second_labels: Annotated[str | None, Parameter(metavar="FILE"), PAPER] = None,
    channels: Annotated[Numbers, PAPER] = None,
    maps: Annotated[bool, WITHOUT] = False,
    without: Annotated[list[str] | None, WITHOUT, Parameter(metavar="NAME")] = None,
    how: Annotated[Literal["off", "even", "other"] | None, WITHOUT] = None,
    json: Annotated[Json, WITHOUT] = False,
    claims: Annotated[bool, CLAIMS] = False,
    ablate: Annotated[bool, CLAIMS] = False,
    split: Annotated[str | None, CLAIMS] = None,
    limit: Annotated[Whole, CLAIMS] = None,
    points: Annotated[Whole, CLAIMS] = None,
    seed: Annotated[Whole, CLAIMS] = None,
    given: dict[str, Any],
) -> int:
    """Write a page that shows what the attention of a model says about each pixel of an image.

    The page is one file that needs no network and can be sent to anybody: the image, what the model predicts, and for the
    pixel under the pointer what each of its attention maps says: where it collects from and distributes to, which image
    scale counts, what is done to each class, how wide each channel's gate is open.

    Large images are kept at 1200 pixels along the longer side, and large maps as means; the page says so. With --longest
    the network itself gets a smaller image, which takes less time and memory. --against puts a second model beside the
    first.

    With --figure, a figure of one of the papers is drawn instead. With --without, maps are switched off, and what changes in
    the prediction is printed, and drawn where --out says. Over a data set, --claims measures what the papers say of their
    attention, and --ablate the mIoU that each map is worth.

    Args:
        image: An image file, or scene:N for a generated one.
        out: File to write, such as page.html; over a data set a folder.
        at: Pixel to look at first, from the left and from the top; several times for psanet-6.
        against: Another model beside the first; with --how other, the one whose maps are taken.
        longest: Scale the image down to N pixels along its longer side first.
        second: Another image beside the first, for dfdam-7 and dfdam-8.
        labels: Labels of IMAGE, shown beside the prediction (default: those of a generated scene, or of the data set of RUN where
            IMAGE is one of its pictures).
        second_labels: Labels of the other image.
        channels: Channels that dfdam-8 shows (default: lowest and highest).
        maps: List the names of the maps.
        without: A map to switch, by its name or that of its mechanism, such as gau; several times for several.
        how: off (default; a gate is 1, nothing is gathered, of image scales the largest counts alone), even (all weights alike,
            of the same total; even recalibration changes the same classes as off), or other (the map of --against).
        claims: Measure the attention of RUN over a split with labels.
        ablate: Measure the mIoU that each map is worth, off and even; --without names some.
        split: Split to measure on (default: the one that the run validated on).
        limit: At most so many images, spread evenly over the split.
        points: Points of each image for attention between positions (default: 32).
        seed: Seed of the points (default: 0).

    Examples:
        attseg explain demo scene:3 --out scene.html
        attseg explain runs/pan-camvid street.jpg --at 120,80 --out street.html
        attseg explain runs/pan street.jpg --against runs/psanet --out compared.html
        attseg explain runs/psanet photo.jpg --longest 1000 --out photo.html
        attseg explain runs/psanet street.jpg --figure psanet-6 --at 120,80 --at 300,200 --out figure-6.pdf
        attseg explain demo --maps
        attseg explain demo scene:3 --without fpa --out without.png
        attseg explain runs/pan street.jpg --without gau --how other --against runs/pan-2
        attseg explain runs/dfdam-camvid --claims --split test --out claims
        attseg explain runs/pan-camvid --ablate --out ablation
    """
    numbers = {"limit": limit, "points": points, "seed": seed}
    tasks = {"--figure": figure is not None, "--claims": claims, "--ablate": ablate, "--maps": maps}
    tasks["--without"] = without is not None and not ablate
    if len(asked := [option for option, given_one in tasks.items() if given_one]) > 1:
        raise UsageError(f"{' and '.join(asked)} are different things to do; give one of them")
    if figure is None:
        of_figure = {"--second": second, "--second_labels": second_labels, "--channels": channels}
        _refuse(of_figure, "is for --figure, which was not given")
    if without is None:
        _refuse({"--how": None if ablate else how, "--json": json or None}, "is for --without, which was not given")
    if maps:
        _refuse({"IMAGE": image, "--out": out}, "has no meaning with --maps, which prints names")
        return explain_without.names(run, device=device)
    if without is not None and not ablate:
        _refuse(
            {
                "--at": at,
                "--labels": labels,
                "--split": split,
                **{f"--{n}": v for n, v in {**numbers, **given}.items()},
            },
            "has no meaning here",
        )
        return explain_without.without(
            run,
            _needed(image),
            without,
            how or "off",
            out=out,
            against=against,
            longest=longest,
            show_bands=show_bands,
            json=json,
            device=device,
            overwrite=overwrite,
        )
    if out is None:
        raise UsageError("--out is missing: say where to write, such as --out page.html")
    if claims or ablate:
        meaning = f"has no meaning with {asked[0]}, which measures over a split of a data set"
        of_image = {
            "IMAGE": image,
            "--longest": longest,
            "--at": at,
            "--show-bands": show_bands,
            "--json": json or None,
            "--labels": labels,
        }
        _refuse({**of_image, "--against": against if claims else None}, meaning)
        if ablate:
            _refuse({"--points": points, "--seed": seed}, "is for --claims, which was not given")
        for name, number in numbers.items():
            if number is not None and number < (name != "seed"):
                raise UsageError(f"--{name} is {number}; a whole number was expected, at least {int(name != 'seed')}")
        if claims:
            return explain_split.claims(run, out, split, numbers, given, device=device, overwrite=overwrite)
        return explain_split.ablation(
            run,
            out,
            split,
            limit,
            given,
            maps=without,
            how=how,
            against=against,
            device=device,
            overwrite=overwrite,
        )
    _refuse(
        {f"--{name}": value for name, value in {"split": split, **numbers, **given}.items()},
        "is for --claims and --ablate, which were not given",
    )
    image = _needed(image)
    if longest is not None and longest < SHORTEST:
        raise UsageError(f"--longest is {longest}; at least {SHORTEST} was expected")
    places = [_pixel(text) for text in at or []]
    if figure is None:
        shown = show_bands
        return explain_page.page(
            run, image, out, places, against, longest, shown, labels, device=device, overwrite=overwrite
        )
    if figure not in FIGURES:
        raise unknown("figure", figure, FIGURES)
    if against is not None:
        raise UsageError("--against compares in a page; a figure shows one model")
    given_to = {"second": second, "labels": labels, "second_labels": second_labels, "channels": channels, "at": at}
    for option, value in given_to.items():
        if value and figure not in OF_FIGURES[option]:
            raise UsageError(f"--{option} has no meaning for {figure}; it is for {' and '.join(OF_FIGURES[option])}")
    if second_labels is not None and second is None:
        raise UsageError("--second_labels are labels of the image that --second names, which was not given")
    if out.suffix.lower() not in SUFFIXES:
        raise UsageError(f"the figure is to be {out}; a name that ends in .png, .pdf or .svg was expected")

    from attseg.explain.figures import draw
    from attseg.explain.subject import picture
    from attseg.files import replacing
    from attseg.inference.segmenter import load
    from attseg.written import outputs

    with outputs(out, overwrite=overwrite), progress_bar() as bar:
        bar.add_task("looking", total=None)
        segmenter = load(run, device=device)
        segmenter.show_bands(show_bands)
        first = picture(run, segmenter, image, longest, labels)
        other = None if second is None else picture(run, segmenter, second, longest, second_labels)
        buffer = BytesIO()
        drawn = draw(figure, first, other, points=places, channels=channels)
        drawn.savefig(buffer, format=out.suffix.lower().removeprefix("."), dpi=200)
        with replacing(out) as file:
            file.write(buffer.getvalue())
    print(f"{out}: {FIGURES[figure]}")
    return 0


def _needed(image: str | None) -> str:
    if image is None:
        raise UsageError("a picture is missing: give a file, or scene:N for a generated one")
    return image


def _refuse(options: dict[str, Any], why: str) -> None:
    for name, value in options.items():
        if value is not None:
            raise UsageError(f"{name} {why}")


def _pixel(text: str) -> tuple[int, int]:
    try:
        x, y = read_numbers(text)
    except ValueError:
        raise UsageError(f"--at is {text!r}; something like 120,80 was expected") from None
    return x, y
