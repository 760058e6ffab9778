"""Training without what follows from a recipe's names: toy networks and data sets are given to ``fit`` as they are."""

import io
import os
from pathlib import Path

import torch
from rich.console import Console
from torch import nn

from attseg.data.catalog import open_data
from attseg.data.preprocessing import Preprocessing
from attseg.models import Segmentation, build_model
from attseg.recipes.recipe import Machine
from attseg.runs.folder import RunFolder
from attseg.runs.progress import ProgressLine
from attseg.runs.state import load_state
from attseg.training.first_weights import Start
from attseg.training.loop import fit
from attseg.training.plan import make_plan

HERE = Machine(device="cpu", workers=0, save_every=2)


class Pixelwise(nn.Module):
    """Sees no other pixel and no other image, so that parts of a batch give what the whole gives."""

    def __init__(self, num_classes):
        super().__init__()
        self.encoder = nn.Conv2d(3, 8, 1)
        self.head = nn.Conv2d(8, num_classes, 1)

    def forward(self, images):
        return Segmentation(self.head(self.encoder(images).relu()), {})


class Watched:
    """A data set that does something when a sample is read for the n-th time."""

    def __init__(self, data, at, act):
        self.data, self.at, self.act, self.reads = data, at, act, 0

    def __getattr__(self, name):
        return getattr(self.data, name)

    def __len__(self):
        return len(self.data)

    def __getitem__(self, index):
        self.reads += 1
        if self.reads == self.at:
            self.act()
        return self.data[index]


def fit_into(path, recipe, machine=HERE, *, model=None, data=None, val=None, said=None):
    """Train in a folder, on from its last state if it has one; no figures are drawn.

    Args:
        model: Makes the network of a number of classes; that of the recipe if not given.
        data, val: The splits; those of the recipe if not given.
        said: A file for what is shown.
    """
    folder = RunFolder(path)
    folder.state.mkdir(parents=True, exist_ok=True)
    spec, of = recipe.data, recipe.model
    data, val = (
        given or open_data(spec.name, split, root=spec.root, **spec.options)
        for given, split in ((data, spec.train), (val, spec.val))
    )
    state, _ = load_state(folder.state)
    with (
        torch.random.fork_rng(devices=[]),
        ProgressLine(Console(file=said or io.StringIO()), steps=recipe.steps) as line,
    ):
        torch.manual_seed(recipe.seed)
        network = build_model(of.name, of.args, len(data.classes)) if model is None else model(len(data.classes))
        if state is not None:
            network.load_state_dict(state["model"])
        fit(Start(network, Preprocessing(), None), data, val, recipe, make_plan(recipe, machine), folder, state, line)
    return path


def darker(image, labels, rng):
    """An augmentation; worker processes can import it from here."""
    return (image * rng.uniform(0.2, 0.8)).astype("uint8"), labels


def environment():
    """The environment of a script that imports this file."""
    path = os.pathsep.join([str(Path(__file__).parent), os.environ.get("PYTHONPATH", "")])
    return os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": path}
