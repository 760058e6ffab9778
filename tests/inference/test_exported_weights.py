"""NaN and infinity in the weights of exported files: refused when the file is opened, since the output may not show them."""

import numpy as np
import onnx
import pytest
import torch

import tiny_exports
from attseg import load
from attseg.checkpoint import WeightsError
from attseg.export.formats import export_model
from attseg.inference.exported.description import ExportedError


def places(model):
    """A weight of the first and of the last convolution, and a bias."""
    convolutions = [module for module in model.modules() if isinstance(module, torch.nn.Conv2d)]
    return {"first": convolutions[0].weight, "last": convolutions[-1].weight, "bias": convolutions[-1].bias}


@pytest.mark.parametrize("place", ["first", "last", "bias"])
@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_such_weights_are_not_exported(place, value, tmp_path):
    segmenter = tiny_exports.tiny()
    with torch.no_grad():
        weight = places(segmenter.model)[place]
        weight[(0,) * weight.ndim] = value
    with pytest.raises(WeightsError, match="1 of .* values are NaN or infinite"):
        export_model(segmenter, tmp_path / "m.onnx", "onnx")
    assert not list(tmp_path.iterdir())


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "format", "value"),
    [
        ("m.onnx", "onnx", float("nan")),
        ("m.onnx", "onnx", float("-inf")),
        ("m.xml", "openvino", float("nan")),
        ("m.pt2", "pt2", float("nan")),
    ],
)
def test_files_with_such_weights_are_refused(name, format, value, tmp_path, monkeypatch):
    """Weights that are damaged behind the exporter's back."""
    segmenter = tiny_exports.tiny()
    path = tmp_path / name
    with torch.no_grad():
        places(segmenter.model)["first"][0, 0, 0, 0] = value
    monkeypatch.setattr("attseg.export.formats.explain_state", lambda state: [])
    export_model(segmenter, path, format)
    with pytest.raises(ExportedError, match=f"{name} has NaN or infinite values in its weights"):
        load(path)


@pytest.mark.slow
def test_a_damaged_onnx_file_is_refused(tmp_path):
    path = tmp_path / "m.onnx"
    export_model(tiny_exports.tiny(), path, "onnx")
    load(path)
    model = onnx.load(path)
    weight = next(each for each in model.graph.initializer if len(each.dims) == 1)
    values = onnx.numpy_helper.to_array(weight).copy()
    values.flat[-1] = np.nan
    weight.CopyFrom(onnx.numpy_helper.from_array(values, weight.name))
    onnx.save(model, path)
    with pytest.raises(ExportedError, match="NaN or infinite"):
        load(path)
