"""The non-local context: how what is gathered meets what was there. The operation itself has its test in attention/."""

import pytest
import torch
from torch import nn

from attseg import capture
from attseg.context.non_local import NonLocalContext
from attseg.errors import UsageError


@pytest.mark.parametrize("kernel", [1, 3])
def test_fuses_as_it_says(kernel):
    torch.manual_seed(0)
    x = torch.randn(2, 6, 4, 5)
    for fuse in ("add", "concat"):
        context = NonLocalContext(6, 3, inner=4, fuse=fuse, kernel=kernel).eval()
        nn.init.normal_(context.gather.norm.weight)
        gathered = context.gather(x)
        expected = context.merge(x + gathered if fuse == "add" else torch.cat([x, gathered], 1))
        assert torch.equal(context(x), expected)
        assert context.merge[0].kernel_size == (kernel, kernel)


def test_the_residual_block_begins_as_an_identity():
    torch.manual_seed(0)
    context = NonLocalContext(6, 3, inner=4).train()
    x = torch.randn(2, 6, 4, 5)
    merged = context.merge(x)
    torch.testing.assert_close(context(x), merged)
    beside = NonLocalContext(6, 3, inner=4, fuse="concat")
    assert beside.gather(x).abs().sum() > 0


def test_edits_reach_the_result():
    torch.manual_seed(0)
    context = NonLocalContext(6, 3, inner=4, fuse="concat").eval()
    x = torch.randn(1, 6, 4, 5)
    with torch.no_grad():
        plain = context(x)
        with capture(context, edit={"gather.attention": torch.zeros_like}):
            edited = context(x)
        bare = context.merge(torch.cat([x, context.gather.norm(torch.zeros_like(x))], 1))
    assert not torch.allclose(edited, plain)
    torch.testing.assert_close(edited, bare)


def test_parameters_follow_from_the_options():
    def count(**options):
        return sum(p.numel() for p in NonLocalContext(24, 8, **options).parameters())

    def gather(inner):
        return 3 * (24 * inner + inner) + inner * 24 + 2 * 24

    assert count() == gather(512) + 24 * 8 + 2 * 8
    assert count(inner=6, fuse="concat", kernel=3) == gather(6) + 48 * 8 * 9 + 2 * 8


def test_says_what_is_wrong():
    with pytest.raises(UsageError, match="fused by 'sum'; 'add' or 'concat'"):
        NonLocalContext(4, 4, fuse="sum")
