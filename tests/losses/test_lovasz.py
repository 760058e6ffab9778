from itertools import pairwise

import pytest
import torch
from segmentation_models_pytorch.losses import LovaszLoss

from attseg.losses import lovasz_loss
from attseg.losses.lovasz import _of_class


def jaccard(wrong, truth):
    """The Jaccard loss of a set of wrong pixels: how much of the union of these and the class they are; equation 4."""
    return len(wrong) / len(wrong | truth) if wrong else 0.0


def lovasz_extension(errors, truth):
    """Of the Jaccard loss at ``errors``, by its definition as an integral over the sets of errors that exceed a level."""
    levels = sorted({0.0, 1.0, *errors})
    return sum(
        (b - a) * jaccard({i for i, error in enumerate(errors) if error >= b}, truth) for a, b in pairwise(levels)
    )


def brute_force(logits, labels):
    """Equation 11 over all pixels that count."""
    chances = logits.double().softmax(1).movedim(1, 0).flatten(1)[:, labels.flatten() != 255]
    kept = labels.flatten()[labels.flatten() != 255].tolist()
    losses = []
    for index in sorted(set(kept)):
        truth = {i for i, label in enumerate(kept) if label == index}
        errors = [abs((i in truth) - chances[index, i].item()) for i in range(len(kept))]
        losses.append(lovasz_extension(errors, truth))
    return sum(losses) / len(losses)


@pytest.mark.parametrize("classes", [(0, 1, 2, 3), (1, 3), (0,)])
@pytest.mark.parametrize("seed", range(3))
def test_equals_the_lovasz_extension_of_the_jaccard_loss(classes, seed, picture):
    logits, labels = picture(seed, classes=classes)
    assert lovasz_loss(logits, labels).item() == pytest.approx(brute_force(logits, labels), rel=1e-5)


def test_at_hard_predictions_it_is_one_minus_the_iou():
    labels = torch.tensor([[[0, 0, 0, 1, 1, 2]]], dtype=torch.uint8)
    guess = torch.tensor([[[0, 0, 1, 1, 0, 2]]])
    logits = 100 * torch.nn.functional.one_hot(guess, 3).movedim(3, 1).float()
    ious = 2 / 4, 1 / 3, 1.0
    assert lovasz_loss(logits, labels).item() == pytest.approx(1 - sum(ious) / 3, rel=1e-5)


@pytest.mark.parametrize("per", ["batch", "image"])
def test_value_and_gradient_equal_those_of_smp(per, picture):
    logits, labels = picture(5)
    ours, theirs = logits.clone().requires_grad_(), logits.clone().requires_grad_()
    found = lovasz_loss(ours, labels, per=per)
    expected = LovaszLoss("multiclass", per_image=per == "image", ignore_index=255)(theirs, labels.long())
    found.backward()
    expected.backward()
    torch.testing.assert_close(found, expected)
    torch.testing.assert_close(ours.grad, theirs.grad)


def test_per_image_is_the_mean_over_pictures_that_count(picture):
    logits, labels = picture(6, size=(3, 5, 6))
    labels[1] = 255
    expected = (brute_force(logits[:1], labels[:1]) + brute_force(logits[2:], labels[2:])) / 2
    assert lovasz_loss(logits, labels, per="image").item() == pytest.approx(expected, rel=1e-5)


def test_a_million_pixels_lose_no_digits():
    """What a pixel adds, in 32 bits, against neighbours subtracted in 64."""
    generator = torch.Generator().manual_seed(0)
    chances = torch.rand(1, 1024, 1024, generator=generator).requires_grad_()
    truth = torch.rand(1, 1024, 1024, generator=generator) < 0.01
    _of_class(chances, truth, torch.ones_like(truth)).backward()
    order = torch.where(truth, 1 - chances, chances).flatten().argsort(descending=True)
    found = truth.flatten()[order].double().cumsum(0)
    total = truth.sum()
    levels = 1 - (total - found) / (total + torch.arange(1, len(found) + 1) - found)
    added = torch.diff(levels, prepend=torch.zeros(1, dtype=torch.double))
    expected = torch.where(truth.flatten()[order], -added, added)
    torch.testing.assert_close(chances.grad.flatten()[order].double(), expected, rtol=1e-5, atol=1e-12)
