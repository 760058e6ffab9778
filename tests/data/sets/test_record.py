"""What holds of every record, so that a new data set needs its file and its line in the catalogue alone."""

import subprocess
import sys

import numpy as np
import pytest

import layouts
from attseg.data.catalog import CATALOG, open_data, open_files
from attseg.data.classes import ClassTable
from attseg.data.sample import DataError
from attseg.data.sets.record import DataSet


@pytest.mark.parametrize("record", CATALOG.values(), ids=CATALOG)
def test_facts_go_together(record):
    assert record.withheld <= {*record.released, "test"}
    assert all(pair <= record.released.keys() for pair in record.overlapping)
    assert record.official == (record.name != "folder")
    assert not (record.source and record.by_hand)
    assert (record.terms is None) == (not record.official)


@pytest.mark.parametrize(
    "record", [record for record in CATALOG.values() if record.files], ids=lambda record: record.name
)
def test_an_empty_folder_is_compared_with_the_layouts(record, tmp_path):
    with pytest.raises(DataError, match=f"{tmp_path} does not look like {record.title}:"):
        open_files(record.name, tmp_path).survey("train")


def test_a_record_of_two_folders_is_a_data_set(tmp_path, monkeypatch):
    record = DataSet(
        name="roofs",
        title="Roofs",
        about="aerial photographs",
        classes=ClassTable(("ground", "roof"), ((0, 0, 0), (255, 0, 0)), {1: 0, 7: 1}),
        layouts=(("photos/{}", "masks/{}"),),
        places=("roofs-v1",),
        released={"train": 2},
    )
    monkeypatch.setitem(CATALOG, "roofs", record)
    image, values = np.zeros((4, 6, 3), np.uint8), np.resize((1, 7), (4, 6))
    layouts.save(tmp_path / "roofs-v1/photos/train/a.png", image)
    layouts.save(tmp_path / "roofs-v1/masks/train/a.png", values)
    (sample,) = list(open_data("roofs", "train", root=tmp_path))
    assert np.array_equal(sample.labels, values == 7)


def test_the_catalogue_is_light():
    code = "import sys, attseg.data.catalog; print(sorted({'torch', 'numpy', 'PIL', 'requests'} & sys.modules.keys()))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout == "[]\n"
