import json

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from attseg.evaluation.counts import add_up, pack, unpack

VALUES = st.one_of(
    st.lists(st.integers(-(2**62), 2**62), max_size=9).map(lambda values: torch.tensor(values, dtype=torch.int64)),
    st.lists(st.floats(allow_nan=False), max_size=9).map(lambda values: torch.tensor(values, dtype=torch.float64)),
)


@pytest.mark.slow
@given(counts=st.dictionaries(st.text(max_size=5), VALUES, max_size=4))
def test_every_bit_comes_back_from_json(counts):
    back = unpack(json.loads(json.dumps(pack(counts))))
    assert back.keys() == counts.keys()
    for name, value in counts.items():
        assert back[name].dtype == value.dtype
        assert torch.equal(back[name], value)


@pytest.mark.parametrize("shape", [(), (0,), (2, 3), (1, 2, 0)])
def test_shapes_come_back(shape):
    value = torch.ones(shape, dtype=torch.int64)
    assert torch.equal(unpack(pack({"a": value}))["a"], value)


def test_sums_leave_their_parts_alone():
    parts = [{"a": torch.ones(2)}, {"a": torch.ones(2), "b": torch.ones(1)}]
    total = add_up(parts)
    assert total["a"].tolist() == [2, 2]
    assert parts[0]["a"].tolist() == [1, 1]
    total["b"] += 1
    assert parts[1]["b"].tolist() == [1]
    assert add_up([]) == {}
