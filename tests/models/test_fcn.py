"""The baseline's linear head; its contexts, decoders and all else are in ``test_every_model``."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from attseg.errors import UsageError
from attseg.models import FCN


def test_a_linear_head_is_one_convolution_on_the_deepest_map():
    torch.manual_seed(0)
    model = FCN(4, encoder="test_resnet", output_stride=8, head="linear").eval()
    images = torch.randn(2, 3, 50, 64)
    with torch.no_grad():
        deep = model.encoder(images)[-1]
        logits = torch.einsum("kc,nchw->nkhw", model.head.weight[:, :, 0, 0], deep) + model.head.bias[:, None, None]
        expected = F.interpolate(logits, (50, 64), mode="bilinear", align_corners=False)
        torch.testing.assert_close(model(images).logits, expected, atol=1e-5, rtol=1e-4)
    own = [name for name, layer in model.named_modules() if isinstance(layer, nn.Conv2d) and "encoder" not in name]
    assert own == ["head"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"head": "linaer"}, "no head 'linaer'; did you mean 'linear'"),
        (
            {"head": "linear", "context": "se"},
            "the head 'linear' reads .* leaves no place for context='se' and decoder='bilin",
        ),
        (
            {"head": "linear", "decoder": "skip"},
            "leaves no place for context='none' and decoder='skip'; take context='none'",
        ),
    ],
    ids=str,
)
def test_says_what_is_wrong(options, message):
    with pytest.raises(UsageError, match=message):
        FCN(4, encoder="test_resnet", **options)


def test_corners_are_aligned_where_asked():
    model = FCN(3, encoder="test_resnet", channels=8, align_corners=True).eval()
    images = torch.randn(1, 3, 65, 97)
    *_, deep = model.encoder(images)
    expected = F.interpolate(model.head(model.context(deep)), (65, 97), mode="bilinear", align_corners=True)
    torch.testing.assert_close(model(images).logits, expected)
    psp = FCN(3, encoder="test_resnet", channels=8, context="psp", align_corners=True)
    assert psp.context.align_corners


def test_a_context_takes_its_options():
    model = FCN(3, encoder="test_resnet", channels=8, context="global", context_args={"kernel": 3})
    assert model.context.merge[0].kernel_size == (3, 3)
    with pytest.raises(UsageError, match=r"no argument of the context 'global' 'kernle'; did you mean 'kernel'"):
        FCN(3, encoder="test_resnet", context="global", context_args={"kernle": 3})
