from copy import deepcopy

import torch
from torch import nn

from attseg.training.learner import MovingAverage


def model():
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3))


def test_follows_the_weights_as_the_recurrence_says():
    net = model()
    average, expected = MovingAverage(net, 0.3), net[0].weight.detach().clone()
    for update in range(8):
        with torch.no_grad():
            net[0].weight += torch.randn(3, 2)
        average.update(net)
        keep = min(0.3, (1 + update) / (10 + update))
        expected = keep * expected + (1 - keep) * net[0].weight.detach()
        torch.testing.assert_close(average.model[0].weight, expected)


def test_buffers_are_copied_not_averaged():
    net = model()
    average = MovingAverage(net, 0.9)
    net(torch.randn(4, 2))
    average.update(net)
    assert torch.equal(average.model[1].running_mean, net[1].running_mean)
    assert int(average.model[1].num_batches_tracked) == 1


def test_training_does_not_reach_into_the_average_and_no_gradient_is_kept_for_it():
    net = model()
    average = MovingAverage(net, 0.9)
    before = average.model[0].weight.clone()
    with torch.no_grad():
        net[0].weight.zero_()
    assert torch.equal(average.model[0].weight, before)
    assert not any(parameter.requires_grad for parameter in average.model.parameters())


def test_goes_on_from_a_saved_state():
    net = model()
    straight = MovingAverage(net, 0.5)
    straight.update(net)
    resumed = MovingAverage(model(), 0.5)
    resumed.load_state_dict(deepcopy(straight.state_dict()))
    with torch.no_grad():
        net[0].weight.mul_(2)
    straight.update(net)
    resumed.update(net)
    assert resumed.updates == straight.updates == 2
    assert torch.equal(resumed.model[0].weight, straight.model[0].weight)


def test_a_model_and_its_average_can_be_copied():
    average = MovingAverage(model(), 0.5)
    assert torch.equal(deepcopy(average).model[0].weight, average.model[0].weight)
