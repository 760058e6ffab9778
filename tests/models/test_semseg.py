"""Released PSANets give their logits here: against a plain re-statement of their forward pass, with weights under their names."""

import pytest
import safetensors.torch
import torch
import torch.nn.functional as F

from attseg.errors import UsageError
from attseg.models.semseg import load_semseg

CLASSES, INNER, MASK = 4, 8, 5  # pictures of 33 x 33: maps of 5 x 5, shrunk to 3 x 3, masks of 5 x 5
BLOCKS = (3, 4, 6, 3)


def released_weights(*, branches=2, compact=False, mask=MASK, aux=True, blocks=BLOCKS, fuse=16):
    """Random weights by the released names."""
    draw = torch.Generator().manual_seed(0)
    state = {}

    def conv(name, out, into, kernel=1, bias=False):
        scale = (2 / (into * kernel * kernel)) ** 0.5
        state[f"{name}.weight"] = torch.randn(out, into, kernel, kernel, generator=draw) * scale
        if bias:
            state[f"{name}.bias"] = torch.randn(out, generator=draw)

    def norm(name, channels):
        for part, low in (("weight", 0.5), ("bias", -0.2), ("running_mean", -0.2), ("running_var", 0.5)):
            state[f"{name}.{part}"] = low + torch.rand(channels, generator=draw) * (1 if low > 0 else 0.4)
        state[f"{name}.num_batches_tracked"] = torch.tensor(7)

    for index, (out, into) in zip((0, 3, 6), ((64, 3), (64, 64), (128, 64)), strict=True):
        conv(f"layer0.{index}", out, into, 3)
        norm(f"layer0.{index + 1}", out)
    into = 128
    for stage, (width, count) in enumerate(zip((64, 128, 256, 512), blocks, strict=True), 1):
        for block in range(count):
            name = f"layer{stage}.{block}"
            conv(f"{name}.conv1", width, into)
            conv(f"{name}.conv2", width, width, 3)
            conv(f"{name}.conv3", 4 * width, width)
            for place, channels in ((1, width), (2, width), (3, 4 * width)):
                norm(f"{name}.bn{place}", channels)
            state[f"{name}.bn3.weight"] *= 0.3  # keeps sixteen residual sums in range
            if block == 0:
                conv(f"{name}.downsample.0", 4 * width, into)
                norm(f"{name}.downsample.1", 4 * width)
            into = 4 * width
    filters = mask * mask
    for suffix in ("", "_p")[:branches]:
        conv(f"psa.reduce{suffix}.0", INNER, 2048)
        norm(f"psa.reduce{suffix}.1", INNER)
        conv(f"psa.attention{suffix}.0", INNER, INNER)
        norm(f"psa.attention{suffix}.1", INNER)
        conv(f"psa.attention{suffix}.3", filters, INNER)
    conv("psa.proj.0", 2048, branches * INNER)
    norm("psa.proj.1", 2048)
    conv("cls.0", fuse, 4096, 3)
    norm("cls.1", fuse)
    conv("cls.4", CLASSES, fuse, bias=True)
    if aux:
        conv("aux.0", fuse // 2, 1024, 3)
        norm("aux.1", fuse // 2)
        conv("aux.4", CLASSES, fuse // 2, bias=True)
    return state


def released_forward(state, x, *, kind, compact, mask=MASK, shrink=2):
    """What the released network computes in evaluation, written down from its description; ``kind`` 0, 1, 2 as there."""

    def conv(name, x, **options):
        return F.conv2d(x, state[f"{name}.weight"], state.get(f"{name}.bias"), **options)

    def norm(name, x):
        mean, var = state[f"{name}.running_mean"], state[f"{name}.running_var"]
        return F.batch_norm(x, mean, var, state[f"{name}.weight"], state[f"{name}.bias"])

    def unit(name, at, x, **options):
        return norm(f"{name}.{at + 1}", conv(f"{name}.{at}", x, **options)).relu()

    def align(x, size):
        return F.interpolate(x, size=size, mode="bilinear", align_corners=True)

    size = x.shape[-2:]
    x = unit("layer0", 0, x, stride=2, padding=1)
    x = unit("layer0", 3, x, padding=1)
    x = F.max_pool2d(unit("layer0", 6, x, padding=1), 3, 2, 1)
    for stage, (stride, rate) in enumerate(((1, 1), (2, 1), (1, 2), (1, 4)), 1):
        block = 0
        while f"layer{stage}.{block}.conv1.weight" in state:
            name, step = f"layer{stage}.{block}", stride if block == 0 else 1
            out = norm(f"{name}.bn1", conv(f"{name}.conv1", x)).relu()
            out = norm(f"{name}.bn2", conv(f"{name}.conv2", out, stride=step, padding=rate, dilation=rate)).relu()
            out = norm(f"{name}.bn3", conv(f"{name}.conv3", out))
            if block == 0:
                x = norm(f"{name}.downsample.1", conv(f"{name}.downsample.0", x, stride=step))
            x, block = (out + x).relu(), block + 1

    def attend(suffix, direction):
        values = unit(f"psa.reduce{suffix}", 0, x)
        n, c, h, w = values.shape
        if shrink != 1:
            h, w = (h - 1) // shrink + 1, (w - 1) // shrink + 1
            values = align(values, (h, w))
        scores = conv(f"psa.attention{suffix}.3", unit(f"psa.attention{suffix}", 0, values))
        if compact:
            table = scores.flatten(2)
            table = table.transpose(1, 2) if direction == 1 else table
        else:
            table = torch.zeros(n, h * w, h * w, dtype=x.dtype)
            half = (mask - 1) // 2
            for y in range(h):
                for z in range(w):
                    for i in range(mask):
                        for j in range(mask):
                            p, q = y + i - half, z + j - half
                            if 0 <= p < h and 0 <= q < w:
                                there, here = p * w + q, y * w + z
                                if direction == 0:
                                    table[:, there, here] = scores[:, i * mask + j, y, z]
                                else:
                                    table[:, here, there] = scores[:, i * mask + j, y, z]
        return (values.flatten(2) @ table.softmax(1)).view(n, c, h, w)

    found = [attend("", 0), attend("_p", 1)] if kind == 2 else [attend("", kind)]
    context = unit("psa.proj", 0, torch.cat(found, 1))
    if shrink != 1:
        h, w = context.shape[-2:]
        context = align(context, ((h - 1) * shrink + 1, (w - 1) * shrink + 1))
    logits = conv("cls.4", unit("cls", 0, torch.cat([x, context], 1), padding=1))
    return align(logits, size)


@pytest.mark.parametrize("compact", [False, True])
@pytest.mark.parametrize("kind", [0, 1, 2], ids=["collect", "distribute", "both"])
def test_released_weights_give_released_logits(kind, compact):
    mask = 3 if compact else MASK
    state = released_weights(branches=2 if kind == 2 else 1, mask=mask)
    directions = (("collect",), ("distribute",), ("collect", "distribute"))[kind]
    model = load_semseg(state, directions=directions, compact=compact).double()
    x = torch.randn(2, 3, 33, 33, dtype=torch.float64)
    wide = {name: tensor.double() for name, tensor in state.items()}
    with torch.no_grad():
        expected = released_forward(wide, x, kind=kind, compact=compact, mask=mask)
        found = model(x).logits
    assert expected.std() > 0.1
    torch.testing.assert_close(found, expected, atol=1e-8, rtol=1e-8)


def test_filters_that_do_not_cover_the_map_score_0_as_released():
    state = released_weights(mask=3)
    x = torch.randn(1, 3, 65, 49, dtype=torch.float64)
    wide = {name: tensor.double() for name, tensor in state.items()}
    with torch.no_grad():
        expected = released_forward(wide, x, kind=2, compact=False, mask=3)
        torch.testing.assert_close(load_semseg(state).double()(x).logits, expected, atol=1e-8, rtol=1e-8)


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
        without = {name: tensor for name, tensor in state.items() if not name.startswith("aux")}
        assert torch.equal(load_semseg(without)(x).logits, expected)


class Harm:
    def __reduce__(self):
        return print, ("a file of weights has run code",)


def test_what_is_not_a_released_psanet_gets_a_sentence(tmp_path, capsys):
    state = released_weights()
    torch.save({"state_dict": {"cls": Harm()}}, tmp_path / "harm.pth")
    (tmp_path / "text.pth").write_text("no weights")
    torch.save([1, 2], tmp_path / "list.pth")
    cases = [
        ({"conv.weight": torch.zeros(1)}, {"directions": ("collect",)}, "there is no 'psa.attention.3.weight'"),
        (state, {"directions": ("collect",)}, "the weights have two branches, and the directions are"),
        (released_weights(branches=1), {}, "the weights have one branch"),
        (state, {"mask_size": (3, 5)}, "there are 25 filters, which 3 x 5 are not"),
        (released_weights(blocks=(3, 4, 5, 3)), {}, "the encoder has 5 and 3 blocks"),
        ({n: t for n, t in state.items() if n != "cls.1.bias"}, {}, "1 are missing"),
        (state | {"extra.weight": torch.zeros(1)}, {}, r"1 are not known \(such as \['extra.weight'\]\)"),
        (state | {"psa.proj.0.weight": torch.zeros(2048, 9, 1, 1)}, {}, "the weights do not fit"),
        (tmp_path / "harm.pth", {}, "harm.pth cannot be read as weights alone"),
        (tmp_path / "text.pth", {}, "text.pth cannot be read"),
        (tmp_path / "list.pth", {}, "list.pth holds no tensors by name"),
    ]
    for source, options, message in cases:
        with pytest.raises(UsageError, match=message):
            load_semseg(source, **options)
    with pytest.raises(FileNotFoundError, match="no file of weights"):
        load_semseg(tmp_path / "nothing.pth")
    assert capsys.readouterr().out == ""
