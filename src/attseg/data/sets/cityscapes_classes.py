"""The classes of Cityscapes: 19 of its 35 labels count; the others are too rare, or are no part of the scene.

Source:
    The table in cityscapesScripts, ``helpers/labels.py``.
"""

from __future__ import annotations

from attseg.data.classes import IGNORE, ClassTable

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
