"""An ONNX file cannot read other files of the computer through external data, nor lie about their lengths."""

import os

import numpy as np
import pytest
from onnx import TensorProto, helper

from attseg.inference.exported.description import ExportedError
from attseg.inference.exported.engines import start


def write(path, location, **more):
    weight = TensorProto(name="w", data_type=TensorProto.FLOAT, dims=[1, 3, 1, 1], data_location=TensorProto.EXTERNAL)
    for key, value in ({"location": location} | more).items():
        weight.external_data.add(key=key, value=str(value))
    shape = ["n", 3, "h", "w"]
    images, logits = (helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name in ("images", "logits"))
    graph = helper.make_graph([helper.make_node("Add", ["images", "w"], ["logits"])], "g", [images], [logits], [weight])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    path.write_bytes(model.SerializeToString())


@pytest.mark.parametrize(
    ("location", "more"),
    [
        ("../secret.bin", {}),
        ("{tmp}/secret.bin", {}),
        ("link.bin", {}),
        ("pipe.bin", {}),
        ("none.bin", {}),
        ("/dev/zero", {}),
        ("own.bin", {"length": 2**60}),
        ("own.bin", {"offset": 2**62, "length": 12}),
        ("own.bin", {"offset": -5, "length": 12}),
    ],
)
def test_hostile_external_data_is_refused(location, more, tmp_path):
    folder = tmp_path / "model"
    folder.mkdir()
    for file in (tmp_path / "secret.bin", folder / "own.bin"):
        file.write_bytes(np.ones(3, np.float32).tobytes())
    (folder / "link.bin").symlink_to(tmp_path / "secret.bin")
    os.mkfifo(folder / "pipe.bin")
    write(folder / "x.onnx", location.format(tmp=tmp_path), **more)
    with pytest.raises(ExportedError, match=r"x\.onnx is damaged"):
        start(folder / "x.onnx", ("logits",), threads=1)


def test_a_file_beside_it_is_read(tmp_path):
    (tmp_path / "own.bin").write_bytes(np.ones(3, np.float32).tobytes())
    write(tmp_path / "x.onnx", "own.bin", length=12)
    assert start(tmp_path / "x.onnx", ("logits",), threads=1).name == "ONNX Runtime"
