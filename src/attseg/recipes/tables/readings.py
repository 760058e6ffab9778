"""Tables of readings: what the papers leave open, the other choices as rows beside ours.

One table a paper, ``PAPER:readings``. Each choice is compared with the row that has our reading; a ``Reading:`` in a docstring
names the row of the choice that was not taken.
"""

from __future__ import annotations

from typing import Any

from attseg.recipes import dfdam, pan, psanet, refine
from attseg.recipes.recipe import Recipe
from attseg.recipes.tables import psanet as psanet_tables
from attseg.recipes.tables.record import Figure, Row, Table, varied

ALL = "readings"
"""Stands for all tables of readings."""

TITLE = "What the paper leaves open, read otherwise"
NOTE = "Parameters and multiply-adds are of the row's own network at the paper's crop, whatever the scale of the runs."


def _ours(
    name: str, printed: str, recipe: Recipe, variant: str, miou: float | None = None, protocol: str = "single"
) -> Row:
    """A row of our reading, of which the paper has a figure."""
    source = recipe.source.rpartition(", ")[0]
    return Row.of(recipe, source, name, printed, Figure(miou=miou, protocol=protocol), variant=variant)


def _other(
    name: str, printed: str, recipe: Recipe, args: dict[str, Any], *, protocol: str = "single", **more: Any
) -> Row:
    """A row of another reading, of which the paper has no figure."""
    source, figure = f"not in {recipe.source.rpartition(', ')[0]}", Figure(miou=None, protocol=protocol)
    return Row.of(varied(recipe, name, args), source, name, printed, figure, **more)


_A2R, _PAN, _DFDAM, _PSA = refine.a2r_voc(), pan.pan_voc(), dfdam.dfdam_voc_101(), psanet.psanet_ade20k_50()
_SCALE = varied(_A2R, "attention-to-scale", {"merge": "attention"})
HALF: dict[str, Any] = {"crop_size": (233, 233)}
"""PSA with filters for the offsets within half of the crop's height and width."""


def _pan(name: str, printed: str, **args: Any) -> Row:
    return _other(name, printed, _PAN, args, baseline="pan")


def _dfdam(name: str, printed: str, **args: Any) -> Row:
    return _other(name, printed, _DFDAM, args, baseline="dfdam")


def _psa(name: str, printed: str, *, baseline: str = "psanet", protocol: str = "psanet-sliding", **args: Any) -> Row:
    return _other(name, printed, _PSA, args, baseline=baseline, protocol=protocol)


def _compared(name: str, printed: str, miou: float) -> Row:
    """A module of PSANet's table 1 as its row there has it."""
    return _ours(
        name, printed, varied(_PSA, name, psanet_tables.VARIANTS[name]), name, miou=miou, protocol="psanet-sliding"
    )


TABLES = (
    Table(
        name="a2r:readings",
        title=TITLE,
        source=refine.PAPER,
        note=NOTE,
        costs=True,
        rows=(
            _ours("a2r", "dilations 2 and 12, multiplication", _A2R, "ours", miou=67.98),
            _other("dilations-12-2", "dilations 12 and 2", _A2R, {"dilations": (12, 2)}, baseline="a2r"),
            _other(
                "bias",
                "signed bias in place of multiplication",
                _A2R,
                {"recalibration": "signed-bias"},
                baseline="a2r",
                note="section 2.2 has it at around 1 % below the multiplication",
            ),
            _ours("attention-to-scale", "attention-to-scale, batch norm", _SCALE, "attention-to-scale", miou=64.74),
            _other(
                "no-norm",
                "attention-to-scale, no batch norm",
                _A2R,
                {"merge": "attention", "attention_norm": False},
                baseline="attention-to-scale",
            ),
        ),
    ),
    Table(
        name="dfdam:readings",
        title=TITLE,
        source=dfdam.PAPER,
        note=NOTE,
        costs=True,
        rows=(
            _ours("dfdam", "both gates, confidence from the raw map", _DFDAM, "dafm-2dpam", miou=77.9),
            _dfdam("gates-high", "gate on the high-level map alone", gates="high"),
            _dfdam("gates-low", "gate on the low-level map alone", gates="low"),
            _dfdam("confidence-reduced", "confidence from the reduced map", confidence="reduced"),
        ),
    ),
    Table(
        name="pan:readings",
        title=TITLE,
        source=pan.PAPER,
        note=NOTE,
        costs=True,
        rows=(
            _ours("pan", "one channel, kernels 7 5 3, sum, sigmoid", _PAN, "pan", miou=79.38),
            _pan("width-quarter", "pyramid of a quarter of the channels", pyramid_channels=64),
            _pan("width-full", "pyramid of all channels", pyramid_channels=256),
            _pan("kernels-357", "kernels 3 5 7, finest first", pyramid_kernels=(3, 5, 7)),
            _pan("global-concat", "global branch concatenated", global_merge="concat"),
            _pan("gate-relu", "ReLU in the gate", gate="relu"),
        ),
    ),
    Table(
        name="psanet:readings",
        title=TITLE,
        source=psanet.PAPER,
        note=f"{NOTE} The rows `half-` have filters for half of the crop, so that in training too there are offsets without a "
        "filter; at the paper's scale they are seen as whole pictures.",
        costs=True,
        rows=(
            _ours("psanet", "softmax, shrunk by 2", _PSA, "both", miou=41.92, protocol="psanet-sliding"),
            _psa("count", "1/N in place of the softmax", normalize="count"),
            _psa("shrink-1", "not shrunk", shrink=1),
            _other(
                "half-exclude", "half the filters, others excluded", _PSA, HALF, baseline="psanet", protocol="single"
            ),
            _other(
                "half-zero",
                "half the filters, others score 0",
                _PSA,
                {**HALF, "outside": "zero"},
                baseline="half-exclude",
                protocol="single",
            ),
            _compared("aspp", "ASPP of DeepLab v2, summed", 40.39),
            _psa(
                "aspp-v3",
                "ASPP of DeepLab v3 without image pooling",
                baseline="aspp",
                context="aspp",
                context_args={"image_pooling": False},
            ),
            _compared("global", "global pooling, merged by 3x3", 40.07),
            _psa("global-1x1", "global pooling, merged by 1x1", baseline="global", context="global"),
            _compared("nonlocal", "non-local, concatenated, 3x3", 40.93),
            _psa("nonlocal-add", "non-local, added, 1x1", baseline="nonlocal", context="nonlocal"),
        ),
    ),
)
