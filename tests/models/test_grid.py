"""Parts of different papers mix: every context with every decoder, every part on encoders of every kind, and in every model.

The names come from where they are declared, so that a new part is walked as soon as it has one.
"""

from functools import cache
from itertools import product
from typing import get_args

import pytest
import torch

from attseg import capture
from attseg.attention.tap import Tap
from attseg.context import ContextName
from attseg.decoders import DecoderName
from attseg.encoders.named import make_encoder
from attseg.models import FCN, AttentionToRefine, build_model

CONTEXTS, DECODERS = get_args(ContextName), get_args(DecoderName)
ENCODERS = {
    "residual": ("test_resnet", 16),
    "convnext": ("test_convnext", 8),
    "inverted": ("test_efficientnet", 16),
    "channels-last": ("test_mambaout", 32),
    "plain-transformer": ("test_vit", 16),
}
every_context = pytest.mark.parametrize("context", CONTEXTS)
every_pair = pytest.mark.parametrize(("context", "decoder"), [*product(CONTEXTS, DECODERS)])
PARTS = max(len(CONTEXTS), len(DECODERS))
DIAGONAL = [(CONTEXTS[i % len(CONTEXTS)], DECODERS[i % len(DECODERS)]) for i in range(PARTS)]
"""Each context and each decoder at least once."""
every_part = pytest.mark.parametrize(("context", "decoder"), DIAGONAL)


@cache
def encoder(kind):
    """One a kind for the whole file: they are copied into no model, and every test sets their gradients anew."""
    torch.manual_seed(0)
    name, stride = ENCODERS[kind]
    return make_encoder(name, output_stride=stride, pretrained=False, weights=None)


def network(kind, context, decoder):
    torch.manual_seed(0)
    return FCN(3, encoder=encoder(kind), context=context, decoder=decoder, channels=8)


def pictures(n, h, w):
    return torch.randn(n, 3, h, w, generator=torch.Generator().manual_seed(n * h * w))


def check_training(model, images):
    """A step forward and back: logits as large as the pictures, and a finite gradient for everything that learns."""
    model.zero_grad()
    logits, aux = model.train()(images)
    assert {tuple(each.shape) for each in (logits, *aux.values())} == {(len(images), 3, *images.shape[2:])}
    sum(each.square().mean() for each in (logits, *aux.values())).backward()
    assert [name for name, p in model.named_parameters() if p.grad is None or not p.grad.isfinite().all()] == []


@every_pair
def test_every_context_trains_with_every_decoder(context, decoder):
    check_training(network("residual", context, decoder), pictures(1, 50, 65))


@every_part
@pytest.mark.parametrize("kind", [kind for kind in ENCODERS if kind != "residual"])
def test_every_part_trains_on_every_kind_of_encoder(kind, context, decoder):
    check_training(network(kind, context, decoder), pictures(1, 50, 65))


@every_part
def test_watching_changes_nothing(context, decoder):
    model = network("residual", context, decoder).eval()
    taps = {name for name, module in model.named_modules() if isinstance(module, Tap)}
    if not taps:
        return
    images = pictures(2, 64, 48)
    with torch.no_grad():
        plain = model(images).logits
        with capture(model) as maps:
            watched = model(images).logits
    torch.testing.assert_close(watched, plain, atol=1e-5, rtol=1e-4)
    assert {each.name for each in maps} == taps


@every_part
def test_every_part_trains_at_two_image_scales(context, decoder):
    model = AttentionToRefine(3, base=network("residual", context, decoder), stream_channels=8, channels=8)
    check_training(model, pictures(1, 66, 50))


@every_context
@pytest.mark.parametrize("name", ["PAN", "PSANet", "DFDAM"])
def test_every_context_fits_every_model(name, context):
    torch.manual_seed(0)
    model = build_model(name, {"encoder": encoder("residual"), "context": context, "channels": 8}, 3)
    check_training(model, pictures(2, 40, 33))
