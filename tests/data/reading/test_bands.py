"""Chosen bands of image files; rasterio and a plain loop are the oracle."""

import numpy as np
import pytest
import rasterio
import tifffile
from PIL import Image

from attseg.data.reading.bands import (
    Bands,
    check_bands,
    check_ranges,
    check_statistics,
    resized,
    scale_bands,
    visible,
)
from attseg.data.reading.image import read_image, read_raw
from attseg.data.sample import DataError
from attseg.data.sets.folder import Folder
from attseg.errors import UsageError
from rasters import write_raster

RANGE = (0, 3000, 100, 900, 0, 65535, 10, 20, 0, 1000)


def by_loop(path, bands, value_range, fill):
    """What rasterio reads, scaled pixel by pixel."""
    with rasterio.open(path) as file:
        planes, nodata = file.read(bands), file.nodata
    count, height, width = planes.shape
    scaled, without = np.zeros((height, width, count), np.uint8), np.zeros((height, width), bool)
    for y in range(height):
        for x in range(width):
            pixel = [float(value) for value in planes[:, y, x]]
            gone = [value != value or (nodata is not None and value == nodata) for value in pixel]
            without[y, x] = all(gone)
            for band, value in enumerate(pixel):
                low, high = value_range[2 * band : 2 * band + 2]
                void = value != value or (gone[band] and not low <= nodata <= high) or without[y, x]
                part = 0.0 if void else 255 * (value - low) / (high - low)
                scaled[y, x, band] = fill[band] if void else min(255, max(0, round(part)))
    return scaled, without


@pytest.mark.parametrize("interleave", ("pixel", "band"))
@pytest.mark.parametrize("dtype", ("uint8", "uint16", "int16", "float32"))
def test_bands_are_those_of_rasterio_in_the_order_asked_for(tmp_path, dtype, interleave):
    rng = np.random.default_rng(0)
    values = rng.integers(0, 250, (6, 20, 24)).astype(dtype)
    path = write_raster(tmp_path / "a.tif", values, interleave=interleave, nodata=0)
    values_range = (0, 200, 10, 240, 0, 250)
    found, without = read_raw(path, bands=(5, 1, 3)).to_bands(values_range, (1, 2, 3))
    expected, gone = by_loop(path, [5, 1, 3], values_range, (1, 2, 3))
    assert np.array_equal(found, expected)
    assert not gone.any() if without is None else np.array_equal(without, gone)


def test_values_beyond_a_range_become_its_ends_and_nan_is_filled(tmp_path):
    values = np.array([[[np.nan, -50.0, 7.5]], [[np.nan, np.nan, 1e30]]], np.float32)
    path = write_raster(tmp_path / "a.tif", values, nodata=float("nan"))
    found, without = read_raw(path, bands=(1, 2)).to_bands((0, 10, 0, 10), (9, 8))
    assert found[0].tolist() == [[9, 8], [0, 8], [191, 255]]
    assert without.tolist() == [[True, False, False]]


def test_a_nodata_value_within_the_range_counts_only_where_all_bands_hold_it(tmp_path):
    values = np.array([[[0, 0, 5]], [[0, 10, 0]]], np.uint16)
    path = write_raster(tmp_path / "a.tif", values, nodata=0)
    found, without = read_raw(path, bands=(1, 2)).to_bands((0, 10), (100, 100))
    assert found[0].tolist() == [[100, 100], [0, 255], [128, 0]]
    assert without.tolist() == [[True, False, False]]


@pytest.mark.parametrize("mode", ("L", "RGB", "RGBA", "I;16"))
def test_other_formats_give_their_bands_as_they_are_stored(tmp_path, mode):
    rng = np.random.default_rng(1)
    values = rng.integers(0, 255, (8, 9, {"RGB": 3, "RGBA": 4}.get(mode, 1))).astype(
        "uint16" if "16" in mode else "uint8"
    )
    Image.fromarray(values.squeeze()).save(tmp_path / "a.png")
    bands = tuple(range(values.shape[2], 0, -1))
    found = read_image(tmp_path / "a.png", bands=Bands(bands), value_range=(0, 255))
    assert np.array_equal(found, values[..., ::-1])


def test_deep_png_keeps_its_bits(tmp_path):
    import imagecodecs

    values = np.arange(24, dtype=np.uint16).reshape(2, 3, 4) * 2000
    (tmp_path / "a.png").write_bytes(imagecodecs.png_encode(values))
    raw = read_raw(tmp_path / "a.png", bands=(4, 2))
    assert np.array_equal(raw.values, values[..., [3, 1]]) and raw.white == 65535 and not raw.remarks


def test_a_file_without_a_band_is_refused_with_both_numbers(tmp_path):
    write_raster(tmp_path / "a.tif", np.zeros((3, 4, 4), np.uint8))
    with pytest.raises(DataError, match=r"a\.tif has 3 bands, and the bands 1, 2, 3, 4 are read \(4 in all\)"):
        read_image(tmp_path / "a.tif", bands=Bands((1, 2, 3, 4)))


