import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from attseg.attention.tap import Tap
from attseg.checkpoint import WeightsError, save_weights
from attseg.data.classes import ClassTable
from attseg.data.preprocessing import Preprocessing
from attseg.data.sample import DataError
from attseg.errors import UsageError
from attseg.inference.segmenter import Segmenter, load
from attseg.models import Segmentation, build_model
from attseg.prediction.protocol import Protocol
from attseg.recipes.recipe import ModelSpec

CLASSES = ClassTable(("red", "green", "blue"), ((255, 0, 0), (0, 255, 0), (0, 0, 255)))
PLAIN = Preprocessing((0.0, 0.0, 0.0), (1.0, 1.0, 1.0))
MODES = (
    "1",
    "L",
    "LA",
    "La",
    "P",
    "PA",
    "RGB",
    "RGBA",
    "RGBa",
    "RGBX",
    "CMYK",
    "YCbCr",
    "LAB",
    "HSV",
    "I;16",
)


class Strongest(nn.Module):
    """A model whose classes are the channels: the strongest colour wins, and its logits are the fractions of white."""

    def __init__(self, channels=3):
        super().__init__()
        self.channels = channels
        self.position = Tap("spatial")
        self.sizes = []

    def forward(self, images):
        assert min(images.shape[-2:]) >= 32
        self.sizes.append(tuple(images.shape[-2:]))
        assert not self.training
        assert not torch.is_grad_enabled()
        return Segmentation(self.position(images)[:, : self.channels], {})


def segmenter():
    return Segmenter(Strongest(), CLASSES, PLAIN, device="cpu")


def picture(height=40, width=50, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)


def check(result, image):
    """Against softmax and argmax in numpy."""
    exponents = np.exp(image / 255)
    probabilities = exponents / exponents.sum(axis=-1, keepdims=True)
    assert result.labels.dtype == np.uint8
    assert result.scores.dtype == np.float32
    assert np.array_equal(result.image, image)
    assert np.array_equal(result.labels, image.argmax(axis=-1))
    np.testing.assert_allclose(result.scores, probabilities.max(axis=-1), rtol=1e-5)


@pytest.mark.parametrize("size", [(1, 1), (1, 70), (31, 500), (500, 31), (32, 32), (33, 47), (600, 40)])
def test_pictures_of_any_size(size):
    image = picture(*size)
    check(segmenter()(image), image)


def test_small_pictures_go_on_at_their_edge():
    seen = []

    class Model(Strongest):
        def forward(self, images):
            seen.append(images.clone())
            return super().forward(images)

    image = picture(2, 40)
    Segmenter(Model(), CLASSES, PLAIN, device="cpu")(image)
    expected = np.pad(image, ((0, 30), (0, 0), (0, 0)), mode="edge").transpose(2, 0, 1) / 255
    np.testing.assert_allclose(seen[0][0], expected, rtol=1e-5)


def test_probabilities_of_large_logits_are_finite():
    class Model(Strongest):
        def forward(self, images):
            return Segmentation(images * 1e4, {})

    scores = Segmenter(Model(), CLASSES, PLAIN, device="cpu")(picture()).scores
    assert np.isfinite(scores).all()
    assert scores.max() == 1


def test_one_class_is_certain():
    one = ClassTable(("water",), ((0, 0, 255),))
    result = Segmenter(Strongest(1), one, PLAIN, device="cpu")(picture())
    assert not result.labels.any()
    assert (result.scores == 1).all()


def test_the_preprocessing_is_used():
    result = Segmenter(Strongest(), CLASSES, Preprocessing((1.0, 0.0, 0.0), (1.0, 1.0, 1.0)), device="cpu")(
        picture() | 1
    )
    assert result.names != []
    assert "red" not in result.names


@pytest.mark.parametrize("mode", MODES)
def test_pictures_of_every_mode(mode):
    image = Image.new(mode, (40, 36))
    result = segmenter()(image)
    assert result.labels.shape == (36, 40)
    assert result.name == "picture"


