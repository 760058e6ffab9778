"""Which tensors may become weights: every pair of dtypes, and values that are not finite, or not in the parameter's dtype."""

import math

import pytest
import torch

from attseg.tensors import explain_state

FLOATS = [torch.float16, torch.bfloat16, torch.float32, torch.float64]
INTEGERS = [torch.uint8, torch.int8, torch.int16, torch.int32, torch.int64]
OTHERS = [torch.bool, torch.complex64, torch.float8_e4m3fn, torch.float8_e5m2]


@pytest.mark.parametrize("stored", FLOATS + INTEGERS + OTHERS, ids=str)
@pytest.mark.parametrize("wanted", FLOATS + INTEGERS + OTHERS, ids=str)
@pytest.mark.parametrize("device", ["cpu", "meta"])
def test_a_dtype_may_stand_for_those_of_its_kind(stored, wanted, device):
    found = explain_state({"w": torch.ones(3).to(stored)}, {"w": torch.ones(3, device=device).to(wanted)})
    if stored == wanted or {stored, wanted} <= set(FLOATS) or {stored, wanted} <= set(INTEGERS):
        assert found == []
    else:
        (line,) = found
        assert line.startswith("w: ")
        assert str(stored).removeprefix("torch.") in line and str(wanted).removeprefix("torch.") in line


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("dtype", FLOATS, ids=str)
def test_every_value_that_is_not_finite_is_counted(value, dtype):
    tensor = torch.zeros(4, 5, dtype=dtype)
    tensor[1, 2] = tensor[3, 4] = value
    for like in (None, {"a": torch.zeros(4, 5)}):
        assert explain_state({"a": tensor}, like) == ["a: 2 of 20 values are NaN or infinite"]


@pytest.mark.parametrize(
    ("tensor", "wanted", "problem"),
    [
        (torch.tensor([1e300, 1.0], dtype=torch.float64), torch.float32, "1 of 2 values are NaN or infinite"),
        (torch.tensor([1e5]), torch.float16, "1 of 1 values are NaN or infinite"),
        (torch.tensor([70_000]), torch.int16, "int64 values that do not fit into int16"),
        (torch.tensor([-1]), torch.uint8, "int64 values that do not fit into uint8"),
    ],
)
def test_what_the_dtype_of_the_parameter_cannot_hold_is_refused(tensor, wanted, problem):
    assert explain_state({"w": tensor}, {"w": torch.zeros(len(tensor), dtype=wanted)}) == [f"w: {problem}"]


def test_names_that_are_not_in_both_and_empty_tensors_are_left_out():
    state = {"other": torch.tensor(math.nan), "empty": torch.zeros(0), "n": torch.tensor(3)}
    assert explain_state(state, {"empty": torch.zeros(0), "n": torch.tensor(0), "missing": torch.zeros(1)}) == []
