"""The operator against its definition, against the released one, and against itself in other forms."""

import itertools
import math

import onnxruntime
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from attseg.attention.pointwise import dense, operator, point_attention, reference, tiles
from attseg.errors import UsageError

DIRECTIONS, NORMALIZE, OUTSIDE = ("collect", "distribute"), ("softmax", "count", "none"), ("exclude", "zero")
SIZES = {  # of the map, of the filters
    "covered": ((4, 5), (7, 9)),
    "more filters than offsets": ((4, 3), (13, 11)),
    "fewer": ((6, 7), (5, 3)),
    "one filter": ((3, 4), (1, 1)),
    "one position": ((1, 1), (3, 3)),
    "a line": ((1, 9), (3, 9)),
    "covered in rows alone": ((5, 6), (9, 5)),
}
every_term = pytest.mark.parametrize("terms", list(itertools.product(DIRECTIONS, NORMALIZE, OUTSIDE)), ids="-".join)


def tensors(size, filters, *, n=2, c=3, d=4, dtype=torch.float64, seed=0, grad=False):
    draw = torch.Generator().manual_seed(seed)
    shapes = (n, c, *size), (n, d, *size), (d, *filters)
    return [torch.randn(shape, generator=draw, dtype=dtype).requires_grad_(grad) for shape in shapes]


def keywords(terms):
    return dict(zip(("direction", "normalize", "outside"), terms, strict=True))


def equation(values, features, filters, direction, normalize, outside):
    """Eq. 8 and 9, position by position: rows and columns k, l speak of rows and columns s, t."""
    n, _, height, width = values.shape
    middle_y, middle_x = filters.shape[1] // 2, filters.shape[2] // 2
    places = list(itertools.product(range(height), range(width)))

    def score(i, k, l, s, t):  # noqa: E741 (the paper's letters)
        y, x = middle_y + s - k, middle_x + t - l
        if 0 <= y < filters.shape[1] and 0 <= x < filters.shape[2]:
            return sum(features[i, d, k, l].item() * filters[d, y, x].item() for d in range(features.shape[1]))
        return None

    out = torch.zeros_like(values)
    for i, target in itertools.product(range(n), places):
        scores = {}
        for source in places:
            found = score(i, *target, *source) if direction == "collect" else score(i, *source, *target)
            if found is None and (outside == "exclude" or normalize != "softmax"):
                continue
            scores[source] = 0.0 if found is None else found
        if normalize == "softmax":
            highest = max(scores.values())
            total = sum(math.exp(one - highest) for one in scores.values())
            scores = {source: math.exp(one - highest) / total for source, one in scores.items()}
        elif normalize == "count":
            scores = {source: one / len(places) for source, one in scores.items()}
        for source, weight in scores.items():
            out[i, :, *target] += weight * values[i, :, *source]
    return out


def released(values, features, filters, direction):
    """The released operator: a convolution to all filters, its mask filled by rows, a softmax over sources, a product."""
    n, _, height, width = values.shape
    high, wide = filters.shape[1:]
    half_y, half_x = (high - 1) // 2, (wide - 1) // 2
    mask = torch.nn.functional.conv2d(features, filters.flatten(1).T[:, :, None, None])
    buffer = torch.zeros(n, height * width, height * width, dtype=values.dtype)
    for h, w in itertools.product(range(height), range(width)):
        for hidx in range(max(0, half_y - h), min(high, height + half_y - h)):
            for widx in range(max(0, half_x - w), min(wide, width + half_x - w)):
                other, own = (hidx + h - half_y) * width + widx + w - half_x, h * width + w
                found = mask[:, hidx * wide + widx, h, w]
                if direction == "collect":
                    buffer[:, other, own] = found
                else:
                    buffer[:, own, other] = found
    return (values.flatten(2) @ buffer.softmax(1)).view_as(values)


@every_term
@pytest.mark.parametrize("sizes", list(SIZES.values()), ids=list(SIZES))
def test_all_forms_are_the_equation(sizes, terms):
    given = tensors(*sizes)
    expected = equation(*given, *terms)
    for form in (reference.point_attention, dense.point_attention, point_attention):
        torch.testing.assert_close(form(*given, **keywords(terms)), expected, atol=1e-10, rtol=1e-10)


@pytest.mark.parametrize("direction", DIRECTIONS)
@pytest.mark.parametrize("sizes", list(SIZES.values()), ids=list(SIZES))
def test_softmax_with_zeros_outside_is_the_released_operator(sizes, direction):
    given = tensors(*sizes)
    expected = released(*given, direction)
    torch.testing.assert_close(
        point_attention(*given, direction=direction, outside="zero"), expected, atol=1e-10, rtol=1e-10
    )


