"""What a check says about values, bands and orientation, on folders written by tifffile and Pillow."""

import shutil

import numpy as np
import pytest
import tifffile
from PIL import Image

from attseg.data.catalog import open_data
from attseg.data.checking.check import check
from attseg.data.sample import DataError
from attseg.errors import UsageError

H, W = 8, 12


def replace_images(folder, write):
    """Write every image of the folder anew as ``write(path without suffix, number)`` does."""
    for number, path in enumerate(sorted((folder / "images").rglob("*.png"))):
        path.unlink()
        write(path.with_suffix(""), number)


def as_tiff(values):
    def write(stem, number):
        shape = (H, W) if values.ndim == 0 else (H, W, len(values))
        data = np.broadcast_to(values, shape).copy()
        data.flat[number] = data.flat[number] // 2 if data.dtype.kind in "iu" else data.flat[number] / 2
        tifffile.imwrite(stem.with_suffix(".tif"), data, photometric="rgb" if values.ndim else "minisblack")

    return write


def told(folder, kind, **options):
    return [(f.severity, f.message) for f in check("folder", folder, options=options).findings if f.kind == kind]


@pytest.mark.parametrize(
    ("top", "dtype", "bits", "option"),
    [
        (4067, "uint16", 12, "0,4095"),
        (1023, "uint16", 10, "0,1023"),
        (1024, "uint16", 11, "0,2047"),
        (10_000, "uint16", 14, "0,16383"),
        (200, "uint16", 8, "0,255"),
    ],
)
def test_bits_that_are_not_used_are_told_with_the_option_that_reads_them(top, dtype, bits, option, folder):
    replace_images(folder, as_tiff(np.array(top, dtype)))
    ((severity, message),) = told(folder, "value range")
    assert severity == "warning" and f"{bits} bits are used" in message and f"--data.options.range {option}" in message
    assert f"values {top // 2}..{top} in 16-bit images" in message
    low, high = map(int, option.split(","))
    assert told(folder, "value range", range=(low, high)) == []
    image = open_data("folder", "train", root=folder, range=[low, high])[0].image
    assert image.max() == round(255 * top / high)


@pytest.mark.parametrize(
    ("top", "dtype", "option"),
    [
        (0.8, "float32", "0,1"),
        (250.0, "float32", "0,255"),
        (3000.0, "float64", "0,4095"),
        (70_000, "int32", "0,131071"),
    ],
)
def test_types_without_a_white_are_one_error_with_the_option(top, dtype, option, folder):
    replace_images(folder, as_tiff(np.array(top, dtype)))
    result = check("folder", folder)
    errors = [finding for finding in result.findings if finding.severity == "error"]
    assert [finding.kind for finding in errors] == ["value range"] and f"--data.options.range {option}" in errors[
        0
    ].message
    with pytest.raises(DataError, match=rf"\.tif holds {dtype} values .*--data\.options\.range"):
        open_data("folder", "train", root=folder)[0]
    assert check("folder", folder, options={"range": tuple(map(float, option.split(",")))}).ok


def test_a_proposal_with_a_sign_can_be_typed(folder):
    def write(stem, number):
        tifffile.imwrite(stem.with_suffix(".tif"), np.linspace(-0.42, 0.81, H * W, dtype=np.float32).reshape(H, W))

    replace_images(folder, write)
    assert "--data.options.range=-0.5,0.9" in told(folder, "value range")[0][1]


def test_a_value_beyond_the_range_is_an_error_of_its_file(folder):
    replace_images(folder, as_tiff(np.array(4100, np.uint16)))
    problems = told(folder, "unreadable picture", range=(0, 4095))
    assert len(problems) == 5 and all("holds the value 4100, beyond the range 0,4095" in text for _, text in problems)


def test_full_use_of_the_bits_and_bytes_are_not_remarked(folder):
    assert told(folder, "value range") == []
    replace_images(folder, as_tiff(np.array(65_535, np.uint16)))
    assert told(folder, "value range") == []
    assert (
        check("folder", folder).to_dict()["assumed"]["value range"]
        == "0..65535 in 16-bit images (5; found 32767..65535)"
    )


def test_several_types_in_one_data_set_are_told(folder):
    Image.fromarray(np.full((H, W), 60_000, np.uint16)).save(folder / "images/train/a.png")
    ((severity, message),) = told(folder, "several types")
    assert severity == "warning" and "8-bit (4)" in message and "16-bit (1)" in message


