import copy

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from attseg.layers import BatchNorm2d
from attseg.models import Segmentation, build_model
from attseg.prediction.folded import fold_batch_norm


def shake(model):
    """Running statistics and scales as after training, where the fresh ones do nothing."""
    generator = torch.Generator().manual_seed(1)
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.running_mean.copy_(torch.randn(module.num_features, generator=generator) / 5)
            module.running_var.copy_(torch.rand(module.num_features, generator=generator) + 0.5)
            if module.affine:
                nn.init.uniform_(module.weight, 0.5, 1.5, generator=generator)
                nn.init.uniform_(module.bias, -0.5, 0.5, generator=generator)
    return model.eval()


def norms(model):
    return sum(isinstance(module, nn.BatchNorm2d) for module in model.modules())


@pytest.mark.parametrize(
    ("name", "args"),
    [
        ("PAN", {"encoder": "resnet18"}),
        ("PSANet", {"encoder": "resnet18"}),
        ("DFDAM", {"encoder": "resnet18"}),
        ("PAN", {"encoder": "test_efficientnet"}),
    ],
)
def test_the_folded_network_is_the_same_function_with_no_normalisation_left(name, args):
    model = shake(build_model(name, args, 5))
    state = copy.deepcopy(model.state_dict())
    folded = fold_batch_norm(model)
    assert folded is not model and norms(folded) < norms(model) / 4
    images = torch.randn(2, 3, 70, 97, generator=torch.Generator().manual_seed(2))
    with torch.inference_mode():
        expected, found = model(images).logits, folded(images).logits
    assert (expected - found).abs().max() <= 1e-4 * expected.abs().max()
    assert all(torch.equal(tensor, state[name]) for name, tensor in model.state_dict().items())


class Net(nn.Module):
    def __init__(self, *, twice=False, other=False, stats=True, kind=nn.Conv2d):
        super().__init__()
        self.conv = kind(3, 4, 3, padding=1)
        self.norm = BatchNorm2d(4, track_running_stats=stats)
        self.twice, self.other = twice, other

    def forward(self, images):
        maps = self.conv(images)
        out = self.norm(maps)
        if self.other:
            out = out + maps
        if self.twice:
            out = out + self.norm(self.conv(images * 2))
        return Segmentation(F.relu(out), {})


class Standardised(nn.Conv2d):
    def forward(self, images):
        return F.conv2d(images, self.weight - self.weight.mean(), self.bias, padding=1)


@pytest.mark.parametrize(
    "model",
    [Net(twice=True), Net(other=True), Net(stats=False), Net(kind=Standardised), nn.Sequential(nn.Conv2d(3, 2, 1))],
    ids=["used twice", "read by others", "no statistics", "weights computed", "no normalisation"],
)
def test_what_cannot_be_folded_is_left_as_it_is(model):
    model = model.eval()
    if norms(model) and model.norm.running_mean is not None:
        shake(model)
    folded = fold_batch_norm(model)
    assert folded is model or norms(folded) == norms(model)


def test_a_plain_pair_is_folded_and_other_channels_leave_the_network():
    model = shake(Net())
    assert norms(fold_batch_norm(model)) == 0
    model.conv = nn.Conv2d(5, 4, 3)
    assert fold_batch_norm(model) is model
