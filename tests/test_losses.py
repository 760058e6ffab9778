import math

import pytest
import torch
import torch.nn.functional as F

from attseg.errors import UsageError
from attseg.losses import segmentation_loss
from attseg.models.frame import Segmentation


def naive_cross_entropy(logits, labels, weight):
    total = share = 0.0
    for n, y, x in torch.cartesian_prod(*(torch.arange(size) for size in labels.shape)).tolist():
        label = int(labels[n, y, x])
        if label == 255:
            continue
        values = logits[n, :, y, x].tolist()
        log_sum = math.log(sum(math.exp(value) for value in values))
        total += float(weight[label]) * (log_sum - values[label])
        share += float(weight[label])
    return total / share


def picture(seed=0):
    generator = torch.Generator().manual_seed(seed)
    logits = torch.randn(2, 4, 5, 6, generator=generator)
    labels = torch.randint(0, 4, (2, 5, 6), generator=generator).to(torch.uint8)
    labels[torch.rand(2, 5, 6, generator=generator) < 0.3] = 255
    return logits, labels


@pytest.mark.parametrize("weight", [None, torch.tensor([1.0, 0.5, 3.0, 0.1])])
@pytest.mark.parametrize("dtype", [torch.uint8, torch.int64])
def test_equals_a_loop_over_pixels(weight, dtype):
    logits, labels = picture()
    loss = segmentation_loss(Segmentation(logits, {}), labels.to(dtype), weight=weight)
    expected = naive_cross_entropy(logits, labels, torch.ones(4) if weight is None else weight)
    assert loss.item() == pytest.approx(expected, rel=1e-5)


def test_gradient_equals_torch():
    logits, labels = picture(1)
    weight = torch.tensor([1.0, 0.5, 3.0, 0.1])
    ours, theirs = logits.clone().requires_grad_(), logits.clone().requires_grad_()
    segmentation_loss(Segmentation(ours, {}), labels, weight=weight).backward()
    F.cross_entropy(theirs, labels.long(), weight, ignore_index=255).backward()
    torch.testing.assert_close(ours.grad, theirs.grad)


@pytest.mark.parametrize("weight", [None, torch.ones(4)])
def test_batch_without_a_counting_pixel_gives_zero_and_a_gradient_of_zero(weight):
    logits = torch.randn(2, 4, 5, 6, requires_grad=True)
    loss = segmentation_loss(Segmentation(logits, {}), torch.full((2, 5, 6), 255, dtype=torch.uint8), weight=weight)
    loss.backward()
    assert loss.item() == 0.0
    assert torch.equal(logits.grad, torch.zeros_like(logits))


def test_classes_of_weight_zero_do_not_count():
    logits, labels = picture(2)
    loss = segmentation_loss(
        Segmentation(logits, {}), labels.where(labels == 255, 1), weight=torch.tensor([1.0, 0, 1, 1])
    )
    assert loss.item() == 0.0


def test_auxiliary_outputs_count_with_their_factor_and_only_if_named():
    logits, labels = picture(3)
    deep, other = torch.randn(2, 2, 4, 5, 6, generator=torch.Generator().manual_seed(4))
    output = Segmentation(logits, {"deep": deep, "other": other})
    expected = F.cross_entropy(logits, labels.long(), ignore_index=255) + 0.4 * F.cross_entropy(
        deep, labels.long(), ignore_index=255
    )
    torch.testing.assert_close(segmentation_loss(output, labels, aux={"deep": 0.4}), expected)


def test_unknown_auxiliary_outputs_are_named():
    logits, labels = picture()
    with pytest.raises(UsageError, match="no auxiliary output 'dep'; did you mean 'deep'"):
        segmentation_loss(Segmentation(logits, {"deep": logits}), labels, aux={"dep": 1.0})
    with pytest.raises(UsageError, match="names the auxiliary output 'deep', but the model has none"):
        segmentation_loss(Segmentation(logits, {}), labels, aux={"deep": 1.0})


def test_half_precision_logits_give_a_loss_in_full_precision():
    logits, labels = picture()
    loss = segmentation_loss(Segmentation(logits.bfloat16(), {}), labels)
    assert loss.dtype == torch.float32
    assert loss.item() == pytest.approx(segmentation_loss(Segmentation(logits, {}), labels).item(), rel=1e-2)
