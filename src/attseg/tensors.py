"""Which tensors of a file may become weights: finite numbers, of the kind of the parameter that they are loaded into."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from typing import Any, BinaryIO

import torch
from torch import Tensor

FLOATS = (torch.float16, torch.bfloat16, torch.float32, torch.float64)
"""Dtypes of weights that hold plain numbers. 8-bit floats are none of them: they mean something only with their scales."""

MOST_LISTED = 6


def explain_state(state: Mapping[str, Tensor], like: Mapping[str, Tensor] | None = None) -> list[str]:
    """Problems that keep tensors from being used as weights, one per line; empty if there are none.

    Any of ``FLOATS`` may be stored for any other: half precision becomes 32 bits exactly, and 64 bits are rounded. Integers
    may be stored for integers whose range holds them. NaN and infinite values are refused, and so are values that become
    infinite in the dtype of the parameter.

    Args:
        state: Tensors by name.
        like: Parameters and buffers by name, which may be on the meta device; names that are not in both are left out. None
            asks only whether all values are finite.

    Example:
        >>> explain_state({"w": torch.tensor([1.0, float("nan")])})
        ['w: 1 of 2 values are NaN or infinite']
        >>> explain_state({"w": torch.ones(2, dtype=torch.int32)}, {"w": torch.ones(2)})
        ['w: int32, where float32 was expected']
    """
    found = []
    for name, tensor in state.items():
        if like is not None and name not in like:
            continue
        if problem := _explain(tensor, tensor.dtype if like is None else like[name].dtype):
            found.append(f"{name}: {problem}")
    return found


def load_tensors(file: BinaryIO) -> Any:
    """Content of a file of ``torch.save``, on the CPU: tensors and plain values alone, so that no code in it is run.

    PyTorch would also unpack compressed archives, which it never writes: 2 GiB of zeros come in 2 MiB.

    Raises:
        ValueError: It would take more memory than the file is large.
        Exception: It is no such file; torch raises what it likes.
    """
    if zipfile.is_zipfile(file):
        with zipfile.ZipFile(file) as archive:
            records = archive.infolist()
        size = file.seek(0, 2)
        if any(record.compress_type for record in records) or sum(record.file_size for record in records) > size:
            raise ValueError(
                "its records are compressed, or claim to be larger than the file; torch.save writes no such file"
            )
    file.seek(0)
    return torch.load(file, map_location="cpu", weights_only=True)


def listed(lines: list[str]) -> str:
    """The first of some lines, as one text."""
    more = f"\n    and {len(lines) - MOST_LISTED} more" if len(lines) > MOST_LISTED else ""
    return "".join(f"\n    {line}" for line in lines[:MOST_LISTED]) + more


def _explain(tensor: Tensor, wanted: torch.dtype) -> str:
    if tensor.dtype != wanted and (_kind(tensor.dtype) is None or _kind(tensor.dtype) != _kind(wanted)):
        return f"{_name(tensor.dtype)}, where {_name(wanted)} was expected"
    if tensor.is_meta or not tensor.numel():
        return ""
    if _kind(wanted) == "integer" and tensor.dtype != wanted:
        low, high = torch.iinfo(wanted).min, torch.iinfo(wanted).max
        if int(tensor.min()) < low or int(tensor.max()) > high:
            return f"{_name(tensor.dtype)} values that do not fit into {_name(wanted)}"
    if tensor.dtype in FLOATS or tensor.is_complex():
        finite = tensor.to(wanted).isfinite()
        if not finite.all():
            return f"{int((~finite).sum())} of {tensor.numel()} values are NaN or infinite"
    return ""


def _kind(dtype: torch.dtype) -> str | None:
    """The group of dtypes that convert into one another; None for a dtype that converts into no other."""
    if dtype in FLOATS:
        return "float"
    if dtype == torch.bool or dtype.is_floating_point or dtype.is_complex:
        return None
    return "integer"


def _name(dtype: torch.dtype) -> str:
    return str(dtype).removeprefix("torch.")
