"""Batch normalisation folded into the convolutions before it: the same function in fewer passes over the maps."""

from __future__ import annotations

from collections import Counter
from copy import deepcopy

import torch
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_weights

from attseg.layers import BatchNorm2d
from attseg.prediction.outputs import logits_of

SIDE = 64
"""Height and width in pixels of the picture that convolutions and their normalisations are found with."""

TOLERANCE = 1e-3
"""Largest difference of logits, as a share of the largest logit, at which a folded network is taken for the same function."""

PLAIN = (nn.BatchNorm2d, BatchNorm2d)


def fold_batch_norm(model: nn.Module) -> nn.Module:
    """A copy of a network whose convolutions do what batch normalisation did after them; the network itself where nothing folds.

    Which normalisation follows which convolution is seen on a picture of noise. The copy is compared with the network on that
    picture, and dropped where they differ by more than rounding, as where the output of a convolution has another reader too.

    Args:
        model: In evaluation mode, on any device; it is not changed.
    """
    if not any(isinstance(module, nn.BatchNorm2d) for module in model.modules()):
        return model
    copy = deepcopy(model)
    like = next(copy.parameters())
    noise = torch.randn(1, 3, SIDE, SIDE, generator=torch.Generator().manual_seed(0)).to(like)
    try:
        pairs, before = _pairs(copy, noise)
    except (ValueError, RuntimeError):  # it takes other channels or sizes
        return model
    for convolution, name, norm in pairs:
        _fold(convolution, norm)
        act = getattr(norm, "act", None)  # timm keeps the activation in the normalisation
        copy.set_submodule(name, act if isinstance(act, nn.Module) else nn.Identity())
    with torch.inference_mode():
        difference = (logits_of(copy(noise), noise) - before).abs().max()
    return copy if difference <= TOLERANCE * before.abs().max() else model


def _pairs(model: nn.Module, noise: Tensor) -> tuple[list[tuple[nn.Conv2d, str, nn.BatchNorm2d]], Tensor]:
    """Convolutions with the name of the normalisation that reads their output, each of which is used once; and the logits."""
    made: dict[int, tuple[nn.Conv2d, Tensor]] = {}  # the tensor is held, so that its id stays its own
    read: list[tuple[nn.Conv2d | None, str, nn.BatchNorm2d]] = []
    calls: Counter[nn.Module] = Counter()
    hooks = []

    def after_convolution(module: nn.Module, _: object, output: Tensor) -> None:
        assert isinstance(module, nn.Conv2d)
        made[id(output)] = (module, output)
        calls[module] += 1

    for name, module in model.named_modules():
        if type(module) is nn.Conv2d:
            hooks.append(module.register_forward_hook(after_convolution))
        elif isinstance(module, nn.BatchNorm2d) and _folds(module):

            def before_norm(norm: nn.Module, inputs: tuple[Tensor, ...], name: str = name) -> None:
                assert isinstance(norm, nn.BatchNorm2d)
                read.append((made.get(id(inputs[0]), (None,))[0], name, norm))
                calls[norm] += 1

            hooks.append(module.register_forward_pre_hook(before_norm))
    with torch.inference_mode():
        logits = logits_of(model(noise), noise)
    for hook in hooks:
        hook.remove()
    once = [(conv, name, norm) for conv, name, norm in read if conv is not None and calls[conv] == calls[norm] == 1]
    return once, logits


def _folds(norm: nn.BatchNorm2d) -> bool:
    """Whether a normalisation is a fixed scale and shift, with at most an activation behind it."""
    return norm.running_mean is not None and (type(norm) in PLAIN or isinstance(getattr(norm, "act", None), nn.Module))


def _fold(convolution: nn.Conv2d, norm: nn.BatchNorm2d) -> None:
    assert norm.running_mean is not None and norm.running_var is not None  # _folds
    convolution.weight, convolution.bias = fuse_conv_bn_weights(
        convolution.weight, convolution.bias, norm.running_mean, norm.running_var, norm.eps, norm.weight, norm.bias
    )
