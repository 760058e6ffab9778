"""SBD, the Semantic Boundaries Dataset: labels of 11,355 images of PASCAL VOC.

Source:
    Hariharan, Arbelaez, Bourdev, Maji, Malik: Semantic Contours from Inverse Detectors, ICCV 2011.
"""

from __future__ import annotations

from attseg.data.sets.record import Checksum, DataSet, Source, Terms
from attseg.data.sets.voc import VOC

RECORD = DataSet(
    name="sbd",
    title="SBD",
    about="more labels of photographs of PASCAL VOC",
    classes=VOC,
    files="sbd_files.SbdFiles",
    released={"train": 8498, "val": 2857},
    source=Source(
        url="https://www2.eecs.berkeley.edu/Research/Projects/CS/vision/grouping/semantic_contours/benchmark.tgz",
        inside="benchmark_RELEASE/dataset",
        place="benchmark_RELEASE/dataset",
        checksum=Checksum(algorithm="md5", value="82b4d87ceb2ed10f6038a1cba92111cb", publisher="torchvision"),
        homepage="http://home.bharathh.info/pubs/codes/SBD/download.html",
        terms="labels of pictures of PASCAL VOC, whose terms hold; cite Hariharan et al., ICCV 2011",
    ),
    terms=Terms(
        license="other",
        note="The labels are of pictures of PASCAL VOC, which are under Flickr's terms of use. Cite Hariharan et al., ICCV 2011.",
    ),
)
