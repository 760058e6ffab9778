from itertools import product

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from attseg.attention.pointwise import point_attention


def count(work):
    with FlopCounterMode(display=False) as counter:
        work()
    return counter.get_total_flops()


def pairs(size, filters):
    """Pairs of positions, and those of them whose offset has a filter, one by one."""
    positions = list(product(*map(range, size)))
    reached = [
        (p, q)
        for p, q in product(positions, positions)
        if abs(p[0] - q[0]) <= filters[0] // 2 and abs(p[1] - q[1]) <= filters[1] // 2
    ]
    return len(positions) ** 2, len(reached)


@pytest.mark.parametrize("direction", ["collect", "distribute"])
@pytest.mark.parametrize(("normalize", "outside"), [("softmax", "exclude"), ("softmax", "zero"), ("count", "zero")])
@pytest.mark.parametrize("filters", [(3, 5), (9, 13), (1, 1), (21, 3)])
def test_a_counter_sees_every_pair_that_takes_part(direction, normalize, outside, filters):
    size, n, c, d = (5, 7), 2, 8, 4
    values, features = torch.randn(n, c, *size, requires_grad=True), torch.randn(n, d, *size, requires_grad=True)
    bank = torch.randn(d, *filters, requires_grad=True)
    everywhere, scored = pairs(size, filters)
    gathered = everywhere if (normalize, outside) == ("softmax", "zero") else scored
    found = []
    forward = count(
        lambda: found.append(
            point_attention(values, features, bank, direction=direction, normalize=normalize, outside=outside)
        )
    )
    assert forward == 2 * n * (scored * d + gathered * c)
    assert count(lambda: found[0].sum().backward()) == 2 * n * (3 * scored * d + 2 * gathered * c)
