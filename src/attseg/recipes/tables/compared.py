"""Tables in which papers compare themselves with others: figures that they quote, beside their own.

Pan 6 and 7, PSANet 2, 3 and 6, DF-DAM 4, 6 and 7. Servers keep the labels of test splits: ours, where there is a figure of ours,
is of the validation split of the same data, and the note of the table says so.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from attseg.recipes import dfdam, pan, psanet
from attseg.recipes.recipe import Recipe
from attseg.recipes.tables.record import Figure, Row, Table

VOC = (
    "aeroplane", "bicycle", "bird", "boat", "bottle", "bus", "car",
    "cat", "chair", "cow", "diningtable", "dog", "horse", "motorbike",
    "person", "pottedplant", "sheep", "sofa", "train", "tvmonitor",
)  # fmt: skip
"""Classes of VOC 2012 in the order of the tables, which leave out the background; it counts in their mean."""

QUOTED = "quoted by the paper"
ON_VAL = (
    "The paper's figures are of the test split, whose labels a server keeps. Ours is of val, by the recipe that the paper's "
    "test figure began with."
)

_SERVER = (
    "trained on val too, so that no figure of ours means anything: `{}`, then `attseg predict --submission cityscapes`"
)

PAN_6 = """
FCN 62.2 76.8 34.2 68.9 49.4 60.3 75.3 74.7 77.6 21.4 62.5 46.8 71.8 63.9 76.5 73.9 45.2 72.4 37.4 70.9 55.1
DeepLabv2 71.6 84.4 54.5 81.5 63.6 65.9 85.1 79.1 83.4 30.7 74.1 59.8 79.0 76.1 83.2 80.8 59.7 82.2 50.4 73.1 63.7
CRF-RNN 72.0 87.5 39.0 79.7 64.2 68.3 87.6 80.8 84.4 30.4 78.2 60.4 80.5 77.8 83.1 80.6 59.5 82.8 47.8 78.3 67.1
DeconvNet 72.5 89.9 39.3 79.7 63.9 68.2 87.4 81.2 86.1 28.5 77.0 62.0 79.0 80.3 83.6 80.2 58.8 83.4 54.3 80.7 65.0
DPN 74.1 87.7 59.4 78.4 64.9 70.3 89.3 83.5 86.1 31.7 79.9 62.6 81.9 80.0 83.5 82.3 60.5 83.2 53.4 77.9 65.0
Piecewise 75.3 90.6 37.6 80.0 67.8 74.4 92.0 85.2 86.2 39.1 81.2 58.9 83.8 83.9 84.3 84.8 62.1 83.2 58.2 80.8 72.3
PSPNet 82.6 91.8 71.9 94.7 71.2 75.8 95.2 89.9 95.9 39.3 90.7 71.7 90.5 94.5 88.8 89.6 72.8 89.6 64.0 85.1 76.3
EncNet 82.9 94.1 69.2 96.3 76.7 86.2 96.3 90.7 94.2 38.8 90.7 73.3 90.0 92.5 88.8 87.9 68.7 92.6 59.0 86.4 73.4
PAN(ours) 84.0 95.7 75.2 94.0 73.8 79.6 96.5 93.7 94.1 40.5 93.3 72.4 89.1 94.1 91.6 89.5 73.6 93.2 62.8 87.3 78.6
"""
DFDAM_7 = """
FCN-8s 67.2 82.4 36.1 75.6 61.5 65.4 83.4 77.2 80.1 27.9 66.8 51.5 73.6 71.9 78.9 77.1 55.3 73.4 44.3 74.0 63.2
Zoom-out 69.6 85.6 37.3 83.2 62.5 66.0 85.1 80.7 84.9 27.2 73.2 57.5 78.1 79.2 81.1 77.1 53.6 74.0 49.2 71.7 63.3
ParseNet 69.8 84.1 37.0 77.0 62.8 64.0 85.8 79.7 83.7 27.7 74.8 57.6 77.1 78.3 81.0 78.2 52.6 80.4 49.9 75.7 65.0
DeepLab 71.6 84.4 54.5 81.5 63.6 65.9 85.1 79.1 83.4 30.7 74.1 59.8 79.0 76.1 83.2 80.8 59.7 82.2 50.4 73.1 63.7
Piecewise 75.3 90.6 37.6 80.0 67.8 74.4 92.0 85.2 86.2 39.1 81.2 58.9 83.8 83.9 84.3 84.8 62.1 83.2 58.2 80.8 72.3
LRR-CRF 75.9 91.8 41.0 83.0 62.3 74.3 93.0 86.8 88.7 36.6 81.8 63.4 84.7 85.9 85.1 83.1 62.0 84.6 55.6 84.9 70.0
DANet 82.6
PSPNet 82.6 91.8 71.9 94.7 71.2 75.8 95.2 89.9 95.9 39.3 90.7 71.7 90.5 94.5 88.8 89.6 72.8 89.6 64.0 85.1 76.3
EncNet 82.9 94.1 69.2 96.3 76.7 86.2 96.3 90.7 94.2 38.8 90.7 73.3 90.0 92.5 88.8 87.9 68.7 92.6 59.0 86.4 73.4
Ours 82.3 95.6 70.7 91.1 73.0 76.1 94.1 91.3 93.7 37.8 90.2 72.1 91.0 93.0 90.6 88.7 72.3 92.6 59.7 86.6 72.5
"""
"""A line a method: its name, mIoU, and the IoU of each class of ``VOC``."""


def _name(printed: str) -> str:
    """A row is called what the paper calls it, in small letters and without its reference."""
    return printed.lower().replace("(", "-").replace(")", "").replace(",", "").replace(" ", "-").replace("+", "-coco")


def _unrun(printed: str, figure: Figure, note: str = QUOTED) -> Row:
    return Row(name=_name(printed), printed=printed, figures=(figure,), note=note)


def _quoted(text: str) -> list[Row]:
    """Rows of other methods: their names, mIoU, and pixel accuracy where the paper has it."""
    rows = []
    for each in text.split("|"):
        printed, miou, *accuracy = re.split(r" (?=[\d.]+(?: |$))", each.strip())
        figure = Figure(miou=float(miou), accuracy=float(accuracy[0]) if accuracy else None)
        rows.append(_unrun(printed, figure))
    return rows


def _own(source: str, printed: str, figure: Figure, recipe: Recipe, variant: str) -> Row:
    return Row.of(recipe, source, _name(printed), printed, figure, variant=variant)


def _classes(values: Iterable[float]) -> dict[str, float]:
    """IoU by class, or nothing where the paper prints none."""
    values = tuple(values)
    return dict(zip(VOC, values, strict=True)) if values else {}


def _by_class(text: str, source: str, recipe: Recipe, variant: str, protocol: str) -> tuple[Row, ...]:
    """The rows of a table of classes, of which the last is the paper's own."""
    lines = [
        (name, float(miou), map(float, values)) for name, miou, *values in map(str.split, text.strip().splitlines())
    ]
    printed, miou, values = lines.pop()
    quoted = (_unrun(name, Figure(miou=theirs, classes=_classes(classes))) for name, theirs, classes in lines)
    return *quoted, _own(
        source, printed, Figure(miou=miou, protocol=protocol, classes=_classes(values)), recipe, variant
    )


