"""The classes of PASCAL VOC, which SBD shares."""

from __future__ import annotations

from attseg.data.classes import ClassTable, distinct_colors

VOC = ClassTable(
    names=(
        "background",
        "aeroplane",
        "bicycle",
        "bird",
        "boat",
        "bottle",
        "bus",
        "car",
        "cat",
        "chair",
        "cow",
        "diningtable",
        "dog",
        "horse",
        "motorbike",
        "person",
        "pottedplant",
        "sheep",
        "sofa",
        "train",
        "tvmonitor",
    ),
    colors=distinct_colors(21),
)
"""Files hold 0..20, and 255 on the ring around objects and where nobody could tell; the colours are the development kit's."""
