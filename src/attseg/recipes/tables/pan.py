"""Tables 1 to 5 of the Pyramid Attention Network (Li et al. 2018): PASCAL VOC 2012 val."""

from __future__ import annotations

from typing import Any

from attseg.recipes.pan import PAPER, pan_voc
from attseg.recipes.tables.record import Figure, Row, Table, varied

MULTISCALE = "pan-multiscale"
BASELINES = {1: "baseline", 2: "psp", 3: "baseline", 5: "single"}
"""The row of a table that the others are compared with."""

NO_FPA: dict[str, Any] = {"context": "none", "decoder": "bilinear"}
C333: dict[str, Any] = {"pyramid_kernels": (3, 3, 3), "decoder": "bilinear"}
C357: dict[str, Any] = {"decoder": "bilinear"}


def _row(
    table: int,
    name: str,
    printed: str,
    miou: float,
    accuracy: float,
    args: dict[str, Any],
    *,
    variant: str = "",
    **protocol: Any,
) -> Row:
    """A row; its variant is its name, unless it stands in another table too. Without arguments it is the full model."""
    what = (variant or name) if args else ""
    figure = Figure(miou=miou, accuracy=accuracy, **protocol)
    source, baseline = f"{PAPER}, table {table}", BASELINES.get(table, "")
    return Row.of(
        varied(pan_voc(), what, args), source, name, printed, figure, variant=what or "pan", baseline=baseline
    )


def _quoted(name: str, printed: str, miou: float, note: str, *, baseline: str = "") -> Row:
    return Row(name=name, printed=printed, figures=(Figure(miou=miou),), baseline=baseline, note=note)


TABLES = (
    Table(
        name="pan:1",
        title="Feature pyramid attention in different settings, VOC 2012 val",
        source=f"{PAPER}, table 1",
        rows=(
            _row(1, "baseline", "ResNet101", 72.60, 93.90, NO_FPA),
            _row(1, "se", "ResNet101+SE", 75.74, 94.48, {**NO_FPA, "context": "se"}),
            _row(
                1,
                "c333-max",
                "ResNet101+C333+MAX",
                77.13,
                94.79,
                {**C333, "pyramid_pool": "max", "global_branch": False},
            ),
            _row(1, "c333-ave", "ResNet101+C333+AVE", 77.54, 94.89, {**C333, "global_branch": False}),
            _row(1, "c333-max-gp", "ResNet101+C333+MAX+GP", 77.29, 94.81, {**C333, "pyramid_pool": "max"}),
            _row(1, "c333-ave-gp", "ResNet101+C333+AVE+GP", 77.61, 94.88, C333),
            _row(
                1,
                "c357-max",
                "ResNet101+C357+MAX",
                77.40,
                94.77,
                {**C357, "pyramid_pool": "max", "global_branch": False},
            ),
            _row(1, "c357-ave", "ResNet101+C357+AVE", 78.19, 95.00, {**C357, "global_branch": False}),
            _row(1, "c357-max-gp", "ResNet101+C357+MAX+GP", 77.03, 94.71, {**C357, "pyramid_pool": "max"}),
            _row(1, "c357-ave-gp", "ResNet101+C357+AVE+GP", 78.37, 95.03, C357),
        ),
    ),
    Table(
        name="pan:2",
        title="FPA beside other modules, VOC 2012 val",
        source=f"{PAPER}, table 2",
        rows=(
            _row(2, "psp", "ResNet101+PSPNet*", 76.82, 94.62, {**NO_FPA, "context": "psp"}),
            _quoted(
                "deeplabv3",
                "DeepLab V3 (stride=16)",
                77.21,
                "quoted from the paper of DeepLab V3; its module is `context='aspp'`",
                baseline="psp",
            ),
            _row(2, "fpa", "ResNet101+FPA", 78.37, 95.03, C357, variant="c357-ave-gp"),
        ),
    ),
    Table(
        name="pan:3",
        title="The decoder in different settings, VOC 2012 val",
        source=f"{PAPER}, table 3",
        note="The text that we have has lost the places of the ticks; the settings follow from the prose of section 4.1.2.",
        rows=(
            _row(3, "baseline", "ResNet101", 72.60, 93.90, NO_FPA),
            _row(3, "gau-plain", "ResNet101+GAU, 3x3 conv", 73.56, 94.15, {"context": "none", "gau_context": False}),
            _row(3, "gau-1x1", "ResNet101+GAU, GP, 1x1 conv", 77.48, 94.89, {"context": "none", "gau_kernel": 1}),
            _row(3, "gau", "ResNet101+GAU, GP, 3x3 conv", 77.84, 94.96, {"context": "none"}),
        ),
    ),
    Table(
        name="pan:4",
        title="GAU beside other decoders, VOC 2012 val",
        source=f"{PAPER}, table 4",
        rows=(
            _quoted(
                "dfn-rrb",
                "DFN(Res-101+RRB)",
                76.65,
                "quoted from the paper of DFN; its decoder is `FCN(decoder='rrb', decoder_args={'attention': False, "
                "'global_pooling': False})`",
            ),
            _quoted(
                "gcn",
                "Global Convolution Network",
                77.50,
                "quoted, and trained with MS-COCO too; its decoder is `FCN(decoder='gcn')`",
            ),
            _row(4, "gau", "ResNet101+GAU", 77.84, 94.96, {"context": "none"}),
        ),
    ),
    Table(
        name="pan:5",
        title="The whole network, VOC 2012 val; one run, seen in three ways",
        source=f"{PAPER}, table 5",
        rows=(
            _row(5, "single", "PAN", 79.38, 95.25, {}),
            _row(5, "ms", "PAN, MS", 80.77, 95.65, {}, protocol=MULTISCALE, changes={"flip": False}),
            _row(5, "ms-flip", "PAN, MS, Flip", 81.19, 95.75, {}, protocol=MULTISCALE),
        ),
    ),
)
