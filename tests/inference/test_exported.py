import json
import sys
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from PIL import Image

from attseg.bulk.images import predict_files
from attseg.data.catalog import open_data
from attseg.errors import UsageError
from attseg.evaluation.run import evaluate
from attseg.export.formats import save_openvino
from attseg.inference.exported.contract import Contract
from attseg.inference.exported.description import FORMAT, Description, ExportedError
from attseg.inference.exported.packages import need
from attseg.inference.segmenter import load
from attseg.prediction.protocol import Protocol
from onnx_files import CLASSES, PLAIN, network, picture, strongest

WINDOWS = Protocol(scales=(0.8, 1.3), flip=True, window=48)
KINDS = [{"takes": takes, "gives": gives} for takes in ("bytes", "floats") for gives in ("logits", "probabilities")]


@pytest.fixture
def labels(tmp_path):
    """A file with the arg-max inside."""
    return strongest(tmp_path / "labels.onnx")


@pytest.mark.parametrize("size", [(1, 1), (31, 90), (40, 50), (70, 33)], ids=str)
@pytest.mark.parametrize("gives", ["labels", "probabilities", "logits"])
def test_a_file_segments_as_its_network_does(tmp_path, gives, size):
    file, image = strongest(tmp_path / "model.onnx", gives=gives), picture(*size)
    ours, theirs = network()(image), load(file)(image)
    assert np.array_equal(ours.labels, theirs.labels)
    assert theirs.labels.dtype == np.uint8
    np.testing.assert_allclose(ours.scores, theirs.scores, atol=1e-6)
    assert theirs.classes == CLASSES


@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_windows_scales_and_flips_work_where_all_scores_are_given(tmp_path, kind):
    image = picture(90, 70)
    ours = network()(image, protocol=WINDOWS)
    theirs = load(strongest(tmp_path / "model.onnx", **kind))(image, protocol=WINDOWS)
    rounded = 0.5 / 255 if kind["takes"] == "bytes" else 1e-6  # blended pixels become bytes again
    np.testing.assert_allclose(ours.scores, theirs.scores, atol=rounded)
    assert (ours.labels == theirs.labels).mean() > (0.98 if kind["takes"] == "bytes" else 0.9999)


def test_windows_without_scales_are_exact_in_bytes(tmp_path):
    protocol, image = Protocol(window=32), picture(90, 70)
    ours, theirs = (
        one(image, protocol=protocol) for one in (network(), load(strongest(tmp_path / "a.onnx", gives="logits")))
    )
    assert np.array_equal(ours.labels, theirs.labels)
    np.testing.assert_allclose(ours.scores, theirs.scores, atol=1e-6)


def test_openvino_computes_the_same(tmp_path):
    openvino = need("openvino", "this test")
    model = openvino.Core().read_model(strongest(tmp_path / "model.onnx"))
    file = tmp_path / "out" / "model.xml"
    save_openvino(model, file, Description(Contract(), CLASSES, PLAIN, "Strongest").to_json())
    assert sorted(path.name for path in file.parent.iterdir()) == ["model.bin", "model.xml"]
    image = picture(35, 60)
    ours, theirs = network()(image), load(file)(image)
    assert np.array_equal(ours.labels, theirs.labels)
    np.testing.assert_allclose(ours.scores, theirs.scores, atol=1e-6)
    file.with_suffix(".bin").unlink()
    with pytest.raises(ExportedError, match="has its weights in .*model.bin, which is not there; keep both files"):
        load(file)
    file.with_suffix(".bin").write_bytes(b"")
    file.write_text("<net>")
    with pytest.raises(ExportedError, match="model.xml is damaged, or not a model of OpenVINO"):
        load(file)


@pytest.mark.parametrize(
    "protocol", [Protocol(flip=True), Protocol(window=32), Protocol(scales=(0.5,)), "pan-multiscale"], ids=str
)
def test_a_file_without_scores_can_only_see_pictures_once(labels, protocol):
    with pytest.raises(UsageError, match="takes the scores of all classes: export the model with --gives logits"):
        load(labels)(picture(), protocol=protocol)