def test_arrays_tensors_and_pictures_give_the_same():
    image = picture()
    tensor = torch.from_numpy(image).permute(2, 0, 1)
    for one in (image, image / 255, Image.fromarray(image), tensor, tensor / 255):
        check(segmenter()(one), image)


@pytest.fixture
def folder(tmp_path):
    for name in ("a.png", "b.png", "deep/a.png"):
        path = tmp_path / "photos" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(picture(seed=len(name) + ord(name[0]))).save(path)
    return tmp_path / "photos"


def test_a_file_gives_one_result(folder):
    for path in (folder / "b.png", str(folder / "b.png")):
        result = segmenter()(path)
        check(result, np.array(Image.open(path)))
        assert result.name == "b"


def test_folders_and_patterns_give_lists(folder):
    assert [result.name for result in segmenter()(folder)] == ["a", "b", "deep/a"]
    assert [result.name for result in segmenter()(str(folder / "b*.png"))] == ["b"]
    assert [result.name for result in segmenter()(folder / "deep")] == ["a"]


def test_lists_give_lists_with_names_that_differ(folder):
    results = segmenter()([folder / "a.png", str(folder / "deep" / "a.png")])
    assert [result.name for result in results] == ["a", "deep/a"]
    mixed = segmenter()([picture(), folder / "b.png", Image.fromarray(picture(seed=1))])
    assert [result.name for result in mixed] == ["picture-1", "b", "picture-3"]
    check(mixed[2], picture(seed=1))
    assert segmenter()([]) == []


def test_exif_orientation_is_applied(tmp_path):
    image = picture(40, 60)
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by 90 degrees
    Image.fromarray(image).save(tmp_path / "phone.png", exif=exif)
    check(segmenter()(tmp_path / "phone.png"), np.rot90(image, -1))


def test_sixteen_bit_files_are_scaled(tmp_path):
    grey = picture()[..., 0].astype(np.uint16)
    Image.fromarray(grey * 257).save(tmp_path / "deep.png")
    assert np.array_equal(segmenter()(tmp_path / "deep.png").image[..., 1], grey)


def test_broken_and_missing_files_are_named(tmp_path):
    (tmp_path / "broken.jpg").write_bytes(b"\xff\xd8 no picture")
    with pytest.raises(DataError, match=r"broken\.jpg cannot be read as a picture"):
        segmenter()(tmp_path / "broken.jpg")
    with pytest.raises(UsageError, match=r"no file or folder .*brokem\.jpg'; did you mean .*broken\.jpg"):
        segmenter()(tmp_path / "brokem.jpg")


@pytest.mark.parametrize("given", [3, None, b"bytes", {"a": 1}, [3]])
def test_what_is_no_picture_is_refused(given):
    with pytest.raises(UsageError, match=r"a \w+ cannot be segmented; give a path, a picture of Pillow, an array"):
        segmenter()(given)


def test_attention_is_read_at_the_pixel():
    image = picture(20, 64)
    one = segmenter()
    (attention,) = one(image).attention(x=10, y=19)
    assert (attention.name, attention.kind) == ("position", "spatial")
    np.testing.assert_allclose(attention.values, image[19, 10] / 255, rtol=1e-5)
    assert one.model.sizes == [(32, 64), (32, 64)]


@pytest.mark.parametrize(("x", "y"), [(50, 0), (0, 40), (-1, 0)])
def test_attention_outside_the_picture_is_refused(x, y):
    with pytest.raises(UsageError, match=rf"x={x}, y={y} is outside the picture: x goes from 0 to 49, y from 0 to 39"):
        segmenter()(picture()).attention(x, y)


def test_a_model_without_attention_has_no_maps():
    model = Strongest()
    model.position = nn.Identity()
    assert Segmenter(model, CLASSES, PLAIN, device="cpu")(picture()).attention(0, 0) == []


def test_a_picture_that_does_not_fit_into_memory_is_said_to():
    class Model(Strongest):
        def forward(self, images):
            raise torch.OutOfMemoryError("CUDA out of memory")

    with pytest.raises(
        UsageError, match=r"a picture of 40 x 50 \(height x width\) does not fit into the memory of cpu; scale it"
    ):
        Segmenter(Model(), CLASSES, PLAIN, device="cpu")(picture())