@every_term
@pytest.mark.parametrize(("anchors", "offsets", "window"), [(3, 4, 1), (8, 30, 100), (20, 1, 60)])
def test_any_way_to_cut_gives_the_same(monkeypatch, terms, anchors, offsets, window):
    for name, value in (("ANCHORS", anchors), ("OFFSETS", offsets), ("WINDOW", window)):
        monkeypatch.setattr(tiles, name, value)
    for sizes in (((5, 6), (9, 11)), ((7, 4), (3, 5))):
        given = tensors(*sizes, grad=True)
        ours, theirs = point_attention(*given, **keywords(terms)), dense.point_attention(*given, **keywords(terms))
        torch.testing.assert_close(ours, theirs, atol=1e-10, rtol=1e-10)
        push = torch.randn_like(ours)
        for one, other in zip(
            torch.autograd.grad(ours, given, push), torch.autograd.grad(theirs, given, push), strict=True
        ):
            torch.testing.assert_close(one, other, atol=1e-10, rtol=1e-10)


@pytest.mark.slow
@settings(max_examples=40, deadline=None)
@given(
    size=st.tuples(st.integers(1, 40), st.integers(1, 40)),
    half=st.tuples(st.integers(0, 45), st.integers(0, 45)),
    n=st.integers(1, 2),
    c=st.integers(1, 5),
    d=st.integers(1, 5),
    terms=st.tuples(st.sampled_from(DIRECTIONS), st.sampled_from(NORMALIZE), st.sampled_from(OUTSIDE)),
)
def test_tiled_is_dense_at_any_size(size, half, n, c, d, terms):
    given = tensors(size, (2 * half[0] + 1, 2 * half[1] + 1), n=n, c=c, d=d)
    expected = dense.point_attention(*given, **keywords(terms))
    torch.testing.assert_close(point_attention(*given, **keywords(terms)), expected, atol=1e-9, rtol=1e-9)


@pytest.mark.slow
@every_term
def test_gradients_are_right(terms):
    given = tensors((3, 4), (5, 5), n=2, c=2, d=2, grad=True)
    assert torch.autograd.gradcheck(lambda *three: point_attention(*three, **keywords(terms)), given)


@pytest.mark.parametrize("direction", DIRECTIONS)
def test_huge_scores_neither_overflow_nor_vanish(direction):
    values, features, filters = tensors((9, 9), (17, 17), c=4)
    for factor in (30.0, 1000.0):  # scores of some hundred and of many thousand
        expected = dense.point_attention(
            values, factor * features, filters, direction=direction, normalize="softmax", outside="exclude"
        )
        ours = point_attention(values.float(), factor * features.float(), filters.float(), direction=direction)
        assert ours.isfinite().all()
        exact = point_attention(values, factor * features, filters, direction=direction)
        torch.testing.assert_close(exact, expected, atol=1e-9, rtol=1e-9)


@pytest.mark.parametrize("direction", DIRECTIONS)
@pytest.mark.parametrize(("dtype", "bound"), [(torch.float32, 1e-5), (torch.bfloat16, 3e-2), (torch.float16, 4e-3)])
def test_fewer_bits_stay_within_their_bounds(direction, dtype, bound):
    given = [t / 2 for t in tensors((13, 11), (25, 21), c=16, d=16)]
    exact = dense.point_attention(*given, direction=direction, normalize="softmax", outside="exclude")
    short = [t.to(dtype).requires_grad_() for t in given]
    out = point_attention(*short, direction=direction)
    assert out.dtype == dtype
    assert (out.double() - exact).abs().max() < bound * exact.abs().max()
    out.float().square().sum().backward()
    long = [t.clone().requires_grad_() for t in given]
    dense.point_attention(*long, direction=direction, normalize="softmax", outside="exclude").square().sum().backward()
    for one, other in zip(short, long, strict=True):
        assert one.grad.dtype == dtype
        assert (one.grad.double() - other.grad).norm() < 3 * bound * other.grad.norm()


def test_autocast_and_mixed_types_agree_on_one():
    values, features, filters = tensors((5, 6), (9, 11), dtype=torch.float32)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert point_attention(values, features, filters, direction="collect").dtype == torch.bfloat16
    mixed = point_attention(values.bfloat16(), features, filters, direction="collect")
    assert mixed.dtype == torch.float32


@pytest.mark.parametrize("direction", DIRECTIONS)
def test_memory_layouts_give_the_same(direction):
    values, features, filters = tensors((6, 9), (11, 17))
    expected = point_attention(values, features, filters, direction=direction)
    last = [t.contiguous(memory_format=torch.channels_last) for t in (values, features)]
    torch.testing.assert_close(point_attention(*last, filters, direction=direction), expected, atol=1e-12, rtol=1e-12)
    turned = filters.permute(1, 2, 0).contiguous().permute(2, 0, 1)
    torch.testing.assert_close(
        point_attention(values[:, :, ::2], features[:, :, ::2], turned, direction=direction),
        point_attention(values[:, :, ::2].contiguous(), features[:, :, ::2].contiguous(), filters, direction=direction),
    )


