"""Tables 1, 2, 3 and 5 of DF-DAM (Xiong et al. 2019): PASCAL VOC 2012 val, Cityscapes val."""

from __future__ import annotations

from typing import Any

from attseg.recipes.dfdam import PAPER, dfdam_cityscapes, dfdam_voc_50, dfdam_voc_101
from attseg.recipes.recipe import Recipe
from attseg.recipes.tables.record import Figure, Row, Table, varied

MULTISCALE = "dfdam-multiscale"
VARIANTS: dict[str, dict[str, Any]] = {
    "sum": {"gates": "none", "confidence": "none"},
    "dafm": {"confidence": "none"},
    "dafm-2dpam": {},
}
"""Arguments by what a row changes; none is the full model."""


def _ablation(table: int, recipe: Recipe, depth: int, miou: tuple[float, float, float]) -> tuple[Row, ...]:
    """The three rows of an encoder."""
    printed = ("Sum (baseline)", "DAFM", "DAFM + 2DPAM")
    return tuple(
        Row.of(
            varied(recipe, variant if args else "", args),
            f"{PAPER}, table {table}",
            f"{depth}-{variant}",
            f"Res{depth}, {name}",
            Figure(miou=value),
            variant=variant,
            baseline=f"{depth}-sum",
        )
        for (variant, args), name, value in zip(VARIANTS.items(), printed, miou, strict=True)
    )


def _seen(
    table: int, recipe: Recipe, network: str, miou: tuple[float, float, float], note: str = ""
) -> tuple[Row, ...]:
    """One network seen in three ways."""
    ways = (
        ("single", network, Figure(miou=miou[0]), ""),
        ("ms", f"{network}, MS", Figure(miou=miou[1], protocol=MULTISCALE, changes={"flip": False}), ""),
        ("ms-flip", f"{network}, MS, Flip", Figure(miou=miou[2], protocol=MULTISCALE), note),
    )
    source = f"{PAPER}, table {table}"
    return tuple(
        Row.of(recipe, source, name, printed, figure, variant="dafm-2dpam", baseline="single", note=note)
        for name, printed, figure, note in ways
    )


TABLES = (
    Table(
        name="dfdam:1",
        title="What each module adds, VOC 2012 val",
        source=f"{PAPER}, table 1",
        rows=(
            *_ablation(1, dfdam_voc_50(), 50, (68.2, 73.7, 74.6)),
            *_ablation(1, dfdam_voc_101(), 101, (72.9, 76.8, 77.9)),
        ),
    ),
    Table(
        name="dfdam:2",
        title="What each module adds, Cityscapes val",
        source=f"{PAPER}, table 2",
        rows=_ablation(2, dfdam_cityscapes(), 18, (70.3, 72.8, 73.1)),
    ),
    Table(
        name="dfdam:3",
        title="Several scales and the mirror, Cityscapes val; one run, seen in three ways",
        source=f"{PAPER}, table 3",
        rows=_seen(3, dfdam_cityscapes(), "Ours (Res18)", (73.1, 74.6, 74.9)),
    ),
    Table(
        name="dfdam:5",
        title="Several scales and the mirror, VOC 2012 val; one run, seen in three ways",
        source=f"{PAPER}, table 5",
        rows=_seen(
            5,
            dfdam_voc_101(),
            "Ours (Res101)",
            (77.90, 79.55, 79.83),
            "the text that we have ticks MS alone, as in the row before; Flip is read from table 3",
        ),
    ),
)
