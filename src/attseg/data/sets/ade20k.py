"""ADE20K in the form of the Scene Parsing challenge: 150 classes, indoors and outdoors.

Source:
    Zhou, Zhao, Puig, Fidler, Barriuso, Torralba: Scene Parsing through ADE20K Dataset, CVPR 2017. Names: the first of each line
    in ``objectInfo150.txt``, which comes with the data. Colours: ``color150`` of the challenge's development kit; road and
    skyscraper share one.
"""

from __future__ import annotations

from pathlib import Path

from attseg.data.classes import IGNORE, ClassTable
from attseg.data.sets.record import Checksum, DataSet, Source, SubmissionForm, Terms
from attseg.files import read_text

_TABLE = Path(__file__).with_name("ade20k.txt")
"""Name, red, green and blue, in the order of the values 1..150."""


def _read_table() -> ClassTable:
    rows = [line.rsplit(" ", 3) for line in read_text(_TABLE).splitlines()]
    names = tuple(name for name, *_ in rows)
    colors = tuple((int(red), int(green), int(blue)) for _, red, green, blue in rows)
    return ClassTable(names, colors, {value: value - 1 for value in range(1, len(rows) + 1)} | {0: IGNORE})


ADE20K = _read_table()
"""Files hold 1..150, and 0 for all other objects, which are ignored."""


RECORD = DataSet(
    name="ade20k",
    title="ADE20K",
    about="photographs indoors and outdoors, 150 classes",
    classes=ADE20K,
    files="ade20k_files.Ade20kFiles",
    released={"train": 20210, "val": 2000},
    withheld=frozenset({"test"}),
    source=Source(
        url="https://data.csail.mit.edu/places/ADEchallenge/ADEChallengeData2016.zip",
        inside="ADEChallengeData2016",
        place="ADEChallengeData2016",
        checksum=Checksum(
            algorithm="sha1", value="219e1696abb36c8ba3a3afe7fb2f4b4606a897c7", publisher="GluonCV and PyTorch-Encoding"
        ),
        homepage="http://sceneparsing.csail.mit.edu/",
        terms="for research and education only; cite Zhou et al., CVPR 2017",
    ),
    terms=Terms(
        license="other",
        note="**Not for commercial use.** ADE20K is for research and education only. Cite Zhou et al., CVPR 2017.",
    ),
    psanet=(512, 465),
    submissions={"ade20k": SubmissionForm(archive=".zip", pictures=3352)},
)
"""The server takes label files as the release has them: 1..150."""
