"""``attseg explain``: a page of attention, a figure of a paper, a paper's claims as numbers, or what is lost without a map."""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path
from typing import Annotated, Any, Literal

from cyclopts import Group, Parameter

from attseg.cli import options
from attseg.cli.output import print_parts, print_result
from attseg.cli.settings import with_settings
from attseg.console import progress
from attseg.errors import UsageError
from attseg.explain.named_figures import FIGURES, check_figure
from attseg.text import listed

USED = {
    "page": "image out at against labels longest show_bands",
    "figure": "image out at labels longest show_bands second second_labels channels",
    "maps": "",
    "without": "image out against longest show_bands how json",
    "claims": "out split limit points seed data",
    "ablate": "out against split limit without how data",
}
"""What can be done, and the options that each uses, beside --device and --overwrite."""

PAPER = Parameter(group=Group("A figure of a paper, with --out FIGURE.png, .pdf or .svg", sort_key=5))
WITHOUT = Parameter(group=Group("Without some attention maps", sort_key=6))
SPLIT = Parameter(group=Group("Over a data set, with --out DIR and without IMAGE", sort_key=7))
NAMES = Parameter(metavar="NAME", help="; ".join(f"{name}: {one.about}" for name, one in FIGURES.items()))


@options.unwrapped
@dataclass(frozen=True, kw_only=True)
class Asked:
    """Options of the verb.

    Args:
        out: File to write, such as page.html; a folder for --claims and --ablate.
        at: Pixel to look at first: x from the left, y from the top. Several times for psanet-6.
        against: Another model, shown beside the first; with --how other, the model whose maps are used.
        labels: Labels of IMAGE, shown beside the prediction (default: those of a generated scene, or of the data set of RUN where
            IMAGE is one of its pictures).
        longest: First scale the image down to N pixels along its longer side.
        second: Another image beside the first, for dfdam-7 and dfdam-8.
        second_labels: Labels of the other image.
        channels: Channels that dfdam-8 shows (default: lowest and highest).
        maps: List the names of the attention maps.
        without: A map to switch off, by its name or its mechanism, such as gau. May be given several times.
        how: off (default): a gate is 1, attention gathers nothing, and of several image scales only the largest counts; even: all
            weights are equal, with the same sum (even recalibration changes the same classes as off); other: the map of the model
            that --against names.
        claims: Measure what the paper says of its attention, over a split with labels.
        ablate: Measure the mIoU that each map is worth, switched off and made even; --without chooses maps.
        limit: At most N images, spread evenly over the split.
        points: Points in each image at which attention between positions is measured (default: 32).
        seed: Seed with which the points are drawn (default: 0).
    """

    out: Path | None = None
    at: options.Pixels = ()
    against: Annotated[str | None, Parameter(metavar="RUN")] = None
    labels: Annotated[str | None, Parameter(metavar="FILE")] = None
    longest: Annotated[int | None, options.at_least(32)] = None  # networks take nothing smaller
    show_bands: options.ShowBands = None
    device: options.Device = "auto"
    overwrite: options.Overwrite = False
    figure: Annotated[str | None, PAPER, NAMES] = None
    second: Annotated[str | None, PAPER, Parameter(metavar="IMAGE")] = None
    second_labels: Annotated[str | None, PAPER, Parameter(metavar="FILE")] = None
    channels: Annotated[options.Numbers, PAPER] = None
    maps: Annotated[bool, WITHOUT] = False
    without: Annotated[list[str] | None, WITHOUT, Parameter(metavar="NAME")] = None
    how: Annotated[Literal["off", "even", "other"] | None, WITHOUT] = None
    json: Annotated[options.Json, WITHOUT] = False
    claims: Annotated[bool, SPLIT] = False
    ablate: Annotated[bool, SPLIT] = False
    split: Annotated[options.Split, SPLIT] = None
    limit: Annotated[options.Whole, SPLIT] = None
    points: Annotated[options.Whole, SPLIT] = None
    seed: Annotated[options.Whole, SPLIT] = None