def test_palettes_and_unknown_ranges_are_refused(tmp_path):
    Image.new("P", (4, 4)).save(tmp_path / "a.png")
    with pytest.raises(DataError, match="stored as P, which has no bands"):
        read_image(tmp_path / "a.png", bands=Bands((1,)))
    tifffile.imwrite(tmp_path / "f.tif", np.zeros((4, 4), np.float32))
    with pytest.raises(DataError, match="float32 values .*, and this type does not say"):
        read_image(tmp_path / "f.tif", bands=Bands((1,)))


def test_bytes_are_refused_where_the_range_needs_more_bits():
    with pytest.raises(DataError, match="up to 255, but the range of the data is 0,3000"):
        scale_bands(np.zeros((2, 2, 1), np.uint8), 255, (0, 3000))


def test_large_planes_are_scaled_as_small_ones():
    rng = np.random.default_rng(2)
    values = rng.normal(0, 1, (3000, 1500, 1)).astype(np.float32)
    whole, _ = scale_bands(values, None, (-1, 1))
    parts = [scale_bands(values[top : top + 7], None, (-1, 1))[0] for top in range(0, 3000, 7)]
    assert np.array_equal(whole, np.concatenate(parts))


@pytest.mark.parametrize("given", ([], [0, 1], [1, 1], [1.5], ["a"], [True], None))
def test_no_band_numbers(given):
    with pytest.raises(UsageError, match="numbers of bands"):
        check_bands(given)


def test_ranges_and_statistics_have_a_number_for_each_band():
    with pytest.raises(UsageError, match="range has 4 numbers, and there are 3 bands"):
        check_ranges([0, 1, 0, 1], 3)
    with pytest.raises(UsageError, match="range is"):
        check_ranges([0, 1, 5, 2], 2)
    with pytest.raises(UsageError, match="mean is .* 3 numbers"):
        check_statistics("mean", [0.1, 0.2], 3)
    with pytest.raises(UsageError, match="above 0"):
        check_statistics("std", [0.1, 0], 2)


def test_three_bands_are_shown():
    image = np.arange(2 * 2 * 5, dtype=np.uint8).reshape(2, 2, 5)
    assert np.array_equal(visible(image), image[..., :3])
    assert np.array_equal(visible(image, (2, 3, 5, 7, 9), (9, 2, 7)), image[..., [4, 0, 3]])
    assert np.array_equal(visible(image[..., :1]), np.repeat(image[..., :1], 3, 2))
    assert visible(image[..., :3]) is not None and visible(image[..., :2]).shape == (2, 2, 3)
    with pytest.raises(UsageError, match="three of the bands that the model sees"):
        visible(image, (2, 3, 5, 7, 9), (1, 2, 3))


def test_bands_are_resized_one_by_one():
    rng = np.random.default_rng(3)
    image = rng.integers(0, 255, (30, 40, 5)).astype(np.uint8)
    small = resized(image, (12, 16), Image.Resampling.BICUBIC)
    three = resized(np.ascontiguousarray(image[..., 2:]), (12, 16), Image.Resampling.BICUBIC)
    assert np.array_equal(small[..., 2:], three) and small.shape == (12, 16, 5)


def test_pixels_without_data_are_ignored_in_training(tmp_path):
    for kind in ("images", "labels"):
        (tmp_path / kind / "train").mkdir(parents=True)
    values = np.full((4, 8, 8), 500, np.uint16)
    values[:, :2] = 0
    write_raster(tmp_path / "images/train/a.tif", values, nodata=0)
    Image.fromarray(np.ones((8, 8), np.uint8)).save(tmp_path / "labels/train/a.png")
    (tmp_path / "classes.csv").write_text("index,name,r,g,b,ignore\n0,a,0,0,0,\n1,b,1,1,1,\n")
    data = Folder(tmp_path, "train", bands=[1, 2, 3, 4], range=[0, 1000], mean=[0.5] * 4, std=[0.1] * 4)
    sample = data[0]
    assert data.channels == 4 and sample.image.shape == (8, 8, 4)
    assert (sample.labels[:2] == 255).all() and (sample.labels[2:] == 1).all()
    assert (sample.image == 128).all()  # the mean where there is no data, and half of the range elsewhere


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"mean": [0.5]}, "add --data.options.bands"),
        ({"bands": [1, 2], "mean": [0.5, 0.5]}, "belong together"),
        ({"bands": [1, 2], "range": [0, 1, 2]}, "3 numbers, and there are 2 bands"),
        ({"bands": 0}, "numbers of bands"),
    ],
)
def test_options_that_do_not_go_together_are_refused(tmp_path, options, message):
    with pytest.raises(UsageError, match=message):
        Folder(tmp_path, "train", **options)
