import math

import pytest
import torch
import torch.nn.functional as F

from attseg.losses import cross_entropy_loss, ohem_loss


def naive_ohem(logits, labels, threshold, share, weight):
    """Sort the pixels that count by the probability of their class, and keep as many as must be."""
    pixels = []
    for n, y, x in torch.cartesian_prod(*(torch.arange(size) for size in labels.shape)).tolist():
        if (label := int(labels[n, y, x])) != 255:
            pixels.append((logits[n, :, y, x].softmax(0)[label].item(), float(weight[label])))
    pixels.sort()
    hard = sum(chance < threshold for chance, _ in pixels)
    kept = pixels[: max(hard, math.ceil(share * labels.numel()))]
    return sum(w * -math.log(chance) for chance, w in kept) / sum(w for _, w in kept)


@pytest.mark.parametrize("weight", [None, torch.tensor([1.0, 0.5, 3.0, 0.1])])
@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 1.0])
@pytest.mark.parametrize("threshold", [0.01, 0.3, 0.9, 1.0])
def test_equals_a_sorted_list_of_pixels(threshold, share, weight, picture):
    logits, labels = picture()
    expected = naive_ohem(logits, labels, threshold, share, torch.ones(4) if weight is None else weight)
    found = ohem_loss(logits, labels, threshold=threshold, share=share, weight=weight)
    assert found.item() == pytest.approx(expected, rel=1e-5)


def test_all_pixels_hard_is_cross_entropy(picture):
    logits, labels = picture(1)
    torch.testing.assert_close(ohem_loss(logits, labels, share=1.0), cross_entropy_loss(logits, labels))


def test_easy_pixels_get_no_gradient(picture):
    logits, labels = picture(2)
    logits.requires_grad_()
    ohem_loss(logits, labels, threshold=0.5, share=0.0).backward()
    chances = logits.detach().softmax(1).gather(1, labels.long().where(labels != 255, 0)[:, None])[:, 0]
    hard = (labels != 255) & (chances < 0.5)
    assert 0 < hard.sum() < (labels != 255).sum()
    assert torch.equal(logits.grad.abs().sum(1) > 0, hard)


def test_one_picture_may_hold_all_hard_pixels_of_a_batch(picture):
    logits, labels = picture(3, ignored=0.0)
    logits[1] = 50 * F.one_hot(labels[1].long(), 4).movedim(2, 0)  # the second picture is known
    half = ohem_loss(logits, labels, threshold=0.01, share=0.5)
    torch.testing.assert_close(half, cross_entropy_loss(logits[:1], labels[:1]))
