"""One value range for a data set: kept with the weights, and used wherever the model reads an image."""

import json

import numpy as np
import pytest
import tifffile
import torch
from PIL import Image
from safetensors import safe_open
from torch import nn

from attseg.bulk.images import predict_files
from attseg.checkpoint import read_weights, save_weights
from attseg.data.classes import ClassTable
from attseg.data.preprocessing import Preprocessing, common_reading
from attseg.data.reading.inputs import PictureFile
from attseg.data.sample import DataError
from attseg.errors import UsageError
from attseg.explain.subject import read_picture
from attseg.inference.exported.contract import Contract
from attseg.inference.exported.description import Description
from attseg.inference.segmenter import Segmenter, load
from attseg.models import Segmentation, build_model
from attseg.recipes.recipe import ModelSpec
from attseg.web.limits import Limits
from attseg.web.models import offer
from attseg.web.picture import read_picture as read_upload

CLASSES = ClassTable(("red", "green", "blue"), ((255, 0, 0), (0, 255, 0), (0, 0, 255)))
RANGE = (100, 4195)
PLAIN = ((0.0, 0.0, 0.0), (1.0, 1.0, 1.0))


class Keeps(nn.Module):
    """Scores that are the input; keeps what it was given."""

    def forward(self, images):
        self.given = images
        return Segmentation(images, {})


def segmenter(value_range=RANGE):
    return Segmenter(Keeps(), CLASSES, Preprocessing(*PLAIN, value_range), device="cpu")


@pytest.fixture
def deep():
    """Values of 12 bits above 100, and the bytes that they stand for."""
    values = np.random.default_rng(0).integers(100, 4196, (40, 48, 3)).astype(np.uint16)
    return values, np.rint((values.astype(float) - 100) / 4095 * 255).astype(np.uint8)


def test_files_and_arrays_are_scaled_alike(deep, tmp_path):
    values, wanted = deep
    tifffile.imwrite(tmp_path / "a.tif", values, photometric="rgb", planarconfig="contig")
    model = segmenter()
    channels_first = torch.from_numpy(values.astype(np.int32)).permute(2, 0, 1)
    for source in (tmp_path / "a.tif", values, values.astype(np.float32), values.astype(np.int64), channels_first):
        result = model(source)
        assert np.array_equal(result.image, wanted)
        np.testing.assert_allclose(model.model.given[0].permute(1, 2, 0), wanted / 255, atol=1e-6)


def test_bytes_and_values_beyond_are_refused(deep, tmp_path):
    values, wanted = deep
    Image.fromarray(wanted).save(tmp_path / "a.png")
    with pytest.raises(DataError, match=r"a\.png has values of up to 255, but the range of the data is 100,4195"):
        segmenter()(tmp_path / "a.png")
    with pytest.raises(UsageError, match="values of up to 255"):
        segmenter()(wanted)
    with pytest.raises(UsageError, match="holds the value 4196, beyond the range 100,4195"):
        segmenter()(np.maximum(values, 4196))
    with pytest.raises(UsageError, match="shape .*, 4"):
        segmenter()(np.dstack([values, values[..., :1]]))


@pytest.mark.parametrize("value_range", [None, RANGE, (-1.0, 1.0)])
def test_weights_keep_the_range(value_range, tmp_path):
    spec = ModelSpec(name="FCN", args={"encoder": "test_resnet"})
    model = build_model(spec.name, spec.args, 3)
    path = tmp_path / "best.safetensors"
    save_weights(
        path,
        model.state_dict(),
        model=spec,
        classes=CLASSES,
        preprocessing=Preprocessing(value_range=value_range),
        info={},
    )
    assert read_weights(path).preprocessing.value_range == value_range == load(path).preprocessing.value_range
    with safe_open(path, "pt") as file:
        header = json.loads(file.metadata()["attseg"])
    assert header["format"] == (1 if value_range is None else 2)  # release 0.1 refuses what it would scale wrongly
    assert ("range" in header["preprocessing"]) == (value_range is not None)


