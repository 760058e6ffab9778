"""Tables 1 to 3 of Attention to Refine (Yang and Peng 2018): PASCAL VOC 2012 val, ADE20K val."""

from __future__ import annotations

from typing import Any

from attseg.recipes.recipe import ModelSpec, Recipe
from attseg.recipes.refine import PAPER, a2r_ade20k, a2r_voc
from attseg.recipes.tables.record import Figure, Row, Table, varied

CSAIL = "csail-5scale"
_VOC, _ADE = a2r_voc(), a2r_ade20k()

LARGE_FOV = ModelSpec(
    name="FCN",
    args={
        "encoder": "vgg16-largefov",
        "pretrained": True,
        "output_stride": 8,
        "head": "linear",
        "align_corners": True,
    },
)
R: dict[str, Any] = _ADE.model.args["base_args"]
P: dict[str, Any] = {
    **{name: value for name, value in R.items() if name != "head"},
    "context": "psp",
    "context_args": {"width": 512},
    "channels": 512,
    "dropout": 0.1,
    "aux": False,
}
"""PSPNet of CSAIL's benchmark: 512 channels a level, merged by 3x3 to 512, dropout of 0.1, and 1x1 to the classes."""


def _row(
    table: int, name: str, printed: str, figure: Figure, recipe: Recipe, *, baseline: str = "baseline", **more: Any
) -> Row:
    figures = (figure,) if figure.protocol == "single" else (figure, Figure(miou=None))
    return Row.of(recipe, f"{PAPER}, table {table}", name, printed, *figures, baseline=baseline, **more)


def _voc(variant: str, **args: Any) -> Recipe:
    return varied(_VOC, variant, args, aux=args.get("supervise", True))


def _pooled(name: str, printed: str, miou: float, merge: str) -> Row:
    note = "whether each scale is supervised is not said; the text names only the other two methods"
    return _row(1, name, printed, Figure(miou=miou), _voc(name, merge=merge, supervise=False), note=note)


_ATTENTION = _voc("attention-to-scale", merge="attention")

TABLES = (
    Table(
        name="a2r:1",
        title="Ways to merge two scales, VOC 2012 val",
        source=f"{PAPER}, table 1",
        rows=(
            _row(
                1,
                "baseline",
                "Baseline (DeepLab-LargeFOV)",
                Figure(miou=61.40),
                varied(_VOC, "baseline", {}, model=LARGE_FOV, aux=False),
            ),
            _pooled("max", "Merged with MaxPooling", 63.88, "max"),
            _pooled("average", "Merged with AvgPooling", 64.07, "average"),
            _row(1, "attention-to-scale", "Attention-to-Scale", Figure(miou=64.74), _ATTENTION),
            _row(1, "ours", "Our method", Figure(miou=67.98), _VOC),
        ),
    ),
    Table(
        name="a2r:2",
        title="What each module adds, VOC 2012 val",
        source=f"{PAPER}, table 2",
        note="The text that we have has lost the places of the ticks; their number and the order of the columns remain.",
        rows=(
            _row(
                2, "base", "Base model", Figure(miou=64.74), _ATTENTION, variant="attention-to-scale", baseline="base"
            ),
            _row(
                2,
                "base+",
                "Base model+",
                Figure(miou=65.80),
                _voc("multi-stage", dilations=None, recalibration="none"),
                variant="multi-stage",
                baseline="base",
            ),
            _row(
                2,
                "base++",
                "Base model++",
                Figure(miou=66.83),
                _voc("dilations", recalibration="none"),
                variant="dilations",
                baseline="base",
            ),
            _row(2, "ours", "Our method", Figure(miou=67.98), _VOC, baseline="base"),
            _row(
                2,
                "bias",
                "Our method, bias in place of multiplication",
                Figure(miou=None),
                _voc("bias", recalibration="signed-bias"),
                baseline="base",
                note="no row of the table: section 2.2 has it at around 1 % below the multiplication",
            ),
        ),
    ),
    Table(
        name="a2r:3",
        title="On ResNet-34, ADE20K val",
        source=f"{PAPER}, table 3",
        note="The baseline and PSP have the figures that CSAILVision/semantic-segmentation-pytorch printed in 2018, at five "
        "scales without the mirror; we take all rows to be seen so.",
        rows=(
            _row(
                3,
                "baseline",
                "ResNet34-dilated8 (Baseline)",
                Figure(miou=32.67, accuracy=76.41, protocol=CSAIL),
                varied(_ADE, "baseline", {}, model=ModelSpec(name="FCN", args=R), aux=False),
            ),
            _row(
                3,
                "attention-to-scale",
                "Baseline + attention-to-scale",
                Figure(miou=35.11, accuracy=76.82, protocol=CSAIL),
                varied(_ADE, "attention-to-scale", {"merge": "attention"}),
            ),
            _row(
                3,
                "psp",
                "Baseline + PSP",
                Figure(miou=36.43, accuracy=78.01, protocol=CSAIL),
                varied(_ADE, "psp", {}, model=ModelSpec(name="PSANet", args=P), aux=False),
            ),
            _row(3, "ours", "Baseline + our attention model", Figure(miou=37.07, accuracy=78.57, protocol=CSAIL), _ADE),
            _row(
                3,
                "ours-psp",
                "Baseline + our attention model + PSP",
                Figure(miou=38.21, accuracy=79.29, protocol=CSAIL),
                varied(_ADE, "ours-psp", {"base": "PSANet", "base_args": P}),
            ),
        ),
    ),
)
