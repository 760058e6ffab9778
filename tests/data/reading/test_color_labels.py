"""Colours of label files become the values of the class table, and nothing is guessed."""

import time

import numpy as np
import pytest
import tifffile
from PIL import Image

from attseg.data.reading.color_labels import ColorValues, colors_in, read_by_color_or_value, read_color_labels
from attseg.data.sample import DataError

COLORS = (((0, 0, 0), 0), ((0, 0, 255), 3), ((255, 128, 0), 7), ((90, 90, 90), 255))
NAMES = ((0, "ground"), (3, "water"), (7, "boat"), (255, "unsure"))
KNOWN = ColorValues(COLORS, NAMES)
VALUES = np.random.default_rng(0).choice([0, 3, 7, 255], (9, 13)).astype(np.uint8)


def painted(values=VALUES):
    image = np.zeros((*values.shape, 3), np.uint8)
    for color, value in COLORS:
        image[values == value] = color
    return image


def write(path, kind):
    image = Image.fromarray(painted())
    if kind == "RGBA":
        image.putalpha(255)
    elif kind == "P":
        image = image.quantize(8)
    if path.suffix == ".tif" and kind != "P":
        tifffile.imwrite(
            path, np.asarray(image), photometric="rgb", extrasamples=("unassalpha",) if kind == "RGBA" else ()
        )
    elif path.suffix == ".webp":
        image.save(path, lossless=True, exact=True)
    else:
        image.save(path)
    return path


@pytest.mark.parametrize(
    ("suffix", "kind"),
    [
        (".png", "RGB"),
        (".png", "RGBA"),
        (".png", "P"),
        (".bmp", "RGB"),
        (".bmp", "P"),
        (".tif", "RGB"),
        (".tif", "RGBA"),
        (".tif", "P"),
        (".webp", "RGB"),
        (".gif", "P"),
        (".tga", "RGB"),
        (".ppm", "RGB"),
    ],
)
def test_each_kind_of_file_gives_the_values(suffix, kind, tmp_path):
    raw = read_color_labels(write(tmp_path / f"a{suffix}", kind), KNOWN)
    assert raw.values.dtype == np.uint8
    assert np.array_equal(raw.values, VALUES)
    assert raw.kind.endswith(", read by colour")


def test_gray_files_are_read_as_grays(tmp_path):
    Image.fromarray(np.array([[0, 90]], np.uint8)).save(tmp_path / "a.png")
    assert read_color_labels(tmp_path / "a.png", KNOWN).values.tolist() == [[0, 255]]


def test_values_beyond_a_byte(tmp_path):
    Image.fromarray(painted()).save(tmp_path / "a.png")
    large = ColorValues(tuple((color, value + 1000) for color, value in COLORS))
    assert np.array_equal(read_color_labels(tmp_path / "a.png", large).values, VALUES.astype(int) + 1000)


def test_unknown_colours_are_named_with_share_and_nearest_class(tmp_path):
    image = painted(np.zeros((10, 10), np.uint8))
    image[0, :3], image[1, 0] = (0, 0, 254), (250, 120, 0)
    Image.fromarray(image).save(tmp_path / "a.png")
    with pytest.raises(DataError) as caught:
        read_color_labels(tmp_path / "a.png", KNOWN)
    text = str(caught.value)
    assert text.startswith(f"{tmp_path / 'a.png'} holds 2 colours that no class has, in 4 % of its pixels: ")
    assert "(0, 0, 254) (3 %, nearest is water (0, 0, 255)), (250, 120, 0) (1 %, nearest is boat (255, 128, 0))" in text
    assert "--data.options.unknown ignore" in text
    raw = read_color_labels(tmp_path / "a.png", ColorValues(COLORS, NAMES, others=255))
    assert np.unique(raw.values, return_counts=True)[1].tolist() == [96, 4]


def test_many_unknown_colours_look_smoothed(tmp_path):
    Image.fromarray(painted()).resize((40, 40), Image.Resampling.BILINEAR).save(tmp_path / "a.png")
    with pytest.raises(DataError, match="So many colours are left by smoothed borders"):
        read_color_labels(tmp_path / "a.png", KNOWN)


@pytest.mark.parametrize("name", ["a.jpg", "a.png", "a.tif"])
def test_lossy_files_are_refused_whatever_their_ending(name, tmp_path):
    if name == "a.tif":
        Image.fromarray(painted()).save(tmp_path / name, compression="jpeg")
    else:
        Image.fromarray(painted()).save(tmp_path / name, "JPEG", quality=100)
    with pytest.raises(DataError, match="compressed with loss"):
        read_color_labels(tmp_path / name, KNOWN)


