"""ONNX files written node by node: what an exported file must be, as another tool would make it; and the same as a network."""

import numpy as np
from onnx import TensorProto, checker, helper
from torch import nn

from attseg.data.classes import ClassTable
from attseg.data.preprocessing import Preprocessing
from attseg.inference.exported.contract import Contract
from attseg.inference.exported.description import KEY, Description
from attseg.inference.segmenter import Segmenter
from attseg.models import Segmentation

CLASSES = ClassTable(("red", "green", "blue"), ((255, 0, 0), (0, 255, 0), (0, 0, 255)))
PLAIN = Preprocessing((0.0, 0.0, 0.0), (1.0, 1.0, 1.0))
"""Normalised pixels are the fractions of white, and so are the logits of these files: the strongest colour wins."""


class Strongest(nn.Module):
    """What the files compute."""

    def forward(self, images):
        return Segmentation(images, {})


def network(preprocessing=PLAIN):
    return Segmenter(Strongest(), CLASSES, preprocessing, device="cpu")


def strongest(path, *, metadata=None, input_name="images", **contract):
    """Write a file whose classes are the channels; with the metadata of its contract, or other ones."""
    contract = Contract(**contract)
    nodes, source = [], input_name
    height, width = contract.size or ("height", "width")
    if contract.takes == "bytes":
        nodes += [
            helper.make_node("Cast", [input_name], ["floats"], to=TensorProto.FLOAT),
            helper.make_node("Transpose", ["floats"], ["channels_first"], perm=[0, 3, 1, 2]),
            helper.make_node("Div", ["channels_first", "white"], ["pixels"]),
        ]
        source = "pixels"
        taken = helper.make_tensor_value_info(input_name, TensorProto.UINT8, ["batch", height, width, 3])
    else:
        taken = helper.make_tensor_value_info(input_name, TensorProto.FLOAT, ["batch", 3, height, width])
    nodes.append(helper.make_node("Softmax", [source], ["softmax"], axis=1))
    if contract.gives == "labels":
        nodes += [
            helper.make_node("ArgMax", ["softmax"], ["indices"], axis=1, keepdims=0),
            helper.make_node("Cast", ["indices"], ["labels"], to=TensorProto.UINT8),
            helper.make_node("ReduceMax", ["softmax", "axis"], ["scores"], keepdims=0),
        ]
        given = [
            helper.make_tensor_value_info("labels", TensorProto.UINT8, ["batch", height, width]),
            helper.make_tensor_value_info("scores", TensorProto.FLOAT, ["batch", height, width]),
        ]
    else:
        last = "softmax" if contract.gives == "probabilities" else source
        nodes.append(helper.make_node("Identity", [last], [contract.gives]))
        given = [helper.make_tensor_value_info(contract.gives, TensorProto.FLOAT, ["batch", 3, height, width])]
    constants = [
        helper.make_tensor("white", TensorProto.FLOAT, [1], [255.0]),
        helper.make_tensor("axis", TensorProto.INT64, [1], [1]),
    ]
    graph = helper.make_graph(nodes, "strongest", [taken], given, constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
    about = Description(contract, CLASSES, PLAIN, "Strongest").to_json() if metadata is None else metadata
    if about:
        helper.set_model_props(model, {KEY: about})
    checker.check_model(model)
    path.write_bytes(model.SerializeToString())
    return path


def picture(height=40, width=50, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)