@pytest.mark.parametrize("protocol", ["single-flip", Protocol(window=32, stride=0.3, flip=True)])
def test_a_protocol_changes_how_a_picture_is_seen(protocol):
    image, one = picture(50, 70), segmenter()
    check(one(image, protocol=protocol, memory=1), image)  # what a model sees pixel by pixel comes back
    assert len(one.model.sizes) > 1 or one.model.sizes == [(50, 70)]
    assert [result.name for result in one([image, image], protocol=protocol)] == ["picture-1", "picture-2"]


def test_scores_are_averages_of_probabilities():
    image = np.zeros((40, 40, 3), np.uint8)
    image[:, :, 0] = 255
    result = segmenter()(image, protocol="pan-multiscale")
    np.testing.assert_allclose(result.scores, np.e / (np.e + 2), rtol=1e-5)


def test_protocols_of_psanet_take_their_sizes_from_the_data_set():
    known = Segmenter(Strongest(), CLASSES, PLAIN, device="cpu", data="ade20k")
    assert known(picture(40, 50), protocol="psanet-sliding").labels.shape == (40, 50)
    assert set(known.model.sizes) == {(465, 465)}
    with pytest.raises(
        UsageError, match="psanet-sliding has sizes for .*ade20k, .* but not where the data set is not known"
    ):
        segmenter()(picture(), protocol="psanet-sliding")
    with pytest.raises(UsageError, match="there is no protocol 'pan'"):
        segmenter()(picture(), protocol="pan")


def test_other_errors_of_a_model_stay_what_they_are():
    class Model(Strongest):
        def forward(self, images):
            raise RuntimeError("a mistake in the model")

    with pytest.raises(RuntimeError, match="a mistake in the model"):
        Segmenter(Model(), CLASSES, PLAIN, device="cpu")(picture())


def test_more_classes_than_names_are_refused():
    with pytest.raises(UsageError, match="the model has 3 classes, but the class table names 1"):
        Segmenter(Strongest(), ClassTable(("a",), ((0, 0, 0),)), PLAIN, device="cpu")(picture())


@pytest.mark.parametrize(
    ("device", "message"),
    [("gpu", "no device 'gpu'; a GPU is called cuda"), ("cuda:99", "the device is cuda:99, but PyTorch finds")],
)
def test_unknown_devices_are_refused(device, message):
    with pytest.raises(UsageError, match=message):
        Segmenter(Strongest(), CLASSES, PLAIN, device=device)


@pytest.mark.parametrize("name", ["PAN", "FCN"])
def test_a_saved_model_is_loaded_and_gives_the_same(tmp_path, name):
    args = {"encoder": "test_resnet", "channels": 8}
    torch.manual_seed(0)
    model = build_model(name, args, 3)
    spec = ModelSpec(name=name, args=args | {"pretrained": True, "encoder_weights": "missing.safetensors"})
    run = tmp_path / "run"
    save_weights(
        run / "best.safetensors", model.state_dict(), model=spec, classes=CLASSES, preprocessing=PLAIN, info={}
    )
    image = picture(64, 70)
    expected = Segmenter(model, CLASSES, PLAIN, device="cpu")(image)
    result = load(run, device="cpu")(image)
    assert np.array_equal(result.labels, expected.labels)
    assert np.array_equal(result.scores, expected.scores)
    kinds = {attention.kind for attention in result.attention(69, 63)}
    assert kinds == ({"spatial", "channel"} if name == "PAN" else set())


def test_weights_of_another_model_are_refused(tmp_path):
    state = build_model("FCN", {"encoder": "test_resnet", "channels": 8}, 3).state_dict()
    spec = ModelSpec(name="FCN", args={"encoder": "test_resnet", "channels": 4})
    save_weights(tmp_path / "a.safetensors", state, model=spec, classes=CLASSES, preprocessing=PLAIN, info={})
    with pytest.raises(WeightsError, match="do not fit this FCN"):
        load(tmp_path / "a.safetensors")
