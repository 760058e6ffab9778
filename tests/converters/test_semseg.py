"""Released PSANets and PSPNets give their logits here: against a plain re-statement of their forward pass."""

import pytest
import safetensors.torch
import torch
import torch.nn.functional as F

from attseg.converters import load_semseg
from attseg.errors import UsageError
from released import Network, Weights, double, resized

CLASSES, INNER, MASK, FUSE = 4, 8, (5, 5), 16  # pictures of 33 x 33: maps of 5 x 5, shrunk to 3 x 3, masks of 5 x 5
CLOSE = {"atol": 1e-8, "rtol": 1e-8}  # double precision; folding is done in it and kept in single


def released_weights(module="psa", *, branches=2, mask=MASK, aux=True, depth=50):
    state = Weights()
    for index, (out, into) in zip((0, 3, 6), ((64, 3), (64, 64), (128, 64)), strict=True):
        state.conv(f"layer0.{index}", out, into, 3)
        state.norm(f"layer0.{index + 1}", out)
    state.stages(depth, into=128)
    if module == "psa":
        for suffix in ("", "_p")[:branches]:
            state.conv(f"psa.reduce{suffix}.0", INNER, 2048)
            state.norm(f"psa.reduce{suffix}.1", INNER)
            state.conv(f"psa.attention{suffix}.0", INNER, INNER)
            state.norm(f"psa.attention{suffix}.1", INNER)
            state.conv(f"psa.attention{suffix}.3", mask[0] * mask[1], INNER)
        state.conv("psa.proj.0", 2048, branches * INNER)
        state.norm("psa.proj.1", 2048)
    elif module == "ppm":
        for level in range(4):
            state.conv(f"ppm.features.{level}.1", 512, 2048)
            state.norm(f"ppm.features.{level}.2", 512)
    state.conv("cls.0", FUSE, 4096 if module else 2048, 3)
    state.norm("cls.1", FUSE)
    state.conv("cls.4", CLASSES, FUSE, bias=True)
    if aux:
        state.conv("aux.0", FUSE, 1024, 3)
        state.norm("aux.1", FUSE)
        state.conv("aux.4", CLASSES, FUSE, bias=True)
    return dict(state)


def released_forward(state, x, *, kind=2, compact=False, mask=MASK, shrink=2):
    """What the released networks compute in evaluation, written down from their description; ``kind`` 0, 1, 2 as there."""
    net = Network(state)
    size = x.shape[-2:]
    x = net.at("layer0", 0, x, stride=2, padding=1)
    x = net.at("layer0", 3, x, padding=1)
    x = F.max_pool2d(net.at("layer0", 6, x, padding=1), 3, 2, 1)
    deep = net.stages(x, even=True)[-1]

    def attend(suffix, direction):
        values = net.at(f"psa.reduce{suffix}", 0, deep)
        if shrink != 1:
            values = resized(values, [(side - 1) // shrink + 1 for side in values.shape[-2:]], align=True)
        scores = net.conv(f"psa.attention{suffix}.3", net.at(f"psa.attention{suffix}", 0, values))
        return net.attend(values, scores, direction=direction, compact=compact, mask=mask)

    parts = [deep]
    if "psa.reduce.0.weight" in state:
        found = [attend("", "collect"), attend("_p", "distribute")] if kind == 2 else []
        found = found or [attend("", ("collect", "distribute")[kind])]
        context = net.at("psa.proj", 0, torch.cat(found, 1))
        if shrink != 1:
            context = resized(context, [(side - 1) * shrink + 1 for side in context.shape[-2:]], align=True)
        parts.append(context)
    elif "ppm.features.0.1.weight" in state:
        for level, bins in enumerate((1, 2, 3, 6)):
            pooled = net.at(f"ppm.features.{level}", 1, F.adaptive_avg_pool2d(deep, bins))
            parts.append(resized(pooled, deep.shape[-2:], align=True))
    logits = net.conv("cls.4", net.at("cls", 0, torch.cat(parts, 1), padding=1))
    return resized(logits, size, align=True)


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "compact"), [(0, False), (1, False), (2, False), (1, True), (2, True)])
def test_released_psanets_give_released_logits(kind, compact):
    mask = (3, 3) if compact else MASK
    state = released_weights(branches=2 if kind == 2 else 1, mask=mask)
    directions = (("collect",), ("distribute",), ("collect", "distribute"))[kind]
    model = load_semseg(state, directions=directions, compact=compact).double()
    x = torch.randn(1, 3, 33, 33, dtype=torch.float64)
    with torch.no_grad():
        expected = released_forward(double(state), x, kind=kind, compact=compact, mask=mask)
        found = model(x).logits
    assert expected.std() > 0.1
    torch.testing.assert_close(found, expected, **CLOSE)


