"""Pictures of four bands, from training to each use of the weights."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image

from attseg.checkpoint import read_weights
from attseg.data.catalog import open_data
from attseg.data.preprocessing import Preprocessing
from attseg.data.sample import DataError
from attseg.errors import UsageError
from attseg.evaluation.run import evaluate
from attseg.export.formats import export_onnx
from attseg.inference.segmenter import load
from attseg.recipes import RECIPES
from attseg.recipes.recipe import DataSpec, Machine, ModelSpec
from attseg.runs.channels import explain_colors, with_channels
from attseg.training.run import train
from rasters import read_raster, write_raster

OPTIONS = {"bands": [4, 1, 2, 3], "range": [0, 1000], "mean": [0.3, 0.4, 0.5, 0.6], "std": [0.2, 0.2, 0.2, 0.2]}


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    """Two classes that only the fourth band tells apart."""
    root, rng = tmp_path_factory.mktemp("bands"), np.random.default_rng(0)
    for split, count in (("train", 4), ("val", 2)):
        for kind in ("images", "labels"):
            (root / kind / split).mkdir(parents=True)
        for number in range(count):
            labels = np.zeros((48, 64), np.uint8)
            labels[:, : rng.integers(20, 44)] = 1
            values = rng.normal(500, 100, (4, 48, 64))
            values[3] = np.where(labels, 900, 100)
            write_raster(root / "images" / split / f"{split}{number}.tif", values.clip(0, 1000).astype(np.uint16))
            Image.fromarray(labels).save(root / "labels" / split / f"{split}{number}.png")
    (root / "classes.csv").write_text("index,name,r,g,b,ignore\n0,dry,200,100,0,\n1,wet,0,0,200,\n")
    return root


def recipe_of(root, **options):
    return replace(
        RECIPES["pan-folder"](),
        model=ModelSpec(name="PAN", args={"encoder": "test_resnet", "channels": 8}),
        data=DataSpec(name="folder", root=str(root), options=OPTIONS | options),
        crop_size=(32, 32),
        batch_size=4,
        steps=40,
        ema=0.0,
    )


@pytest.fixture(scope="module")
def run(root, tmp_path_factory):
    return train(
        recipe_of(root), Machine(device="cpu", workers=0, cache=0.01), out=tmp_path_factory.mktemp("runs") / "a"
    )


@pytest.mark.slow
def test_weights_keep_bands_and_statistics(run):
    weights = read_weights(run / "best.safetensors")
    assert weights.model.args["in_channels"] == 4
    expected = Preprocessing((0.3, 0.4, 0.5, 0.6), (0.2,) * 4, (0, 1000), (4, 1, 2, 3))
    assert weights.preprocessing == expected and expected.version == 3
    assert weights.info["miou"] > 0.8  # only the fourth band tells the classes apart


@pytest.mark.slow
def test_a_run_of_bands_goes_on(root, run, tmp_path):
    recipe = recipe_of(root)
    assert train(recipe, Machine(device="cpu", workers=0, cache=0.01), out=run, resume=True) == run


@pytest.mark.slow
def test_predictions_of_files_arrays_and_tensors_are_equal(root, run):
    segmenter = load(run)
    path = root / "images/val/val0.tif"
    values = np.moveaxis(read_raster(path, [4, 1, 2, 3]), 0, 2)
    result = segmenter(path)
    assert np.array_equal(segmenter(values).labels, result.labels)
    assert np.array_equal(segmenter(torch.from_numpy(values.astype(np.int32)).movedim(2, 0)).labels, result.labels)
    windows = segmenter(path, protocol=replace(segmenter.predictor().protocol, window=32))
    assert windows.labels.shape == result.labels.shape
    assert (result.labels == np.asarray(Image.open(root / "labels/val/val0.png"))).mean() > 0.8


@pytest.mark.slow
def test_results_show_three_bands(root, run):
    segmenter = load(run)
    path = root / "images/val/val0.tif"
    seen = segmenter.read(path)
    assert np.array_equal(segmenter(path).image, seen[..., :3])
    segmenter.show_bands((3, 2, 1))
    result = segmenter(path)
    assert np.array_equal(result.image, seen[..., [3, 2, 1]])
    assert result.attention(3, 4)
    with pytest.raises(UsageError, match="4, 1, 2, 3"):
        segmenter.show_bands((5, 2, 1))
    with pytest.raises(UsageError, match="sees red, green and blue"):
        load("demo").show_bands((1, 2, 3))


@pytest.mark.slow
def test_pictures_of_other_channels_are_refused(root, run):
    segmenter = load(run)
    with pytest.raises(UsageError, match=r"\(H, W, 4\)"):
        segmenter(np.zeros((40, 40, 3), np.uint8))
    with pytest.raises(UsageError, match="image of 3 channels was given, and the model takes 4"):
        segmenter.segment(np.zeros((40, 40, 3), np.uint8))
    with pytest.raises(UsageError, match="image of 4 channels was given, and the model takes 3"):
        load("demo").segment(np.zeros((40, 40, 4), np.uint8))
    three = root.parent / "three.png"
    Image.new("RGB", (40, 40)).save(three)
    with pytest.raises(DataError, match="has 3 bands, and the bands 4, 1, 2, 3 are read"):
        segmenter(three)


@pytest.mark.slow
def test_data_read_by_other_bands_is_refused(root, run):
    segmenter = load(run)
    other = open_data("folder", "val", root=root)
    with pytest.raises(UsageError, match="takes 4 channels .* the data set gives 3 .*add --data.options.bands 4,1,2,3"):
        evaluate(segmenter.model, other, segmenter.preprocessing)
    demo = load("demo")
    data = open_data("folder", "val", root=root, **OPTIONS)
    with pytest.raises(UsageError, match="takes 3 channels .* gives 4 .*leave out --data.options.bands"):
        evaluate(demo.model, data, demo.preprocessing)


@pytest.mark.slow
@pytest.mark.compile
def test_an_exported_file_decides_as_its_network(root, run, tmp_path):
    segmenter = load(run)
    contract = export_onnx(segmenter, tmp_path / "a.onnx")
    assert contract.channels == 4 and "uint8 (N, H, W, 4), each band" in contract.describe_input()
    exported = load(tmp_path / "a.onnx")
    assert exported.preprocessing == segmenter.preprocessing
    path = root / "images/val/val0.tif"
    assert (exported(path).labels == segmenter(path).labels).mean() > 0.999


def test_bands_without_statistics_are_refused_with_the_command_that_measures_them(root):
    recipe = recipe_of(root, mean=None, std=None)
    data = open_data("folder", "train", root=root, **recipe.data.options)
    with pytest.raises(
        UsageError, match="attseg data check .* --data.options.bands 4,1,2,3 --data.options.range 0,1000"
    ):
        with_channels(recipe, data)


def test_a_network_of_other_channels_is_refused(root):
    recipe = recipe_of(root)
    data = open_data("folder", "train", root=root, **OPTIONS)
    stated = replace(recipe, model=ModelSpec(name="PAN", args={"in_channels": 3}))
    with pytest.raises(UsageError, match="takes 3 channels .* gives 4"):
        with_channels(stated, data)
    assert with_channels(recipe, data).model.args["in_channels"] == 4


def test_colours_are_left_alone_and_that_is_said(root):
    recipe = recipe_of(root)
    recipe = replace(recipe, augment=replace(recipe.augment, color=0.5))
    assert "is not applied" in explain_colors(recipe, open_data("folder", "train", root=root, **OPTIONS))
    assert explain_colors(recipe, open_data("folder", "train", root=root)) is None


def test_preprocessing_of_other_channels_is_not_guessed():
    from attseg.models import FCN

    with pytest.raises(UsageError, match="takes 4 channels, whose mean"):
        Preprocessing.of(FCN(2, encoder="test_resnet", channels=8, in_channels=4))
    with pytest.raises(ValueError, match="2 means"):
        Preprocessing.from_dict({"mean": [0.1, 0.2], "std": [1, 1], "bands": [1, 2, 3]})
    four = Preprocessing((0.1,) * 4, (0.2,) * 4, None, (1, 2, 3, 4))
    assert Preprocessing.from_dict(four.to_dict()) == four
    assert Preprocessing().to_dict().keys() == {"mean", "std"}


def test_the_command_that_measures_reads_the_folder_as_training_would(root):
    options = {"bands": [1], "images": "images/{split}", "labels": "labels/{split}"}
    recipe = replace(recipe_of(root), data=DataSpec(name="folder", root=str(root), options=options))
    data = open_data("folder", "train", root=root, **options)
    with pytest.raises(UsageError) as caught:
        with_channels(recipe, data)
    expected = f"attseg data check {root} --data.options.bands 1 --data.options.images 'images/{{split}}' "
    assert expected + "--data.options.labels 'labels/{split}'. It prints" in str(caught.value)