def test_a_file_without_scores_says_so_to_whoever_wants_them(labels):
    segmenter = load(labels)
    with pytest.raises(UsageError, match="what was asked for takes the scores of all classes"):
        segmenter.predictor().probabilities(picture())
    with pytest.raises(UsageError, match="what was asked for takes the scores of all classes"):
        segmenter.model(torch.zeros(1, 3, 32, 32))


@pytest.mark.parametrize("gives", ["labels", "logits"])
def test_folders_are_predicted_and_done_files_are_known_again(tmp_path, gives):
    (tmp_path / "in").mkdir()
    images = {f"{name}": picture(40, 50, seed) for seed, name in enumerate("abc")}
    for name, image in images.items():
        Image.fromarray(image).save(tmp_path / "in" / f"{name}.png")
    segmenter = load(strongest(tmp_path / "model.onnx", gives=gives))
    summary = predict_files(segmenter, [tmp_path / "in"], tmp_path / "out")
    assert (summary.done, summary.failed) == (3, ())
    for name, image in images.items():
        with Image.open(tmp_path / "out" / "labels" / f"{name}.png") as found:
            assert np.array_equal(np.asarray(found), image.argmax(-1))
    assert predict_files(segmenter, [tmp_path / "in"], tmp_path / "out").skipped == 3
    other = strongest(
        tmp_path / "model.onnx",
        gives=gives,
        metadata=Description(Contract(gives=gives), CLASSES, PLAIN, "Strongest", info={"step": 2}).to_json(),
    )
    assert len(predict_files(load(other), [tmp_path / "in"], tmp_path / "out").failed) == 3


@pytest.mark.parametrize("gives", ["labels", "logits"])
def test_evaluation_counts_what_the_network_would(tmp_path, gives):
    class Three:
        classes, split = CLASSES, "val"
        data = open_data("scenes", "val", size=(48, 64), count=3)

        def __len__(self):
            return 3

        def name(self, index):
            return str(index)

        def __getitem__(self, index):
            return replace(self.data[index], labels=self.data[index].labels % 3, probes=None)

    file = load(strongest(tmp_path / "model.onnx", gives=gives))
    ours, theirs = (evaluate(one.model, Three(), PLAIN) for one in (network(), file))
    assert np.array_equal(ours.counts, theirs.counts)


def test_one_size_is_refused_with_a_sentence_and_windows_help(tmp_path):
    segmenter = load(strongest(tmp_path / "model.onnx", gives="logits", size=(32, 32)))
    with pytest.raises(
        UsageError, match=r"takes pictures of 32 x 32 .* and this one has 40 x 50; scale it.*--window 32"
    ):
        segmenter(picture())
    seen = segmenter(picture(), protocol=Protocol(window=32))
    assert np.array_equal(seen.labels, network()(picture(), protocol=Protocol(window=32)).labels)


def test_what_the_runtime_says_of_an_input_becomes_a_sentence(tmp_path):
    about = Description(Contract(size=(40, 50)), CLASSES, PLAIN, "Strongest").to_json()
    segmenter = load(strongest(tmp_path / "model.onnx", size=(32, 32), metadata=about))
    with pytest.raises(UsageError, match=r"ONNX Runtime cannot compute 1 of 40 x 50 pixels"):
        segmenter(picture())


def test_there_is_no_attention_to_ask_for(labels):
    segmenter = load(labels)
    assert segmenter.exported and not network().exported
    with pytest.raises(UsageError, match="shows no attention maps; load the run that it was exported"):
        segmenter(picture()).attention(3, 4)


@pytest.mark.parametrize("gives", ["labels", "logits"])
def test_half_precision_is_refused(tmp_path, gives):
    segmenter = load(strongest(tmp_path / "model.onnx", gives=gives))
    predictor = replace(segmenter.predictor(), precision="bf16")
    with pytest.raises(UsageError, match="computes in the precision that it was exported in; leave out the precision"):
        predictor.labels(picture())


def test_other_devices_are_refused(labels, monkeypatch):
    monkeypatch.setattr("attseg.inference.segmenter.find_device", torch.device)
    with pytest.raises(UsageError, match="labels.onnx is an exported file, which the processor computes"):
        load(labels, device="cuda:0")


