"""Reading a file of weights that somebody else wrote: tensors by name, and never code."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from torch import Tensor

from attseg.encoders.checkpoint_files import load_plain
from attseg.errors import UsageError
from attseg.files import require_file
from attseg.tensors import explain_state, listed

Source = str | Path | Mapping[str, Tensor]
"""A file (``.pth``, read weights-only, or ``.safetensors``), or its tensors by name."""

WRAPPER = "module."
"""Prefix of names in networks trained in parallel."""


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
    content = load_plain(require_file(path))
    if isinstance(content, Mapping) and isinstance(content.get("state_dict"), Mapping):
        content = content["state_dict"]
    if not isinstance(content, Mapping) or not all(isinstance(one, Tensor) for one in content.values()):
        raise UsageError(f"{path} holds no tensors by name; a state dict was expected, alone or below 'state_dict'")
    return content
