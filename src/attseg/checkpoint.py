"""Files of weights: safetensors that carry what is needed to use them - model, classes, preprocessing - and never code."""

from __future__ import annotations

import json
import zlib
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor, nn

from attseg.data.classes import ClassTable
from attseg.data.preprocessing import Preprocessing
from attseg.files import FileError, open_file, require_file, write_file
from attseg.recipes.recipe import ModelSpec
from attseg.tensors import explain_state, listed
from attseg.text import dimensions, is_utf8

FORMAT = 3
"""Version of what the header holds; raised when an older attseg could no longer read it rightly.

Weights of chosen bands are written as version 3, those with a value range as 2, and all others as 1, which release 0.1 reads.
"""

DEEPEST = 50
"""Levels of nesting in a header; those that attseg writes have six."""

_HEADER = "attseg"
_FIRST_WEIGHTS = ("pretrained", "encoder_weights")
_MOST_LISTED = 6


class WeightsError(ValueError):
    """A file of weights is damaged, foreign or too new, or does not fit the model; the message says which and what to do."""


@dataclass(frozen=True, eq=False)
class Weights:
    """Contents of a weights file.

    Args:
        state: Tensors by name, on the CPU.
        model: The network that they belong to.
        classes: What its outputs mean.
        preprocessing: What its inputs went through.
        info: Where the weights come from, as plain values: recipe, seed, step, miou.
    """

    state: dict[str, Tensor]
    model: ModelSpec
    classes: ClassTable
    preprocessing: Preprocessing
    info: dict[str, Any]


def save_weights(
    path: Path,
    state: Mapping[str, Tensor],
    *,
    model: ModelSpec,
    classes: ClassTable,
    preprocessing: Preprocessing,
    info: Mapping[str, Any],
) -> None:
    """Write weights to a safetensors file, at once or not at all.

    Args:
        path: The file, by custom ``*.safetensors``; an existing one is replaced.
        state: What ``model.state_dict()`` gives; tensors may share memory and have any layout and device.
        model: The network. Arguments that say where its first weights came from are left out: they no longer matter.
        classes: What the network's outputs mean.
        preprocessing: What its inputs go through.
        info: Plain values that say where the weights come from.

    Raises:
        FileError: The file cannot be written.
        WeightsError: There are NaN or infinite weights.
        TypeError: ``model.args`` or ``info`` hold something that JSON cannot.
    """
    if problems := explain_state(state):
        raise WeightsError(f"weights that contain NaN or infinite values are not written to {path}:{listed(problems)}")
    header = {
        "format": preprocessing.version,
        "model": {"name": model.name, "args": architecture(model.args)},
        "classes": classes.to_dict(),
        "preprocessing": preprocessing.to_dict(),
        "info": dict(info),
    }
    own = {name: tensor.detach().cpu().clone(memory_format=torch.contiguous_format) for name, tensor in state.items()}
    content = save(own, metadata={_HEADER: json.dumps(header | {"checksum": _checksum(own)})})
    write_file(path, content)


def read_weights(path: Path) -> Weights:
    """Read a file that ``save_weights`` wrote. Nothing in the file is ever run.

    Sequences among ``model.args`` and ``info`` come back as lists.

    Raises:
        UsageError: There is no such file.
        FileError: The file may not be read.
        WeightsError: The file is not attseg's, is damaged, contains NaN or infinite weights, or was written by a newer attseg.
    """
    try:
        with safe_open(require_file(path), framework="pt") as file:
            header = (file.metadata() or {}).get(_HEADER)
            state = {name: file.get_tensor(name).clone() for name in file.keys()}  # noqa: SIM118, the file is no mapping
    except SafetensorError as error:
        if not is_utf8(path):
            raise WeightsError(
                f"{path} cannot be read: its path is not UTF-8, and safetensors opens no other; rename the file or the folder"
            ) from None
        raise WeightsError(f"{path} cannot be read: {_diagnosis(path, error)}") from error
    except FileError:
        raise
    except OSError as error:
        raise FileError(f"{path} cannot be read: {error.strerror or error}") from error
    if header is None:
        raise WeightsError(f"{path} holds tensors but nothing about model and classes: it was not written by attseg")
    found = _parse(path, header, state)
    if problems := explain_state(state):
        raise WeightsError(
            f"{path} contains NaN or infinite weights, with which every pixel would get the first class; use weights that were "
            f"saved before training diverged (last.safetensors, another run), or train anew:{listed(problems)}"
        )
    return found


def trained_on(info: Mapping[str, Any]) -> str | None:
    """Name of the data set of the recipe that made some weights, where their ``info`` says so."""
    recipe = info.get("recipe")
    data = recipe.get("data") if isinstance(recipe, dict) else None
    name = data.get("name") if isinstance(data, dict) else None
    return name if isinstance(name, str) else None


