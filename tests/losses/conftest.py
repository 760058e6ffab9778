"""Logits and labels for all losses."""

import pytest
import torch


@pytest.fixture
def picture():
    """Two pictures: logits (2, 4, 5, 6), labels with a third ignored; ``classes`` says which labels there may be."""

    def draw(seed=0, classes=(0, 1, 2, 3), size=(2, 5, 6), ignored=0.3):
        generator = torch.Generator().manual_seed(seed)
        n, h, w = size
        logits = 2 * torch.randn(n, 4, h, w, generator=generator)
        labels = torch.tensor(classes)[torch.randint(0, len(classes), size, generator=generator)].to(torch.uint8)
        labels[torch.rand(size, generator=generator) < ignored] = 255
        return logits, labels

    return draw
