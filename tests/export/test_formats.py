import json
import socket
import zipfile
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
import torch.nn.functional as F

from attseg.data.sets.scenes import Scenes
from attseg.errors import UsageError
from attseg.export.formats import export_model, export_onnx, export_openvino, export_pt2, save_openvino
from attseg.export.program import ExportError
from attseg.export.storage import Storage
from attseg.files import FileError
from attseg.inference.exported.contract import Contract
from attseg.inference.exported.engines import read_description
from attseg.inference.segmenter import Segmenter, load
from attseg.models import Segmentation, build_model
from tiny_exports import CLASSES, FILES, tiny

SIZES = [(32, 32), (33, 47), (96, 61), (130, 200)]


def scene(height, width, seed=0):
    return Scenes("val", size=(height, width), count=seed + 1)[seed].image


def by_hand(segmenter, images):
    """Labels and scores of pictures (N, H, W, 3), by way of numpy and a plain softmax."""
    pixels = (images / 255 - np.array([0.485, 0.456, 0.406])) / np.array([0.229, 0.224, 0.225])
    with torch.no_grad():
        logits = segmenter.model(torch.from_numpy(pixels.transpose(0, 3, 1, 2).astype(np.float32))).logits.numpy()
    exponents = np.exp(logits - logits.max(1, keepdims=True))
    probabilities = exponents / exponents.sum(1, keepdims=True)
    return logits.argmax(1), probabilities.max(1)


@pytest.mark.compile
@pytest.mark.parametrize("size", SIZES, ids=str)
def test_onnx_runtime_alone_gives_what_the_network_gives(files, segmenter, size):
    session = onnxruntime.InferenceSession(files / "labels.onnx", providers=["CPUExecutionProvider"])
    for count in (1, 3):
        images = np.stack([scene(*size, seed) for seed in range(count)])
        labels, scores = session.run(["labels", "scores"], {"images": images})
        wanted, best = by_hand(segmenter, images)
        assert labels.dtype == np.uint8
        assert (labels == wanted).mean() > 0.999
        np.testing.assert_allclose(scores, best, atol=1e-4)
    assert len(np.unique(wanted)) > 1, "a network that sees one class everywhere proves little"


@pytest.mark.compile
@pytest.mark.parametrize("name", ["labels.onnx", "logits.xml", "labels.pt2"])
@pytest.mark.parametrize("size", [(20, 50), *SIZES], ids=str)
def test_every_format_takes_pictures_of_any_size(files, segmenter, name, size):
    image = scene(max(32, size[0]), size[1])[: size[0]]
    ours, theirs = segmenter(image), load(files / name)(image)
    assert (ours.labels == theirs.labels).mean() > 0.999
    np.testing.assert_allclose(ours.scores, theirs.scores, atol=1e-4)
    assert theirs.classes == CLASSES


@pytest.mark.compile
def test_scales_flips_and_windows_go_through_a_file(files, segmenter):
    image = scene(96, 120)
    ours, theirs = (one(image, protocol="pan-multiscale") for one in (segmenter, load(files / "logits.xml")))
    np.testing.assert_allclose(
        ours.scores, theirs.scores, atol=0.02
    )  # the file takes bytes, and so scaled pixels are rounded
    assert (ours.labels == theirs.labels).mean() > 0.99


@pytest.mark.compile
@pytest.mark.parametrize("size", [(1, 1), (40, 56), (75, 31), (200, 301)], ids=str)
def test_pictures_are_scaled_inside_and_labels_come_back_at_their_size(files, segmenter, size):
    session = onnxruntime.InferenceSession(files / "resized.onnx", providers=["CPUExecutionProvider"])
    images = torch.randn(2, 3, *size, generator=torch.Generator().manual_seed(0))
    (found,) = session.run(["probabilities"], {"images": images.numpy()})
    with torch.no_grad():
        small = F.interpolate(images, size=(40, 56), mode="bilinear")
        wanted = F.interpolate(segmenter.model(small).logits, size=size, mode="bilinear").softmax(1)
    np.testing.assert_allclose(found, wanted.numpy(), atol=1e-4)


@pytest.mark.compile
@pytest.mark.parametrize("name", FILES)
def test_a_file_says_all_about_itself_and_nothing_about_this_computer(files, name):
    about = read_description(files / name)
    assert (about.contract, about.model, about.info, about.quantised) == (FILES[name][1], "FCN", {"step": 7}, False)
    parts = [path.read_bytes() for path in files.glob(f"{Path(name).stem}.*")]
    if name.endswith(".pt2"):
        with zipfile.ZipFile(files / name) as archive:
            parts += [archive.read(inner) for inner in archive.namelist()]
    here = (str(Path(__file__).parents[2]), "site-packages", str(Path.home()) + "/")
    assert [word for word in here for part in parts if word.encode() in part] == []


