"""What ends the process that runs it: data sets, and a reader of others; worker processes find them here."""

import ctypes
import os
import resource
import signal

import numpy as np

from attseg.data.sample import Sample
from attseg.data.sets.scenes import Scenes

DEADLY = 3
"""Index of the picture that ends a process."""


class Deadly(Scenes):
    """Scenes of which one ends whoever reads it."""

    def __init__(self, split, how):
        super().__init__(split, size=(64, 64), count=6)
        self.how = how

    def __getitem__(self, index):
        if index == DEADLY and self.how == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        if index == DEADLY and self.how == "segfault":
            ctypes.string_at(0)
        if index == DEADLY and self.how == "memory":  # what a library does that finds none left
            resource.setrlimit(resource.RLIMIT_AS, (1 << 20, 1 << 20))
            os.abort()
        return super().__getitem__(index)


class Large:
    """Eight images that no pipe holds."""

    classes = ("a",)

    def __len__(self):
        return 8

    def __getitem__(self, index):
        return Sample(np.full((1000, 1000, 3), index, np.uint8), np.zeros((1000, 1000), np.uint8), f"large/{index}")

    def name(self, index):
        return f"large/{index}"


def scipy_labels(path):
    """The labels in a MATLAB file."""
    from scipy.io import loadmat

    return loadmat(path)["GTcls"]["Segmentation"][0, 0]
