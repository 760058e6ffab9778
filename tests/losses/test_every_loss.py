"""What holds for each loss: it is a scalar in 32 bits, ignored pixels do not exist for it, and nothing to count is no harm."""

from functools import partial
from typing import get_args

import pytest
import torch

from attseg import losses
from attseg.losses import LossName, LossSpec, lovasz_loss, make_loss

LOSSES = {name: getattr(losses, f"{name.replace('-', '_')}_loss") for name in get_args(LossName)}
LOSSES["lovasz-image"] = partial(lovasz_loss, per="image")
every_loss = pytest.mark.parametrize("loss", LOSSES.values(), ids=LOSSES)


def gradient(loss, logits, labels):
    logits = logits.clone().requires_grad_()
    loss(logits, labels).backward()
    return logits.grad


@pytest.mark.parametrize("name", get_args(LossName))
def test_each_name_stands_for_its_loss(name, picture):
    logits, labels = picture(1)
    assert torch.equal(make_loss(LossSpec(terms={name: 1.0}))(logits, labels), LOSSES[name](logits, labels))


@every_loss
@pytest.mark.parametrize("dtype", [torch.uint8, torch.int32, torch.int64])
def test_labels_may_be_integers_of_any_kind(loss, dtype, picture):
    logits, labels = picture(2)
    found = loss(logits, labels.to(dtype))
    assert (found.shape, found.dtype) == ((), torch.float32)
    assert found.item() == loss(logits, labels).item()
    assert 0 < found.item() < 10


@every_loss
def test_where_everything_is_ignored_loss_and_gradient_are_zero(loss, picture):
    logits, labels = picture(3)
    logits.requires_grad_()
    found = loss(logits, torch.full_like(labels, 255))
    found.backward()
    assert found.item() == 0.0
    assert torch.equal(logits.grad, torch.zeros_like(logits))


@every_loss
def test_what_is_predicted_at_ignored_pixels_changes_nothing(loss, picture):
    logits, labels = picture(4)
    ignored = (labels == 255).unsqueeze(1).expand_as(logits)
    other = torch.where(ignored, 30 * torch.randn_like(logits), logits)
    torch.testing.assert_close(loss(other, labels), loss(logits, labels))
    grad = gradient(loss, logits, labels)
    assert torch.equal(grad[ignored], torch.zeros_like(grad[ignored]))
    torch.testing.assert_close(gradient(loss, other, labels), grad)


@every_loss
def test_a_sure_and_right_network_pays_nothing_and_a_sure_and_wrong_one_much(loss, picture):
    _, labels = picture(5, ignored=0.0)
    sure = 100 * torch.nn.functional.one_hot(labels.long(), 4).movedim(3, 1).float()
    assert loss(sure, labels).item() == pytest.approx(0, abs=1e-6)
    assert loss(-sure, labels).item() > 0.9


@every_loss
def test_descending_lowers_it(loss, picture):
    logits, labels = picture(6)
    values = [loss(logits, labels).item()]
    for _ in range(5):
        logits = logits - 0.5 * gradient(loss, logits, labels)
        values.append(loss(logits, labels).item())
    assert values == sorted(values, reverse=True)


@every_loss
def test_gradients_are_those_of_small_differences(loss, picture):
    logits, labels = picture(7, size=(1, 4, 4))
    grad = gradient(loss, logits, labels)
    direction = torch.randn(logits.shape, generator=torch.Generator().manual_seed(0))
    step = 2e-3
    slope = (loss(logits + step * direction, labels) - loss(logits - step * direction, labels)) / (2 * step)
    assert slope.item() == pytest.approx((grad * direction).sum().item(), rel=1e-2, abs=1e-3)


@every_loss
@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_half_precision_stays_near_and_large_logits_stay_finite(loss, dtype, picture):
    logits, labels = picture(8)
    found = loss(logits.to(dtype), labels)
    assert found.dtype == torch.float32
    assert found.item() == pytest.approx(loss(logits, labels).item(), rel=2e-2)
    large = (20_000 * logits.sign()).to(dtype).requires_grad_()
    loss(large, labels).backward()
    assert large.grad.isfinite().all()


@every_loss
def test_autocast_changes_nothing(loss, picture):
    logits, labels = picture(9)
    with torch.autocast("cpu", torch.bfloat16):
        assert loss(logits, labels).item() == loss(logits, labels).item()
        inside = loss(logits, labels)
    assert torch.equal(inside, loss(logits, labels))


@every_loss
def test_a_picture_with_one_class_alone_gives_a_finite_loss(loss, picture):
    logits, labels = picture(10, classes=(2,))
    assert 0 < loss(logits, labels).item() < 10
    assert gradient(loss, logits, labels).isfinite().all()


@every_loss
def test_a_step_of_training_can_be_gone_through_without_numbers(loss):
    logits = torch.empty(2, 4, 5, 6, device="meta", requires_grad=True)
    found = loss(logits, torch.empty(2, 5, 6, device="meta", dtype=torch.uint8))
    assert (found.shape, found.dtype, found.is_meta) == ((), torch.float32, True)


@every_loss
@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU")
def test_a_gpu_finds_the_same(loss, picture):
    logits, labels = picture(11)
    torch.testing.assert_close(loss(logits.cuda(), labels.cuda()).cpu(), loss(logits, labels))
