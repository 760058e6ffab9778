"""Rasters read and written in windows; rasterio, a plain loop over the network and the whole picture are the oracles."""

from dataclasses import replace

import numpy as np
import pytest
import rasterio
import torch
from rasterio.control import GroundControlPoint
from rasterio.enums import ColorInterp

from attseg.bulk.label_raster import TILE, free_value, label_raster, raster_protocol
from attseg.bulk.raster import open_raster
from attseg.data.classes import ClassTable
from attseg.data.preprocessing import Preprocessing
from attseg.data.sample import DataError
from attseg.errors import UsageError
from attseg.files import FileError
from attseg.inference.segmenter import Segmenter
from attseg.models import FCN
from attseg.prediction.protocol import Protocol
from rasters import TRANSFORM, read_raster, write_raster

CLASSES = ClassTable(("soil", "crop", "water"), ((139, 90, 43), (46, 139, 87), (30, 144, 255)), {1: 0, 2: 1, 7: 2})
PREPROCESSING = Preprocessing(
    (0.5, 0.4, 0.3, 0.6), (0.2, 0.3, 0.2, 0.3), (0, 1000, 0, 1000, 0, 2000, 0, 4000), (4, 1, 2, 3)
)
WINDOWS = Protocol(name="w", window=64, stride=0.5)


def segmenter_of(channels=4, preprocessing=PREPROCESSING, classes=CLASSES):
    torch.manual_seed(0)
    model = FCN(len(classes), encoder="test_resnet", channels=8, in_channels=channels)
    for module in model.modules():  # so that classes differ from place to place
        if isinstance(module, torch.nn.BatchNorm2d):
            module.running_var.fill_(0.05)
    return Segmenter(model, classes, preprocessing, device="cpu")


@pytest.fixture(scope="module")
def scene(tmp_path_factory):
    """Four bands of 16 bits, whose left upper corner holds no data."""
    rng = np.random.default_rng(0)
    values = rng.integers(1, 1000, (4, 5, 6)).repeat(60, 1).repeat(60, 2)[:, :290, :330].astype(np.uint16)
    values = (values + rng.integers(0, 100, values.shape)).astype(np.uint16)
    values[:, :40, :50] = 0
    values[0, 100:120, 100:120] = 0  # one band alone, which is no hole
    return write_raster(tmp_path_factory.mktemp("scene") / "scene.tif", values, nodata=0)


def by_loop(segmenter, path, window, step):
    """Labels of windows that are weighed by a pyramid, with rasterio and nothing of attseg but the network."""
    planes = read_raster(path, [4, 1, 2, 3]).astype(np.float64)
    high = np.array([1000, 1000, 2000, 4000])[:, None, None]
    mean, std = (np.array(values)[:, None, None] for values in (PREPROCESSING.mean, PREPROCESSING.std))
    pixels = np.rint(255 * (planes / high)).clip(0, 255)
    gone = (planes == 0).all(0)
    pixels[:, gone] = np.rint(255 * mean[:, :, 0])
    pixels = (pixels / 255 - mean) / std
    _, height, width = pixels.shape
    total, weights = np.zeros((3, height, width)), np.zeros((height, width))
    ramp = np.minimum(np.arange(window) + 0.5, window - np.arange(window) - 0.5)
    weight = np.outer(ramp, ramp)
    for top in (*range(0, height - window, step), height - window):
        for left in (*range(0, width - window, step), width - window):
            part = torch.from_numpy(pixels[None, :, top : top + window, left : left + window].astype(np.float32))
            with torch.inference_mode():
                found = segmenter.model(part).logits.softmax(1)[0].numpy()
            total[:, top : top + window, left : left + window] += weight * found
            weights[top : top + window, left : left + window] += weight
    scores = total / weights
    return np.array([1, 2, 7])[scores.argmax(0)], gone, scores


def test_labels_are_those_of_a_plain_loop_over_windows(scene, tmp_path):
    segmenter = segmenter_of()
    made = label_raster(segmenter, scene, tmp_path / "labels.tif", protocol=WINDOWS)
    expected, gone, scores = by_loop(segmenter, scene, 64, 32)
    found = read_raster(tmp_path / "labels.tif")[0]
    assert np.array_equal(found == 255, gone) and made.missing == gone.sum() == 40 * 50
    first, second = np.sort(scores, 0)[[-1, -2]]
    clear = ~gone & (first - second > 1e-4)  # not a tie in the last bits
    assert clear.mean() > 0.95 and np.array_equal(found[clear], expected[clear])
    assert len(np.unique(found)) > 2
    assert made.areas == {
        name: int((found == value).sum()) for name, value in zip(CLASSES.names, (1, 2, 7), strict=True)
    }


