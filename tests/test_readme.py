"""What the README shows runs, and the loop of docs/train/from-geotiff.md that cuts rasters."""

import re
import shlex
from pathlib import Path

import numpy as np
import pytest
import rasterio
from PIL import Image

from attseg.cli import main
from attseg.data.checking.check import check
from attseg.data.sets.scenes import Scenes
from labelling import labelme_folder
from rasters import read_raster, write_raster

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()


def blocks(language):
    return re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)


@pytest.mark.slow
def test_the_python_runs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Image.fromarray(Scenes("val")[0].image).save("street.jpg")
    names = {}
    for block in blocks("python"):
        exec(block, names)
    with Image.open("overlay.png") as overlay:
        assert overlay.width >= 128
    assert names["maps"][0].name == "context.pyramid"
    assert names["logits"].shape == (1, 21, 128, 160)


@pytest.mark.slow
def test_the_commands_for_your_own_pictures_run(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    for kind in ("images", "labels"):
        for split in ("train", "val"):
            Path("mine", kind, split).mkdir(parents=True)
    for split, count in (("train", 9), ("val", 1)):
        for index in range(count):
            sample = Scenes(split, size=(48, 64))[index]
            Image.fromarray(sample.image).save(f"mine/images/{split}/{index}.jpg")
            Image.fromarray(np.minimum(sample.labels, 12)).save(f"mine/labels/{split}/{index}.png")
    rows = [f"{index},{name}" for index, name in enumerate((*Scenes.classes.names, "void"))]
    Path("mine/classes.csv").write_text("\n".join(["index,name", *rows]))
    Path("photos").mkdir()
    Image.fromarray(Scenes("test")[0].image).save("photos/one.png")

    [block] = blocks("sh")
    for line in block.splitlines():
        command = shlex.split(line, comments=True)
        assert command[0] == "attseg"
        if command[1] == "train":
            command += ["--steps", "2", "--crop_size", "64,64"]
        assert main(command[1:]) == 0, capsys.readouterr().err
    with Image.open("predicted/labels/one.png") as labels:
        assert labels.size == (128, 128)


@pytest.mark.slow
def test_an_export_becomes_a_model_by_the_first_two_commands(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    labelme_folder(Path("EXPORT"))
    first, second, *_ = re.findall(r"^    (attseg .*)$", README, re.MULTILINE)
    assert main(shlex.split(first)[1:]) == 0, capsys.readouterr().err
    small = ["--steps", "2", "--crop_size", "64,64", "--model.args.encoder", "test_resnet"]
    assert main([*shlex.split(second)[1:], *small]) == 0, capsys.readouterr().err
    assert Path("runs/mine").is_dir()


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
