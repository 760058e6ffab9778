"""Files of weights, and of whole models: ours, those of strangers, and exported ones."""

import io
import json
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import torch

from attseg.checkpoint import save_weights
from attseg.data.classes import ClassTable
from attseg.data.preprocessing import Preprocessing
from attseg.models import FCN
from attseg.recipes.recipe import ModelSpec


@cache
def network():
    model = FCN(2, encoder="test_resnet", channels=4)
    return {name: tensor.clone() for name, tensor in model.state_dict().items()}


def weights(path, state, *, model=None, names=("sky", "road")):
    """A file of weights of the smallest network."""
    save_weights(
        path,
        state,
        model=model or ModelSpec(name="FCN", args={"encoder": "test_resnet", "channels": 4}),
        classes=ClassTable(names, tuple((number, 0, 0) for number in range(len(names)))),
        preprocessing=Preprocessing(),
        info={"step": 1, "recipe": {"data": {"name": "scenes"}}},
    )


def few_tensors(rng):
    state = {"a.weight": torch.from_numpy(rng.random((3, 4), np.float32)), "a.count": torch.tensor(7)}
    with TemporaryDirectory() as folder:
        weights(Path(folder, "w"), state)
        return "weights.safetensors", Path(folder, "w").read_bytes(), state


def with_header(content, change):
    """A safetensors file whose header of ours went through a function."""
    length = int.from_bytes(content[:8], "little")
    header = json.loads(content[8 : 8 + length])
    header["__metadata__"]["attseg"] = change(header["__metadata__"]["attseg"])
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    return len(text).to_bytes(8, "little") + text + content[8 + length :]


JUNK = (
    None,
    [],
    {},
    "",
    "x",
    -1,
    10**12,
    1e308,
    float("nan"),
    float("inf"),
    True,
    [[]],
    {"a": None},
    "\ud800",
    "a" * 5000,
)


def a_network(rng):
    """Weights of a network, most with a header that says something else in one place."""
    with TemporaryDirectory() as folder:
        weights(Path(folder, "w"), network())
        content = Path(folder, "w").read_bytes()

    def change(text):
        values = json.loads(text)
        place = values
        path = (
            ("format",),
            ("model", "name"),
            ("model", "args"),
            ("model", "args", "encoder"),
            ("model", "args", "channels"),
            ("model", "args", "output_stride"),
            ("model", "args", "context"),
            ("model", "args", "class_path"),
            ("classes",),
            ("classes", "names"),
            ("classes", "colors"),
            ("preprocessing", "mean"),
            ("preprocessing", "std"),
            ("info",),
            ("info", "recipe"),
            ("info", "recipe", "data"),
        )[rng.integers(16)]
        for name in path[:-1]:
            place = place[name]
        place[path[-1]] = JUNK[rng.integers(len(JUNK))]
        return json.dumps(values)

    if rng.random() < 0.6:
        content = with_header(content, change)
    return "model.safetensors", content, network()


def foreign(rng):
    """A state dict as others save it, alone or beside more."""
    state = {"conv.weight": torch.from_numpy(rng.random((3, 4), np.float32)), "bn.count": torch.tensor(7)}
    buffer = io.BytesIO()
    content = {"state_dict": state, "epoch": 3, "args": {"lr": 0.1}} if rng.random() < 0.5 else state
    torch.save(content, buffer, _use_new_zipfile_serialization=bool(rng.random() < 0.7))
    return "foreign.pth", buffer.getvalue(), state


def exported(rng):
    """An exported file whose classes are the channels."""
    from onnx_files import strongest

    with TemporaryDirectory() as folder:
        path = strongest(Path(folder, "model.onnx"), gives=("labels", "logits", "probabilities")[rng.integers(3)])
        return "model.onnx", path.read_bytes(), None
