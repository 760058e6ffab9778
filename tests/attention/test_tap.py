"""A tap lets its map pass, and knows whether anybody looks."""

import copy
import pickle

import torch
from torch import nn

from attseg import capture
from attseg.attention.tap import Tap


def test_is_an_identity_without_state():
    tap, weights = Tap("pairwise"), torch.rand(1, 6, 2, 3)
    assert tap(weights) is weights
    assert tap.state_dict() == {}
    assert repr(tap) == "Tap('pairwise')"


def test_is_watched_while_captured_and_not_before_or_after():
    tap = Tap("spatial")
    holder = nn.Sequential(tap)
    assert not tap.watched
    with capture(holder):
        assert tap.watched
        holder(torch.rand(1, 1, 2, 2))
    assert not tap.watched
    handle = tap.register_forward_hook(lambda module, given, weights: None)
    assert tap.watched
    handle.remove()
    assert not tap.watched


def test_copies_are_watched_on_their_own():
    tap = Tap("channel")
    copied, stored = copy.deepcopy(tap), pickle.loads(pickle.dumps(tap))
    tap.register_forward_hook(lambda module, given, weights: None)
    assert tap.watched
    assert not copied.watched
    assert not stored.watched
    assert stored.kind == "channel"
