"""The shape checker itself, where it is on."""

import jaxtyping
import pytest
import torch

from attseg.attention.upsample import GlobalAttentionUpsample


def test_a_wrong_shape_is_noticed(request):
    if not request.config.getoption("--jaxtyping-packages"):
        pytest.skip("the shape checker is off: --jaxtyping-packages=attseg,shapes.checked turns it on")
    gau = GlobalAttentionUpsample(3, 5)
    with pytest.raises(jaxtyping.TypeCheckError, match="high"):
        gau(torch.zeros(2, 3, 4, 4), torch.zeros(1, 5, 2, 2))