def test_windows_as_large_as_the_raster_give_the_whole_picture(scene, tmp_path):
    segmenter = segmenter_of()
    label_raster(segmenter, scene, tmp_path / "labels.tif", protocol=Protocol(window=400))
    found, gone = read_raster(tmp_path / "labels.tif")[0], (read_raster(scene) == 0).all(0)
    assert np.array_equal(found[~gone], CLASSES.encode(segmenter(scene).labels)[~gone])


def test_windows_leave_no_seams(scene):
    """Steps of the scores where windows begin or end, beside those elsewhere: even weights show, tapered ones do not."""
    segmenter = segmenter_of()
    edges = np.zeros(330, bool)
    for start in (*range(0, 330 - 64, 43), 330 - 64):
        edges[[start, min(start + 64, 329)]] = True
    steps = {}
    for blend in ("even", "tapered"):
        protocol = Protocol(window=64, blend=blend)
        with open_raster(scene, PREPROCESSING, torch.device("cpu"), window=64) as raster:
            bands = list(segmenter.predictor(protocol).bands(raster))
        scores = torch.cat([band.values for band in bands], 1).numpy()
        whole = segmenter.predictor().probabilities(segmenter.read(scene))
        jump = np.abs(np.diff(scores - whole, axis=2)).mean((0, 1))
        steps[blend] = jump[edges[1:]][1:-1].mean() / np.median(jump)
    assert steps["tapered"] < 1.5 and steps["even"] > 2 * steps["tapered"], steps


def test_the_label_raster_lies_where_the_raster_lies(scene, tmp_path):
    label_raster(segmenter_of(), scene, tmp_path / "labels.tif", protocol=WINDOWS)
    with rasterio.open(scene) as source, rasterio.open(tmp_path / "labels.tif") as made:
        assert made.crs == source.crs and made.transform == source.transform == TRANSFORM
        assert made.shape == source.shape and made.count == 1 and made.dtypes == ("uint8",) and made.nodata == 255
        assert made.compression.name == "deflate" and made.block_shapes == [(TILE, TILE)]
        palette = made.colormap(1)
        assert [palette[value][:3] for value in (1, 2, 7)] == list(CLASSES.colors)
        assert '"crop": 2' in made.tags()["attseg-classes"] and made.tags()["AREA_OR_POINT"] == "Area"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["labels.tif"]


def test_ground_control_points_are_kept(tmp_path):
    points = [GroundControlPoint(row, column, 10.0 + column, 50.0 - row) for row, column in ((0, 0), (0, 60), (70, 0))]
    values = np.full((4, 80, 70), 500, np.uint16)
    with rasterio.open(
        tmp_path / "a.tif",
        "w",
        driver="GTiff",
        height=80,
        width=70,
        count=4,
        dtype="uint16",
        gcps=points,
        crs="EPSG:4326",
    ) as file:
        file.write(values)
    made = label_raster(segmenter_of(), tmp_path / "a.tif", tmp_path / "b.tif", protocol=WINDOWS)
    with rasterio.open(tmp_path / "b.tif") as file:
        found, system = file.gcps
        assert system.to_epsg() == 4326
        assert [(one.row, one.col, one.x, one.y) for one in found] == [
            (one.row, one.col, one.x, one.y) for one in points
        ]
    assert made.place == "EPSG:4326, 3 ground control points"


@pytest.mark.parametrize("kind", ("float32", "mask", "alpha"))
def test_pixels_without_data_get_the_nodata_value(tmp_path, kind):
    rng, gone = np.random.default_rng(1), np.zeros((90, 100), bool)
    gone[30:50, 10:70] = True
    values = rng.uniform(10, 900, (4, 90, 100)).astype("float32" if kind == "float32" else "uint16")
    if kind == "float32":
        values[:, gone] = np.nan
        path = write_raster(tmp_path / "a.tif", values, nodata=float("nan"))
    elif kind == "alpha":
        values = np.concatenate([values, np.where(gone, 0, 65535)[None].astype("uint16")])
        path = write_raster(tmp_path / "a.tif", values)
        with rasterio.open(path, "r+") as file:
            file.colorinterp = [ColorInterp.gray, *[ColorInterp.undefined] * 3, ColorInterp.alpha]
    else:
        path = write_raster(tmp_path / "a.tif", values)
        with rasterio.Env(GDAL_TIFF_INTERNAL_MASK=True), rasterio.open(path, "r+") as file:
            file.write_mask(~gone)
    label_raster(segmenter_of(), path, tmp_path / "b.tif", protocol=WINDOWS)
    assert np.array_equal(read_raster(tmp_path / "b.tif")[0] == 255, gone)


def test_a_band_that_is_read_is_no_mask_though_gdal_calls_it_alpha(tmp_path):
    rng = np.random.default_rng(3)
    values = rng.integers(1, 900, (4, 70, 80)).astype(np.uint16)
    values[3, 10:30] = 0
    path = write_raster(tmp_path / "a.tif", values)
    with rasterio.open(path, "r+") as file:
        file.colorinterp = [ColorInterp.red, ColorInterp.green, ColorInterp.blue, ColorInterp.alpha]
    made = label_raster(segmenter_of(), path, tmp_path / "b.tif", protocol=WINDOWS)
    assert made.missing == 0