@pytest.mark.slow
@pytest.mark.parametrize("module", ["ppm", None], ids=["pspnet", "baseline"])
def test_released_pspnets_and_baselines_give_released_logits(module):
    state = released_weights(module)
    x = torch.randn(1, 3, 49, 33, dtype=torch.float64)
    with torch.no_grad():
        expected = released_forward(double(state), x)
        found = load_semseg(state).double()(x).logits
    assert expected.std() > 0.1
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=1e-5)  # the folded level is kept in single precision


@pytest.mark.slow
def test_filters_that_do_not_cover_the_map_score_0_as_released():
    state = released_weights(mask=(3, 5))
    x = torch.randn(1, 3, 49, 33, dtype=torch.float64)
    with torch.no_grad():
        expected = released_forward(double(state), x, mask=(3, 5))
        torch.testing.assert_close(load_semseg(state, mask_size=(3, 5)).double()(x).logits, expected, **CLOSE)


@pytest.mark.slow
def test_files_of_every_form_are_read(tmp_path):
    state = released_weights()
    x = torch.randn(1, 3, 33, 33)
    with torch.no_grad():
        expected = load_semseg(state)(x).logits
        parallel = {f"module.{name}": tensor for name, tensor in state.items()}
        torch.save({"epoch": 3, "state_dict": parallel}, tmp_path / "train.pth")
        torch.save(state, tmp_path / "plain.pth")
        safetensors.torch.save_file(state, tmp_path / "plain.safetensors")
        for name in ("train.pth", "plain.pth", "plain.safetensors"):
            assert torch.equal(load_semseg(tmp_path / name)(x).logits, expected)
        without = {name: t for name, t in state.items() if not name.startswith("aux") and "num_batches" not in name}
        assert torch.equal(load_semseg(without)(x).logits, expected)


@pytest.mark.slow
def test_the_auxiliary_head_comes_along():
    model = load_semseg(released_weights())
    assert torch.equal(model.aux["encoder"][2].weight, released_weights()["aux.4.weight"])


@pytest.mark.slow
def test_what_is_not_a_released_network_gets_a_sentence():
    state = released_weights()
    deep = {n.replace("layer3.5.", "layer3.6."): t for n, t in state.items() if n.startswith("layer3.5.")}
    cases = [
        ({"conv.weight": torch.zeros(1)}, {}, "there is no 'layer1.0.conv2.weight'; the names begin with conv"),
        (state, {"directions": ("collect",)}, "the weights have two branches, and the directions are"),
        (released_weights(branches=1), {}, "the weights have one branch"),
        (state, {"mask_size": (3, 5)}, "there are 25 filters, which 3 x 5 are not"),
        (state | deep, {}, "the encoder has 3, 4, 7, 3 bottleneck blocks in its stages"),
        ({n: t for n, t in state.items() if n != "cls.1.bias"}, {}, "1 are missing: cls.1.bias"),
        (state | {"extra.weight": torch.zeros(1)}, {}, "1 are not known: extra.weight"),
        (
            state | {"psa.proj.0.weight": torch.zeros(2048, 9, 1, 1)},
            {},
            r"1 have another shape: psa.proj.0.weight \(2048 x 9 x 1 x 1, where 2048 x 16 x 1 x 1 was expected\)",
        ),
        (state | {"cls.1.bias": torch.full((FUSE,), torch.nan)}, {}, "cls.1.bias: 16 of 16 values are NaN or infinite"),
    ]
    for source, options, message in cases:
        with pytest.raises(UsageError, match=message):
            load_semseg(source, **options)
