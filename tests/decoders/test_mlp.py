"""SegFormer's decoder against segmentation_models_pytorch's, with the weights carried over."""

import torch
from segmentation_models_pytorch.decoders.segformer.decoder import SegformerDecoder

from attseg.decoders.mlp import MLPDecoder

WIDTHS = (5, 6, 7, 4)


def test_it_is_that_of_the_package():
    torch.manual_seed(0)
    theirs = SegformerDecoder(encoder_channels=(3, 5, 6, 7, 4), encoder_depth=4, segmentation_channels=4).eval()
    ours = MLPDecoder(WIDTHS[:3], WIDTHS[3]).eval()
    stages = list(theirs.mlp_stage)  # deepest first
    with torch.no_grad():
        for project, stage in zip(ours.project, reversed(stages), strict=True):
            project.weight.copy_(stage.linear.weight[:, :, None, None])
            project.bias.copy_(stage.linear.bias)
        ours.fuse.load_state_dict(theirs.fuse_stage.state_dict())
    torch.nn.init.uniform_(ours.fuse[1].weight, 0.5, 1.5)
    theirs.fuse_stage.load_state_dict(ours.fuse.state_dict())
    maps = [torch.randn(2, width, 32 // 2**place, 48 // 2**place) for place, width in enumerate(WIDTHS)]
    with torch.no_grad():
        expected = theirs([torch.randn(2, 3, 128, 192), *maps])
        found = ours(maps[:3], maps[3]).fused
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=1e-5)