@pytest.mark.compile
def test_the_onnx_file_is_one_readable_file(files):
    model = onnx.load(files / "labels.onnx")
    onnx.checker.check_model(model, full_check=True)
    named = {
        value.name: [size.dim_param or size.dim_value for size in value.type.tensor_type.shape.dim]
        for value in (*model.graph.input, *model.graph.output)
    }
    assert named == {
        "images": ["batch", "height", "width", 3],
        "labels": ["batch", "height", "width"],
        "scores": ["batch", "height", "width"],
    }
    assert model.producer_name == "attseg"
    values = json.loads(next(entry.value for entry in model.metadata_props if entry.key == "attseg"))
    assert values["classes"]["names"] == ["sky", "road", "tree"]
    assert values["preprocessing"]["mean"] == [0.485, 0.456, 0.406]


@pytest.mark.compile
def test_torch_opens_a_pt2_without_attseg(files, segmenter):
    program = torch.export.load(files / "labels.pt2").module()
    images = scene(48, 70)[None]
    labels, scores = program(torch.from_numpy(images))
    wanted, best = by_hand(segmenter, images)
    assert (labels.numpy() == wanted).mean() > 0.999
    np.testing.assert_allclose(scores.numpy(), best, atol=1e-4)


@pytest.mark.compile
@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "args"),
    [
        ("PAN", {}),
        ("PSANet", {"crop_size": (64, 64), "inner": 8}),
        ("PSANet", {"crop_size": (64, 64), "inner": 8, "directions": ("collect",), "outside": "zero"}),
        ("PSANet", {"crop_size": (64, 64), "inner": 8, "directions": ("distribute",)}),
        ("DFDAM", {}),
        ("AttentionToRefine", {"base": "FCN", "base_args": {"encoder": "test_resnet", "channels": 8}}),
    ],
)
def test_every_model_takes_any_number_of_pictures_of_any_size_in_one_file(tmp_path, name, args):
    torch.manual_seed(0)
    model = build_model(name, ({} if "base" in args else {"encoder": "test_resnet", "channels": 8}) | args, 3).eval()
    segmenter = Segmenter(model, CLASSES, tiny().preprocessing, device="cpu")
    kept = export_onnx(segmenter, tmp_path / "a.onnx", Contract(gives="logits", takes="floats"))
    assert kept.size is None and kept.least <= 33
    session = onnxruntime.InferenceSession(tmp_path / "a.onnx", providers=["CPUExecutionProvider"])
    for count, height, width in (
        (1, 33, 90),
        (3, 64, 80),
        (2, 131, 67),
    ):  # PSANet's filters do not reach across the last
        images = torch.randn(count, 3, height, width)
        with torch.inference_mode():
            wanted = model(images).logits.numpy()
        (found,) = session.run(["logits"], {"images": images.numpy()})
        np.testing.assert_allclose(found, wanted, atol=1e-5 * np.abs(wanted).max())


@pytest.mark.compile
def test_a_file_of_one_size_takes_any_number_of_pictures(segmenter, tmp_path):
    contract = export_onnx(segmenter, tmp_path / "a.onnx", Contract(gives="logits", size=(64, 80)))
    assert contract.size == (64, 80)
    session = onnxruntime.InferenceSession(tmp_path / "a.onnx", providers=["CPUExecutionProvider"])
    for count in (1, 3):
        images = np.stack([scene(64, 80, seed) for seed in range(count)])
        (found,) = session.run(["logits"], {"images": images})
        assert np.array_equal(found.argmax(1), by_hand(segmenter, images)[0])


@pytest.mark.compile
def test_a_map_of_one_value_raises_the_least_size(tmp_path):
    kept = export_pt2(tiny(output_stride=32), tmp_path / "a.pt2")
    assert kept.least == 33
    image = scene(32, 40)
    assert load(tmp_path / "a.pt2")(image).labels.shape == (32, 40)  # continued to 33, and cut


@pytest.mark.slow
def test_swin_gets_a_sentence_and_not_an_hour(tmp_path):
    segmenter = tiny(encoder="swin_tiny_patch4_window7_224", output_stride=32)
    with pytest.raises(
        ExportError, match="cannot be exported for pictures of any size.*--resize 512x512 .*--size 512x512"
    ):
        export_onnx(segmenter, tmp_path / "a.onnx")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.compile
