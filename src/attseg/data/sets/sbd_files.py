"""The files of SBD: labels in MATLAB or PNG files."""

from __future__ import annotations

from pathlib import Path
from unicodedata import normalize

from attseg.data.reading.walk import is_hidden
from attseg.data.sample import DataError
from attseg.data.sets.file_set import FileSet, Tree, home
from attseg.data.sets.lists import read_list, survey_list
from attseg.data.sets.record import DataSet
from attseg.data.sets.survey import Survey, list_files

SBD_PLACES = ("benchmark_RELEASE/dataset", "dataset")


class SbdFiles(FileSet):
    """The files of SBD.

    Its splits are not those of PASCAL VOC: pictures of VOC's ``val`` are in both. To train for VOC, use ``train_aug`` of
    ``voc2012``.

    Args:
        record: Of the data set.
        root: Folder that holds ``benchmark_RELEASE/dataset``, or one of these.
    """

    def __init__(self, record: DataSet, root: str | Path) -> None:
        super().__init__(record, root)
        self.home = home(self.root, SBD_PLACES, holds="cls")

    def splits(self) -> list[str]:
        """Splits with a list."""
        return [split for split in self.record.released if (self.home / f"{split}.txt").exists()]

    def trees(self, split: str) -> list[Tree]:
        """Where the release has the split."""
        return [(f"{SBD_PLACES[0]}/{split}.txt", f"{SBD_PLACES[0]}/img/*.jpg", f"{SBD_PLACES[0]}/cls/*.mat")]

    def list_split(self, split: str) -> Survey:
        """The pictures that the list of the split names."""
        survey = survey_list(
            read_list(self.home / f"{split}.txt"),
            list_files(self.home / "img")[0],
            list_label_files(self.home / "cls"),
            whole=self.record.released[split],
            expected=lambda name: (self.home / "img" / f"{name}.jpg", self.home / "cls" / f"{name}.mat"),
        )
        if drawn := sum(pair.labels.suffix == ".png" for pair in survey.pairs):
            survey.remarks.append(
                f"{drawn} of {len(survey.pairs)} label files are PNG, which go before .mat of the same name"
            )
        return survey


def open_sbd(folder: Path) -> Path:
    """The folder with SBD's ``cls`` in or below a folder.

    Raises:
        DataError: There is none.
    """
    found = home(folder, SBD_PLACES, holds="cls")
    if not (found / "cls").is_dir():
        raise DataError(f"{folder} is not the folder of SBD: benchmark_RELEASE/dataset/cls/*.mat was expected below it")
    return found


def list_label_files(folder: Path) -> dict[str, Path]:
    """Label files by name, MATLAB or PNG, the PNG file where there are both; a missing folder is empty."""
    files = [path for kind in ("*.mat", "*.png") for path in folder.glob(kind) if not is_hidden(path.name)]
    return {normalize("NFC", path.stem): path for path in files}
