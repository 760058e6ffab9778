"""labelme: every pixel as labelme's own ``shapes_to_label`` has it, drawn here with Pillow on the whole picture."""

import io
import json
import math

import numpy as np
import pytest
from PIL import Image, ImageDraw

from attseg.data.importing.job import import_data
from labelling import (
    CRACK,
    HEIGHT,
    LEAF,
    WIDTH,
    labelme_folder,
    labelme_mask,
    labelme_shape,
    read_labels,
    write_labelme,
    write_picture,
)


def drawn(*shapes):
    """Values drawn over each other: (value, kind, corners)."""
    labels = np.zeros((HEIGHT, WIDTH), np.uint8)
    for value, kind, points in shapes:
        mask = Image.new("L", (WIDTH, HEIGHT))
        getattr(ImageDraw.Draw(mask), kind)([tuple(point) for point in points], outline=1, fill=1)
        labels[np.array(mask) == 1] = value
    return labels


def imported(tmp_path, shapes, **options):
    """The labels of a picture with some shapes; a second picture has a crack and a leaf."""
    folder = tmp_path / "e"
    write_picture(folder / "a.jpg", 1)
    write_labelme(folder / "a.json", shapes)
    write_picture(folder / "b.jpg", 2)
    write_labelme(folder / "b.json", [labelme_shape("crack", CRACK), labelme_shape("leaf", LEAF)])
    report = import_data(folder, tmp_path / "out", **options)
    return read_labels(next((tmp_path / "out" / "labels").rglob("a.png"))), report


