"""Models from strangers: what the engines in C++ would print, entities, weights beyond the file, links and pipes."""

import os

import numpy as np
import pytest
from onnx import TensorProto, helper

from attseg.inference.exported.description import ExportedError
from attseg.inference.exported.engines import read_description, start

ESCAPE = "\x1b]0;owned\x07\u202e"


def onnx(path, *nodes, weights=()):
    images, logits = (
        helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", 3, "h", "w"]) for name in ("images", "logits")
    )
    graph = helper.make_graph(list(nodes), f"g{ESCAPE}", [images], [logits], list(weights))
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    path.write_bytes(model.SerializeToString())
    return path


def test_onnx_runtime_prints_nothing_of_a_file(tmp_path, capfd):
    shape = helper.make_tensor("shape", TensorProto.INT64, [4], [5, 3, 7, 1])
    refused = onnx(tmp_path / "a.onnx", helper.make_node("Nothing", ["images"], ["logits"], name=ESCAPE))
    unused = helper.make_tensor(f"unused{ESCAPE}", TensorProto.FLOAT, [1], [1.0])
    failing = onnx(
        tmp_path / "b.onnx",
        helper.make_node("Reshape", ["images", "shape"], ["logits"], name=ESCAPE),
        weights=[shape, unused],
    )
    with pytest.raises(ExportedError, match=r"a\.onnx is damaged"):
        start(refused, ("logits",), threads=1)
    engine = start(failing, ("logits",), threads=1)
    with pytest.raises(Exception, match=r"(?s)."):
        engine.compute(np.zeros((1, 3, 4, 4), np.float32))
    assert capfd.readouterr() == ("", "")


def xml(path, *, size=12, offset=0, kind="Const", version="opset1", entities="", name="w"):
    """A model that gives three values of its weights."""
    port = '<port id="0" precision="FP32"><dim>3</dim></port>'
    path.write_text(
        f"""<?xml version="1.0"?>{entities}<net name="{name}" version="11"><layers>
        <layer id="0" name="{name}" type="{kind}" version="{version}">
        <data element_type="f32" shape="3" offset="{offset}" size="{size}"/><output>{port}</output></layer>
        <layer id="1" name="r" type="Result" version="opset1"><input>{port}</input></layer></layers>
        <edges><edge from-layer="0" from-port="0" to-layer="1" to-port="0"/></edges><rt_info/></net>"""
    )
    path.with_suffix(".bin").write_bytes(np.ones(3, np.float32).tobytes())
    return path


def bomb(levels=30):
    declared = "".join(f'<!ENTITY e{level} "{f"&e{level - 1};" * 10}">' for level in range(1, levels))
    return f'<!DOCTYPE net [<!ENTITY e0 "lollollol">{declared}]>'


OPENVINO = {
    "beyond the file": {"offset": 2**40},
    "longer than the file": {"size": 2**40},
    "a negative place": {"offset": -12},
    "wrapping around": {"offset": 2**64 - 4, "size": 12},
    "a layer of an extension": {"kind": "Custom", "version": "extension"},
    "a layer that names a library": {"kind": "/tmp/evil.so", "version": "/tmp/evil.so"},
}


@pytest.mark.parametrize("case", OPENVINO)
def test_hostile_models_of_openvino_are_refused(case, tmp_path, capfd):
    path = xml(tmp_path / "x.xml", **OPENVINO[case])
    with pytest.raises(ExportedError, match=r"x\.xml is damaged"):
        read_description(path)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("entities", [bomb(), '<!DOCTYPE net [<!ENTITY e29 SYSTEM "file:///etc/passwd">]>'])
def test_entities_of_xml_are_not_followed(entities, tmp_path, capfd):
    path = xml(tmp_path / "x.xml", entities=entities, name="&e29;")
    with pytest.raises(ExportedError, match=r"x\.xml") as refused:
        read_description(path)
    assert "lollol" not in str(refused.value)
    assert "root:" not in str(refused.value)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("make", [os.mkfifo, os.mkdir, lambda path: path.symlink_to("/dev/zero"), lambda path: None])
def test_weights_of_openvino_that_are_no_file_are_told(make, tmp_path):
    path = xml(tmp_path / "x.xml")
    path.with_suffix(".bin").unlink()
    make(path.with_suffix(".bin"))
    with pytest.raises((ExportedError, OSError, ValueError), match=r"x\.bin"):
        read_description(path)


def test_cut_weights_of_openvino_are_refused(tmp_path):
    path = xml(tmp_path / "x.xml")
    path.with_suffix(".bin").write_bytes(b"\0" * 7)
    with pytest.raises(ExportedError, match=r"x\.xml is damaged"):
        read_description(path)
