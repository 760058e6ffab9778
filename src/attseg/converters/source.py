"""Reading a file of weights that somebody else wrote: tensors by name, and never code."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from attseg.errors import UsageError
from attseg.files import require_file
from attseg.tensors import explain_state, listed

Source = str | Path | Mapping[str, Tensor]
"""A file (``.pth``, read weights-only, or ``.safetensors``), or its tensors by name."""

WRAPPER = "module."
"""What names begin with where a network was trained in parallel."""


def read_tensors(source: Source) -> dict[str, Tensor]:
    """The tensors of a file by their names, without what a parallel wrapper puts before them.

    Args:
        source: The tensors may lie below ``state_dict`` in a file.

    Raises:
        UsageError: There is no such file, it holds no tensors by name or tensors that are not finite, or would run code.
    """
    given = source if isinstance(source, Mapping) else _read(Path(source).expanduser())
    tensors = {name.removeprefix(WRAPPER): tensor for name, tensor in given.items()}
    if problems := explain_state(tensors):
        raise UsageError(f"the weights contain NaN or infinite values; fetch or train them anew:{listed(problems)}")
    return tensors


def _read(path: Path) -> Mapping[str, Tensor]:
    require_file(path)
    if path.suffix == ".safetensors":
        return _read_safetensors(path)
    try:
        content: Any = torch.load(require_file(path), map_location="cpu", weights_only=True)
    except Exception as error:
        raise UsageError(_why_not(path, error)) from None
    if isinstance(content, Mapping) and isinstance(content.get("state_dict"), Mapping):
        content = content["state_dict"]
    if not isinstance(content, Mapping) or not all(isinstance(one, Tensor) for one in content.values()):
        raise UsageError(f"{path} holds no tensors by name; a state dict was expected, alone or below 'state_dict'")
    return content


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
