"""Tables 1, 4 and 5 of PSANet (Zhao et al. 2018): ADE20K val, PASCAL VOC 2012 val, Cityscapes val."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from attseg.recipes.psanet import (
    PAPER,
    psanet_ade20k_50,
    psanet_ade20k_101,
    psanet_cityscapes_50,
    psanet_cityscapes_101,
    psanet_voc_50,
    psanet_voc_101,
)
from attseg.recipes.recipe import ModelSpec, Recipe
from attseg.recipes.tables.record import Figure, Row, Table, varied

VARIANTS: dict[str, dict[str, Any]] = {
    "baseline": {"directions": ()},
    "global": {"context": "global", "context_args": {"kernel": 3}},
    "aspp": {
        "context": "aspp",
        "context_args": {"rates": (6, 12, 18, 24), "point": False, "image_pooling": False, "merge": "sum"},
    },
    "nonlocal": {"context": "nonlocal", "context_args": {"fuse": "concat", "kernel": 3}},
    "psp": {"context": "psp"},
    "collect-compact": {"directions": ("collect",), "compact": True},
    "collect": {"directions": ("collect",)},
    "distribute": {"directions": ("distribute",)},
    "both": {},
}
"""Arguments by what a row changes; none is the full model."""

SINCE: dict[str, tuple[str, dict[str, Any]]] = {
    "danet": ("DANet (Fu et al., CVPR 2019)", {"context": "danet"}),
    "gcnet": ("GCNet (Cao et al., 2019)", {"context": "gcnet"}),
    "ccnet": ("CCNet (Huang et al., ICCV 2019)", {"context": "ccnet"}),
    "ocr": ("OCRNet (Yuan et al., ECCV 2020)", {"context": "ocr"}),
}
"""Modules that came after the paper, in the place of those in its table 1."""

DECODERS: dict[str, tuple[str, dict[str, Any]]] = {
    "upernet": ("UPerNet (Xiao et al., ECCV 2018)", {"context": "psp", "decoder": "upernet"}),
    "segformer-mlp": ("SegFormer's decoder (Xie et al., NeurIPS 2021)", {"decoder": "mlp"}),
}
"""Decoders since, on the same encoder at its own stride of 32 and without an auxiliary head."""


def _row(
    table: int,
    recipe: Recipe,
    variant: str,
    printed: str,
    single: tuple[float | None, float | None],
    multi: tuple[float, float],
) -> Row:
    depth = recipe.name.rpartition("-")[2]
    own = varied(recipe, "" if variant == "both" else variant, VARIANTS[variant])
    return Row.of(
        own,
        f"{PAPER}, table {table}",
        f"{depth}-{variant}",
        printed,
        *_figures(single, multi),
        variant=variant,
        baseline=f"{depth}-baseline",
    )


def _since(name: str, printed: str, recipe: Recipe) -> Row:
    """A row that the paper does not have."""
    figure = Figure(miou=None, protocol="psanet-sliding")
    return Row.of(recipe, f"not in {PAPER}", f"50-{name}", printed, figure, variant=name, baseline="50-baseline")


def _context_since(name: str, printed: str, args: dict[str, Any]) -> Row:
    recipe = varied(_ADE50, name, args)
    if name == "ocr":
        recipe = replace(recipe, loss=replace(recipe.loss, aux={**recipe.loss.aux, "coarse": 0.4}))
    return _since(name, printed, recipe)


def _decoder_since(name: str, printed: str, args: dict[str, Any]) -> Row:
    kept = {key: value for key, value in _ADE50.model.args.items() if key in ("encoder", "pretrained", "align_corners")}
    model = ModelSpec(name="FCN", args={**kept, "output_stride": 32, "channels": 512})
    return _since(name, printed, varied(_ADE50, name, args, model=model, aux=False))


def _figures(single: tuple[float | None, float | None], multi: tuple[float, float]) -> tuple[Figure, Figure]:
    return (
        Figure(miou=single[0], accuracy=single[1], protocol="psanet-sliding"),
        Figure(miou=multi[0], accuracy=multi[1], protocol="psanet-multiscale"),
    )


_ADE50, _ADE101 = psanet_ade20k_50(), psanet_ade20k_101()
_VOC50, _VOC101 = psanet_voc_50(), psanet_voc_101()
_CITY50, _CITY101 = psanet_cityscapes_50(), psanet_cityscapes_101()

TABLES = (
    Table(
        name="psanet:1",
        title="Ways to gather context, ADE20K val",
        source=f"{PAPER}, table 1",
        rows=(
            _row(1, _ADE50, "baseline", "ResNet50-Baseline", (37.23, 78.01), (38.48, 78.92)),
            Row.of(
                varied(_ADE50, "baseline", VARIANTS["baseline"]),
                f"{PAPER}, table 1",
                "50-crf",
                "ResNet50+DenseCRF",
                *_figures((37.97, 78.51), (38.86, 79.32)),
                variant="baseline",
                baseline="50-baseline",
                crf=True,
                note="the run of `50-baseline`, its predictions refined by a dense CRF",
            ),
            _row(1, _ADE50, "global", "ResNet50+GlobalPooling", (40.07, 79.52), (41.22, 80.35)),
            _row(1, _ADE50, "aspp", "ResNet50+ASPP", (40.39, 79.71), (42.18, 80.73)),
            _row(1, _ADE50, "nonlocal", "ResNet50+NonLocal", (40.93, 79.97), (41.94, 80.71)),
            _row(1, _ADE50, "psp", "ResNet50+PSP", (41.68, 80.04), (42.78, 80.76)),
            _row(1, _ADE50, "collect-compact", "ResNet50+COLLECT(Compact)", (41.07, 79.61), (41.99, 80.32)),
            _row(1, _ADE50, "collect", "ResNet50+COLLECT", (41.27, 79.74), (42.56, 80.56)),
            _row(1, _ADE50, "distribute", "ResNet50+DISTRIBUTE", (41.46, 80.12), (42.63, 80.90)),
            _row(1, _ADE50, "both", "ResNet50+COLLECT+DISTRIBUTE", (41.92, 80.17), (42.97, 80.92)),
            _row(1, _ADE101, "baseline", "ResNet101-Baseline", (39.66, 79.44), (40.71, 80.17)),
            _row(1, _ADE101, "collect", "ResNet101+COLLECT", (42.70, 80.53), (43.68, 81.24)),
            _row(1, _ADE101, "distribute", "ResNet101+DISTRIBUTE", (42.11, 80.01), (43.38, 81.12)),
            _row(1, _ADE101, "both", "ResNet101+COLLECT+DISTRIBUTE", (42.75, 80.71), (43.77, 81.51)),
        ),
    ),
    Table(
        name="psanet:since",
        title="Modules since, in the places of table 1, ADE20K val",
        source=f"Not in {PAPER}: its baseline and its module beside later ones",
        note="The paper has no such table, and nothing is quoted: figures of the modules' own papers are of other encoders and "
        "schedules.",
        rows=(
            _row(1, _ADE50, "baseline", "ResNet50-Baseline", (37.23, 78.01), (38.48, 78.92)),
            _row(1, _ADE50, "both", "ResNet50+COLLECT+DISTRIBUTE", (41.92, 80.17), (42.97, 80.92)),
            *(_context_since(name, printed, args) for name, (printed, args) in SINCE.items()),
            *(_decoder_since(name, printed, args) for name, (printed, args) in DECODERS.items()),
        ),
    ),
    Table(
        name="psanet:4",
        title="What PSA adds, VOC 2012 val",
        source=f"{PAPER}, table 4",
        note="The text that we have runs the first three rows together; they are those of ResNet50.",
        rows=(
            _row(4, _VOC50, "baseline", "Res50-Baseline", (67.12, 92.83), (67.57, 92.98)),
            _row(4, _VOC50, "collect", "+COL", (76.96, 94.79), (78.00, 95.01)),
            _row(4, _VOC50, "both", "+COL+DIS", (77.24, 94.88), (78.14, 95.12)),
            _row(4, _VOC101, "baseline", "Res101-Baseline", (70.64, 93.82), (71.22, 93.95)),
            _row(4, _VOC101, "collect", "+COL", (77.90, 95.02), (79.07, 95.32)),
            _row(4, _VOC101, "both", "+COL+DIS", (78.51, 95.18), (79.77, 95.43)),
        ),
    ),
    Table(
        name="psanet:5",
        title="What PSA adds, Cityscapes val",
        source=f"{PAPER}, table 5",
        note="The single-scale figures of Res101-Baseline are missing in the text that we have.",
        rows=(
            _row(5, _CITY50, "baseline", "Res50-Baseline", (71.93, 95.53), (72.99, 95.76)),
            _row(5, _CITY50, "collect", "+COL", (76.51, 95.95), (77.50, 96.15)),
            _row(5, _CITY50, "both", "+COL+DIS", (76.65, 95.99), (77.79, 96.24)),
            _row(5, _CITY101, "baseline", "Res101-Baseline", (None, None), (75.89, 96.23)),
            _row(5, _CITY101, "collect", "+COL", (77.06, 96.18), (78.05, 96.39)),
            _row(5, _CITY101, "both", "+COL+DIS", (77.94, 96.10), (79.05, 96.30)),
        ),
    ),
)
