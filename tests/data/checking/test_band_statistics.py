import numpy as np
import pytest

from attseg.data.checking.band_statistics import measure_bands
from attseg.data.checking.check import check
from attseg.data.reading.bands import Bands
from rasters import read_raster, write_raster


@pytest.fixture
def images(tmp_path):
    rng, paths = np.random.default_rng(0), []
    for number in range(3):
        values = rng.normal([[[300]], [[2000]], [[900]]], 50, (3, 40, 50)).clip(1).astype(np.uint16)
        values[:, 0, 0] = 65000
        values[:, 1] = 0
        paths.append(tmp_path / f"{number}.tif")
        write_raster(paths[-1], values, nodata=0)
    return paths


def _numpy(paths, bands, pairs):
    """Mean and deviation by rasterio and numpy, of pixels with data."""
    planes = np.concatenate([read_raster(path, bands).reshape(len(bands), -1) for path in paths], axis=1)
    planes = planes[:, (planes != 0).any(0)].astype(float)
    scaled = [
        np.rint(255 * ((p - low) / (high - low)).clip(0, 1)) / 255 for p, (low, high) in zip(planes, pairs, strict=True)
    ]
    return [p.mean() for p in scaled], [p.std() for p in scaled], planes


def test_statistics_are_those_of_numpy(images):
    found = measure_bands(images, Bands((3, 1)), (0, 1000, 100, 500))
    mean, std, planes = _numpy(images, [3, 1], [(0, 1000), (100, 500)])
    assert np.allclose(found.mean, mean) and np.allclose(found.std, std)
    assert found.beyond == pytest.approx([(planes[0] > 1000).mean(), ((planes[1] > 500) | (planes[1] < 100)).mean()])
    assert found.missing == pytest.approx(1 / 40) and found.images == 3 and not found.proposed


def test_a_range_is_proposed_for_each_band_without_outliers(images):
    found = measure_bands(images, Bands((1, 2)), None)
    low, high, second_low, second_high = found.value_range
    assert found.proposed and 0 <= low < 300 and 400 < high < 700 and second_low < 2000 and 2100 < second_high < 2500
    mean, std, _ = _numpy(images, [1, 2], [(low, high), (second_low, second_high)])
    assert np.allclose(found.mean, mean) and np.allclose(found.std, std)
    assert found.options.startswith(f"--data.options.bands 1,2 --data.options.range {low:g},{high:g},")


def test_bytes_need_no_range(tmp_path):
    values = np.random.default_rng(0).integers(0, 255, (4, 9, 9)).astype(np.uint8)
    write_raster(tmp_path / "a.tif", values)
    found = measure_bands([tmp_path / "a.tif"], Bands((4, 2)), None)
    assert found.value_range is None and not found.proposed
    assert np.allclose(found.mean, values[[3, 1]].mean((1, 2)) / 255)


def test_fractions_with_nan_are_measured_without_it(tmp_path):
    values = np.random.default_rng(0).uniform(-1, 1, (2, 30, 30)).astype(np.float32)
    values[0, :10] = np.nan
    write_raster(tmp_path / "a.tif", values, nodata=float("nan"))
    found = measure_bands([tmp_path / "a.tif"], Bands((1, 2)), (-1, 1))
    assert found.mean[0] == pytest.approx((np.nanmean(values[0]) + 1) / 2, abs=2e-3)
    assert found.mean[1] == pytest.approx((values[1].mean() + 1) / 2, abs=2e-3)
    assert found.missing == 0
    assert "--data.options.range=-1,1" in found.options


def test_a_check_prints_the_options_and_says_when_nothing_can_be_measured(tmp_path, images):
    for split in ("train", "val"):
        for kind in ("images", "labels"):
            (tmp_path / kind / split).mkdir(parents=True)
        images[0].rename(tmp_path / "images" / split / "a.tif") if split == "train" else images[1].rename(
            tmp_path / "images" / split / "b.tif"
        )
        labels = np.zeros((1, 40, 50), np.uint8)
        labels[0, :20] = 1
        write_raster(tmp_path / "labels" / split / ("a.tif" if split == "train" else "b.tif"), labels)
    (tmp_path / "classes.csv").write_text("index,name,r,g,b,ignore\n0,a,0,0,0,\n1,b,1,1,1,\n")
    result = check("folder", tmp_path, options={"bands": [1, 2, 3]})
    assert result.ok, result.findings
    assumed = {one.about: one.text for one in result.assumed}
    assert assumed["options to train with"].startswith("--data.options.bands 1,2,3 --data.options.range ")
    (warning,) = [one for one in result.findings if one.kind == "bands"]
    assert assumed["options to train with"] in warning.message
    broken = check("folder", tmp_path, options={"bands": [1, 4]})
    assert not broken.ok and any("has 3 bands" in one.message for one in broken.findings)
