"""What worker processes run in the tests of feeding: they find modules of this folder, and not the test files themselves."""

import os
import signal

import numpy as np

from attseg.data.sets.scenes import Scenes


class Counted:
    """Six scenes, and which of them were made: a file of bytes, to which all processes add."""

    def __init__(self, path):
        self.data = Scenes("train", size=(40, 56), count=6)
        self.classes = self.data.classes
        self.split = self.data.split
        self.path = path

    def __len__(self):
        return len(self.data)

    def __getitem__(self, index):
        with self.path.open("ab") as file:
            file.write(bytes([index]))
        return self.data[index]

    def name(self, index):
        return self.data.name(index)

    def made(self):
        return sorted(self.path.read_bytes()) if self.path.exists() else []


class Buggy:
    """Four samples, of which none can be read."""

    def __len__(self):
        return 4

    def __getitem__(self, index):
        raise ZeroDivisionError("a bug")

    def name(self, index):
        return f"paris/{index}"


def pair(height, width, seed=0):
    """A picture and labels."""
    rng = np.random.default_rng(seed)
    return rng.integers(0, 256, (height, width, 3), np.uint8), rng.integers(0, 9, (height, width), np.uint8)


def put_every_second(cache, start):
    for index in range(start, 40, 2):
        cache.put(index, *pair(20, 20 + index, index))


def die_with_the_lock(cache):
    with cache._alone():
        os.kill(os.getpid(), signal.SIGKILL)
