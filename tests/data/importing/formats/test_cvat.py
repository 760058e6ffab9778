"""CVAT: polygons and boxes as its own export of masks has them (pycocotools), masks as its documentation packs them."""

import warnings

import numpy as np
import pytest
from pycocotools import mask as tool

from attseg.data.importing.job import import_data
from attseg.errors import UsageError
from labelling import (
    CRACK,
    HEIGHT,
    LEAF,
    WIDTH,
    cvat_folder,
    cvat_mask,
    cvat_polygon,
    cvat_xml,
    flat,
    read_labels,
    voc_folder,
    write_picture,
)


def filled(points):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        runs = tool.merge(tool.frPyObjects([[round(value, 2) for value in flat(points)]], HEIGHT, WIDTH))
        return tool.decode(runs).astype(bool)


def imported(tmp_path, elements, **options):
    """The labels of a picture with some elements; a second picture has a crack and a leaf."""
    folder = tmp_path / "e"
    for index, name in enumerate("ab"):
        write_picture(folder / "images" / f"{name}.jpg", index)
    others = [cvat_polygon("crack", CRACK), cvat_polygon("leaf", LEAF)]
    (folder / "annotations.xml").write_text(cvat_xml([("a.jpg", elements, ""), ("b.jpg", others, "")]))
    report = import_data(folder, tmp_path / "out", **options)
    return read_labels(next((tmp_path / "out" / "labels").rglob("a.png"))), report


def test_polygons_in_the_order_of_their_layers(tmp_path):
    labels, report = imported(tmp_path, [cvat_polygon("crack", CRACK, order=1), cvat_polygon("leaf", LEAF, order=0)])
    expected = np.where(filled(CRACK), 1, np.where(filled(LEAF), 2, 0))
    assert (labels == expected).all()
    assert (report.format, report.classes) == ("cvat", ["background", "crack", "leaf"])
    table = (tmp_path / "out" / "classes.csv").read_text()
    assert "1,crack,255,0,0,0" in table and "2,leaf,0,255,0,0" in table


def test_masks(tmp_path):
    mask = np.random.default_rng(1).random((9, 11)) < 0.4
    mask[0, 0] = True  # the first run, outside, is empty
    labels, _ = imported(tmp_path, [cvat_mask("leaf", mask, 30, 20)])
    expected = np.zeros((HEIGHT, WIDTH), np.uint8)
    expected[20:29, 30:41] = 2 * mask
    assert (labels == expected).all()


def test_boxes_turned_boxes_and_ellipses(tmp_path):
    box = '<box label="crack" xtl="5.00" ytl="6.00" xbr="20.00" ybr="16.00" z_order="0"></box>'
    turned = '<box label="leaf" xtl="30.00" ytl="20.00" xbr="50.00" ybr="30.00" rotation="90.00" z_order="0"></box>'
    ellipse = '<ellipse label="crack" cx="10.00" cy="30.00" rx="8.00" ry="3.00" rotation="0.00" z_order="0"></ellipse>'
    labels, _ = imported(tmp_path, [box, turned, ellipse])
    rows, columns = np.mgrid[:HEIGHT, :WIDTH] + 0.5
    expected = np.zeros((HEIGHT, WIDTH), np.uint8)
    expected[6:16, 5:20] = 1
    expected[15:35, 35:45] = 2
    expected[((columns - 10) / 8) ** 2 + ((rows - 30) / 3) ** 2 <= 1] = 1
    assert (labels == expected).all()


def test_shapes_without_area_and_skeletons(tmp_path):
    line = '<polyline label="crack" points="1,1;2,2" z_order="0"></polyline>'
    skeleton = '<skeleton label="leaf" z_order="0"><points label="1" points="3.0,4.0"></points></skeleton>'
    labels, report = imported(tmp_path, [line, skeleton, cvat_polygon("leaf", LEAF)])
    assert (labels == 2 * filled(LEAF)).all()
    assert report.left_out == {"polyline (it has no area)": 1, "skeleton (it has no area)": 1}


def test_subsets_are_splits(tmp_path):
    folder = cvat_folder(tmp_path / "e")
    shapes = [cvat_polygon("crack", CRACK), cvat_polygon("leaf", LEAF)]
    images = [(f"p{i}.jpg", shapes, f'subset="{"Train" if i < 4 else "Validation"}"') for i in range(6)]
    (folder / "annotations.xml").write_text(cvat_xml(images))
    assert import_data(folder, tmp_path / "out").splits == {"train": 4, "val": 2}