def test_a_network_that_torch_cannot_trace_gets_a_sentence(tmp_path):
    class Stubborn(torch.nn.Module):
        def forward(self, images):
            return Segmentation(images * float(images.numpy().sum()), {})

    segmenter = Segmenter(Stubborn(), CLASSES, tiny().preprocessing, device="cpu")
    with pytest.raises(ExportError, match="torch.export cannot make a graph of this Stubborn: "):
        export_pt2(segmenter, tmp_path / "a.pt2", Contract(size=(64, 64)))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("exporter", "name", "ending"),
    [(export_pt2, "a.onnx", ".pt2"), (export_onnx, "a.pt2", ".onnx"), (export_openvino, "a.onnx", ".xml")],
)
def test_a_name_that_ends_otherwise_is_refused(exporter, name, ending, segmenter, tmp_path):
    with pytest.raises(UsageError, match=f"a name that ends with {ending} was expected"):
        exporter(segmenter, tmp_path / name)


@pytest.mark.compile
def test_an_exported_file_is_not_exported_again(files, tmp_path):
    with pytest.raises(UsageError, match="an exported file cannot be exported again; give the run"):
        export_pt2(load(files / "labels.onnx"), tmp_path / "a.pt2")


@pytest.mark.compile
def test_a_write_that_fails_leaves_the_old_file(segmenter, tmp_path, monkeypatch):
    (tmp_path / "a.pt2").write_text("old")
    monkeypatch.setattr("os.fsync", lambda _: (_ for _ in ()).throw(OSError(28, "No space left on device")))
    with pytest.raises(OSError, match="no space is left in"):
        export_pt2(segmenter, tmp_path / "a.pt2", Contract(size=(64, 64)))
    assert [path.read_text() for path in tmp_path.iterdir()] == ["old"]


@pytest.mark.compile
def test_no_connection_is_opened(segmenter, tmp_path, monkeypatch):
    def refuse(*_):
        raise AssertionError("a connection was opened")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    steps = []
    export_model(segmenter, tmp_path / "a.onnx", "onnx", Contract(size=(64, 64)), on_step=steps.append)
    assert steps == ["tracing the network", "translating to ONNX"]


def test_openvino_over_a_limit_on_the_size_of_files_ends_in_a_sentence(tmp_path):
    resource = pytest.importorskip("resource")
    openvino = pytest.importorskip("openvino")
    images = openvino.opset13.parameter([1, 500], np.float32)
    product = openvino.opset13.matmul(images, np.ones((500, 500), np.float32), False, False)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, limits[1]))
    try:
        with pytest.raises(FileError) as error:
            save_openvino(openvino.Model([product], [images], "m"), tmp_path / "a.xml", "{}")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert str(tmp_path / "a.xml") in str(error.value) and "TMPDIR" in str(error.value)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.compile
@pytest.mark.parametrize("suffix", [".onnx", ".xml"])
def test_weights_of_16_bits_halve_the_file_and_keep_the_classes(tmp_path, suffix):
    segmenter, format = tiny(channels=64), {".onnx": "onnx", ".xml": "openvino"}[suffix]
    sizes, found = [], []
    for half in (False, True):
        path = tmp_path / f"{half}{suffix}"
        export_model(segmenter, path, format, storage=Storage(half=half))
        weights = path if suffix == ".onnx" else path.with_suffix(".bin")
        sizes.append(weights.stat().st_size)
        found.append(load(path)(scene(96, 120)))
    assert sizes[1] < 0.65 * sizes[0]
    assert (found[0].labels == found[1].labels).mean() > 0.99
    np.testing.assert_allclose(found[0].scores, found[1].scores, atol=0.01)


@pytest.mark.compile
def test_a_newer_opset_is_written_and_computes_the_same(tmp_path):
    segmenter = tiny()
    export_model(segmenter, tmp_path / "a.onnx", "onnx", storage=Storage(opset=20))
    assert [entry.version for entry in onnx.load(tmp_path / "a.onnx").opset_import if not entry.domain] == [20]
    assert (load(tmp_path / "a.onnx")(scene(96, 120)).labels == segmenter(scene(96, 120)).labels).mean() > 0.999


@pytest.mark.parametrize(
    ("options", "format", "message"),
    [
        ({"opset": 17}, "onnx", "opset is 17; 18 to 23"),
        ({"opset": 20}, "openvino", "opset is for files of ONNX"),
        ({"half": True}, "pt2", "keep their 32 bits"),
    ],
)
def test_storage_that_a_format_does_not_have_is_refused(tmp_path, options, format, message):
    with pytest.raises(UsageError, match=message):
        export_model(tiny(), tmp_path / "a", format, storage=Storage(**options))