def test_transparency_is_refused_where_it_could_mean_two_things(tmp_path):
    image = np.dstack([painted(), np.full(VALUES.shape, 255, np.uint8)])
    image[VALUES == 0, 3] = 0  # every black pixel, and no other
    Image.fromarray(image).save(tmp_path / "a.png")
    assert np.array_equal(read_color_labels(tmp_path / "a.png", KNOWN).values, VALUES)
    for pixels, opacity, said in (
        (VALUES == 3, 0, "transparent pixels, and whether"),
        (VALUES == 3, 100, "transparent in part"),
    ):
        image[..., 3] = 255
        image[pixels, 3] = opacity
        Image.fromarray(image).save(tmp_path / "b.png")
        with pytest.raises(DataError, match=said):
            read_color_labels(tmp_path / "b.png", KNOWN)
    image[..., 3] = 255
    image[tuple(np.argwhere(VALUES == 0)[0])] = 0  # one black pixel is hidden, others are not
    Image.fromarray(image).save(tmp_path / "c.png")
    with pytest.raises(DataError, match="transparent pixels, and whether"):
        read_color_labels(tmp_path / "c.png", KNOWN)


def test_deep_colours_and_other_bands_are_refused(tmp_path):
    tifffile.imwrite(tmp_path / "a.tif", painted().astype(np.uint16) * 257, photometric="rgb")
    with pytest.raises(DataError, match="3 bands of uint16"):
        read_color_labels(tmp_path / "a.tif", KNOWN)
    tifffile.imwrite(tmp_path / "b.tif", np.dstack([painted()] * 2), photometric="rgb")
    with pytest.raises(DataError, match="6 bands of uint8"):
        read_color_labels(tmp_path / "b.tif", KNOWN)


def test_colours_are_counted(tmp_path):
    Image.fromarray(painted()).save(tmp_path / "a.png")
    found = colors_in(tmp_path / "a.png")
    assert found == {color: int((value == VALUES).sum()) for color, value in COLORS}


def test_conversion_is_a_lookup_and_no_loop_over_classes():
    colors = np.random.default_rng(0).permutation(2**24)[:200]
    listed = tuple(((int(c) & 255, int(c) >> 8 & 255, int(c) >> 16), value) for value, c in enumerate(colors))
    values = np.random.default_rng(1).integers(0, 200, (64, 64)).repeat(16, 0).repeat(16, 1)
    pixels = np.zeros((*values.shape, 4), np.uint8)
    pixels[..., :3] = np.array([color for color, _ in listed], np.uint8)[values]
    table = ColorValues(listed)
    assert np.array_equal(table.convert(pixels), values)
    begin = time.process_time()
    for _ in range(3):
        table.convert(pixels)
    assert (time.process_time() - begin) / 3 < 0.2  # a loop over 200 classes takes over a second


def test_colours_count_where_all_are_known_and_else_values(tmp_path):
    known = {0, 3, 7, 255}
    for kind in ("RGB", "RGBA", "P"):
        file = write(tmp_path / f"{kind}.png", kind)
        assert np.array_equal(read_by_color_or_value(file, KNOWN, known).values, VALUES), kind
    Image.fromarray(VALUES).save(tmp_path / "gray.png")
    assert np.array_equal(read_by_color_or_value(tmp_path / "gray.png", KNOWN, known).values, VALUES)
    Image.fromarray(VALUES.astype(np.uint16) + 1000).save(tmp_path / "deep.png")
    assert np.array_equal(read_by_color_or_value(tmp_path / "deep.png", KNOWN, known).values, VALUES.astype(int) + 1000)
    Image.fromarray(VALUES.astype(np.uint16)).save(tmp_path / "deep.png")
    assert np.array_equal(read_by_color_or_value(tmp_path / "deep.png", KNOWN, known).values, VALUES)
    image = painted()
    image[0, 0] = 1, 2, 3
    Image.fromarray(image).save(tmp_path / "unknown.png")
    with pytest.raises(DataError, match=r"unknown.png holds 1 colour that no class has.*\(1, 2, 3\)"):
        read_by_color_or_value(tmp_path / "unknown.png", KNOWN, known)
    Image.fromarray(np.dstack([painted(), np.full(VALUES.shape, 99, np.uint8)])).save(tmp_path / "veil.png")
    with pytest.raises(DataError, match="transparent in part"):
        read_by_color_or_value(tmp_path / "veil.png", KNOWN, known)
    with pytest.raises(DataError, match="and no class has a colour"):
        read_by_color_or_value(tmp_path / "unknown.png", ColorValues(()), known)


def test_grays_that_are_colours_and_values_of_different_classes_are_refused(tmp_path):
    Image.fromarray(np.array([[0, 90]], np.uint8)).save(tmp_path / "a.png")
    assert read_by_color_or_value(tmp_path / "a.png", KNOWN, {0, 3}).values.tolist() == [[0, 255]]
    with pytest.raises(
        DataError, match="is gray, and its values 0, 90 mean classes as numbers and other classes as colours"
    ):
        read_by_color_or_value(tmp_path / "a.png", KNOWN, {0, 3, 90})


def test_tiff_of_three_gray_bands_is_in_colours(tmp_path):
    tifffile.imwrite(tmp_path / "a.tif", painted(), photometric="minisblack", planarconfig="contig")
    assert np.array_equal(read_color_labels(tmp_path / "a.tif", KNOWN).values, VALUES)
