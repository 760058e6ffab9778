"""PSANets of mmsegmentation give their logits here: against a plain re-statement of their forward pass."""

import pytest
import torch
import torch.nn.functional as F

from attseg.converters import load_mmseg
from attseg.errors import UsageError
from released import Network, Weights, double, resized

CLASSES, INNER = 4, 8
CLOSE = {"atol": 1e-8, "rtol": 1e-8}


def released_weights(*, branches=2, mask=(5, 5), aux=True):
    state = Weights()

    def unit(name, out, into, kernel=1):
        state.conv(f"{name}.conv", out, into, kernel)
        state.norm(f"{name}.bn", out)

    for index, (out, into) in zip((0, 3, 6), ((32, 3), (32, 32), (64, 32)), strict=True):
        state.conv(f"backbone.stem.{index}", out, into, 3)
        state.norm(f"backbone.stem.{index + 1}", out)
    state.stages(50, into=64, prefix="backbone.")
    for suffix in ("", "_p")[:branches]:
        unit(f"decode_head.reduce{suffix}", INNER, 2048)
        unit(f"decode_head.attention{suffix}.0", INNER, INNER)
        state.conv(f"decode_head.attention{suffix}.1", mask[0] * mask[1], INNER)
    unit("decode_head.proj", 2048, branches * INNER)
    unit("decode_head.bottleneck", INNER, 4096, 3)
    state.conv("decode_head.conv_seg", CLASSES, INNER, bias=True)
    if aux:
        unit("auxiliary_head.convs.0", 12, 1024, 3)
        state.conv("auxiliary_head.conv_seg", CLASSES, 12, bias=True)
    return dict(state)


def released_forward(state, x, *, psa="both", compact=False, mask=(5, 5), shrink=2, align=False):
    """What mmsegmentation computes in evaluation, written down from its description."""
    net, size = Network(state), x.shape[-2:]

    def unit(name, x, **options):
        return net.unit(f"{name}.conv", f"{name}.bn", x, **options)

    for index, stride in ((0, 2), (3, 1), (6, 1)):
        x = net.at("backbone.stem", index, x, stride=stride, padding=1)
    deep = net.stages(F.max_pool2d(x, 3, 2, 1), even=False, prefix="backbone.")[-1]
    height, width = deep.shape[-2:]
    inside = align
    small = (height, width)
    if shrink != 1:
        inside = height % shrink != 0 and width % shrink != 0
        small = [(side - 1) // shrink + 1 if inside else side // shrink for side in (height, width)]

    def attend(suffix, direction):
        values = unit(f"decode_head.reduce{suffix}", deep)
        values = resized(values, small, align=inside) if shrink != 1 else values
        scores = net.conv(f"decode_head.attention{suffix}.1", unit(f"decode_head.attention{suffix}.0", values))
        if compact and psa != "both":  # one branch alone is transposed where it collects
            direction = "distribute" if direction == "collect" else "collect"
        return net.attend(values, scores, direction=direction, compact=compact, mask=mask)

    found = [attend("", "collect"), attend("_p", "distribute")] if psa == "both" else [attend("", psa)]
    context = unit("decode_head.proj", torch.cat(found, 1), padding=1)
    context = resized(context, (height, width), align=inside)
    fused = unit("decode_head.bottleneck", torch.cat([deep, context], 1), padding=1)
    return resized(net.conv("decode_head.conv_seg", fused), size, align=align)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("size", "mask", "options"),
    [
        ((33, 33), (5, 5), {}),  # maps of 5 x 5: corners aligned
        ((48, 64), (6, 6), {}),  # 6 x 8: halved, an even mask that does not cover it
        ((48, 33), (5, 8), {"align_corners": True}),  # 6 x 5: one side odd
        ((33, 40), (9, 9), {"shrink": 1}),
    ],
    ids=str,
)
def test_logits_are_those_of_mmsegmentation(size, mask, options):
    state = released_weights(mask=mask)
    model = load_mmseg(state, mask_size=mask, **options).double()
    x = torch.randn(1, 3, *size, dtype=torch.float64)
    told = {"align": options.get("align_corners", False), "shrink": options.get("shrink", 2)}
    with torch.no_grad():
        expected = released_forward(double(state), x, mask=mask, **told)
        found = model(x).logits
    assert expected.std() > 0.1
    torch.testing.assert_close(found, expected, **CLOSE)


@pytest.mark.slow
@pytest.mark.parametrize(("psa", "compact"), [("collect", False), ("distribute", False), ("collect", True)])
def test_a_single_branch_is_read(psa, compact):
    mask = (3, 3) if compact else (4, 4)
    state = released_weights(branches=1, mask=mask, aux=False)
    x = torch.randn(1, 3, 33, 33, dtype=torch.float64)
    with torch.no_grad():
        expected = released_forward(double(state), x, psa=psa, compact=compact, mask=mask)
        found = load_mmseg(state, directions=(psa,), compact=compact).double()(x).logits
    torch.testing.assert_close(found, expected, **CLOSE)


@pytest.mark.slow
def test_compact_branches_are_read():
    state = released_weights(mask=(3, 3))
    x = torch.randn(1, 3, 33, 33, dtype=torch.float64)
    with torch.no_grad():
        expected = released_forward(double(state), x, compact=True, mask=(3, 3))
        torch.testing.assert_close(load_mmseg(state, compact=True).double()(x).logits, expected, **CLOSE)


@pytest.mark.slow
def test_weights_of_another_network_get_a_sentence():
    state = released_weights()
    cases = [
        ({"backbone.cls_token": torch.zeros(1)}, "no 'decode_head.attention.1.weight'; the names begin with backbone"),
        (
            {n: t for n, t in state.items() if n != "decode_head.proj.bn.bias"},
            "1 are missing: decode_head.proj.bn.bias",
        ),
        (state | {"decode_head.convs.0.weight": torch.zeros(1)}, "1 are not known: decode_head.convs.0.weight"),
    ]
    for source, message in cases:
        with pytest.raises(UsageError, match=message):
            load_mmseg(source)
