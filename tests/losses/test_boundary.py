import pytest
import torch
import torch.nn.functional as F

from attseg.losses import boundary_loss, cross_entropy_loss
from attseg.losses.boundary import boundary_weights


def naive_weights(labels, width, gain):
    """The distance of each pixel to every other pixel that has another label."""
    weights = torch.ones(labels.shape)
    n, h, w = labels.shape
    labels = labels.tolist()
    for picture, y, x in torch.cartesian_prod(torch.arange(n), torch.arange(h), torch.arange(w)).tolist():
        own = labels[picture][y][x]
        others = [
            max(abs(y - v), abs(x - u))
            for v in range(h)
            for u in range(w)
            if own != 255 and labels[picture][v][u] not in (own, 255)
        ]
        if others and min(others) <= width:
            weights[picture, y, x] += gain * (width + 1 - min(others)) / width
    return weights


@pytest.mark.parametrize("width", [1, 2, 5])
@pytest.mark.parametrize("seed", range(3))
def test_weights_equal_a_search_over_all_pixels(width, seed):
    generator = torch.Generator().manual_seed(seed)
    labels = torch.randint(0, 3, (2, 3, 3), generator=generator).to(torch.uint8)
    labels = labels.repeat_interleave(4, 1).repeat_interleave(4, 2)  # (2, 12, 12) in squares
    labels[torch.rand(labels.shape, generator=generator) < 0.2] = 255
    torch.testing.assert_close(boundary_weights(labels, width=width, gain=3.0), naive_weights(labels, width, 3.0))


def test_one_label_and_ignored_pixels_around_it_have_no_boundary():
    labels = torch.full((1, 9, 9), 255, dtype=torch.uint8)
    labels[0, 3:6, 3:6] = 7
    assert torch.equal(boundary_weights(labels, width=4, gain=3.0), torch.ones(1, 9, 9))


@pytest.mark.parametrize("weight", [None, torch.tensor([1.0, 0.5, 3.0, 0.1])])
def test_equals_cross_entropy_weighted_by_hand(weight, picture):
    logits, labels = picture()
    counts = labels != 255
    weights = naive_weights(labels, 5, 4.0) * counts
    if weight is not None:
        weights = weights * weight[labels.long().where(counts, 0)]
    values = F.cross_entropy(logits, labels.long(), ignore_index=255, reduction="none")
    torch.testing.assert_close(boundary_loss(logits, labels, weight=weight), (values * weights).sum() / weights.sum())


def test_no_gain_is_cross_entropy(picture):
    logits, labels = picture(1)
    torch.testing.assert_close(boundary_loss(logits, labels, gain=0.0), cross_entropy_loss(logits, labels))