@pytest.mark.parametrize(
    ("element", "said"),
    [
        ('<polygon label="crack" points="1,2;3" z_order="0"/>', "not a list of pairs"),
        ('<polygon label="crack" points="1,2;nan,3;4,4" z_order="0"/>', "NaN"),
        (
            '<mask label="crack" rle="1, 2" left="0" top="0" width="2" height="2" z_order="0"/>',
            "3 pixels, and its picture 4",
        ),
        ('<mask label="crack" rle="x" left="0" top="0" width="2" height="2" z_order="0"/>', "else than numbers"),
        ('<mask label="crack" rle="4" left="0" top="0" width="99999" height="99999" z_order="0"/>', "at most"),
        ('<ellipse label="crack" cx="1" cy="1" rx="2" z_order="0"/>', "lacks cx, cy, rx, ry"),
    ],
)
def test_a_broken_element_skips_its_picture(tmp_path, element, said):
    folder = cvat_folder(tmp_path / "e")
    shapes = [cvat_polygon("crack", CRACK), cvat_polygon("leaf", LEAF)]
    images = [("p0.jpg", [element], ""), *((f"p{i}.jpg", shapes, "") for i in range(1, 4))]
    (folder / "annotations.xml").write_text(cvat_xml(images))
    report = import_data(folder, tmp_path / "out")
    assert list(report.broken) == ["p0"] and said in report.broken["p0"]


def test_videos_and_broken_files_are_refused(tmp_path):
    folder = cvat_folder(tmp_path / "e")
    text = (folder / "annotations.xml").read_text()
    (folder / "annotations.xml").write_text(
        text.replace("</annotations>", '<track id="0" label="crack"></track></annotations>')
    )
    with pytest.raises(UsageError, match="export of a video"):
        import_data(folder, tmp_path / "out")
    (folder / "annotations.xml").write_text(text[:-30])
    with pytest.raises(ValueError, match="is no XML"):
        import_data(folder, tmp_path / "out")
    bomb = '<!DOCTYPE a [<!ENTITY b "' + "c" * 1000 + '">]>'
    (folder / "annotations.xml").write_text(text.replace("<annotations>", bomb + "<annotations>"))
    with pytest.raises(ValueError, match="document type"):
        import_data(folder, tmp_path / "out")


def test_the_export_without_images_and_with_their_folder(tmp_path):
    folder = cvat_folder(tmp_path / "e")
    (folder / "images").rename(tmp_path / "photos")
    with pytest.raises(ValueError, match="no picture of .* could be taken.*--images DIR"):
        import_data(folder, tmp_path / "out")
    assert import_data(folder / "annotations.xml", tmp_path / "out", images=[tmp_path / "photos"]).splits == {
        "train": 5,
        "val": 1,
    }


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of pycocotools, where Datumaro calls it
def test_polygons_and_masks_of_one_task_are_the_same_labels(tmp_path):
    """CVAT for images, and the segmentation mask that Datumaro paints of it, as CVAT does."""
    import datumaro as dm
    from datumaro.components.annotation import MaskCategories

    folder = cvat_folder(tmp_path / "e")
    import_data(folder, tmp_path / "a", split=0.5)
    dataset = dm.Dataset.import_from(str(folder), "cvat")
    dataset.transform("polygons_to_masks")
    dataset.categories()[dm.AnnotationType.mask] = MaskCategories({0: (250, 50, 83), 1: (51, 221, 255)})
    dataset.export(str(tmp_path / "voc"), "voc_segmentation", save_media=True, label_map="source")
    import_data(tmp_path / "voc", tmp_path / "b", split=0.5)
    ours = {path.stem: read_labels(path) for path in (tmp_path / "a" / "labels").rglob("*.png")}
    theirs = {path.stem: read_labels(path) for path in (tmp_path / "b" / "labels").rglob("*.png")}
    assert ours.keys() == theirs.keys() and len(ours) == 6
    names = [(tmp_path / out / "classes.csv").read_text().splitlines()[1:] for out in "ab"]
    lookup = {line.split(",")[1]: int(line.split(",")[0]) for line in names[1]}
    order = np.array([lookup[line.split(",")[1]] for line in names[0]])
    for name, labels in ours.items():
        assert (order[labels] == theirs[name]).all(), name


def test_masks_by_color(tmp_path):
    assert import_data(voc_folder(tmp_path / "e"), tmp_path / "out").format == "voc"
