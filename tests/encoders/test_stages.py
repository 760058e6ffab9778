import pytest
import torch

from attseg.encoders.stages import parameter_stages
from attseg.encoders.timm import TimmEncoder
from attseg.encoders.vgg import VGGLargeFOV
from attseg.encoders.vit import VitEncoder

ENCODERS = {
    "resnet": lambda: TimmEncoder("test_resnet", output_stride=16),
    "convnext": lambda: TimmEncoder("test_convnext"),
    "vit": lambda: VitEncoder("test_vit"),
    "vgg": VGGLargeFOV,
    "five bands": lambda: TimmEncoder("test_resnet", in_channels=5),
}


@pytest.mark.parametrize("make", ENCODERS.values(), ids=ENCODERS)
def test_a_map_depends_on_the_parameters_of_its_stage_and_of_those_before_alone(make):
    """The oracle changes parameters and looks which maps change."""
    encoder = make().eval()
    images = torch.rand(1, encoder.in_channels, 64, 64, generator=torch.Generator().manual_seed(0))
    stages = parameter_stages(encoder)
    assert sorted(set(stages.values())) == [1, 2, 3, 4]
    with torch.no_grad():
        before = encoder(images)
        for stage in (1, 2, 3, 4):
            kept = {name: value.clone() for name, value in encoder.named_parameters()}
            for name, value in encoder.named_parameters():
                if stages[name] == stage:
                    value.mul_(1.5).add_(0.1)
            after = encoder(images)
            for name, value in encoder.named_parameters():
                value.copy_(kept[name])
            same = [torch.equal(one, other) for one, other in zip(before, after, strict=True)]
            assert same == [True] * (stage - 1) + [False] * (5 - stage)


def test_the_encoder_is_left_as_it_is():
    encoder = TimmEncoder("test_resnet").requires_grad_(False).train()
    before = {name: value.clone() for name, value in encoder.state_dict().items()}
    parameter_stages(encoder)
    assert encoder.training and not any(value.requires_grad for value in encoder.parameters())
    assert all(torch.equal(value, before[name]) for name, value in encoder.state_dict().items())


def test_an_encoder_of_one_map_has_one_stage():
    assert set(parameter_stages(torch.nn.Conv2d(3, 8, 3)).values()) == {1}