def test_exported_files_say_it(tmp_path):
    for value_range, format in ((None, 1), (RANGE, 2)):
        text = Description(Contract(), CLASSES, Preprocessing(value_range=value_range), "FCN").to_json()
        assert json.loads(text)["format"] == format
        assert Description.from_json(text, tmp_path).preprocessing.value_range == value_range
    assert (
        Preprocessing(value_range=RANGE).scaling
        == "byte = round(255 * (value - 100) / (4195 - 100)) of values from 100 to 4195"
    )


@pytest.mark.parametrize("given", [[5], [3, 1], ["a", "b"], "0,1", [0, float("nan")]])
def test_a_damaged_range_is_refused(given):
    with pytest.raises(ValueError, match="two numbers were expected"):
        Preprocessing.from_dict({"mean": [0, 0, 0], "std": [1, 1, 1], "range": given})


def test_many_files_are_predicted_by_the_range_and_what_is_not_read_is_told(deep, tmp_path):
    values, wanted = deep
    five = np.dstack([values, values[..., :2]])
    (tmp_path / "in").mkdir()
    tifffile.imwrite(tmp_path / "in/a.tif", five, photometric="rgb", planarconfig="contig")
    Image.fromarray(wanted).save(tmp_path / "in/b.png")
    summary = predict_files(segmenter(), [tmp_path / "in"], tmp_path / "out", overlay=False)
    assert (summary.done, len(summary.failed)) == (1, 1) and "range of the data is 100,4195" in summary.failed[0][1]
    assert dict(summary.remarks) == {"has 5 bands, of which 1, 2, 3 are read as red, green and blue": 1}
    entries = {
        line["name"]: line for line in map(json.loads, (tmp_path / "out/manifest.jsonl").read_text().splitlines())
    }
    assert entries["a"]["remarks"] == list(summary.remarks)


def test_what_a_data_set_states_wins_and_is_part_of_what_is_kept(deep, tmp_path):
    values, _ = deep
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(values[..., 0]).save(tmp_path / "a.png", exif=exif)
    for number, file in enumerate(
        (
            PictureFile(tmp_path / "a.png", "a", (0, 65535), apply_orientation=False),
            PictureFile(tmp_path / "a.png", "a", (0, 65535), apply_orientation=False),
            PictureFile(tmp_path / "a.png", "a"),
        )
    ):
        summary = predict_files(segmenter(), [file], tmp_path / "out", overlay=False)
        assert (summary.done, summary.skipped, len(summary.failed)) == ((1, 0, 0), (0, 1, 0), (0, 0, 1))[number]
    labels = np.asarray(Image.open(tmp_path / "out/labels/a.png"))
    assert labels.shape == (40, 48)  # as stored


def test_looking_uses_it_too(deep, tmp_path):
    values, wanted = deep
    tifffile.imwrite(tmp_path / "a.tif", values, photometric="rgb")
    assert np.array_equal(read_picture(str(tmp_path / "a.tif"), None, segmenter().preprocessing)[0], wanted)
    upload = read_upload((tmp_path / "a.tif").read_bytes(), "a.tif", Limits(), segmenter().preprocessing)
    assert np.array_equal(upload.image, wanted)


def test_models_that_see_one_image_need_one_range():
    with pytest.raises(UsageError, match=r"a reads images by the value range 100,4195, and b by that of the type"):
        offer(["a", "b"], [segmenter(), segmenter(None)])
    assert common_reading(["a", "b"], [segmenter().preprocessing] * 2).value_range == RANGE


def test_videos_are_refused_by_models_of_deeper_values(tmp_path):
    pytest.importorskip("av")
    from attseg.bulk.video import predict_videos

    with pytest.raises(UsageError, match=r"values of 100,4195, and frames of videos hold 0\.\.255"):
        predict_videos(segmenter(), [PictureFile(tmp_path / "a.mp4", "a")], tmp_path / "out")
