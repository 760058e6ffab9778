"""Datumaro's own format, written by its exporter; and a format that only Datumaro reads."""

import json

import numpy as np
import pytest

from attseg.data.importing.job import import_data
from attseg.errors import UsageError
from labelling import CRACK, HEIGHT, LEAF, WIDTH, cvat_folder, flat, read_labels, write_picture

dm = pytest.importorskip("datumaro")


def written(folder, **options):
    """Six pictures with polygons, masks in layers, and an ellipse, by Datumaro's exporter."""
    from datumaro.components.annotation import Ellipse, LabelCategories, Mask, MaskCategories, Polygon
    from datumaro.components.media import Image

    mask = np.zeros((HEIGHT, WIDTH), np.uint8)
    mask[2:9, 3:50] = 1
    items = []
    for index in range(6):
        path = write_picture(folder.parent / "photos" / f"p{index}.jpg", index)
        items.append(
            dm.DatasetItem(
                id=f"sub/p{index}",
                subset="train" if index < 4 else "val",
                media=Image.from_file(path=str(path)),
                annotations=[
                    Mask(image=mask, label=1, z_order=2),
                    Polygon(flat(CRACK), label=0, z_order=0),
                    Polygon(flat(LEAF), label=1, z_order=1),
                    Ellipse(40, 20, 56, 30, label=0, z_order=3),
                ],
            )
        )
    categories = {
        dm.AnnotationType.label: LabelCategories.from_iterable(["crack", "leaf"]),
        dm.AnnotationType.mask: MaskCategories({0: (9, 8, 7), 1: (6, 5, 4)}),
    }
    dm.Dataset.from_iterable(items, categories=categories).export(str(folder), "datumaro", save_media=True)
    return folder


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_what_its_exporter_writes(tmp_path):
    from pycocotools import mask as tool

    report = import_data(written(tmp_path / "e"), tmp_path / "out")
    assert (report.format, report.splits, report.classes) == (
        "datumaro",
        {"train": 4, "val": 2},
        ["background", "crack", "leaf"],
    )
    expected = np.zeros((HEIGHT, WIDTH), np.uint8)
    for value, points in ((1, CRACK), (2, LEAF)):
        expected[tool.decode(tool.merge(tool.frPyObjects([flat(points)], HEIGHT, WIDTH))) == 1] = value
    expected[2:9, 3:50] = 2
    rows, columns = np.mgrid[:HEIGHT, :WIDTH] + 0.5
    expected[((columns - 48) / 8) ** 2 + ((rows - 25) / 5) ** 2 <= 1] = 1
    assert (read_labels(tmp_path / "out" / "labels" / "train" / "sub" / "p0.png") == expected).all()
    assert "1,crack,9,8,7,0" in (tmp_path / "out" / "classes.csv").read_text()


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_paths_that_lead_elsewhere_are_not_followed(tmp_path):
    folder = written(tmp_path / "e")
    file = folder / "annotations" / "train.json"
    content = json.loads(file.read_text())
    content["items"][0]["image"]["path"] = "../../../photos/p0.jpg"
    file.write_text(json.dumps(content))
    with pytest.raises(UsageError, match="Datumaro cannot read"):
        import_data(folder, tmp_path / "out")


def test_formats_of_datumaro_by_name(tmp_path):
    folder = cvat_folder(tmp_path / "e")
    report = import_data(folder, tmp_path / "out", format="datumaro:cvat")
    assert report.classes == ["background", "crack", "leaf"]
    ours = import_data(folder, tmp_path / "ours")
    assert report.pixels == ours.pixels
    with pytest.raises(UsageError, match="no format of Datumaro 'cwat'; did you mean 'cvat'"):
        import_data(folder, tmp_path / "none", format="datumaro:cwat")
    with pytest.raises(UsageError, match="Datumaro cannot read"):
        import_data(folder, tmp_path / "none", format="datumaro:voc")