def test_a_model_of_red_green_and_blue_reads_the_first_three_bands(tmp_path):
    rng = np.random.default_rng(2)
    segmenter = segmenter_of(3, Preprocessing())
    five = write_raster(
        tmp_path / "five.tif", rng.integers(0, 255, (5, 80, 90)).astype(np.uint8), photometric="minisblack"
    )
    made = label_raster(segmenter, five, tmp_path / "a.tif", protocol=Protocol(window=128))
    assert made.bands == ([1, 2, 3], 5) and "bands 1, 2, 3 of 5 were read" in list(made.describe())
    assert np.array_equal(read_raster(tmp_path / "a.tif")[0], CLASSES.encode(segmenter(five).labels))
    gray = write_raster(tmp_path / "gray.tif", rng.integers(0, 255, (1, 80, 90)).astype(np.uint8))
    label_raster(segmenter, gray, tmp_path / "b.tif", protocol=Protocol(window=128))
    assert np.array_equal(read_raster(tmp_path / "b.tif")[0], CLASSES.encode(segmenter(gray).labels))
    two = write_raster(tmp_path / "two.tif", np.zeros((2, 80, 90), np.uint8))
    with pytest.raises(DataError, match="has 2 bands, and the model sees red, green and blue"):
        label_raster(segmenter, two, tmp_path / "c.tif")
    assert not (tmp_path / "c.tif").exists()


def test_labels_need_not_fit_into_a_byte(tmp_path):
    classes = ClassTable(("a", "b"), ((1, 2, 3), (4, 5, 6)), {255: 0, 1000: 1})
    assert free_value(classes) == 0
    segmenter = segmenter_of(classes=classes)
    path = write_raster(tmp_path / "a.tif", np.full((4, 70, 70), 300, np.uint16))
    label_raster(segmenter, path, tmp_path / "b.tif", protocol=WINDOWS)
    found = read_raster(tmp_path / "b.tif")[0]
    assert found.dtype == np.uint16 and set(np.unique(found)) <= {255, 1000}


def test_a_raster_that_lacks_a_band_or_is_none_is_refused(scene, tmp_path):
    segmenter = segmenter_of()
    three = write_raster(tmp_path / "three.tif", np.zeros((3, 40, 40), np.uint16))
    with pytest.raises(DataError, match="three.tif has 3 bands, and the bands 4, 1, 2, 3 are read"):
        label_raster(segmenter, three, tmp_path / "a.tif")
    (tmp_path / "text.tif").write_text("nothing")
    with pytest.raises(DataError, match="text.tif cannot be read as a raster"):
        label_raster(segmenter, tmp_path / "text.tif", tmp_path / "a.tif")
    with pytest.raises(UsageError, match="would replace the raster"):
        label_raster(segmenter, scene, scene)
    assert {path.name for path in tmp_path.iterdir()} == {"three.tif", "text.tif"}


def test_nothing_is_left_of_a_raster_that_breaks_off(scene, tmp_path):
    content = bytearray(scene.read_bytes())
    del content[len(content) // 2 :]
    (tmp_path / "cut.tif").write_bytes(content)
    with pytest.raises(DataError, match="cannot be read"):
        label_raster(segmenter_of(), tmp_path / "cut.tif", tmp_path / "labels.tif", protocol=WINDOWS)
    assert [path.name for path in tmp_path.iterdir()] == ["cut.tif"]


def test_a_folder_in_the_way_is_told(scene, tmp_path):
    (tmp_path / "labels.tif").mkdir()
    with pytest.raises(FileError, match="cannot write"):
        label_raster(segmenter_of(), scene, tmp_path / "labels.tif", protocol=WINDOWS)


def test_protocols_get_windows_that_are_blended():
    protocol = raster_protocol(Protocol(name="single"))
    assert protocol.window == 512 and protocol.blend == "tapered" and "windows blended" in protocol.describe()
    assert raster_protocol(replace(WINDOWS, flip=True)).window == 64
    assert "blend" not in WINDOWS.to_dict() and protocol.to_dict()["blend"] == "tapered"


@pytest.mark.parametrize("scales", ((1.0,), (0.5, 1.5)))
@pytest.mark.slow
def test_a_raster_is_seen_as_a_picture_in_memory(scene, scales):
    segmenter = segmenter_of()
    predictor = segmenter.predictor(Protocol(window=96, scales=scales, flip=True, blend="tapered"))
    with open_raster(scene, PREPROCESSING, torch.device("cpu"), window=96) as raster:
        parts = [band.values for band in predictor.bands(raster)]
    expected = [band.values for band in predictor.bands(segmenter.read(scene))]
    assert torch.equal(torch.cat(parts, 1), torch.cat(expected, 1))
