"""Cityscapes: street scenes of 50 cities at 1024 x 2048, with fine labels, and coarse ones of many more pictures.

19 of its 35 labels count; the others are too rare, or are no part of the scene.

Source:
    Cordts, Omran, Ramos, Rehfeld, Enzweiler, Benenson, Franke, Roth, Schiele: The Cityscapes Dataset for Semantic Urban Scene
    Understanding, CVPR 2016. Labels: the table in cityscapesScripts, ``helpers/labels.py``; names in archives for the
    server: those that its ``evalPixelLevelSemanticLabeling`` looks for.
"""

from __future__ import annotations

import re

from attseg.data.classes import IGNORE, ClassTable
from attseg.data.sets.record import DataSet, SubmissionForm, Terms

_CLASSES = {
    7: ("road", (128, 64, 128)),
    8: ("sidewalk", (244, 35, 232)),
    11: ("building", (70, 70, 70)),
    12: ("wall", (102, 102, 156)),
    13: ("fence", (190, 153, 153)),
    17: ("pole", (153, 153, 153)),
    19: ("traffic light", (250, 170, 30)),
    20: ("traffic sign", (220, 220, 0)),
    21: ("vegetation", (107, 142, 35)),
    22: ("terrain", (152, 251, 152)),
    23: ("sky", (70, 130, 180)),
    24: ("person", (220, 20, 60)),
    25: ("rider", (255, 0, 0)),
    26: ("car", (0, 0, 142)),
    27: ("truck", (0, 0, 70)),
    28: ("bus", (0, 60, 100)),
    31: ("train", (0, 80, 100)),
    32: ("motorcycle", (0, 0, 230)),
    33: ("bicycle", (119, 11, 32)),
}
"""Name and colour by label id."""

_NAMES = tuple(name for name, _ in _CLASSES.values())
_COLORS = tuple(color for _, color in _CLASSES.values())
_OTHERS = {*range(34), 255} - _CLASSES.keys()
"""Ids that are ignored; 255 is how a byte stores -1, the licence plate."""

LABEL_IDS = ClassTable(
    _NAMES, _COLORS, {raw: place for place, raw in enumerate(_CLASSES)} | dict.fromkeys(_OTHERS, IGNORE)
)
"""Files ``labelIds`` hold 0..33, and 255."""

TRAIN_IDS = ClassTable(_NAMES, _COLORS)
"""Files ``labelTrainIds`` hold the classes 0..18, and 255 for all others."""


RECORD = DataSet(
    name="cityscapes",
    title="Cityscapes",
    about="street scenes of 50 cities, 1024 x 2048, 19 classes",
    classes=LABEL_IDS,
    options={"labels": "labelIds or trainIds, the kind of label files"},
    files="cityscapes_files.CityscapesFiles",
    released={
        "train": 2975,
        "val": 500,
        "test": 1525,
        "train_extra": 19998,
        "train_coarse": 2975,
        "val_coarse": 500,
    },
    withheld=frozenset({"test"}),
    overlapping=frozenset({frozenset({"train", "train_coarse"}), frozenset({"val", "val_coarse"})}),
    by_hand="""\
Cityscapes is given only to those who have agreed to its terms, so nothing was fetched. By hand:
  1. make an account at https://www.cityscapes-dataset.com/register/ and log in
  2. at https://www.cityscapes-dataset.com/downloads/ get leftImg8bit_trainvaltest.zip and gtFine_trainvaltest.zip
  3. unpack both into {root}, so that it holds leftImg8bit/train/... and gtFine/train/...
  4. attseg data check cityscapes --data.root {root}""",
    terms=Terms(
        license="other",
        note="**Not for commercial use.** Cityscapes is for non-commercial use, and its pictures may not be passed on. Cite "
        "Cordts et al., CVPR 2016.",
    ),
    psanet=(2048, 705),
    submissions={
        "cityscapes": SubmissionForm(
            archive=".zip",
            pictures=1525,
            ending="_labelIds.png",
            names=re.compile(r"([A-Za-z-]+_\d{6}_\d{6})(?:_leftImg8bit)?"),
            expected="CITY_123456_123456 was expected, with or without _leftImg8bit",
        )
    },
)
