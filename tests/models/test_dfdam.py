"""DF-DAM as the paper's tables list it."""

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from attseg.attention.tap import Tap
from attseg.encoders.timm import TimmEncoder
from attseg.errors import UsageError
from attseg.models import DFDAM, FCN

PRINTED = {("resnet18", 19): (11.57, 10.31), ("resnet101", 21): (43.24, 35.52)}
"""Millions of parameters and billions of multiply-adds at 320 x 640: tables 4 and 6."""

KEYS = """
context.0.weight 128 512 1 1
context.1 128
decoder.fusion.reduce.0.weight 128 256 1 1
decoder.fusion.reduce.1 128
decoder.fusion.high_gate.weigh.0.weight 128 128 1 1
decoder.fusion.high_gate.weigh.0.bias 128
decoder.fusion.low_gate.weigh.0.weight 128 128 1 1
decoder.fusion.low_gate.weigh.0.bias 128
decoder.position.reduce.0.weight 128 64 1 1
decoder.position.reduce.1 128
decoder.position.weigh.0.0.weight 128 192 1 1
decoder.position.weigh.0.1 128
decoder.position.weigh.1.weight 1 128 1 1
decoder.position.weigh.1.bias 1
head.0.0.weight 128 128 3 3
head.0.1 128
head.1.weight 19 128 1 1
head.1.bias 19
aux.context.0.0.weight 32 128 3 3
aux.context.0.1 32
aux.context.1.weight 19 32 1 1
aux.context.1.bias 19
aux.spatial.0.0.weight 32 128 3 3
aux.spatial.0.1 32
aux.spatial.1.weight 19 32 1 1
aux.spatial.1.bias 19
"""
"""What a checkpoint holds beyond the encoder; a line without a kind is a batch normalisation."""


def cost(encoder, num_classes, **options):
    """Millions of parameters, billions of multiply-adds; auxiliary heads run in training alone."""
    with torch.device("meta"):
        model = DFDAM(num_classes, encoder=encoder, **options).train()
        with FlopCounterMode(display=False) as counter:
            model(torch.empty(1, 3, 320, 640))
    return sum(p.numel() for p in model.parameters()) / 1e6, counter.get_total_flops() / 2 / 1e9


@pytest.mark.slow
@pytest.mark.parametrize(("encoder", "num_classes"), PRINTED)
def test_costs_what_the_paper_prints(encoder, num_classes):
    parameters, multiply_adds = PRINTED[encoder, num_classes]
    assert cost(encoder, num_classes) == (pytest.approx(parameters, rel=0.003), pytest.approx(multiply_adds, rel=0.003))


@pytest.mark.slow
@pytest.mark.parametrize(("encoder", "num_classes"), PRINTED)
def test_a_confidence_from_the_reduced_map_would_not_cost_that(encoder, num_classes):
    multiply_adds = cost(encoder, num_classes, confidence="reduced")[1]
    assert multiply_adds != pytest.approx(PRINTED[encoder, num_classes][1], rel=0.006)


def test_the_keys_of_a_checkpoint_stay():
    expected = {}
    for line in KEYS.split("\n")[1:-1]:
        key, *shape = line.split()
        size = tuple(map(int, shape))
        if key.endswith((".weight", ".bias")):
            expected[key] = size
        else:
            expected |= {f"{key}.{name}": size for name in ("weight", "bias", "running_mean", "running_var")}
            expected[f"{key}.num_batches_tracked"] = ()
    with torch.device("meta"):
        state = DFDAM(19, encoder="resnet18").state_dict()
    assert {key: tuple(value.shape) for key, value in state.items() if not key.startswith("encoder.")} == expected


def test_the_default_is_the_papers_network():
    with torch.device("meta"):
        model = DFDAM(21)
    assert model.encoder.channels == (256, 512, 1024, 2048)
    assert model.encoder.strides == (4, 8, 16, 32)
    assert model.encoder.network.conv1.kernel_size == (7, 7)
    assert list(model.aux) == ["context", "spatial"]


@pytest.mark.parametrize(
    ("options", "taps"),
    [
        ({"gates": "none", "confidence": "none"}, 0),
        ({"confidence": "none"}, 2),
        ({}, 3),
    ],
    ids=str,
)
def test_the_rows_of_tables_1_and_2_differ_in_their_attention_alone(options, taps):
    with torch.device("meta"):
        row, best = DFDAM(19, encoder="resnet18", **options), DFDAM(19, encoder="resnet18")
    without = {key.split("weigh.")[0] for key in best.state_dict().keys() - row.state_dict().keys()}
    assert without == {name.removesuffix("attention") for name in taps_of(best) - taps_of(row)}
    assert row.state_dict().keys() <= best.state_dict().keys()
    assert len(taps_of(row)) == taps


def taps_of(model):
    return {name for name, module in model.named_modules() if isinstance(module, Tap)}


@pytest.mark.parametrize("aux", [("context", "spatial"), ("spatial",), ()], ids=str)
def test_the_auxiliary_outputs_are_those_that_were_asked_for(aux):
    model = DFDAM(4, encoder="test_resnet", channels=16, aux=aux).train()
    out = model(torch.randn(2, 3, 64, 70))
    assert list(out.aux) == list(aux)
    assert all(logits.shape == (2, 4, 64, 70) for logits in out.aux.values())
    assert model.eval()(torch.randn(2, 3, 64, 70)).aux == {}


@torch.no_grad()
def test_the_auxiliary_heads_read_the_sides_of_the_decoder():
    torch.manual_seed(0)
    model = DFDAM(4, encoder="test_resnet", channels=16).train()
    images = torch.randn(2, 3, 64, 96)
    *lows, deep = model.encoder(images)
    sides = model.decoder(lows, model.context(deep)).sides
    staged = model.staged(images)
    assert {name: tuple(logits.shape[2:]) for name, logits in staged.aux.items()} == {
        "context": (4, 6),  # stride 16
        "spatial": (16, 24),  # stride 4
    }
    for name, logits in staged.aux.items():
        torch.testing.assert_close(logits, model.aux[name](sides[name]))


def test_its_decoder_is_the_one_of_the_baseline():
    torch.manual_seed(0)
    for decoder, options in (("dual", {}), ("sum", {"gates": "none", "confidence": "none"})):
        model = DFDAM(4, encoder="test_resnet", channels=16, output_stride=16, aux=(), **options).eval()
        baseline = FCN(4, encoder="test_resnet", channels=16, decoder=decoder).eval()
        baseline.head = model.head
        baseline.load_state_dict(model.state_dict())
        images = torch.randn(1, 3, 64, 64)
        assert torch.equal(model(images).logits, baseline(images).logits)


def test_a_ready_encoder_can_be_handed_in():
    encoder = TimmEncoder("test_convnext")
    assert DFDAM(4, encoder=encoder, channels=16).encoder is encoder


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"gates": "bothh"}, "no setting of the gates 'bothh'; did you mean 'both'"),
        ({"confidence": "reduce"}, "no setting of the confidence 'reduce'; did you mean 'reduced'"),
        ({"aux": ("contxt",)}, "no auxiliary head 'contxt'; did you mean 'context'"),
        ({"num_classes": 0}, "num_classes is 0"),
    ],
)
def test_says_what_is_wrong(options, message):
    with pytest.raises(UsageError, match=message):
        DFDAM(**{"num_classes": 4, "encoder": "test_resnet", **options})
