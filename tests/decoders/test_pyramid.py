"""UPerNet's decoder against segmentation_models_pytorch's, with the weights carried over, and against a plain restatement."""

import torch
import torch.nn.functional as F
from segmentation_models_pytorch.decoders.upernet.decoder import UPerNetDecoder
from torch import nn

from attseg.decoders.pyramid import FeaturePyramidDecoder

LOWS = (5, 6, 7)


def pictures():
    return [torch.randn(2, 5, 24, 31), torch.randn(2, 6, 12, 16), torch.randn(2, 7, 6, 8)], torch.randn(2, 4, 3, 4)


def test_every_level_is_added_refined_and_fused():
    torch.manual_seed(0)
    decoder = FeaturePyramidDecoder(LOWS, 4).eval()
    lows, high = pictures()

    def larger(maps, like):
        return F.interpolate(maps, like.shape[2:], mode="bilinear", align_corners=False)

    third = decoder.lateral[2](lows[2]) + larger(high, lows[2])
    second = decoder.lateral[1](lows[1]) + larger(third, lows[1])
    first = decoder.lateral[0](lows[0]) + larger(second, lows[0])
    levels = [decoder.refine[0](first), decoder.refine[1](second), decoder.refine[2](third), high]
    expected = decoder.fuse(torch.cat([larger(level, lows[0]) for level in levels], 1))
    torch.testing.assert_close(decoder(lows, high).fused, expected)


def test_parameters_are_those_of_the_paper_at_its_width():
    """FPN of 512 channels on ResNet-50: three laterals, three 3x3, and one that fuses four levels."""
    decoder = FeaturePyramidDecoder((256, 512, 1024), 512)
    convolutions = (256 + 512 + 1024) * 512 + 3 * 512 * 512 * 9 + 4 * 512 * 512 * 9
    assert sum(p.numel() for p in decoder.parameters()) == convolutions + 7 * 2 * 512


def test_it_is_that_of_the_package():
    """Without what the package has beside the paper: layer normalisation of the encoder's maps."""
    torch.manual_seed(0)
    theirs = UPerNetDecoder((3, 3, *LOWS, 4), decoder_channels=4).eval()
    theirs.feature_norms = nn.ModuleList(nn.Identity() for _ in range(4))
    theirs.psp = nn.Identity()  # the context's part
    ours = FeaturePyramidDecoder(LOWS, 4).eval()
    for module in ours.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.uniform_(module.weight, 0.5, 1.5)
    for place in range(3):
        theirs.fpn_lateral_blocks[2 - place].conv_norm_relu.load_state_dict(ours.lateral[place].state_dict())
        theirs.fpn_conv_blocks[2 - place].load_state_dict(ours.refine[place].state_dict())
    theirs.fusion_block.load_state_dict(ours.fuse.state_dict())
    lows, high = pictures()
    with torch.no_grad():
        expected = theirs([torch.zeros(2, 3, 1, 1), torch.zeros(2, 3, 1, 1), *lows, high])
        torch.testing.assert_close(ours(lows, high).fused, expected, atol=1e-5, rtol=1e-5)
