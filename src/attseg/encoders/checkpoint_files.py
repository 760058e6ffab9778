"""Reads tensors from checkpoint files that other programs wrote, and never runs code from them."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from attseg.errors import UsageError
from attseg.files import open_file, require_file
from attseg.tensors import load_tensors


def load_plain(path: Path) -> Any:
    """The content of a ``.safetensors`` file (tensors by name) or of a file of ``torch.save`` (weights only).

    Raises:
        UsageError: There is no such file, or it is damaged, or holds more than tensors and plain values.
    """
    require_file(path)
    if path.suffix == ".safetensors":
        return _read_safetensors(path)
    try:
        beside = torch.serialization.safe_globals([argparse.Namespace])  # the weights of DeiT, DINO and others
        with beside, open_file(path) as file:
            return load_tensors(file)
    except Exception as error:  # a pickle fails in any way it likes
        raise UsageError(_why_not(path, error)) from None


def flatten(content: Any, prefix: str = "") -> Iterator[tuple[str, Tensor]]:
    """The tensors in nested mappings by their dotted names; everything else is left out."""
    if isinstance(content, Tensor):
        yield prefix.removesuffix("."), content
    elif isinstance(content, Mapping):
        for name, value in content.items():
            yield from flatten(value, f"{prefix}{name}.")


def _read_safetensors(path: Path) -> dict[str, Tensor]:
    try:
        with safe_open(require_file(path), framework="pt") as file:
            return {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (a safetensors file is no dict)
    except SafetensorError as error:
        raise UsageError(f"{path} is not a safetensors file, or is incomplete: {error}") from None


def _why_not(path: Path, error: Exception) -> str:
    first = str(error).strip().partition("\n")[0]
    if "weights_only" in str(error) or "Unsupported" in str(error):
        return (
            f"{path} cannot be read as weights alone: it holds more than tensors and plain values, and reading those could run "
            "code. Where it was made, if you trust it, load it and save only its state. Of a pickled module: "
            "torch.save(torch.load(FILE, weights_only=False).state_dict(), 'weights.pth'); of a training checkpoint: "
            "torch.save(torch.load(FILE, weights_only=False)['state_dict'], 'weights.pth')"
        )
    return f"{path} cannot be read as weights: {first or type(error).__name__}"
