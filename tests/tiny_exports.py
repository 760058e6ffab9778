"""A tiny network with something to see, and the files that tests make of it."""

import numpy as np
import torch

from attseg.data.classes import ClassTable
from attseg.data.preprocessing import Preprocessing
from attseg.data.sets.scenes import Scenes
from attseg.inference.exported.contract import Contract
from attseg.inference.segmenter import Segmenter
from attseg.models import build_model

CLASSES = ClassTable(("sky", "road", "tree"), ((70, 130, 180), (128, 64, 128), (0, 128, 0)))

FILES = {
    "labels.onnx": ("onnx", Contract()),
    "logits.xml": ("openvino", Contract(gives="logits")),
    "labels.pt2": ("pt2", Contract()),
    "resized.onnx": ("onnx", Contract(gives="probabilities", takes="floats", resize=(40, 56))),
}


def tiny(name="FCN", seed=0, **args):
    """A segmenter whose classes differ from place to place although it was never trained."""
    torch.manual_seed(seed)
    model = build_model(name, {"encoder": "test_resnet", "channels": 8, **args}, len(CLASSES)).eval()
    last = [module for module in model.modules() if isinstance(module, torch.nn.Conv2d)][-1]
    with torch.no_grad():
        scenes = np.stack([scene.image for scene in Scenes("val", size=(64, 96), count=4)])
        images = Preprocessing()(torch.from_numpy(scenes).permute(0, 3, 1, 2))
        logits = model(images).logits
        spread = (logits - logits.mean((0, 2, 3), keepdim=True)).std()  # from place to place, not from class to class
        last.weight.mul_(3 / spread)
        last.bias.sub_(model(images).logits.mean((0, 2, 3)))
    return Segmenter(model, CLASSES, Preprocessing(), device="cpu", data="scenes")
