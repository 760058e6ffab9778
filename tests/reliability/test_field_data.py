"""Situations that people report about their data: each comes out right, or is named by the check or an error.

``docs/log.md`` has the table of what was tried, with what came out before.
"""

import struct

import numpy as np
import pytest
import tifffile
from imagecodecs import png_encode
from PIL import Image

from attseg.data.catalog import open_data
from attseg.data.checking.check import check
from attseg.data.classes import ClassTable
from attseg.data.reading.arrays import from_array
from attseg.data.reading.image import read_image, read_labels
from attseg.data.sample import DataError
from attseg.data.sets.class_file import read_class_file
from attseg.errors import UsageError

H, W = 21, 33
RGB = np.random.default_rng(0).integers(0, 256, (H, W, 3), np.uint8)
LABELS = np.random.default_rng(1).integers(0, 4, (H, W), np.uint8)
FOUR = ClassTable(tuple("abcd"), tuple((10 * place, 0, 0) for place in range(4)))


def make(root, *, image=lambda number: RGB[::-1] if number % 2 else RGB // (1 + number), labels=None, classes=None):
    """A data folder of four images to train on and two to validate on, each another one."""
    root.mkdir()
    (root / "classes.csv").write_text(classes or "index,name\n0,a\n1,b\n2,c\n3,d\n", encoding="utf-8")
    for number in range(6):
        split = "train" if number < 4 else "val"
        for part, values in (("images", image(number)), ("labels", (labels or (lambda _: LABELS))(number))):
            path = root / part / split / f"{number}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(values).save(path)
    return root


def found(root):
    """Severity and message of each finding of a data folder, by kind and split."""
    return {(f.kind, f.split): (f.severity, f.message) for f in check("folder", root).findings}


def tga(values, alpha_bits):
    head = struct.pack("<BBBHHBHHHHBB", 0, 0, 2, 0, 0, 0, 0, 0, W, H, 32, 0x20 | alpha_bits)
    return head + values[..., [2, 1, 0, 3]].tobytes()


def with_alpha(alpha, colours=RGB):
    return np.dstack([colours, np.full((H, W), alpha, np.uint8)])


INVISIBLE = {
    "0.png": lambda path: Image.fromarray(with_alpha(0)).save(path),
    "0.webp": lambda path: Image.fromarray(with_alpha(0)).save(path, lossless=True, exact=True),
    "0.tga": lambda path: path.write_bytes(tga(with_alpha(0), 8)),
    "no alpha bits.tga": lambda path: path.write_bytes(tga(with_alpha(0), 0)),
    "16 bits.png": lambda path: path.write_bytes(png_encode(with_alpha(0).astype(np.uint16) * np.uint16(257))),
    "gray.png": lambda path: Image.fromarray(with_alpha(0)[..., 2:]).save(path),
}


@pytest.mark.parametrize("name", INVISIBLE)
def test_images_of_which_nothing_is_visible_are_refused_rather_than_read_as_white(name, tmp_path):
    """Renderers and game engines leave 0 in the alpha channel."""
    INVISIBLE[name](tmp_path / name)
    with pytest.raises(DataError, match="transparent everywhere") as error:
        read_image(tmp_path / name)
    assert name in str(error.value) and "as RGB" in str(error.value)


def test_empty_tiles_of_maps_are_white(tmp_path):
    Image.fromarray(with_alpha(0, np.zeros_like(RGB))).save(tmp_path / "tile.png")
    assert (read_image(tmp_path / "tile.png") == 255).all()


@pytest.mark.parametrize("alpha", [0, 128, 254, 255])
def test_the_check_says_that_transparent_pixels_lie_on_white(alpha, tmp_path):
    values = with_alpha(255)
    values[3, 4, 3] = alpha
    remarks = [
        message
        for (kind, _), (_, message) in found(make(tmp_path / "d", image=lambda _: values)).items()
        if kind == "not read"
    ]
    assert [("transparent" in remark, "white" in remark) for remark in remarks] == [(True, True)] * (alpha < 255)


@pytest.mark.parametrize("plain", [False, True])
def test_bitmaps_of_pbm_are_no_labels_for_they_hold_1_for_black(plain, tmp_path):
    bits = LABELS % 2
    rows = "\n".join(" ".join(map(str, row)) for row in bits.tolist()).encode()
    packed = b"".join(np.packbits(row).tobytes() for row in bits)
    (tmp_path / "x.ppm").write_bytes(b"P1 33 21\n" + rows if plain else b"P4 33 21\n" + packed)
    with pytest.raises(DataError, match="the other way round"):
        read_labels(tmp_path / "x.ppm", FOUR)
    assert (read_image(tmp_path / "x.ppm")[..., 0] == 255 * (1 - bits)).all(), "as an image it is right"


@pytest.mark.parametrize(
    ("top", "told"), [(1, "0,1"), (3, "0,3"), (7, "0,7"), (20, "0,31"), (63, "0,63"), (64, None), (255, None)]
)
def test_images_of_bytes_that_are_nearly_black(top, told, tmp_path):
    """Fractions that were saved as bytes."""
    root = make(
        tmp_path / "d", image=lambda number: np.roll(np.resize(np.arange(top + 1, dtype=np.uint8), RGB.shape), number)
    )
    message = found(root).get(("value range", None), ("", ""))[1]
    assert (told is None) == (message == "")
    if told:
        assert f"above {top}," in message and f"--data.options.range {told}" in message
        low, high = map(int, told.split(","))
        image = open_data("folder", "train", root=root, range=[low, high])[0].image
        assert image.max() == round(255 * top / high)


def test_some_files_of_16_bits_hold_values_of_8(tmp_path):
    gray = (RGB[..., 0] // 2).astype(np.uint16)
    root = make(tmp_path / "d", image=lambda number: gray * np.uint16(1 if number % 3 else 257) + np.uint16(number % 3))
    severity, message = found(root)["mixed ranges", None]
    assert severity == "warning" and "4 of 6 images" in message


def test_images_with_one_value_only(tmp_path):
    root = make(
        tmp_path / "d", image=lambda number: RGB // 200 * 0 + np.uint8(number) if number < 2 else np.roll(RGB, number)
    )
    severity, message = found(root)["empty image", "train"]
    assert severity == "warning" and message.endswith(": 0, 1") and ("empty image", "val") not in found(root)


@pytest.mark.parametrize(
    ("top", "white", "black"), [(1.0, 4095, True), (200.0, 4095, False), (1.0, 1, False), (7.0, 4095, True)]
)
def test_images_that_a_stated_range_makes_black(top, white, black, tmp_path):
    """Fractions among images of other values, or a range that is that of other images."""
    root = make(tmp_path / "d")
    for number in range(4):
        (root / f"images/train/{number}.png").unlink()
        values = np.random.default_rng(number).random((H, W, 3), np.float32) * np.float32(top)
        tifffile.imwrite(root / f"images/train/{number}.tif", values, photometric="rgb")
    kinds = {(f.kind, f.split) for f in check("folder", root, options={"range": (0, white)}).findings}
    assert (("empty image", "train") in kinds) == black
    array = np.random.default_rng(0).random((H, W, 3), np.float32) * np.float32(top)
    if top == 1 and white > 1:
        with pytest.raises(UsageError, match="fractions of 0..1 .* range 0,4095"):
            from_array(array, value_range=(0, white))
    else:
        assert from_array(array, value_range=(0, white)).max() == np.rint(array * (255 / white)).max()


def test_the_same_image_twice_in_a_split(tmp_path):
    root = make(
        tmp_path / "d",
        image=lambda number: np.roll(RGB, number // 2),
        labels=lambda number: np.roll(LABELS, number == 3),
    )
    told = found(root)
    assert told["repeated image", "train"][0] == "note" and told["repeated image", "train"][1].endswith(": 0 = 1")
    assert told["contrary labels", "train"][0] == "warning" and told["contrary labels", "train"][1].endswith(": 2 = 3")


def test_equal_labels_in_other_formats_are_not_contrary(tmp_path):
    root = make(tmp_path / "d", image=lambda number: np.roll(RGB, number // 2))
    paletted = Image.fromarray(LABELS)
    paletted.putpalette([0, 0, 0, 9, 9, 9, 5, 5, 5, 7, 7, 7])
    paletted.save(root / "labels/train/1.png")
    assert ("contrary labels", "train") not in found(root)


def test_label_files_in_the_place_of_images(tmp_path):
    root = make(tmp_path / "d")
    (root / "images/train/2.png").write_bytes((root / "labels/train/2.png").read_bytes())
    severity, message = found(root)["image is its labels", "train"]
    assert severity == "error" and "images/train/2.png" in message.replace("\\", "/")


@pytest.mark.parametrize("ending", [".jfif", ".heic", ".npy", ".JPE"])
def test_images_of_other_endings_are_not_skipped_silently(ending, tmp_path):
    root = make(tmp_path / "d")
    (root / "images/train/more").with_suffix(ending).write_bytes(b"x")
    (root / "labels/train/notes.json").write_text("{}")
    result = check("folder", root)
    (warning,) = [finding for finding in result.findings if finding.kind == "not read"]
    assert (
        warning.severity == "warning" and f"{ending.lower()} (1)" in warning.message and ".json" not in warning.message
    )
    (line,) = [line.text for line in result.assumed if line.about == "files of other kinds skipped"]
    assert line.startswith("2: ") and ".json (1)" in line


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Road", "road"),
        ("traffic light", "traffic  light"),
        ("traffic light", "traffic\u00a0light"),
        ("traffic light", "traffic_light"),
        ("a\u200bb", "ab"),
        ("\ufb01re", "fire"),
    ],
)
def test_names_of_classes_that_look_alike(one, other, tmp_path):
    root = make(tmp_path / "d", classes=f"index,name\n0,{one}\n1,{other}\n2,c\n3,d\n")
    severity, message = found(root)["names alike", None]
    assert severity == "warning" and ascii(one) in message and ascii(other) in message


def test_names_of_another_normal_form_are_the_same_name(tmp_path):
    table = tmp_path / "classes.csv"
    table.write_text("index,name\n0,caf\u00e9\n1,cafe\u0301\n", encoding="utf-8")
    with pytest.raises(DataError, match="line 3: the name 'caf\u00e9' stands in line 2 already"):
        read_class_file(table)
    table.write_text("index,name\n0,cafe\u0301\n1,b\n", encoding="utf-8")
    assert read_class_file(table).names == ("caf\u00e9", "b")


@pytest.mark.parametrize(
    ("name", "told"), [("ignored", True), ("Don\u2019t care", True), ("no_data", True), ("sky", False)]
)
def test_a_class_that_sounds_as_if_it_were_ignored(name, told, tmp_path):
    root = make(tmp_path / "d", classes=f"index,name\n0,a\n1,b\n2,c\n3,{name}\n")
    assert (("named as ignored", None) in found(root)) == told
    (root / "classes.csv").write_text(f"index,name,ignore\n0,a,\n1,b,\n2,c,\n3,{name},1\n", encoding="utf-8")
    assert ("named as ignored", None) not in found(root)


def test_label_files_that_count_from_1_beside_a_table_that_counts_from_0(tmp_path):
    """Values 1..3 are all known, so that every class would get the name of the next one."""
    root = make(tmp_path / "d", labels=lambda _: LABELS % 3 + np.uint8(1))
    assert "count from 1" in found(root)["absent class", "train"][1]
    assert "count from 1" not in found(make(tmp_path / "e", labels=lambda _: LABELS % 3))["absent class", "train"][1]


@pytest.mark.parametrize(
    "text",
    [
        "\ufeffindex,name\r\n0,a\r\n1,b\r\n",
        "index,name,,\n0,a,,\n1,b,,\n",
        "index,name\n0,a,\n1,b,,\n",
        " Index , NAME \n0, a \n1,\tb\n",
        "\n\nindex,name\n\n0,a\n,,\n1,b\n",
        "index,name\n1,b\n0,a",
        'index,name\n"0","a"\n"01","b"\n',
    ],
)
def test_class_tables_as_spreadsheets_save_them(text, tmp_path):
    (tmp_path / "classes.csv").write_text(text, encoding="utf-8", newline="")
    table = read_class_file(tmp_path / "classes.csv")
    assert (table.names, dict(table.raw_to_train)) == (("a", "b"), {0: 0, 1: 1})


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("index;name\n0;a\n", "semicolons"),
        ("index\tname\n0\ta\n", "tabs"),
        ("index,name\n1.0,a\n", "'1.0'"),
        ('index,name\n"1,000",a\n', "'1,000'"),
        ("index,name\n0,a, b\n", "3 values"),
        ('index,name\n0,"a\nb"\n', "control characters"),
        ("index,name\n-1,void\n0,a\n", "'-1'"),
        ("index,name,ignore\n0,a,x\n", "ignore is 'x'"),
        ("name,r,g,b\na,1,2,3\n", "index"),
    ],
)
def test_class_tables_that_may_mean_two_things_are_refused(text, said, tmp_path):
    (tmp_path / "classes.csv").write_text(text, encoding="utf-8", newline="")
    with pytest.raises(DataError, match=r"classes\.csv") as error:
        read_class_file(tmp_path / "classes.csv")
    assert said in str(error.value)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 12345\n", "git lfs pull"),
        (b"<!DOCTYPE HTML><html><body>404</body></html>", "web page"),
        (b"<html><head>sign in</head></html>", "web page"),
        (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(99), "HEIC"),
        (b"\0\0\0\x0cJXL \r\n\x87\n" + bytes(99), "JPEG XL"),
        (b"%PDF-1.7\n" + bytes(99), "PDF"),
        (b"\x1f\x8b\x08" + bytes(99), "no picture format"),
        (b"", "0 bytes"),
    ],
)
@pytest.mark.parametrize("part", ["images", "labels"])
def test_files_that_are_often_taken_for_images(part, content, said, tmp_path):
    root = make(tmp_path / "d")
    (root / part / "train/1.png").write_bytes(content)
    (finding,) = [finding for finding in check("folder", root).findings if finding.severity == "error"]
    assert said in finding.message and "1.png" in finding.message


def test_links_that_lead_nowhere(tmp_path):
    root = make(tmp_path / "d")
    (root / "images/train/1.png").unlink()
    (root / "images/train/1.png").symlink_to(tmp_path / "moved.png")
    severity, message = found(root)["unreadable picture", "train"]
    assert severity == "error" and "1.png" in message and "there is no such file" in message