@pytest.mark.parametrize("suffix", [".onnx", ".pt2"])
def test_files_that_are_no_such_thing_are_damaged(tmp_path, suffix):
    file = tmp_path / f"model{suffix}"
    file.write_bytes(b"\xff\xfe not at all")
    with pytest.raises(ExportedError, match=f"model{suffix} is damaged, or not an"):
        load(file)


def test_files_of_other_tools_damaged_and_newer_ones_get_a_sentence(tmp_path):
    def metadata(**changed):
        return json.dumps(json.loads(Description(Contract(), CLASSES, PLAIN, "FCN").to_json()) | changed)

    for text, message in (
        ("", "says nothing about classes and normalisation: it was not written by `attseg export`"),
        ("{", "what .* says about itself is damaged .JSONDecodeError"),
        (metadata(classes={"names": ["a"]}), "says about itself is damaged .KeyError"),
        (
            metadata(format=FORMAT + 1),
            rf"written by a newer attseg .format {FORMAT + 1}, this one reads up to {FORMAT}.; upgrade",
        ),
    ):
        with pytest.raises(ExportedError, match=message):
            load(strongest(tmp_path / "model.onnx", metadata=text))
    about = Description(Contract(gives="logits"), CLASSES, PLAIN, "FCN").to_json()
    with pytest.raises(ExportedError, match="gives labels, scores, but says that it takes images and gives logits"):
        load(strongest(tmp_path / "model.onnx", metadata=about))
    with pytest.raises(ExportedError, match="takes x and gives labels, scores, but says that it takes images"):
        load(strongest(tmp_path / "model.onnx", input_name="x"))


def test_a_file_that_is_not_there_gets_the_nearest_name(labels):
    with pytest.raises(UsageError, match=r"did you mean '.*labels.onnx'"):
        load(labels.with_name("label.onnx"))


def test_a_missing_package_gets_the_command(labels, monkeypatch):
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(UsageError, match=r"running .* needs the package onnxruntime.*pip install .*'onnxruntime>="):
        load(labels)
    monkeypatch.setitem(sys.modules, "openvino", None)
    with pytest.raises(UsageError, match=r"reading it needs the package openvino.*pip install .*'openvino>="):
        need("openvino", "reading it")


def test_telemetry_cannot_be_imported_and_onnx_runtime_is_told(monkeypatch):
    told = []
    monkeypatch.delitem(sys.modules, "openvino_telemetry", raising=False)
    monkeypatch.setitem(sys.modules, "onnxruntime", SimpleNamespace(disable_telemetry_events=lambda: told.append(True)))
    need("onnxruntime", "this test")
    assert told == [True]
    with pytest.raises(ImportError):
        __import__("openvino_telemetry")


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"takes": "byte"}, "no word for what a file takes 'byte'; did you mean 'bytes'"),
        ({"gives": "logit"}, "no word for what a file gives 'logit'; did you mean 'logits'"),
        ({"size": (16, 64)}, "size is 16 x 64 .* 32 to 16384 pixels a side were expected"),
        ({"resize": (64, 99999)}, "resize is 64 x 99999"),
        ({"size": (64, 64), "resize": (64, 64)}, "size and resize were both given"),
    ],
)
def test_contracts_that_make_no_sense_are_refused(values, message):
    with pytest.raises(UsageError, match=message):
        Contract(**values)


@pytest.mark.parametrize(
    "contract",
    [Contract(), Contract(takes="floats", gives="logits", size=(64, 96)), Contract(resize=(64, 96), least=33)],
    ids=str,
)
def test_descriptions_come_back_as_they_were(contract, tmp_path):
    about = Description(contract, CLASSES, PLAIN, "PAN", quantised=True, info={"step": 3})
    back = Description.from_json(about.to_json(), tmp_path)
    assert (back.contract, back.classes, back.preprocessing, back.model, back.quantised, back.info) == (
        contract,
        CLASSES,
        PLAIN,
        "PAN",
        True,
        {"step": 3},
    )
