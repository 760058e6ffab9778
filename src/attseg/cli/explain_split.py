"""``attseg explain`` over a split of a data set: the papers' claims as numbers, and what each map is worth."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from attseg.cli.output import print_parts, progress_bar
from attseg.errors import UsageError

if TYPE_CHECKING:
    from attseg.data.sample import SegmentationData
    from attseg.explain.switching import How
    from attseg.inference.segmenter import Segmenter
    from attseg.recipes.recipe import DataSpec

FIGURES = (".png", ".pdf", ".svg", ".html", ".json", ".md", ".csv")
"""Ends of names that are those of a file."""


def claims(
    run: str,
    out: Path,
    split: str | None,
    numbers: dict[str, int | None],
    given: dict[str, Any],
    *,
    device: str,
    overwrite: bool,
) -> int:
    """Measure the papers' claims, and write claims.json, claims.md and claims.png."""
    from attseg.explain.claims.measure import measure
    from attseg.explain.claims.report import as_markdown, write_claims
    from attseg.written import outputs

    places = _places(out, "--claims", ("claims.json", "claims.md", "claims.png"))
    segmenter, data, spec, file = _opened(run, split, given, device)
    with outputs(*places, overwrite=overwrite):  # refused before minutes of work
        pass
    with progress_bar() as bar:
        task = bar.add_task("measuring", total=None)
        found = measure(
            segmenter.model,
            data,
            segmenter.preprocessing,
            device=segmenter.device,
            on_picture=lambda done, total: bar.update(task, completed=done, total=total),
            **{name: value for name, value in numbers.items() if value is not None},
        )
    model = type(segmenter.model).__name__
    text = as_markdown(found, title=f"{model} on {spec.name} {data.split}")
    with outputs(*places, overwrite=overwrite):
        write_claims(found, out, origin={"model": model, "weights": str(file), "data": spec.name}, text=text)
    print(text)
    print(f"claims.json, claims.md and claims.png are in {out}")
    return 0


def ablation(
    run: str,
    out: Path,
    split: str | None,
    limit: int | None,
    given: dict[str, Any],
    *,
    maps: Sequence[str] | None,
    how: How | None,
    against: str | None,
    device: str,
    overwrite: bool,
) -> int:
    """Measure what each attention map is worth, and write ablation.json and ablation.csv."""
    from attseg.explain.ablation import ablate
    from attseg.explain.ablation_report import ablation_parts, write_ablation
    from attseg.inference.segmenter import load
    from attseg.written import outputs

    if against is None and how == "other":
        raise UsageError("--how is other, and there is no other model; name it with --against RUN")
    places = _places(out, "--ablate", ("ablation.json", "ablation.csv"))
    segmenter, data, spec, file = _opened(run, split, given, device)
    hows: tuple[How, ...] = ("off", "even") if how is None else () if how == "other" else (how,)
    with outputs(*places, overwrite=overwrite):
        pass
    with progress_bar() as bar:
        task = bar.add_task("measuring", total=None)
        found = ablate(
            segmenter,
            data,
            maps=maps,
            hows=hows,
            other=None if against is None else load(against, device=device),
            limit=limit,
            on_picture=lambda done, total: bar.update(task, completed=done, total=total),
        )
    origin = {
        "model": type(segmenter.model).__name__,
        "weights": str(file),
        "against": against,
        "data": spec.name,
    }
    with outputs(*places, overwrite=overwrite):
        write_ablation(found, out, origin=origin)
    print_parts(ablation_parts(found, title=f"{run} on {spec.name} {data.split}"))
    print(f"\nablation.json and ablation.csv are in {out}")
    return 0


def _places(out: Path, option: str, names: Sequence[str]) -> list[Path]:
    if out.suffix.lower() in FIGURES:
        raise UsageError(f"--out is {out}; with {option} several files are written: give a folder")
    return [out / name for name in names]


def _opened(
    run: str, split: str | None, given: dict[str, Any], device: str
) -> tuple[Segmenter, SegmentationData, DataSpec, Path]:
    """The model of a run, its data and where its weights are."""
    from attseg.data.catalog import open_data
    from attseg.evaluation.run_data import check_classes, data_spec, kept_spec, recipe_of
    from attseg.hub.sources import find_weights
    from attseg.inference.segmenter import load, read_about

    file = find_weights(run)
    spec = kept_spec(data_spec(given, recipe_of(read_about(file).info), file), given, file)
    segmenter = load(run, device=device)
    data = open_data(spec.name, split or spec.val, root=spec.root, **spec.options)
    check_classes(segmenter.classes, data.classes, run)
    return segmenter, data, spec, file
