"""PASCAL VOC 2012, whose training images SBD multiplies by seven: the split ``train_aug``.

Source:
    Everingham, Van Gool, Williams, Winn, Zisserman: The PASCAL Visual Object Classes (VOC) Challenge, IJCV 88(2), 2010; archives
    for the server: the development kit of 2012, section 5.3.
"""

from __future__ import annotations

from attseg.data.classes import ClassTable, distinct_colors
from attseg.data.sets.record import Checksum, DataSet, Source, SubmissionForm, Terms

VOC = ClassTable(
    names=("background", "aeroplane", "bicycle", "bird", "boat", "bottle", "bus", "car", "cat", "chair", "cow",
           "diningtable", "dog", "horse", "motorbike", "person", "pottedplant", "sheep", "sofa", "train",
           "tvmonitor"),
    colors=distinct_colors(21),
)  # fmt: skip
"""Files hold 0..20, and 255 on the ring around objects and where nobody could tell; the colours are the development kit's."""

AUGMENTED = "train_aug"


def _submission(competition: int) -> SubmissionForm:
    folder = f"results/VOC2012/Segmentation/comp{competition}_test_cls/"
    about = f"competition {competition}"
    return SubmissionForm(archive=".tgz", pictures=1456, folder=folder, palette=True, about=about)


RECORD = DataSet(
    name="voc2012",
    title="PASCAL VOC 2012",
    about="photographs of 20 kinds of objects",
    classes=VOC,
    options={"sbd": "folder of SBD, for the split train_aug"},
    files="voc_files.VocFiles",
    released={"train": 1464, "val": 1449, "trainval": 2913, AUGMENTED: 10582, "test": 1456},
    withheld=frozenset({"test"}),
    overlapping=frozenset(
        {
            frozenset({"train", "trainval"}),
            frozenset({"val", "trainval"}),
            frozenset({"train", AUGMENTED}),
            frozenset({"trainval", AUGMENTED}),
        }
    ),
    source=Source(
        url="https://thor.robots.ox.ac.uk/pascal/VOC/voc2012/VOCtrainval_11-May-2012.tar",
        inside="VOCdevkit/VOC2012",
        place="VOCdevkit/VOC2012",
        checksum=Checksum(algorithm="md5", value="6cd6e144f989b92b3379bac3b3de84fd", publisher="torchvision"),
        homepage="http://host.robots.ox.ac.uk/pascal/VOC/voc2012/",
        terms="the pictures are under Flickr's terms of use; cite Everingham et al., IJCV 2010",
    ),
    terms=Terms(
        license="other",
        note="The training pictures are under Flickr's terms of use. Cite Everingham et al., IJCV 2010.",
    ),
    psanet=(512, 465),
    submissions={"voc": _submission(6), "voc-comp5": _submission(5)},
)
"""VOC's competition 6 is for models that learned from other data too, such as an encoder trained on ImageNet."""
