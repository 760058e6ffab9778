"""``attseg explain`` without some attention maps: the names of the maps, and what changes in an image."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from io import BytesIO
from json import dumps
from pathlib import Path
from typing import TYPE_CHECKING

from attseg.cli.output import print_parts, progress_bar
from attseg.errors import UsageError
from attseg.text import TextTable

if TYPE_CHECKING:
    from attseg.data.classes import ClassTable
    from attseg.explain.change import MapChange
    from attseg.explain.switching import How

SUFFIXES = (".png", ".pdf", ".svg")
"""Kinds of figures."""

MOVES = 8
"""Moves between classes that are printed."""


def names(run: str, *, device: str) -> int:
    """Print the names of a model's maps."""
    from attseg.explain.passes import Passes
    from attseg.explain.switching import describe
    from attseg.inference.segmenter import load

    model = load(run, device=device).model
    passes = Passes(model)
    if not passes.taps:
        print(f"this {type(model).__name__} has no attention")
        return 0
    rows = [
        (name, passes.mechanism(path), tap.kind, describe(tap, "off"))
        for path, tap in passes.taps.items()
        for name in passes.names_of(path)
    ]
    print_parts([TextTable(("map", "mechanism", "kind", "switched off"), rows)])
    return 0


def without(
    run: str,
    image: str,
    maps: Sequence[str],
    how: How,
    *,
    out: Path | None,
    against: str | None,
    longest: int | None,
    show_bands: tuple[int, ...] | None,
    json: bool,
    device: str,
    overwrite: bool,
) -> int:
    """Print what changes without some maps, and draw it."""
    if out is not None and out.suffix.lower() not in SUFFIXES:
        raise UsageError(
            f"--out is {out}; with --without a figure is drawn: give a name that ends in .png, .pdf or .svg"
        )
    if (how == "other") != (against is not None):
        raise UsageError("--how other takes the maps of the model that --against names; give both, or neither")

    from attseg.data.preprocessing import common_reading
    from attseg.explain.change import without
    from attseg.explain.figures import change_panels
    from attseg.explain.figures.seen import Pictured
    from attseg.explain.passes import Passes
    from attseg.explain.subject import look_at, read_picture
    from attseg.explain.switching import describe, find_maps
    from attseg.files import replacing
    from attseg.inference.segmenter import load
    from attseg.written import outputs

    with outputs(*([out] if out else []), overwrite=overwrite), progress_bar() as bar:
        bar.add_task("looking", total=None)
        runs = [run] if against is None else [run, against]
        segmenters = [load(one, device=device) for one in runs]
        segmenters[0].show_bands(show_bands)
        find_maps(segmenters[0].model, maps)  # a wrong name is told before anything is computed
        pixels, name = read_picture(image, longest, common_reading(runs, [one.preprocessing for one in segmenters]))
        height, width = pixels.shape[:2]
        looked = [look_at(*pair, pixels).looked for pair in zip(runs, segmenters, strict=True)]
        change = without(looked[0], maps, how, other=looked[1] if against else None).within(height, width)
        passes = Passes(segmenters[0].model)
        means = {
            describe(tap, how): None for path, tap in passes.taps.items() if {*passes.names_of(path)} & {*change.maps}
        }
        classes = segmenters[0].classes
        if out is not None:
            seen = Pictured(segmenters[0].visible(pixels), looked[0].labels[:height, :width], classes, looked[0])
            buffer = BytesIO()
            change_panels(seen, change).savefig(buffer, format=out.suffix.lower().removeprefix("."), dpi=200)
            with replacing(out) as file:
                file.write(buffer.getvalue())
    if json:
        print(dumps({"run": run, "against": against, "image": name, **change.to_dict(classes.names)}, indent=2))
    else:
        print_parts(_parts(change, classes, f"{name}, {', '.join(change.maps)}: {how}\n{how}: {'; '.join(means)}"))
        if out is not None:
            print(f"\n{out}: the prediction with and without, and where it changes")
    return 0


def _parts(change: MapChange, classes: ClassTable, title: str) -> Iterator[str | TextTable]:
    values = change.to_dict(classes.names)
    total = values["pixels"]
    yield title
    yield (
        f"{values['changed']} of {total} pixels change class ({values['share']:.2%}); on average "
        f"{values['probability_moved']:.2%} of a pixel's probability moves\n"
    )
    rows = [
        (one["name"], _percent(one["before"], total), _percent(one["after"], total), one["lost"], one["gained"])
        for one in values["classes"]
    ]
    yield TextTable(("class", "area % before", "area % after", "pixels lost", "pixels gained"), rows)
    if values["moves"]:
        most = values["moves"][:MOVES]
        yield ""
        yield TextTable(("from", "to", "pixels"), [(one["before"], one["after"], one["pixels"]) for one in most])


def _percent(part: int, total: int) -> str:
    return f"{100 * part / total:.2f}"
