"""All losses refuse the same wrong inputs, each alone and within the loss of a recipe."""

import pytest
import torch

from attseg.errors import UsageError
from attseg.losses import (
    LossSpec,
    boundary_loss,
    cross_entropy_loss,
    dice_loss,
    lovasz_loss,
    make_loss,
    ohem_loss,
    segmentation_loss,
)
from attseg.models import Segmentation

LOSSES = {
    "cross-entropy": cross_entropy_loss,
    "ohem": ohem_loss,
    "boundary": boundary_loss,
    "dice": dice_loss,
    "lovasz": lovasz_loss,
    "lovasz-image": lambda logits, labels: lovasz_loss(logits, labels, per="image"),
    "recipe": make_loss(LossSpec(terms={"dice": 1.0, "lovasz": 0.5})),
    "whole": lambda logits, labels: segmentation_loss(
        Segmentation(logits, {}), labels, loss=make_loss(LossSpec(terms={"dice": 1.0}))
    ),
    "auxiliary": lambda logits, labels: segmentation_loss(
        Segmentation(torch.zeros(2, 4, 5, 6), {"side": logits}), labels, loss=lambda *_, weight: 0, aux={"side": 1.0}
    ),
}
LOGITS, LABELS = torch.zeros(2, 4, 5, 6), torch.arange(60).view(2, 5, 6) % 4


def with_value(value, dtype=torch.int64):
    labels = LABELS.to(dtype).clone()
    labels[1, 2, 3] = value
    return labels


WRONG = {
    "an axis": (LOGITS, LABELS[:, None], [(2, 1, 5, 6), (2, 5, 6), "labels[:, 0]"]),
    "one-hot": (LOGITS, torch.nn.functional.one_hot(LABELS).movedim(3, 1), [(2, 4, 5, 6), "labels.argmax(1)"]),
    "half the size": (LOGITS, LABELS[:, :2, ::2], [(2, 2, 3), (2, 5, 6)]),
    "transposed": (LOGITS, LABELS.mT, [(2, 6, 5), (2, 5, 6)]),
    "another batch": (LOGITS, LABELS[:1], [(1, 5, 6), (2, 5, 6)]),
    "one image": (LOGITS[0], LABELS[0], [(4, 5, 6), "(N, K, H, W)"]),
    "integer logits": (LOGITS.long(), LABELS, ["int64", "floats (N, K, H, W)"]),
    "floats": (LOGITS, LABELS.float(), ["float32", "labels.long()"]),
    "masks": (LOGITS, LABELS == 1, ["bool", "integers"]),
    "a class too many": (LOGITS, with_value(4), ["1 labels", "no class: 4", "0..3"]),
    "bytes": (LOGITS, with_value(254, torch.uint8), ["no class: 254", "255 where ignored"]),
    "another ignored value": (LOGITS, with_value(-100), ["no class: -100"]),
    "16 bits": (LOGITS, with_value(300, torch.int16), ["no class: 300"]),
    "many": (LOGITS.expand(2, 4, 5, 6), 9 + torch.arange(60).view(2, 5, 6), ["60 labels", "no class: 9, 10", "and others"]),
}  # fmt: skip


@pytest.mark.parametrize("loss", LOSSES.values(), ids=LOSSES)
@pytest.mark.parametrize(("logits", "labels", "facts"), WRONG.values(), ids=WRONG)
def test_every_loss_refuses_the_same(loss, logits, labels, facts):
    with pytest.raises(UsageError) as error:
        loss(logits, labels)
    assert [fact for fact in facts if str(fact) not in str(error.value)] == []


@pytest.mark.parametrize("loss", LOSSES.values(), ids=LOSSES)
@pytest.mark.parametrize("dtype", [torch.uint8, torch.int16, torch.int32, torch.int64])
def test_classes_and_ignored_pixels_of_any_integer_kind_are_taken(loss, dtype):
    assert loss(LOGITS, with_value(255, dtype)).isfinite()
