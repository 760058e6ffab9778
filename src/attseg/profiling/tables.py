"""Tables of papers that say what networks cost."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from attseg.errors import unknown


@dataclass(frozen=True)
class CostRow:
    """A line of a table, as the paper prints it.

    Args:
        method: The name in the paper.
        parameters: In millions.
        multiply_adds: In thousands of millions; the paper calls them GFLOPs.
        miou: In percent.
        model: Our model of it, if there is one.
        args: Its arguments.
    """

    method: str
    parameters: float
    multiply_adds: float
    miou: float
    model: str | None = None
    args: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class CostTable:
    """A table of a paper.

    Args:
        title: Paper, table and what the mIoU is of.
        size: Height and width of the picture that was counted for.
        num_classes: Classes of the data set.
        rows: Its lines.
    """

    title: str
    size: tuple[int, int]
    num_classes: int
    rows: tuple[CostRow, ...]


FCN_8S = {"encoder": "vgg16-fcn", "output_stride": 32, "head": "skips"}
DEEPLAB = {"encoder": "resnet101", "output_stride": 8, "head": "atrous"}
PSPNET = {"encoder": "resnet101s", "even_dilation": True, "context": "psp"}

TABLES = {
    "dfdam:4": CostTable(
        "DF-DAM (Xiong et al. 2019), table 4; mIoU on Cityscapes test",
        (320, 640),
        19,
        (
            CostRow("FCN-8s-heavy", 134.46, 188.93, 65.3, "FCN", FCN_8S),
            CostRow("Dilation10", 134.35, 134.33, 67.1),
            CostRow("DeepLab (Res101)", 43.90, 148.73, 70.4, "FCN", DEEPLAB),
            CostRow("RefineNet (Res101)", 118.01, 659.14, 73.6),
            CostRow("DUC (Res101)", 148.04, 95.87, 77.6),
            CostRow("PSPNet (Res101)", 75.04, 230.01, 78.4, "PSANet", PSPNET),
            CostRow("DF-DAM (Res18)", 11.57, 10.31, 73.6, "DFDAM", {"encoder": "resnet18"}),
        ),
    ),
    "dfdam:6": CostTable(
        "DF-DAM (Xiong et al. 2019), table 6; mIoU on PASCAL VOC 2012 test, + pre-trained on COCO",
        (320, 640),
        21,
        (
            CostRow("FCN-8s-heavy", 134.49, 195.03, 67.2, "FCN", FCN_8S),
            CostRow("DeepLab (Res101)", 44.05, 149.22, 71.6, "FCN", DEEPLAB),
            CostRow("RefineNet (Res101)+", 118.01, 659.24, 82.4),
            CostRow("DUC (Res152)+", 163.68, 111.30, 83.1),
            CostRow("PSPNet (Res101)", 75.05, 230.02, 82.6, "PSANet", PSPNET),
            CostRow("DF-DAM (Res101)", 43.24, 35.52, 82.3, "DFDAM", {"encoder": "resnet101"}),
        ),
    ),
}
"""By paper and number.

Reading:
    Table 4 gives the size as 3 x 640 x 320 and calls its unit GFLOPs. Multiply-adds, with auxiliary heads counted among the
    rest, are what meets both of its numbers, and those of table 6, which names no size.
    FCN-8s has the printed parameters. The released network pads pictures by 100 pixels, ours does not; with that padding, and
    transposed convolutions counted at each position that they write instead of read, its multiply-adds would be 188.81 and
    194.91 G. DeepLab is v2, whose parameters meet the printed ones. PSPNet with the released head has 7 M fewer than is printed.
"""


def find_table(name: str) -> CostTable:
    """The table of a name.

    Raises:
        UsageError: There is none.

    Example:
        >>> find_table("dfdam:4").rows[-1].parameters
        11.57
    """
    if name not in TABLES:
        raise unknown("table", name, TABLES)
    return TABLES[name]