def test_polygons(tmp_path):
    labels, report = imported(tmp_path, [labelme_shape("crack", CRACK), labelme_shape("leaf", LEAF)])
    assert (labels == drawn((1, "polygon", CRACK), (2, "polygon", LEAF))).all()
    assert report.format == "labelme"
    assert (
        sum(report.overlaps.values()) == 2 * (drawn((1, "polygon", CRACK)) & (drawn((2, "polygon", LEAF)) // 2)).sum()
    )


def test_files_without_a_kind_of_shape_are_of_labelme_before_3_and_polygons(tmp_path):
    shape = labelme_shape("crack", CRACK)
    del shape["shape_type"]
    assert (imported(tmp_path, [shape])[0] == drawn((1, "polygon", CRACK))).all()


def test_circles_rectangles_and_turned_rectangles(tmp_path):
    middle, edge = (20.5, 18.0), (27.0, 21.0)
    radius = math.dist(middle, edge)
    turned = [[40, 5], [55, 12], [50, 22], [35, 15]]
    labels, report = imported(tmp_path, [
        labelme_shape("crack", [middle, edge], "circle"),
        labelme_shape("leaf", [[50.5, 38], [40, 25.5]], "rectangle"),
        labelme_shape("crack", turned, "oriented_rectangle"),
    ])  # fmt: skip
    corners = [(middle[0] - radius, middle[1] - radius), (middle[0] + radius, middle[1] + radius)]
    shapes = (1, "ellipse", corners), (2, "rectangle", [(40, 25.5), (50.5, 38)]), (1, "polygon", turned)
    assert (labels == drawn(*shapes)).all()
    assert any("boxes that were filled: 1" in remark for remark in report.remarks)


def test_shapes_of_x_anylabeling(tmp_path):
    """Rectangles by four corners, turned ones, and quadrilaterals."""
    turned, four = [[40, 5], [55, 12], [50, 22], [35, 15]], [[3.5, 20], [12, 22.5], [10, 33], [2, 30.5]]
    labels, _ = imported(tmp_path, [
        labelme_shape("leaf", [[40, 25.5], [50.5, 25.5], [50.5, 38], [40, 38]], "rectangle"),
        labelme_shape("crack", turned, "rotation", direction=0.4),
        labelme_shape("leaf", four, "quadrilateral"),
    ])  # fmt: skip
    assert (
        labels == drawn((2, "rectangle", [(40, 25.5), (50.5, 38)]), (1, "polygon", turned), (2, "polygon", four))
    ).all()


def test_masks(tmp_path):
    mask = np.random.default_rng(0).random((7, 9)) < 0.5
    labels, _ = imported(tmp_path, [labelme_mask("leaf", mask, 20, 30)])
    expected = np.zeros((HEIGHT, WIDTH), np.uint8)
    expected[30:37, 20:29] = 2 * mask
    assert (labels == expected).all()


def test_lines_and_points_have_no_area(tmp_path):
    shapes = [labelme_shape("crack", CRACK, "linestrip"), labelme_shape("leaf", [[1, 1]], "point"),
              labelme_shape("crack", CRACK[:2])]  # fmt: skip
    labels, report = imported(tmp_path, shapes)
    assert not labels.any()
    assert report.left_out == {
        "linestrip (it has no area)": 1, "point (it has no area)": 1, "polygon of fewer than 3 points": 1,
    }  # fmt: skip


def test_the_picture_that_is_embedded_is_taken_where_the_file_is_absent(tmp_path):
    folder = tmp_path / "e"
    content = {}
    for name, kind in (("a", "JPEG"), ("b", "PNG")):
        file = io.BytesIO()
        Image.fromarray(np.random.default_rng(1).integers(0, 256, (HEIGHT, WIDTH, 3), np.uint8)).save(file, kind)
        content[name] = file.getvalue()
        shapes = [labelme_shape("crack", CRACK), labelme_shape("leaf", LEAF)]
        write_labelme(folder / f"{name}.json", shapes, picture=f"..\\gone\\{name}.tiff", data=content[name])
    report = import_data(folder, tmp_path / "out")
    assert report.ok
    found = {path.stem: path for path in (tmp_path / "out" / "images").rglob("*.*")}
    assert {name: path.suffix for name, path in found.items()} == {"a": ".jpg", "b": ".png"}
    assert all(path.read_bytes() == content[name] for name, path in found.items())


def test_the_list_of_labels_says_the_order_and_what_is_ignored(tmp_path):
    folder = labelme_folder(tmp_path / "e")
    write_labelme(folder / "p0.json", [labelme_shape("leaf", LEAF), labelme_shape("__ignore__", CRACK)])
    (folder / "labels.txt").write_text("__ignore__\n_background_\nleaf\ncrack\n")
    report = import_data(folder, tmp_path / "out")
    assert report.classes == ["_background_", "leaf", "crack"]
    labels = read_labels(next((tmp_path / "out" / "labels").rglob("p0.png")))
    assert (labels == drawn((1, "polygon", LEAF), (255, "polygon", CRACK))).all()


def test_pictures_that_nobody_has_labelled_are_left_out_or_background(tmp_path):
    folder = labelme_folder(tmp_path / "e")
    write_picture(folder / "p0.png", 9)  # the same stem as p0.jpg
    write_picture(folder / "later" / "p9.jpg", 10)
    report = import_data(folder, tmp_path / "out")
    assert report.ok and len(report.skipped) == 2
    report = import_data(folder, tmp_path / "all", unlabeled="background")
    assert sum(report.splits.values()) == 8
    names = {path.relative_to(path.parents[1 + (path.parent.name == "later")]).as_posix().partition("/")[2]
             for path in (tmp_path / "all" / "images").rglob("*.*")}  # fmt: skip
    assert {"p0.jpg", "p0_png.png", "later/p9.jpg"} <= names
    assert not read_labels(next((tmp_path / "all" / "labels").rglob("p0_png.png"))).any()


def test_a_picture_whose_labels_are_broken_is_never_background(tmp_path):
    folder = labelme_folder(tmp_path / "e", 8)
    (folder / "p0.json").write_text("{")
    write_labelme(folder / "p1.json", [labelme_shape("crack", [[0, 0], [1, float("nan")], [2, 2]])])
    write_labelme(folder / "p2.json", [], size=(3, 4))
    (folder / "p3.json").rename(folder / "other name.json")
    report = import_data(folder, tmp_path / "out", unlabeled="background")
    assert sorted(report.broken) == ["p0", "p1", "p2"] and not report.skipped
    assert sum(report.splits.values()) == 5
    for path in (tmp_path / "out" / "labels").rglob("*.png"):
        assert read_labels(path).any()


@pytest.mark.parametrize("options", [{}, {"unlabeled": "skip"}])
def test_a_file_without_shapes_says_that_nothing_is_there(tmp_path, options):
    folder = labelme_folder(tmp_path / "e")
    write_labelme(folder / "p0.json", [])
    report = import_data(folder, tmp_path / "out", **options)
    assert report.ok
    assert sum(report.splits.values()) == (5 if options else 6)
    assert any("1 picture without a region is background" in remark for remark in report.remarks) != bool(options)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("{", "is no JSON"),
        ("", "is no JSON"),
        ("[" * 100_000, "is no JSON"),
        ('{"imagePath": "p0.jpg"}', "no valid 'shapes'"),
        ('{"shapes": [{"label": "a", "points": [[0, 0], [1, 1], [1, 1e400]]}], "imagePath": "p0.jpg"}', "NaN, infinite"),
        ('{"shapes": [{"label": 3, "points": []}], "imagePath": "p0.jpg"}', "no valid 'label'"),
        ('{"shapes": [{"label": "a", "shape_type": "mask", "points": [[0, 0], [1, 1]], "mask": "??"}], "imagePath": "p0.jpg"}',
         "no base64"),
        ('{"shapes": [{"label": "a", "shape_type": "star", "points": [[0, 0]]}], "imagePath": "p0.jpg"}', "not known here"),
        ('{"shapes": [], "imagePath": "../../../../etc/gone.jpg"}', "was not found in"),
        ('{"shapes": [], "imagePath": "p0.jpg", "imageHeight": 41, "imageWidth": 60}', "for 41 x 60 pixels (height x width)"),
    ],
)  # fmt: skip
def test_a_broken_file_is_named_and_skipped(tmp_path, content, said):
    folder = labelme_folder(tmp_path / "e")
    (folder / "p0.json").write_text(content)
    report = import_data(folder, tmp_path / "out")
    assert list(report.broken) == ["p0"]
    assert said in report.broken["p0"] and str(folder / "p0.json") in report.broken["p0"]
    assert sum(report.splits.values()) == 5
    assert not [*(tmp_path / "out").rglob("p0.*")]


def test_broken_pictures(tmp_path):
    folder = labelme_folder(tmp_path / "e")
    (folder / "p0.jpg").write_bytes((folder / "p0.jpg").read_bytes()[:700])
    (folder / "p1.jpg").write_bytes(b"")
    (folder / "p2.jpg").unlink()
    report = import_data(folder, tmp_path / "out")
    assert sorted(report.broken) == ["p0", "p1", "p2"]
    assert (
        "cannot be read" in report.broken["p0"]
        and "empty" in report.broken["p1"]
        and "not found" in report.broken["p2"]
    )
    assert json.loads((tmp_path / "out" / "import.json").read_text())["broken"] == report.broken
