"""Titles of maps: the kind, and what tells those that are alike apart."""

import pytest
import torch

from attseg import DFDAM, FCN, PAN, AttentionToRefine, PSANet
from attseg.explain.looked import look
from attseg.explain.titles import map_titles

SMALL = {"encoder": "test_resnet", "channels": 8}
REFINE = {"base": "FCN", "base_args": SMALL, "stream_channels": 8, "channels": 8}


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        (lambda: PAN(3, **SMALL), ["Where (FPA)", *(f"Channel gates, stride {stride}" for stride in (16, 8, 4))]),
        (lambda: PSANet(3, **SMALL, crop_size=(64, 96), inner=8), ["Collects from", "Gives to"]),
        (lambda: DFDAM(3, **SMALL), ["Channel gates: high", "Channel gates: low", "Where (2DPAM)"]),
        (lambda: AttentionToRefine(3, **REFINE), ["Image scales", "Classes"]),
        (lambda: FCN(3, **SMALL), []),
    ],
)
def test_maps_are_called_by_what_they_are(model, expected):
    torch.manual_seed(0)
    looked = look(model().eval(), torch.zeros(1, 3, 64, 96))
    titles = map_titles(looked)
    assert sorted(titles.values()) == sorted(expected)
    assert [*titles] == [one.name for one in looked.found]
