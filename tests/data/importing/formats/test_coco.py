"""COCO and Roboflow: every pixel as pycocotools' own API has it."""

import contextlib
import io
import json
import warnings

import numpy as np
import pytest
from PIL import Image
from pycocotools.coco import COCO

from attseg.data.catalog import open_data
from attseg.data.importing.job import import_data
from attseg.data.sample import DataError
from attseg.data.sets.voc import VOC
from attseg.errors import UsageError
from labelling import (
    CRACK,
    HEIGHT,
    LEAF,
    WIDTH,
    coco,
    coco_folder,
    flat,
    read_labels,
    roboflow_folder,
    write_json,
    write_picture,
)


def by_pycocotools(path, name):
    """The labels of a picture: category over category, in the order of the file."""
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore", DeprecationWarning)
        api = COCO(path)
        image = next(one for one in api.dataset["images"] if one["file_name"] == name)
        labels = np.zeros((image["height"], image["width"]), np.uint8)
        for annotation in api.dataset["annotations"]:
            if annotation["image_id"] == image["id"]:
                labels[api.annToMask(annotation).astype(bool)] = annotation["category_id"]
    return labels


def test_polygons_and_runs_are_those_of_pycocotools(tmp_path):
    names = [f"p{index}.jpg" for index in range(4)]
    for index, name in enumerate(names):
        write_picture(tmp_path / "e" / "images" / name, index)
    draw = np.random.default_rng(0)
    annotations = []
    for picture in range(4):
        for _ in range(6):
            category = int(draw.integers(1, 3))
            kind = draw.integers(3)
            if kind == 0:  # several parts, of floats, partly outside
                segmentation = [
                    draw.uniform(-9, 70, 2 * draw.integers(3, 8)).round(2).tolist() for _ in range(draw.integers(1, 4))
                ]
            else:
                mask = np.kron(draw.random((HEIGHT // 4, WIDTH // 4)) < 0.2, np.ones((4, 4))).astype(np.uint8)
                segmentation = runs(mask, compressed=kind == 1)
            annotations.append((picture, category, segmentation, {"iscrowd": int(kind == 2)}))
    file = write_json(tmp_path / "e" / "annotations" / "instances_default.json", coco(names, annotations))
    report = import_data(tmp_path / "e", tmp_path / "out")
    assert (report.format, report.splits, report.broken) == ("coco", {"train": 3, "val": 1}, {})
    for path in (tmp_path / "out" / "labels").rglob("*.png"):
        assert (read_labels(path) == by_pycocotools(file, f"{path.stem}.jpg")).all(), path


def runs(mask, compressed):
    from pycocotools import mask as tool

    if compressed:
        found = tool.encode(np.asfortranarray(mask))
        return {"size": [HEIGHT, WIDTH], "counts": found["counts"].decode()}
    counts, last = [0], 0
    for value in mask.T.ravel().tolist():
        if value != last:
            counts, last = [*counts, 0], value
        counts[-1] += 1
    return {"size": [HEIGHT, WIDTH], "counts": counts}


def test_roboflow(tmp_path):
    report = import_data(roboflow_folder(tmp_path / "e"), tmp_path / "out")
    assert report.splits == {"train": 4, "val": 2, "test": 1}
    assert report.classes == ["background", "crack", "leaf"]
    assert any("'damage' is the group" in remark for remark in report.remarks)
    for split, theirs in (("train", "train"), ("val", "valid"), ("test", "test")):
        pictures = sorted((tmp_path / "out" / "images" / split).iterdir())
        assert [path.name for path in pictures] == sorted(path.name for path in (tmp_path / "e" / theirs).glob("*.jpg"))
        for path in pictures:
            assert path.read_bytes() == (tmp_path / "e" / theirs / path.name).read_bytes()
            labels = read_labels(tmp_path / "out" / "labels" / split / f"{path.stem}.png")
            assert (labels == by_pycocotools(tmp_path / "e" / theirs / "_annotations.coco.json", path.name)).all()


def test_the_group_of_roboflow_is_a_class_where_it_occurs(tmp_path):
    folder = roboflow_folder(tmp_path / "e")
    file = folder / "train" / "_annotations.coco.json"
    content = json.loads(file.read_text())
    content["annotations"][0]["category_id"] = 0
    file.write_text(json.dumps(content))
    report = import_data(folder, tmp_path / "out")
    assert report.classes == ["background", "damage", "crack", "leaf"]
    assert report.in_pictures["damage"] == 1


def one_picture(tmp_path, *annotations, **changes):
    """An export of two pictures, the first of which has annotations."""
    for index in range(2):
        write_picture(tmp_path / "e" / "images" / f"p{index}.jpg", index)
    content = coco(["p0.jpg", "p1.jpg"], [*annotations, (1, 1, [flat(CRACK)], {}), (1, 2, [flat(LEAF)], {})]) | changes
    write_json(tmp_path / "e" / "annotations" / "instances_default.json", content)
    return tmp_path / "e"


def test_crowds_are_their_class_or_ignored(tmp_path):
    mask = np.zeros((HEIGHT, WIDTH), np.uint8)
    mask[:10, :10] = 1
    source = one_picture(tmp_path, (0, 1, runs(mask, compressed=True), {"iscrowd": 1}))
    import_data(source, tmp_path / "class")
    report = import_data(source, tmp_path / "ignored", crowd="ignore")
    assert any("crowds are ignored" in remark for remark in report.remarks)
    labels = [read_labels(next((tmp_path / out / "labels").rglob("p0.png"))) for out in ("class", "ignored")]
    assert (labels[0] == mask).all()
    assert (labels[1] == 255 * mask).all()
    assert "255,ignore" in (tmp_path / "ignored" / "classes.csv").read_text()


def test_boxes_alone_are_refused_with_the_option_that_takes_them(tmp_path):
    source = one_picture(tmp_path, annotations=coco(["a", "b"], [(0, 1, [], {}), (1, 2, [], {})])["annotations"])
    with pytest.raises(UsageError, match="2 boxes and no outline.*--boxes fill"):
        import_data(source, tmp_path / "out")
    assert not (tmp_path / "out").exists()
    report = import_data(source, tmp_path / "out", boxes="fill")
    labels = read_labels(next((tmp_path / "out" / "labels").rglob("p0.png")))
    assert labels[4:21, 5:33].all() and labels.sum() == 17 * 28
    assert any("boxes that were filled: 2" in remark for remark in report.remarks)


def test_boxes_beside_outlines_are_left_out_and_counted(tmp_path):
    report = import_data(one_picture(tmp_path, (0, 1, [], {}), (0, 2, [flat(LEAF)], {})), tmp_path / "out")
    assert report.left_out == {"box without outline (--boxes fill takes them)": 1}
    assert not (read_labels(next((tmp_path / "out" / "labels").rglob("p0.png"))) == 1).any()


@pytest.mark.parametrize(
    ("segmentation", "said"),
    [
        ({"size": [HEIGHT, WIDTH], "counts": [3]}, "3 pixels, and 2400 were expected"),
        ({"size": [3, 1], "counts": [3]}, "3 x 1 (height x width), and its picture 40 x 60"),
        ({"size": [HEIGHT], "counts": [2400]}, "no valid size"),
        ({"size": [HEIGHT, WIDTH], "counts": "\x01"}, "damaged"),
        ([[1, 2, 3, 4, 5, "a"]], "pairs of numbers"),
        ([[1, 2, 3, 4, 5]], "pairs of numbers"),
        ([[1, 2, 3, 4, 5, 1e12]], "beyond"),
        ("text", "is str"),
        ([7], "pairs of numbers"),
    ],
)
def test_a_broken_region_skips_its_picture(tmp_path, segmentation, said):
    source = one_picture(tmp_path, (0, 1, segmentation, {}))
    write_picture(source / "images" / "p2.jpg", 5)
    file = source / "annotations" / "instances_default.json"
    content = json.loads(file.read_text())
    content["images"].append({"id": 2, "file_name": "p2.jpg", "height": HEIGHT, "width": WIDTH})
    file.write_text(json.dumps(content))
    report = import_data(source, tmp_path / "out")
    assert list(report.broken) == ["p0"]
    assert said in report.broken["p0"] and str(file) in report.broken["p0"]
    assert report.splits == {"train": 1, "val": 1}
    assert not report.ok


def test_polygons_without_area_are_left_out_and_counted(tmp_path):
    source = one_picture(tmp_path, (0, 1, [[1, 2, 3, 4]], {}), (0, 1, [[]], {}), (0, 2, [flat(LEAF), [1, 1]], {}))
    report = import_data(source, tmp_path / "out")
    assert report.left_out == {"polygon of fewer than 3 points": 3}
    assert report.ok


def test_categories_that_are_not_there(tmp_path):
    report_of = one_picture(tmp_path, (0, 9, [flat(LEAF)], {}))
    with pytest.raises(DataError, match="only 1 picture .*the category 9"):
        import_data(report_of, tmp_path / "out")


def test_without_any_area_nothing_is_made(tmp_path):
    source = one_picture(
        tmp_path, annotations=coco(["a", "b"], [(0, 1, [], {"bbox": []}), (1, 2, [[1, 2]], {})])["annotations"]
    )
    with pytest.raises(
        UsageError, match="no region with an area.*'annotation without outline'.*'polygon of fewer than 3 points'"
    ):
        import_data(source, tmp_path / "out")


def test_two_files_for_the_same_pictures_are_refused_with_the_line_that_decides(tmp_path):
    source = coco_folder(tmp_path / "e")
    file = source / "annotations" / "instances_default.json"
    (source / "annotations" / "stuff_default.json").write_text(file.read_text())
    with pytest.raises(
        UsageError, match="label the same pictures.*attseg data import .*instances_default.json --images"
    ):
        import_data(source, tmp_path / "out")
    report = import_data(file, tmp_path / "out", images=[source])
    assert report.splits == {"train": 5, "val": 1}


def test_splits_by_the_names_of_files(tmp_path):
    for split, count in (("train2017", 3), ("val2017", 2)):
        names = [f"{index:012d}.jpg" for index in range(count)]
        for index, name in enumerate(names):
            write_picture(tmp_path / "e" / split / name, index + len(split))
        write_json(tmp_path / "e" / "annotations" / f"instances_{split}.json",
                   coco(names, [(i, 1 + i % 2, [flat(CRACK)], {}) for i in range(count)]))  # fmt: skip
    with pytest.raises(UsageError, match="label the same pictures"):  # the names are the same in both
        import_data(tmp_path / "e", tmp_path / "out")


OF_VOC = (
    *(
        "airplane",
        "bicycle",
        "bird",
        "boat",
        "bottle",
        "bus",
        "car",
        "cat",
        "chair",
        "cow",
        "dining table",
        "dog",
        "horse",
    ),
    *("motorcycle", "person", "potted plant", "sheep", "couch", "train", "tv"),
)
"""Classes of MS-COCO in the order of VOC's."""


def test_the_official_layout_gives_the_indices_of_voc(tmp_path):
    root = tmp_path / "coco"
    (root / "annotations").mkdir(parents=True)
    categories = [{"id": 90 - place, "name": name} for place, name in enumerate((*OF_VOC, "zebra"))]
    boxes = {"airplane": (0, 0), "zebra": (10, 0), "tv": (20, 0), "train": (0, 10)}
    for split, number in (("train2017", 9), ("val2017", 139)):
        (root / split).mkdir()
        Image.fromarray(np.zeros((20, 30, 3), np.uint8)).save(root / split / f"{number:012d}.jpg")
        outlines = [
            {
                **{"id": place, "image_id": number, "iscrowd": 0, "bbox": [x, y, 10, 10], "area": 100},
                "category_id": next(one["id"] for one in categories if one["name"] == name),
                "segmentation": [[x, y, x + 10, y, x + 10, y + 10, x, y + 10]],
            }
            for place, (name, (x, y)) in enumerate(boxes.items())
        ]
        pictures = [{"id": number, "file_name": f"{number:012d}.jpg", "height": 20, "width": 30}]
        values = {"images": pictures, "annotations": outlines, "categories": categories}
        (root / "annotations" / f"instances_{split}.json").write_text(json.dumps(values))
    import_data(root, tmp_path / "made", classes=OF_VOC)
    for split in ("train", "val"):
        [sample] = open_data("folder", split, root=tmp_path / "made")
        expected = np.zeros((20, 30), np.uint8)
        for name, (x, y) in boxes.items():
            expected[y : y + 10, x : x + 10] = OF_VOC.index(name) + 1 if name in OF_VOC else 0
        np.testing.assert_array_equal(sample.labels, expected)
        assert len(VOC) == len(OF_VOC) + 1