_P, _D, _S = pan.PAPER, dfdam.PAPER, psanet.PAPER

PAN = (
    Table(
        name="pan:6",
        title="IoU of every class, VOC 2012 test",
        source=f"{_P}, table 6",
        rows=_by_class(PAN_6, f"{_P}, table 6", pan.pan_voc(), "pan", "pan-multiscale"),
        note=f"{ON_VAL} For the server: `pan-voc-test`, then `attseg predict --submission voc`.",
    ),
    Table(
        name="pan:7",
        title="Cityscapes test, fine labels",
        source=f"{_P}, table 7",
        rows=(
            *_quoted("DPN 66.8 | DeepLabv2 70.4 | RefineNet 73.6 | DUC 77.6 | PSPNet 78.4"),
            _own(
                f"{_P}, table 7", "PAN(ours)", Figure(miou=78.6, protocol="pan-multiscale"), pan.pan_cityscapes(), "pan"
            ),
        ),
        note=ON_VAL,
    ),
)

PSANET = (
    Table(
        name="psanet:2",
        title="PSANet beside others, ADE20K val",
        source=f"{_S}, table 2",
        rows=(
            *_quoted(
                "FCN-8s 29.39 71.32 | SegNet 21.64 71.00 | DilatedNet 32.31 73.55 | CascadeNet 34.90 74.52 | "
                "RefineNet101 40.20 | RefineNet152 40.70 | PSPNet50 42.78 80.76 | PSPNet101 43.29 81.39 | "
                "WiderNet 43.73 81.17"
            ),
            *(
                _own(
                    f"{_S}, table 2",
                    f"PSANet{depth}",
                    Figure(miou=miou, accuracy=accuracy, protocol="psanet-multiscale"),
                    recipe,
                    "both",
                )
                for depth, miou, accuracy, recipe in (
                    (50, 42.97, 80.92, psanet.psanet_ade20k_50()),
                    (101, 43.77, 81.51, psanet.psanet_ade20k_101()),
                )
            ),
        ),
    ),
    Table(
        name="psanet:3",
        title="PSANet beside others, VOC 2012 test, with MS-COCO",
        source=f"{_S}, table 3",
        rows=(
            *_quoted(
                "LRR 79.3 | DeepLabv2 79.7 | G-CRF 80.4 | SegModel 81.8 | LC 82.7 | DUC_HDC 83.1 | "
                "Large_Kernel_Matters 83.6 | RefineNet 84.2 | ResNet-38 84.9 | PSPNet 85.4 | DeepLabv3 85.7"
            ),
            _unrun(
                "PSANet",
                Figure(miou=85.7),
                note="after MS-COCO, and on val too: `psanet-coco`, `psanet-voc-test`, then `attseg predict --submission voc`",
            ),
        ),
    ),
    Table(
        name="psanet:6",
        title="PSANet beside others, Cityscapes test",
        source=f"{_S}, table 6",
        rows=(
            *_quoted(
                "DeepLabv2 70.4 | LC 71.1 | Adelaide 71.6 | FRRN 71.8 | RefineNet 73.6 | PEARL 75.4 | "
                "DUC_HDC 77.6 | SAC 78.1 | PSPNet, train 78.4 | ResNet-38 78.5 | SegModel 78.5 | "
                "Multitask Learning 78.5"
            ),
            _own(
                f"{_S}, table 6",
                "PSANet, train",
                Figure(miou=78.6, protocol="psanet-multiscale"),
                psanet.psanet_cityscapes_101(),
                "both",
            ),
            _unrun("PSANet, train and val", Figure(miou=80.1), note=_SERVER.format("psanet-cityscapes-test")),
            *_quoted(
                "LRR-4x, coarse 71.8 | SegModel, coarse 79.2 | DUC_HDC, coarse 80.1 | Netwarp, coarse 80.5 | "
                "ResNet-38, coarse 80.6 | PSPNet, coarse 81.2 | DeepLabv3, coarse 81.3"
            ),
            _unrun("PSANet, coarse", Figure(miou=81.4), note=_SERVER.format("psanet-cityscapes-coarse-test")),
        ),
        note=f"{ON_VAL} Read: the marks a and b of the table are training on the fine labels of train, and of train and val.",
    ),
)

