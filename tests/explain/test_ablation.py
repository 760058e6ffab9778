"""What maps are worth over a split, beside a plain loop with hooks, and with the encoder run anew each time."""

import json

import numpy as np
import pytest
import torch

from attseg.data.preprocessing import Preprocessing
from attseg.data.sets.scenes import Scenes
from attseg.errors import UsageError
from attseg.explain.ablation import ablate, encoding_once
from attseg.explain.capture import edited
from attseg.explain.switching import switch
from attseg.models import DFDAM, FCN, PAN
from attseg.prediction.whole import as_batch
from watched import MODELS, build, pictures


class Network:
    device = torch.device("cpu")
    preprocessing = Preprocessing()

    def __init__(self, model):
        self.model = model


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(0)
    return Network(PAN(12, encoder="test_resnet", channels=8).eval())


DATA = Scenes("val", size=(64, 96), count=3)


def miou_by_hand(model, changed):
    """Mean IoU of the split, with hooks that put constants in the place of maps."""
    handles = [model.get_submodule(path).register_forward_hook(change) for path, change in changed.items()]
    hits, union = np.zeros(12), np.zeros(12)
    for sample in (DATA[index] for index in range(3)):
        with torch.no_grad():
            found = model(as_batch(sample.image, Preprocessing(), torch.device("cpu"))).logits[0].argmax(0).numpy()
        known = sample.labels != 255
        for k in range(12):
            hits[k] += ((found == k) & (sample.labels == k) & known).sum()
            union[k] += (((found == k) | (sample.labels == k)) & known).sum()
    for handle in handles:
        handle.remove()
    return (hits[union > 0] / union[union > 0]).mean()


def test_rows_are_those_of_a_loop(network):
    steps = []
    found = ablate(network, DATA, on_picture=lambda done, total: steps.append((done, total)))
    assert steps == [(1, 3), (2, 3), (3, 3)]
    assert found.miou == pytest.approx(miou_by_hand(network.model, {}))
    rows = {(row.maps, row.how): row for row in found.rows}
    assert len(rows) == 10  # four maps and all together, off and even

    def ones(tap, inputs, weights):
        return torch.ones_like(weights)

    def mean(tap, inputs, weights):
        return torch.full_like(weights, float(weights.mean()))

    for path in ("context.pyramid", "decoder.steps.1.attention"):
        for how, change in (("off", ones), ("even", mean)):
            row = rows[(path,), how]
            expected = miou_by_hand(network.model, {path: change})
            assert row.miou == pytest.approx(expected, abs=2e-4)
            assert row.worth.value == pytest.approx(found.miou - row.miou)
            assert row.worth.low <= row.worth.value <= row.worth.high
    json.dumps(found.to_dict(), allow_nan=False)


def test_maps_of_itself_are_worth_nothing_and_a_single_picture_has_no_interval(network):
    found = ablate(network, DATA, maps=["gau"], hows=(), other=network, limit=1)
    assert [row.how for row in found.rows] == ["other"] * 4
    assert all(abs(row.worth.value) < 1e-3 and row.changed < 1e-3 for row in found.rows)
    assert found.to_dict()["maps"][0]["worth"]["low"] is None


def test_the_encoder_runs_once_for_each_picture(network):
    calls = []
    handle = (
        network.model.encoder.net.register_forward_hook(lambda *_: calls.append(1))
        if hasattr(network.model.encoder, "net")
        else next(network.model.encoder.children()).register_forward_hook(lambda *_: calls.append(1))
    )
    ablate(network, DATA, limit=2)
    handle.remove()
    assert len(calls) == 2
    assert "forward" not in vars(network.model.encoder)


@pytest.mark.parametrize("name", MODELS)
def test_kept_encodings_change_no_bit(name):
    model = build(name)
    with torch.no_grad():
        first, second = pictures(), pictures().flip(3)
        expected = [model(images).logits for images in (first, second)]
        edit = switch(model, [next(path for path, m in model.named_modules() if type(m).__name__ == "Tap")])
        with encoding_once(model):
            for _ in range(2):
                for images, logits in zip((first, second), expected, strict=True):
                    assert torch.equal(model(images).logits, logits)
                    with edited(model, edit):
                        model(images)


def test_what_cannot_be_measured_is_refused(network):
    with pytest.raises(UsageError, match="no attention"):
        ablate(Network(FCN(12, encoder="test_resnet", channels=8).eval()), DATA)
    with pytest.raises(UsageError, match="limit is 0"):
        ablate(network, DATA, limit=0)
    with pytest.raises(UsageError, match="the other model"):
        ablate(network, DATA, other=Network(DFDAM(12, encoder="test_resnet", channels=8).eval()))