@with_settings(("Settings of the data, for --claims and --ablate (default: those of the run)", options.data_settings()))
def run(
    run: options.RunName,
    image: str | None = None,
    /,
    *,
    asked: Annotated[Asked, Parameter(name="*")] = Asked(),
    given: dict[str, Any],
) -> int:
    """Write a page that shows what the attention of a model says about each pixel of an image.

    The page is one file that needs no network and can be sent to anybody. It holds the image, the prediction, and for the
    pixel under the pointer what each attention map says: which positions it collects from and distributes to, how much each
    image scale counts, how each class is changed, how far the gate of each channel is open.

    The page keeps large images at 1200 pixels along the longer side and averages large maps, and says so. With --longest the
    network itself gets a smaller image, which takes less time and memory. --against shows a second model beside the first.

    With --figure, a figure of one of the papers is drawn instead. With --without, maps are switched off; how the prediction
    changes is printed, and drawn if --out names a figure. Over a data set, --claims measures what the papers say of their
    attention, and --ablate the mIoU that each map is worth.

    Args:
        image: An image file, or scene:N for a generated one.

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
    task = _task(asked, image, given)
    if task == "maps":
        from attseg.explain.switching import map_parts
        from attseg.inference.segmenter import load

        print_parts(map_parts(load(run, device=asked.device).model))
        return 0
    out = asked.out
    if image is None and task not in ("claims", "ablate"):
        raise UsageError("a picture is missing: give a file, or scene:N for a generated one")
    if task == "without":
        return _without(run, str(image), out, asked)
    if out is None:
        raise UsageError("--out is missing: say where to write, such as --out page.html")
    if task in ("claims", "ablate"):
        return _over_split(task, run, out, asked, given)
    return (_figure if task == "figure" else _page)(run, str(image), out, asked)


def _task(asked: Asked, image: str | None, data: dict[str, Any]) -> str:
    """What is to be done; options that it does not use are refused."""
    tasks = [name for name in ("figure", "maps", "claims", "ablate") if getattr(asked, name)]
    tasks += ["without"] * (asked.without is not None and not asked.ablate)
    if len(tasks) > 1:
        raise UsageError(f"{listed([f'--{name}' for name in tasks])} are different things to do; give one of them")
    task = tasks[0] if tasks else "page"
    given = [(name, f"--{name.replace('_', '-')}") for name in _given(asked) if name != task]
    given += [("image", "IMAGE")] * (image is not None) + [("data", f"--{name}") for name in data]
    for name, option in given:
        users = [one for one, used in USED.items() if name in used.split()]
        if users and task not in users:
            known = listed(["a page" if one == "page" else f"--{one}" for one in users])
            if task == "page":
                raise UsageError(f"{option} is for {known}, which {'was' if len(users) == 1 else 'were'} not given")
            raise UsageError(f"{option} has no meaning with --{task}; it is for {known}")
    return task


def _given(asked: Asked) -> list[str]:
    """Names of the options that were given."""
    return [field.name for field in fields(asked) if getattr(asked, field.name) != field.default]


def _page(run: str, image: str, out: Path, asked: Asked) -> int:
    options.check_ending(out, ".html", ".htm")
    if len(asked.at) > 1:
        raise UsageError(
            f"--at was given {len(asked.at)} times; a page looks at one pixel first (--figure psanet-6 at several)"
        )

    from attseg.explain.page.of_image import page_of
    from attseg.files import write_file
    from attseg.inference.together import load_together
    from attseg.written import outputs

    with outputs(out, overwrite=asked.overwrite), progress("looking"):
        runs = [run, *filter(None, [asked.against])]
        models = load_together(runs, device=asked.device, show=asked.show_bands)
        at = next(iter(asked.at), None)
        text = page_of(runs, models, image, at=at, longest=asked.longest, labels=asked.labels)
        write_file(out, text)
    print(f"{out}: {len(text) / 1e6:.1f} MB; open it in a browser")
    return 0


def _figure(run: str, image: str, out: Path, asked: Asked) -> int:
    name = asked.figure or ""
    check_figure(name, [option.replace("_", "-") for option in _given(asked)])
    if asked.second_labels is not None and asked.second is None:
        raise UsageError("--second-labels are labels of the image that --second names, which was not given")
    options.check_ending(out, *options.FIGURE)

    from attseg.explain.figures import draw
    from attseg.explain.figures.panels import write_figure
    from attseg.explain.subject import picture
    from attseg.inference.together import load_together
    from attseg.written import outputs

    with outputs(out, overwrite=asked.overwrite), progress("looking"):
        (model,) = load_together([run], device=asked.device, show=asked.show_bands)
        first = picture(run, model, image, asked.longest, asked.labels)
        second = picture(run, model, asked.second, asked.longest, asked.second_labels) if asked.second else None
        write_figure(draw(name, first, second, points=asked.at, channels=asked.channels), out)
    print(f"{out}: {FIGURES[name].about}")
    return 0


def _without(run: str, image: str, out: Path | None, asked: Asked) -> int:
    how, names = asked.how or "off", asked.without or ()
    if out is not None:
        options.check_ending(out, *options.FIGURE)
    if (how == "other") != (asked.against is not None):
        raise UsageError("--how other takes the maps of the model that --against names; give both, or neither")

    from attseg.explain.change import change_parts, without
    from attseg.explain.figures import change_panels
    from attseg.explain.figures.panels import write_figure
    from attseg.explain.subject import picture
    from attseg.explain.switching import describe_switched, find_maps
    from attseg.inference.together import load_together
    from attseg.written import outputs

    with outputs(*filter(None, [out]), overwrite=asked.overwrite), progress("looking"):
        runs = [run, *filter(None, [asked.against])]
        models = load_together(runs, device=asked.device, show=asked.show_bands)
        find_maps(models[0].model, names)  # a wrong name is told before anything is computed
        seen, *others = (picture(*each, image, asked.longest) for each in zip(runs, models, strict=True))
        change = without(seen.looked, names, how, other=others[0].looked if others else None)
        change = change.within(*seen.labels.shape)
        if out is not None:
            write_figure(change_panels(seen, change), out)
    values = {"run": run, "against": asked.against, "image": seen.name, **change.to_dict(seen.classes.names)}
    title = (
        f"{seen.name}, {', '.join(change.maps)}: {how}\n{how}: {describe_switched(models[0].model, change.maps, how)}"
    )
    print_result(values, change_parts(change, seen.classes.names, title), json=asked.json)
    if out is not None and not asked.json:
        print(f"\n{out}: the prediction with and without, and where it changes")
    return 0


def _over_split(task: str, run: str, out: Path, asked: Asked, given: dict[str, Any]) -> int:
    if out.suffix.lower() in (*options.FIGURE, ".html", ".json", ".md", ".csv"):
        raise UsageError(f"--out is {out}; with --{task} several files are written: give a folder")
    if asked.how == "other" and asked.against is None:
        raise UsageError("--how is other, and there is no other model; name it with --against RUN")

    from attseg.evaluation.run_data import check_classes, open_own
    from attseg.explain.ablation import ablate
    from attseg.explain.ablation_report import ablation_parts, write_ablation
    from attseg.explain.claims.measure import measure
    from attseg.explain.claims.report import as_markdown, write_claims
    from attseg.hub.sources import find_weights
    from attseg.inference.segmenter import load, read_about
    from attseg.written import outputs

    file = find_weights(run)
    spec, data = open_own(read_about(file).info, file, given, asked.split)
    model = load(run, device=asked.device)
    check_classes(model.classes, data.classes, run)
    names = ("claims.json", "claims.md", "claims.png") if task == "claims" else ("ablation.json", "ablation.csv")
    origin = {"model": type(model.model).__name__, "weights": str(file), "data": spec.name}
    with outputs(*(out / name for name in names), overwrite=asked.overwrite), progress("measuring") as on_picture:
        if task == "claims":
            numbers = {name: getattr(asked, name) for name in ("limit", "points", "seed")}
            claims = measure(
                model.model,
                data,
                model.preprocessing,
                device=model.device,
                on_picture=on_picture,
                **{name: number for name, number in numbers.items() if number is not None},
            )
            text = as_markdown(claims, title=f"{origin['model']} on {spec.name} {data.split}")
            write_claims(claims, out, origin=origin, text=text)
            print(text)
        else:
            found = ablate(
                model,
                data,
                maps=asked.without,
                hows=("off", "even") if asked.how is None else () if asked.how == "other" else (asked.how,),
                other=None if asked.against is None else load(asked.against, device=asked.device),
                limit=asked.limit,
                on_picture=on_picture,
            )
            write_ablation(found, out, origin=origin | {"against": asked.against})
            print_parts([*ablation_parts(found, title=f"{run} on {spec.name} {data.split}"), ""])
    print(f"{listed(names)} are in {out}")
    return 0
