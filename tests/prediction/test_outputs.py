from types import SimpleNamespace

import pytest
import torch

from attseg.errors import UsageError
from attseg.layers import resize
from attseg.prediction.outputs import logits_of

IMAGES, LOGITS = torch.zeros(2, 3, 32, 48), torch.rand(2, 5, 32, 48)


@pytest.mark.parametrize(
    "output",
    [
        LOGITS,
        (LOGITS, 1),
        [LOGITS],
        {"out": LOGITS},
        {"logits": LOGITS},
        SimpleNamespace(logits=LOGITS),
        ({"out": LOGITS},),
    ],
)
def test_logits_are_found(output):
    assert logits_of(output, IMAGES) is LOGITS


def test_smaller_logits_are_upsampled():
    small = torch.rand(2, 5, 8, 12)
    assert torch.equal(logits_of({"out": small}, IMAGES), resize(small, (32, 48)))


@pytest.mark.parametrize("output", [None, {}, {"loss": LOGITS}, LOGITS[0], LOGITS[:1], (), torch.zeros(2, 5)])
def test_anything_else_is_refused(output):
    with pytest.raises(UsageError, match="logits"):
        logits_of(output, IMAGES)
