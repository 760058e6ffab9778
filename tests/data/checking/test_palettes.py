import itertools

import numpy as np
import pytest
import tifffile
from PIL import Image

from attseg.data.checking.check import check

RED, GREEN, BLUE, BLACK, WHITE = (255, 0, 0), (0, 255, 0), (0, 0, 255), (0, 0, 0), (255, 255, 255)
GIVEN = (BLUE, GREEN, RED)
"""Colours of water, land and boat in the class file of the folder."""


def save(path, colors, values=(0, 1, 2)):
    image = Image.fromarray(np.resize(np.array(values, np.uint8), (8, 12)))
    image.putpalette([channel for color in colors for channel in color])
    image.save(path)


def save_tiff(path, colors, values=(0, 1, 2)):
    palette = np.zeros((3, 256), np.uint16)
    palette[:, : len(colors)] = np.array(colors, np.uint16).T * 257
    path.unlink()
    data = np.resize(np.array(values, np.uint8), (8, 12))
    tifffile.imwrite(path.with_suffix(".tif"), data, photometric="palette", colormap=palette)


def labels_of(folder):
    return sorted((folder / "labels").rglob("*.png"))


def found(folder, kind="palette"):
    return [finding for finding in check("folder", folder).findings if finding.kind == kind]


def test_palettes_that_agree_with_the_classes_are_no_finding(folder):
    for path in labels_of(folder):
        save(path, [*GIVEN, WHITE])
    assert check("folder", folder).findings == []


@pytest.mark.parametrize("write", [save, save_tiff])
@pytest.mark.parametrize("order", [order for order in itertools.permutations(range(3)) if order != (0, 1, 2)])
def test_classes_in_another_order_are_told_with_the_renumbering(folder, order, write):
    path = folder / "labels/train/a.png"
    write(path, [GIVEN[index] for index in order])
    (finding,) = found(folder)
    assert (finding.severity, finding.split) == ("warning", "train") and "a." in (finding.file or "")
    for index, other in enumerate(order):
        told = f"index {index} is {GIVEN[other]} in the palette and {GIVEN[index]} in the class table"
        assert (told in finding.message) == (index != other)
        assert (f"{index} -> {other}" in finding.message) == (index != other)


def test_a_colour_that_no_class_has_is_told_without_a_renumbering(folder):
    save(folder / "labels/val/d.png", [BLUE, WHITE, RED])
    (finding,) = found(folder)
    assert "index 1 is (255, 255, 255) in the palette and (0, 255, 0) in the class table" in finding.message
    assert "renumbering" not in finding.message and finding.file == str(folder / "labels/val/d.png")


def test_only_indices_that_occur_count(folder):
    save(folder / "labels/val/d.png", [BLUE, WHITE, RED], values=(0, 2))
    assert found(folder) == []


def test_equal_contradictions_are_one_finding(folder):
    for path in labels_of(folder):
        save(path, [GREEN, BLUE, RED])
    train, val = found(folder)
    assert "a.png and 2 other label files: index 0" in train.message and "d.png and 1 other label file:" in val.message


@pytest.mark.parametrize("place", range(5))
def test_without_colours_in_the_classes_files_are_compared_with_one_another(folder, place):
    (folder / "classes.csv").write_text("index,name\n0,water\n1,land\n2,boat\n")
    paths = labels_of(folder)
    for index, path in enumerate(paths):
        save(path, [RED, BLUE, GREEN] if index != place else [BLUE, RED, GREEN])
    (finding,) = found(folder)
    assert finding.file == str(paths[place])
    assert "index 0 is (0, 0, 255) in the palette and (255, 0, 0) in most label files" in finding.message
    assert "0 -> 1, 1 -> 0" in finding.message


def test_colours_that_are_given_for_some_classes_alone_are_compared(folder):
    (folder / "classes.csv").write_text("index,name,r,g,b\n0,water,,,\n1,land,0,255,0\n2,boat,,,\n")
    for path in labels_of(folder):
        save(path, [RED, WHITE, BLUE])
    assert "index 1 is (255, 255, 255)" in found(folder)[0].message and "index 0" not in found(folder)[0].message


def test_gray_files_beside_paletted_ones_have_no_colours_to_compare(folder):
    save(folder / "labels/val/d.png", GIVEN)
    assert found(folder) == []


@pytest.mark.parametrize(
    ("colors", "values", "ambiguous"),
    [
        ([(9, 9, 9), BLACK], (0, 1), True),  # as an optimiser stores the values 9 and 0
        ([(1, 1, 1), (2, 2, 2)], (0, 1), True),
        ([BLACK, (1, 1, 1), (2, 2, 2)], (0, 1, 2), False),
        ([BLACK, WHITE], (0, 1), False),  # 255 is no class here: black and white are for the eye
        ([RED, (1, 1, 1)], (0, 1), False),
    ],
)
def test_palettes_of_grays_that_are_values_themselves_are_told(folder, colors, values, ambiguous):
    (folder / "classes.csv").write_text("index,name\n0,water\n1,land\n2,boat\n9,void\n")
    save(folder / "labels/train/a.png", colors, values)
    assert len(found(folder, "palette of grays")) == ambiguous


def test_public_sets_are_compared_with_their_own_colours(voc):
    assert check("voc2012", voc).counts.get("palette") is None
    path = voc / "VOCdevkit/VOC2012/SegmentationClass/2007_000033.png"
    image = Image.open(path)
    palette = image.getpalette()
    palette[15:18], palette[60:63] = palette[60:63], palette[15:18]  # bottle and monitor
    image.putpalette(palette)
    image.save(path)
    (finding,) = [finding for finding in check("voc2012", voc).findings if finding.kind == "palette"]
    assert "5 -> 20, 20 -> 5" in finding.message


def test_gray_files_that_are_read_by_colour_and_could_be_values_are_warned_of(folder):
    (folder / "classes.csv").write_text(
        "index,name,r,g,b,ignore\n0,land,0,0,0,\n1,crack,255,255,255,\n255,unsure,9,9,9,1\n"
    )
    for file in (folder / "labels").rglob("*.png"):
        Image.fromarray(np.resize(np.array([0, 255], np.uint8), (8, 12))).save(file)
    result = check("folder", folder, options={"masks": "color"})
    found = [finding for finding in result.findings if finding.kind == "gray or value"]
    assert result.ok
    assert [finding.split for finding in found] == ["train", "val"]
    assert "a.png and 2 other label files: gray, and read by colour" in found[0].message
    (folder / "classes.csv").write_text("index,name,r,g,b\n0,land,0,0,0\n1,crack,255,255,255\n")
    assert not check("folder", folder, options={"masks": "color"}).findings
