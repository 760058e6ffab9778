"""PAN as the paper's tables list it."""

import pytest
import torch
from torch import nn

from attseg.encoders.timm import TimmEncoder
from attseg.errors import UsageError
from attseg.models import FCN, PAN

LOWS, DEEP, D, K = (64, 128, 256), 512, 256, 21


def encoder_parameters():
    return sum(p.numel() for p in TimmEncoder("resnet18", output_stride=16).parameters())


def beyond_encoder(**options):
    """Parameters of everything after a ResNet-18."""
    with torch.device("meta"):
        model = PAN(K, encoder="resnet18", **options)
        return sum(p.numel() for p in model.parameters()) - encoder_parameters()


HEAD = D * K * 9 + K
REDUCE = DEEP * D + 2 * D
GATES = 3 * (D * D + 2 * D)
GLOBAL = DEEP * D + D
SE = DEEP * 32 + 32 + 32 * DEEP + DEEP


PSP = (DEEP * 128 + 128) + 3 * (DEEP * 128 + 2 * 128) + 2 * DEEP * D * 9 + 2 * D
ASPP = REDUCE + 3 * (DEEP * D * 9 + 2 * D) + GLOBAL + 5 * D * D + 2 * D


def skips(kernel):
    return sum(low * D * kernel**2 + 2 * D for low in LOWS)


def pyramid(kernels):
    first, *rest = (k * k for k in kernels)
    return DEEP * first + sum(rest) + first + sum(rest) + 6 * 2


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"context": "none", "decoder": "bilinear"}, REDUCE + HEAD),
        ({"context": "se", "decoder": "bilinear"}, SE + REDUCE + HEAD),
        *(
            (
                {"pyramid_kernels": k, "pyramid_pool": pool, "global_branch": gp, "decoder": "bilinear"},
                REDUCE + pyramid(k) + (GLOBAL if gp else 0) + HEAD,
            )
            for k in ((3, 3, 3), (7, 5, 3))
            for pool in ("max", "avg")
            for gp in (False, True)
        ),
        ({"context": "psp", "decoder": "bilinear"}, PSP + HEAD),
        ({"context": "aspp", "decoder": "bilinear"}, ASPP + HEAD),
        ({"context": "none", "gau_context": False}, REDUCE + skips(3) + HEAD),
        ({"context": "none", "gau_kernel": 1}, REDUCE + skips(1) + GATES + HEAD),
        ({"context": "none"}, REDUCE + skips(3) + GATES + HEAD),
        ({}, REDUCE + pyramid((7, 5, 3)) + GLOBAL + skips(3) + GATES + HEAD),
    ],
    ids=str,
)
def test_rows_of_tables_1_to_3_have_the_parameters_of_their_parts(options, expected):
    assert beyond_encoder(**options) == expected


def test_the_default_is_the_papers_network():
    with torch.device("meta"):
        model = PAN(21)
    assert model.encoder.channels == (256, 512, 1024, 2048)
    assert model.encoder.strides == (4, 8, 16, 16)
    stem = [m for m in model.encoder.network.conv1 if isinstance(m, nn.Conv2d)]
    assert [conv.kernel_size for conv in stem] == [(3, 3)] * 3
    last_stage = model.encoder.network.layer4
    assert {conv.dilation for block in last_stage[1:] for conv in [block.conv2]} == {(2, 2)}
    assert len(model.decoder.steps) == 3


def test_the_row_without_attention_is_the_baseline():
    torch.manual_seed(0)
    row = PAN(4, encoder="test_resnet", channels=16, context="none", decoder="bilinear").eval()
    baseline = FCN(4, encoder="test_resnet", channels=16).eval()
    baseline.load_state_dict(row.state_dict())
    images = torch.randn(1, 3, 64, 64)
    assert torch.equal(row(images).logits, baseline(images).logits)


def test_a_ready_encoder_can_be_handed_in():
    encoder = TimmEncoder("test_convnext", output_stride=16)
    model = PAN(4, encoder=encoder, channels=16)
    assert model.encoder is encoder
    with pytest.raises(UsageError, match="pretrained and encoder_weights are for encoders given by name"):
        PAN(4, encoder=encoder, pretrained=True)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"context": "se", "pyramid_kernels": (3, 3, 3)},
            r"pyramid_kernels=\(3, 3, 3\) does nothing beside context='se'",
        ),
        ({"context": "none", "global_branch": False}, "global_branch=False does nothing .* take context='fpa'"),
        ({"context_args": {"kernels": (3,)}}, "context_args=.* does nothing beside context='fpa'"),
        ({"decoder": "bilinear", "gau_kernel": 1}, "gau_kernel=1 does nothing beside decoder='bilinear'"),
        ({"gau_context": False, "gate": "relu"}, "gate='relu' does nothing beside gau_context=False"),
    ],
)
def test_options_that_do_nothing_are_refused(options, message):
    with pytest.raises(UsageError, match=message):
        PAN(3, encoder="test_resnet", **options)