def test_inputs_are_left_as_they_are():
    given = tensors((5, 6), (5, 5), grad=True)
    before = [t.detach().clone() for t in given]
    for terms in itertools.product(DIRECTIONS, NORMALIZE, OUTSIDE):
        point_attention(*given, **keywords(terms)).sum().backward()
    assert all(torch.equal(one, other) for one, other in zip(given, before, strict=True))


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:The .grad attribute of a Tensor")
def test_the_operator_is_registered_soundly():
    for terms in itertools.product(DIRECTIONS, ("softmax", "count"), ("exclude",)):
        torch.library.opcheck(operator._attend, (*tensors((4, 5), (5, 5), dtype=torch.float32, grad=True), *terms))


@pytest.mark.compile
@pytest.mark.slow
@pytest.mark.parametrize("direction", DIRECTIONS)
def test_compiles_whole_and_trains(direction):
    torch.compiler.reset()

    def attend(*three):
        return point_attention(*three, direction=direction) * 2

    given = tensors((5, 6), (9, 11), dtype=torch.float32, grad=True)
    out = torch.compile(attend, fullgraph=True)(*given)
    torch.testing.assert_close(out, attend(*given))
    push = torch.randn_like(out)
    for one, other in zip(
        torch.autograd.grad(out, given, push), torch.autograd.grad(attend(*given), given, push), strict=True
    ):
        torch.testing.assert_close(one, other)


class Attend(torch.nn.Module):
    def __init__(self, filters, terms):
        super().__init__()
        self.filters, self.terms = torch.nn.Parameter(filters), keywords(terms)

    def forward(self, values, features):
        return point_attention(values, features, self.filters, **self.terms)


@pytest.mark.compile
@pytest.mark.parametrize("terms", [("collect", "softmax", "exclude"), ("distribute", "softmax", "zero")], ids="-".join)
def test_one_onnx_file_serves_any_size(tmp_path, terms):
    values, features, filters = tensors((6, 7), (9, 11), dtype=torch.float32)
    model = Attend(filters, terms).eval()
    n, h, w = (torch.export.Dim(name, min=low, max=512) for name, low in (("n", 1), ("h", 2), ("w", 2)))
    shapes = ({0: n, 2: h, 3: w}, {0: n, 2: h, 3: w})
    program = torch.export.export(model, (values, features), dynamic_shapes=shapes)
    assert "attseg" not in str(program.graph), "an exported graph must hold plain operators alone"
    file = tmp_path / "psa.onnx"
    torch.onnx.export(program, f=file, verbose=False)
    session = onnxruntime.InferenceSession(file)
    names = [one.name for one in session.get_inputs()]
    for count, size in ((1, (6, 7)), (3, (4, 12)), (1, (17, 5)), (2, (2, 2))):
        values, features, _ = tensors(size, (9, 11), n=count, dtype=torch.float32)
        expected = model(values, features)
        torch.testing.assert_close(program.module()(values, features), expected, atol=1e-5, rtol=1e-4)
        (found,) = session.run(None, dict(zip(names, (values.numpy(), features.numpy()), strict=True)))
        torch.testing.assert_close(torch.from_numpy(found), expected, atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"direction": "colect"}, "no direction 'colect'; did you mean 'collect'"),
        ({"normalize": "soft"}, "no normalisation 'soft'"),
        ({"outside": "nil"}, "no treatment of pairs outside the filters 'nil'"),
        ({"filters": torch.zeros(4, 4, 5)}, "the filters are 4 x 5; both must be odd"),
        ({"filters": torch.zeros(3, 5, 5)}, "the features have 4 channels, and the filters 3"),
        ({"filters": torch.zeros(4, 5)}, r"filters of shape \(4, 5\) were given"),
        ({"values": torch.zeros(2, 3, 4, 6)}, r"values of shape \(2, 3, 4, 6\) and features"),
        ({"values": torch.zeros(1, 3, 4, 5)}, r"values of shape \(1, 3, 4, 5\) and features"),
        ({"values": torch.zeros(2, 3, 4, 5, dtype=torch.int64)}, "values of torch.int64"),
        ({"features": torch.zeros(2, 4, 4, 5, dtype=torch.int64)}, "features of torch.int64"),
    ],
)
def test_bad_input_gets_a_sentence(change, message):
    arguments = {
        "values": torch.zeros(2, 3, 4, 5),
        "features": torch.zeros(2, 4, 4, 5),
        "filters": torch.zeros(4, 7, 9),
        "direction": "collect",
    } | change
    with pytest.raises((UsageError, TypeError), match=message):
        point_attention(**arguments)