def load_into(model: nn.Module, state: Mapping[str, Tensor]) -> None:
    """Load weights that fit exactly; of weights that do not, load nothing.

    Raises:
        WeightsError: As of ``check_fit``.
    """
    check_fit(model, state)
    model.load_state_dict(state)


def check_fit(model: nn.Module, state: Mapping[str, Tensor]) -> None:
    """Refuse weights that do not fit a model exactly, which may be on the meta device.

    Raises:
        WeightsError: Names or shapes differ, a tensor is of another kind than its parameter (``explain_state`` says what may be
            stored for what), or values are NaN or infinite; the message lists them.
    """
    own = model.state_dict()
    other_shape = [
        f"{name} ({dimensions(own[name].shape)} in the model, {dimensions(state[name].shape)} in the file)"
        for name in own
        if name in state and own[name].shape != state[name].shape
    ]
    differences = [
        *_listed("missing", _by_module(name for name in own if name not in state)),
        *_listed("unexpected", _by_module(name for name in state if name not in own)),
        *_listed("of another shape", other_shape),
    ]
    if differences:
        raise WeightsError(
            f"these weights do not fit this {type(model).__name__}; build it with the arguments that it was trained with\n"
            + "\n".join(differences)
        )
    if problems := explain_state(state, own):
        raise WeightsError(f"these weights cannot be loaded into this {type(model).__name__}:{listed(problems)}")


def architecture(args: Mapping[str, Any]) -> dict[str, Any]:
    """Arguments without those that say where the first weights came from; a model within a model has its own among them."""
    return {
        name: architecture(value) if isinstance(value, Mapping) else value
        for name, value in args.items()
        if name not in _FIRST_WEIGHTS
    }


def _parse(path: Path, text: str, state: dict[str, Tensor]) -> Weights:
    try:
        header = json.loads(text)
        if _is_deeper(header, DEEPEST):
            raise ValueError(f"lists and mappings within each other, deeper than {DEEPEST} levels")
        if header["format"] > FORMAT:
            raise WeightsError(
                f"{path} was written by a newer attseg (format {header['format']}, this one reads up to {FORMAT}); "
                "upgrade with: pip install --upgrade attseg"
            )
        if header.get("checksum") not in (None, _checksum(state)):  # files of before 2026-11-21 have none
            raise WeightsError(f"the weights in {path} do not fit its checksum: it is damaged; fetch or write it again")
        return Weights(
            state,
            ModelSpec(name=header["model"]["name"], args=architecture(header["model"]["args"])),
            ClassTable.from_dict(header["classes"]),
            Preprocessing.from_dict(header["preprocessing"]),
            dict(header["info"]),
        )
    except WeightsError:
        raise
    except (LookupError, TypeError, ValueError, AttributeError, OverflowError, RecursionError) as error:
        raise WeightsError(
            f"the header of {path} is damaged ({type(error).__name__}: {error}); fetch or write the file again"
        ) from error


def _is_deeper(values: Any, levels: int) -> bool:
    level = [values]
    for _ in range(levels):
        inner = (
            value.values() if isinstance(value, dict) else value for value in level if isinstance(value, dict | list)
        )
        level = [value for values in inner for value in values]
    return bool(level)


def _checksum(state: Mapping[str, Tensor]) -> int:
    """A number that changes with any bit of the weights; safetensors itself would not notice."""
    found = 0
    for name in sorted(state):
        found = zlib.crc32(state[name].flatten().view(torch.uint8).numpy().data, zlib.crc32(name.encode(), found))
    return found


def _diagnosis(path: Path, error: SafetensorError) -> str:
    with open_file(path) as file:
        start = file.read(9)
    if start.startswith((b"PK", b"\x80")):
        return (
            "it is a pickle, as torch.save writes; attseg reads safetensors only, because a pickle can run code. Load a state "
            "dict of your own into its model, and write that: model.load_state_dict(torch.load(FILE)); attseg.save(model, "
            "'mine.safetensors', classes=[..])"
        )
    if start[8:] == b"{":
        return f"it is damaged or incomplete ({error}); fetch or write it again"
    return f"it is not a safetensors file ({error})"


def _by_module(names: Iterable[str]) -> list[str]:
    modules: dict[str, list[str]] = defaultdict(list)
    for name in names:
        module, _, leaf = name.rpartition(".")
        modules[module or "(the model itself)"].append(leaf)
    return [f"{module}: {', '.join(leaves)}" for module, leaves in modules.items()]


def _listed(what: str, lines: list[str]) -> list[str]:
    shown = [f"    {line}" for line in lines[:_MOST_LISTED]]
    rest = [f"    and {len(lines) - _MOST_LISTED} more"] if len(lines) > _MOST_LISTED else []
    return [f"  {what}:", *shown, *rest] if lines else []