DFDAM = (
    Table(
        name="dfdam:4",
        title="DF-DAM beside others, Cityscapes test",
        source=f"{_D}, table 4",
        rows=(
            *_quoted(
                "FCN-8s-heavy 65.3 | Dilation10 67.1 | DeepLab(Res101) 70.4 | RefineNet(Res101) 73.6 | "
                "DUC(Res101) 77.6 | PSPNet(Res101) 78.4"
            ),
            _own(
                f"{_D}, table 4",
                "Ours(ResNet18)",
                Figure(miou=73.6, protocol="dfdam-multiscale"),
                dfdam.dfdam_cityscapes(),
                "dafm-2dpam",
            ),
        ),
        note=f"{ON_VAL} Parameters and multiply-adds: `attseg profile --table dfdam:4`.",
    ),
    Table(
        name="dfdam:6",
        title="DF-DAM beside others, VOC 2012 test",
        source=f"{_D}, table 6",
        rows=(
            *_quoted(
                "FCN-8s-heavy 67.2 | DeepLab(Res101) 71.6 | RefineNet(Res101)+ 82.4 | DUC(Res152)+ 83.1 | "
                "PSPNet(Res101) 82.6"
            ),
            _own(
                f"{_D}, table 6",
                "Ours(ResNet101)",
                Figure(miou=82.3, protocol="dfdam-multiscale"),
                dfdam.dfdam_voc_101(),
                "dafm-2dpam",
            ),
        ),
        note=f"{ON_VAL} A plus: trained on MS-COCO before. Parameters and multiply-adds: `attseg profile --table dfdam:6`.",
    ),
    Table(
        name="dfdam:7",
        title="IoU of every class, VOC 2012 test",
        source=f"{_D}, table 7",
        rows=_by_class(DFDAM_7, f"{_D}, table 7", dfdam.dfdam_voc_101(), "dafm-2dpam", "dfdam-multiscale"),
        note=f"{ON_VAL} For the server: `dfdam-voc-test`, then `attseg predict --submission voc`.",
    ),
)
