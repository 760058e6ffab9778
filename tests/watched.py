"""One small model for every mechanism that has a tap, in every place where it can stand."""

import torch
from torch import nn

from attseg import DFDAM, FCN, PAN, AttentionToRefine, PSANet

SMALL = {"encoder": "test_resnet", "channels": 8}
PSA = {**SMALL, "crop_size": (64, 96), "inner": 8}
MODELS = {
    "PAN": lambda: PAN(5, **SMALL),
    "DFDAM": lambda: DFDAM(5, **SMALL),
    "PSANet": lambda: PSANet(5, **PSA),
    "PSANet compact": lambda: PSANet(5, **PSA, compact=True),
    "PSANet distribute by count": lambda: PSANet(5, **PSA, directions=("distribute",), normalize="count"),
    "PSANet with zero outside": lambda: PSANet(5, **{**PSA, "context_args": {"reach": (2, 1)}}, outside="zero"),
    "AttentionToRefine": lambda: AttentionToRefine(5, base="FCN", base_args=SMALL, stream_channels=8, channels=8),
    "AttentionToRefine on PSANet": lambda: AttentionToRefine(
        5, base="PSANet", base_args=PSA, stream_channels=8, channels=8
    ),
    **{f"FCN {name}": lambda name=name: FCN(5, **SMALL, context=name) for name in ("se", "fpa", "nonlocal", "psa")},
    **{f"FCN {name}": lambda name=name: FCN(5, **SMALL, context=name) for name in ("ccnet", "danet", "ocr", "gcnet")},
    **{f"FCN {name}": lambda name=name: FCN(5, **SMALL, decoder=name) for name in ("gau", "rrb", "dual")},
}


def build(name):
    torch.manual_seed(0)
    model = MODELS[name]().eval()
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):  # so that no branch is silent by its initialisation
            nn.init.uniform_(module.weight, 0.5, 1.5)
    for part in model.parameters():
        if part.ndim == 0:  # factors that begin at 0
            nn.init.constant_(part, 0.5)
    return model


def pictures(height=64, width=96):
    return torch.randn(1, 3, height, width, generator=torch.Generator().manual_seed(1))
