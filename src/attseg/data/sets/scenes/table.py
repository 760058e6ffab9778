"""The classes of the generated scenes."""

from typing import Literal

from attseg.data.classes import ClassTable

Decider = Literal["what", "where"]
"""Decides the class of covered things: ``what`` lies on the far side, or ``where`` a balloon is."""

SKY, BUILDING, TREE, WATER, ROAD, QUAY, CAR, BOAT, BUS, POLE, WIRE, PERSON = range(12)

SCENES = ClassTable(
    names=("sky", "building", "tree", "water", "road", "quay", "car", "boat", "bus", "pole", "wire", "person"),
    colors=(
        (150, 185, 255),
        (125, 105, 110),
        (35, 145, 70),
        (25, 70, 195),
        (80, 45, 85),
        (190, 195, 170),
        (185, 15, 15),
        (245, 165, 30),
        (255, 210, 120),
        (105, 40, 40),
        (255, 255, 255),
        (210, 95, 180),
    ),
)
"""Names and colours of the classes; the colours stay apart for colour-blind eyes too."""
