"""FCN-8s' scores against loops over every position."""

import numpy as np
import pytest
import torch

from attseg.decoders.skip_scores import SkipScores
from attseg.errors import UsageError
from attseg.layers import resize
from attseg.models import FCN

K = 3


def drawn():
    torch.manual_seed(0)
    decoder = SkipScores((2, 4), 5, K, strides=(8, 16, 32)).double()
    with torch.no_grad():
        for parameter in decoder.parameters():
            parameter.normal_()
    return decoder


def naive_score(maps, layer):
    weight, bias = layer.weight.detach().numpy()[:, :, 0, 0], layer.bias.detach().numpy()
    return np.einsum("kc,chw->khw", weight, maps) + bias[:, None, None]


def naive_enlarge(scores, layer):
    """Each score writes its kernel around its place; half a step of the outermost writing is cut off."""
    weight, step = layer.weight.detach().numpy(), layer.stride[0]
    k, h, w = scores.shape
    out = np.zeros((k, (h + 1) * step, (w + 1) * step))
    for i in range(h):
        for j in range(w):
            for c in range(k):
                out[:, i * step : (i + 2) * step, j * step : (j + 2) * step] += scores[c, i, j] * weight[c]
    return out[:, step // 2 : -step // 2, step // 2 : -step // 2]


@pytest.mark.parametrize("size", [(4, 6), (5, 7), (3, 2)])
def test_equals_loops(size):
    decoder, (h, w) = drawn(), size
    middle = (-(-h // 2), -(-w // 2))
    deep = (-(-middle[0] // 2), -(-middle[1] // 2))
    maps = [torch.randn(1, c, *side).double() for c, side in ((2, size), (4, middle), (5, deep))]
    with torch.no_grad():
        found = decoder(maps[:2], maps[2]).fused[0].numpy()
    fine, half, least = (one[0].numpy() for one in maps)
    up = naive_enlarge(naive_score(least, decoder.deep), decoder.twice[0])[:, : middle[0], : middle[1]]
    up = naive_enlarge(up + naive_score(half, decoder.middle), decoder.twice[1])[:, :h, :w]
    expected = naive_enlarge(up + naive_score(fine, decoder.fine), decoder.whole)
    assert found.shape == (K, 8 * h, 8 * w)
    np.testing.assert_allclose(found, expected, atol=1e-10)


def test_transposed_convolutions_begin_as_bilinear_interpolation_and_scores_with_zeros():
    decoder = SkipScores((2, 4), 5, K, strides=(8, 16, 32))
    scores = torch.randn(1, K, 6, 7)
    with torch.no_grad():
        inside = decoder.whole(scores)[..., 8:-8, 8:-8]
    torch.testing.assert_close(inside, resize(scores, (48, 56))[..., 8:-8, 8:-8], atol=1e-5, rtol=1e-5)
    assert not any(layer.weight.any() for layer in (decoder.deep, decoder.middle, decoder.fine))


def test_fcn_gives_a_logit_a_pixel_and_cuts_what_is_beyond():
    torch.manual_seed(0)
    model = FCN(K, encoder="test_resnet", output_stride=32, head="skips").eval()
    with torch.no_grad():
        for parameter in model.decoder.parameters():
            parameter.normal_()
        out = model(images := torch.randn(1, 3, 37, 52)).logits
        *lows, deep = model.encoder(images)
        assert torch.equal(out, model.decoder(lows, deep).fused[..., :37, :52])


def test_what_does_not_fit_is_refused():
    with pytest.raises(UsageError, match="strides 8, 16 and 32"):
        FCN(K, encoder="test_resnet", output_stride=8, head="skips")
    with pytest.raises(UsageError, match="no place for context='psp'"):
        FCN(K, encoder="test_resnet", output_stride=32, head="skips", context="psp")
