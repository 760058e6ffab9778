"""The loop of docs/train/from-geotiff.md that cuts rasters."""

import re
from pathlib import Path

import numpy as np
import pytest
import rasterio

from attseg.data.checking.check import check
from rasters import read_raster, write_raster

ROOT = Path(__file__).parents[1]


def cut_by_the_page():
    text = (ROOT / "docs/train/from-geotiff.md").read_text()
    (block,) = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    exec(block, {})


@pytest.mark.filterwarnings("ignore:Use `@` matmul:PendingDeprecationWarning")  # rasterio's own use of affine
def test_the_loop_that_cuts_a_scene_keeps_values_places_and_numbers(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    values = np.random.default_rng(0).integers(1, 60_000, (4, 600, 1400)).astype(np.uint16)
    values[:, :512, :512] = 0  # a tile without data
    labels = (values[:1] % 3).astype(np.uint8)
    write_raster(tmp_path / "scene.tif", values, nodata=0)
    write_raster(tmp_path / "scene-labels.tif", labels)
    cut_by_the_page()
    tiles = sorted(path.relative_to("DIR/images").as_posix() for path in Path("DIR/images").rglob("*.tif"))
    train = ["train/r0c512.tif", "train/r512c0.tif", "train/r512c512.tif"]
    assert tiles == [*train, "val/r0c1024.tif", "val/r512c1024.tif"]
    with rasterio.open("scene.tif") as scene:
        transform, crs = scene.transform, scene.crs
    for tile in tiles:
        row, column = map(int, re.findall(r"\d+", tile))
        for kind, whole in (("images", values), ("labels", labels)):
            cut = read_raster(Path("DIR", kind, tile))
            assert (cut == whole[:, row : row + 512, column : column + 512]).all() and cut.dtype == whole.dtype
            with rasterio.open(Path("DIR", kind, tile)) as file:
                place = (transform.c + 10 * column, transform.f - 10 * row)
                assert ((file.transform.c, file.transform.f), file.res, file.crs) == (place, (10, 10), crs)
    Path("DIR/classes.csv").write_text("index,name\n0,a\n1,b\n2,c\n")
    assert check("folder", Path("DIR"), options={"bands": [1, 2, 3, 4]}).ok


def test_a_label_raster_of_another_extent_is_not_cut(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_raster(tmp_path / "scene.tif", np.ones((4, 60, 70), np.uint16))
    write_raster(tmp_path / "scene-labels.tif", np.ones((1, 60, 60), np.uint8))
    with pytest.raises(SystemExit, match="another extent"):
        cut_by_the_page()
    assert not Path("DIR").exists()
