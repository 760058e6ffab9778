"""Which ResNet a file of weights holds, by timm's name for it."""

from __future__ import annotations

from attseg.converters.foreign import Given, Renaming
from attseg.errors import UsageError

STAGES = (1, 2, 3, 4)
DEPTHS: dict[tuple[bool, tuple[int, ...]], int] = {
    (False, (2, 2, 2, 2)): 18,
    (False, (3, 4, 6, 3)): 34,
    (True, (3, 4, 6, 3)): 50,
    (True, (3, 4, 23, 3)): 101,
    (True, (3, 8, 36, 3)): 152,
}
"""Whether blocks have three convolutions, and how many blocks each stage has."""
STEMS = {64: "c", 128: "s"}
"""Channels of the last of three convolutions, and the letter that timm puts behind the depth."""
TIMM_STEM = (("conv1.0", 0), ("conv1.1", 1), ("conv1.3", 3), ("conv1.4", 4), ("conv1.6", 6), ("bn1", 7))
"""Parts of timm's deep stem, and their places where the stem is one sequence."""


def find_resnet(given: Given, *, prefix: str = "", last_stem: str | None = None) -> str:
    """The name of the ResNet whose stages are ``layer1`` to ``layer4`` below a prefix.

    Args:
        given: The tensors.
        prefix: What stands before the names of the stages.
        last_stem: Name of the last convolution of a deep stem; None where the stem is one convolution of 7x7.

    Raises:
        UsageError: The numbers of blocks or channels are of no ResNet that is known.
    """
    first = given.shape(f"{prefix}layer1.0.conv2.weight")
    blocks = tuple(_blocks(given, f"{prefix}layer{stage}.") for stage in STAGES)
    bottleneck = f"{prefix}layer1.0.conv3.weight" in given
    depth = DEPTHS.get((bottleneck, blocks))
    if depth is None:
        raise UsageError(
            f"the encoder has {', '.join(map(str, blocks))} {'bottleneck' if bottleneck else 'basic'} blocks in its stages; "
            "a ResNet with 18, 34, 50, 101 or 152 layers was expected"
        )
    if last_stem is not None:
        width = given.shape(last_stem)[0]
        if width not in STEMS or (width == 64 and depth < 50):
            raise UsageError(
                f"the encoder's stem ends in {width} channels; 128 were expected, or 64 with 50 layers or more"
            )
        return f"resnet{depth}{STEMS[width]}"
    groups = first[0] // first[1]
    if bottleneck and groups > 1:
        return f"resnext{depth}_{groups}x{first[1]}d"
    return f"resnet{depth}"


def sequential_stem(prefix: str) -> Renaming:
    """The names of timm's deep stem where it is a sequence below ``prefix``."""
    return [(f"encoder.network.{ours}.", f"{prefix}.{place}.") for ours, place in TIMM_STEM]


def _blocks(given: Given, stage: str) -> int:
    return len({name.removeprefix(stage).partition(".")[0] for name in given.tensors if name.startswith(stage)})
