import pytest
import torch
from segmentation_models_pytorch.losses import DiceLoss

from attseg.losses import dice_loss


def naive_dice(logits, labels):
    """The coefficient of each class, pixel by pixel."""
    chances, losses = logits.softmax(1), []
    for index in range(logits.shape[1]):
        overlap = both = there = 0.0
        for n, y, x in torch.cartesian_prod(*(torch.arange(size) for size in labels.shape)).tolist():
            label = int(labels[n, y, x])
            if label == 255:
                continue
            overlap += chances[n, index, y, x].item() * (label == index)
            both += chances[n, index, y, x].item() + (label == index)
            there += label == index
        if there:
            losses.append(1 - 2 * overlap / both)
    return sum(losses) / len(losses)


@pytest.mark.parametrize("classes", [(0, 1, 2, 3), (0, 3), (2,)])
def test_equals_a_loop_over_pixels(classes, picture):
    logits, labels = picture(classes=classes)
    assert dice_loss(logits, labels).item() == pytest.approx(naive_dice(logits, labels), rel=1e-5)


@pytest.mark.parametrize("classes", [(0, 1, 2, 3), (0, 3)])
def test_value_and_gradient_equal_those_of_smp_but_for_absent_classes(classes, picture):
    """segmentation-models-pytorch counts an absent class as 0, and in the mean."""
    logits, labels = picture(1, classes=classes)
    ours, theirs = logits.clone().requires_grad_(), logits.clone().requires_grad_()
    found, expected = dice_loss(ours, labels), DiceLoss("multiclass", ignore_index=255)(theirs, labels.long())
    found.backward()
    expected.backward()
    torch.testing.assert_close(found * len(classes) / 4, expected)
    torch.testing.assert_close(ours.grad * len(classes) / 4, theirs.grad)


def test_a_rare_class_counts_as_much_as_a_common_one():
    labels = torch.zeros(1, 8, 8, dtype=torch.uint8)
    labels[0, 0, 0] = 1
    right = 100 * torch.nn.functional.one_hot(labels.long(), 2).movedim(3, 1).float()
    blind = torch.tensor([100.0, -100.0])[None, :, None, None].expand(1, 2, 8, 8)
    assert dice_loss(right, labels).item() == pytest.approx(0, abs=1e-6)
    assert dice_loss(blind, labels).item() == pytest.approx((1 - 126 / 127 + 1) / 2, rel=1e-5)