@pytest.mark.parametrize("bands", [4, 5, 8])
def test_bands_beyond_three_are_counted(bands, folder):
    replace_images(folder, as_tiff(np.arange(1, bands + 1, dtype=np.uint8) * 20))
    (severity, message), (_, advice) = told(folder, "not read")
    assert severity == "note" and f"5 images: each has {bands} bands, of which 1, 2, 3 are read" in message
    every = ",".join(map(str, range(1, bands + 1)))
    assert advice.endswith(f"--data.options.bands {every}")
    assert check("folder", folder).to_dict()["assumed"]["bands read"] == f"1, 2, 3 of {bands} (5)"
    assert open_data("folder", "val", root=folder)[0].image[-1, -1].tolist() == [20, 40, 60]


def test_pages_are_errors_of_their_files(folder):
    (folder / "images/val/d.png").unlink()
    frames = [Image.new("L", (W, H), 50 * number) for number in range(4)]
    frames[0].save(folder / "images/val/d.tif", save_all=True, append_images=frames[1:])
    ((severity, message),) = told(folder, "unreadable picture")
    assert severity == "error" and "d.tif has 4 pages" in message


def with_exif(path, orientation, size=(W, H)):
    rng = np.random.default_rng(orientation)
    exif = Image.Exif()
    exif[0x0112] = orientation
    values = rng.integers(0, 256, (size[1], size[0], 3), np.uint8)
    Image.fromarray(values).save(path, exif=exif)
    return values


@pytest.mark.parametrize("orientation", range(2, 9))
def test_images_with_an_orientation_are_counted_and_the_option_named(orientation, folder):
    with_exif(folder / "images/train/a.png", orientation)
    with_exif(folder / "images/val/d.png", orientation)
    messages = [message for severity, message in told(folder, "orientation") if severity == "warning"]
    assert len(messages) == 1 and "2 images have an EXIF orientation" in messages[0]
    assert "--data.options.orientation raw" in messages[0]
    for stated in ("raw", "applied"):
        assert told(folder, "orientation", orientation=stated) == []
    sizes = told(folder, "different size")
    if orientation >= 5:
        assert "labels of 0 fit this way alone, and those of 2 the other way alone" in messages[0]
        assert (
            len(sizes) == 2
            and "fit the image as stored" in sizes[0][1]
            and "--data.options.orientation raw" in sizes[0][1]
        )
        assert check("folder", folder, options={"orientation": "raw"}).ok
        with pytest.raises(DataError, match=r"a\.png.*--data\.options\.orientation raw"):
            open_data("folder", "train", root=folder)[0]
    else:
        assert sizes == []


@pytest.mark.parametrize("orientation", range(1, 9))
def test_raw_pixels_are_those_that_are_stored(orientation, folder):
    stored = with_exif(folder / "images/train/a.png", orientation)
    sample = open_data("folder", "train", root=folder, orientation="raw")[0]
    assert sample.name == "a" and np.array_equal(sample.image, stored)


def test_labels_that_fit_the_turned_image_are_told_where_raw_is_stated(folder):
    with_exif(folder / "images/train/a.png", 6, size=(H, W))
    assert told(folder, "different size") == []
    ((_, message),) = told(folder, "different size", orientation="raw")
    assert "fit the image as turned upright" in message and "--data.options.orientation applied" in message


@pytest.mark.parametrize("given", [(0,), (5, 5), (9, 1), ("a", "b"), "wide", (0, float("inf")), True, [0, 1, 2]])
def test_ranges_that_are_none_are_refused(given, folder):
    with pytest.raises(UsageError, match="two numbers were expected"):
        open_data("folder", "train", root=folder, range=given)


def test_an_unknown_orientation_is_refused(folder):
    with pytest.raises(UsageError, match="orientation.*applied"):
        open_data("folder", "train", root=folder, orientation="aplied")


def test_splits_without_labels_keep_the_options(folder):
    shutil.rmtree(folder / "labels/val")
    from attseg.data.catalog import open_pictures

    files = open_pictures("folder", "val", root=folder, range=(0, 100), orientation="raw")
    assert [(file.value_range, file.apply_orientation) for file in files] == [((0, 100), False)] * 2
