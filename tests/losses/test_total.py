import math

import pytest
import torch
import torch.nn.functional as F

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


def test_the_main_loss_is_a_choice_and_auxiliary_outputs_keep_cross_entropy():
    logits, labels = picture(5)
    loss = make_loss(LossSpec(terms={"cross-entropy": 1.0, "dice": 0.5, "lovasz": 0.0}))
    weight = torch.tensor([1.0, 0.5, 3.0, 0.1])
    found = segmentation_loss(
        Segmentation(logits, {"deep": -logits}), labels, loss=loss, weight=weight, aux={"deep": 0.4}
    )
    deep = cross_entropy_loss(-logits, labels, weight=weight)
    expected = cross_entropy_loss(logits, labels, weight=weight) + 0.5 * dice_loss(logits, labels) + 0.4 * deep
    torch.testing.assert_close(found, expected)


def test_options_of_a_recipe_reach_their_losses():
    logits, labels = picture(6)
    for spec, expected in (
        (
            LossSpec(terms={"ohem": 2.0}, ohem_threshold=0.2, ohem_share=0.3),
            2 * ohem_loss(logits, labels, threshold=0.2, share=0.3),
        ),
        (
            LossSpec(terms={"boundary": 1.0}, boundary_width=2, boundary_gain=7.0),
            boundary_loss(logits, labels, width=2, gain=7.0),
        ),
        (LossSpec(terms={"lovasz": 1.0}, lovasz_per="image"), lovasz_loss(logits, labels, per="image")),
    ):
        found = make_loss(spec)(logits, labels)
        torch.testing.assert_close(found, expected)
        assert found.item() != make_loss(LossSpec(terms=spec.terms))(logits, labels).item()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"terms": {"dic": 1.0}}, "there is no loss 'dic'; did you mean 'dice'"),
        ({"terms": {"dice": -1.0}}, "loss.terms.dice is -1.0; a factor of at least 0 was expected"),
        ({"terms": {}}, "loss.terms names no loss with a factor above 0"),
        ({"terms": {"cross-entropy": 0.0}}, "loss.terms names no loss with a factor above 0"),
        (
            {"terms": {"dice": 1.0}, "weights": {"a": 2.0}},
            "loss.weights count in cross-entropy, ohem, bound",
        ),
        ({"ohem_threshold": 0.0}, "loss.ohem_threshold is 0.0; a probability above 0 and up to 1"),
        ({"ohem_share": 1.1}, "loss.ohem_share is 1.1; a share between 0 and 1"),
        ({"boundary_width": 0}, "loss.boundary_width is 0; at least 1 pixel"),
        ({"boundary_gain": -1.0}, "loss.boundary_gain is -1.0; at least 0"),
    ],
)
def test_losses_that_cannot_be_are_refused(changes, message):
    with pytest.raises(UsageError, match=message):
        make_loss(LossSpec(**changes))
