"""Loads an encoder's first weights from a file: every tensor that it needs, whatever the names begin with, or an error."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from torch import Tensor, nn

from attseg.encoders.checkpoint_files import flatten, load_plain
from attseg.encoders.efficientnet import package_of, rename
from attseg.encoders.fit import Fit, Shapes, find_fits, fit_at, needed_shapes, told, unwrapped
from attseg.encoders.weights import Origin, normalisation
from attseg.errors import UsageError
from attseg.files import require_file
from attseg.tensors import explain_state, listed

RUN_FILES = ("best.safetensors", "last.safetensors", "model.safetensors")
"""The weights in a run folder or one that ``save_pretrained`` wrote, the preferred ones first."""


def load_encoder(
    network: nn.Module,
    name: str,
    file: str | Path,
    whole: Callable[[], Any],
    of_three: Callable[[], nn.Module],
    in_channels: int,
) -> Origin:
    """Load the weights of a network of timm, without what classifies, from a file into ``network``.

    Args:
        network: Where they go: timm's network, or that part of it which gives maps.
        name: Its name in timm.
        file: As for ``find_tensors``.
        whole: Builds timm's whole network for three channels.
        of_three: Builds ``network`` for three channels, where it is for others: weights of three are adapted to these.
        in_channels: Channels that ``network`` is for.

    Raises:
        UsageError: Not every tensor that ``network`` needs is in the file, with its shape.
        FileNotFoundError: There is no such file.
    """
    own = network.state_dict()
    forms: list[tuple[Mapping[str, Tensor], Callable[[], Any]]] = [(own, whole)]
    if in_channels != 3:
        with torch.device("meta"):
            forms.append((of_three().state_dict(), whole))
    tensors, origin = find_tensors(name, file, forms)
    others = [key for key, tensor in tensors.items() if tensor.shape != own[key].shape]
    if others:
        tensors |= {key: adapted(tensors[key], in_channels) for key in others}
        origin = origin.adapted(in_channels)
    network.load_state_dict(tensors, strict=False)  # all are there; without the counters of batches
    return origin


def adapted(weight: Tensor, in_channels: int) -> Tensor:
    """The weights of a first convolution for three channels, for any number of them, as timm does it.

    For one channel they are summed; for others repeated, and scaled by three over their number.

    Args:
        weight: (out, 3, ..), of the network's first layer.
        in_channels: How many channels are wanted.
    """
    from timm.models import adapt_input_conv

    found: Tensor = adapt_input_conv(in_channels, weight)
    return found


def find_tensors(
    name: str, file: str | Path, forms: Sequence[tuple[Mapping[str, Tensor], Callable[[], Any]]]
) -> tuple[dict[str, Tensor], Origin]:
    """The tensors in a file that one of the forms of a network needs.

    Args:
        name: Name in timm.
        file: ``.safetensors``, ``.pth`` or ``.pt``, or timm's ``.npz`` of a transformer; or a run folder, whose best weights
            are taken. Names may have anything before them, such as ``backbone.``, and lie in nested mappings.
        forms: What is needed, by name, and what builds the whole network of timm that these names belong to.

    Returns:
        The tensors by the names of the first form that fits, and where they come from.

    Raises:
        UsageError: Not every tensor that is needed is in the file, with its shape.
        FileNotFoundError: There is no such file.
    """
    path = _existing(file, name)
    with torch.device("meta"):
        wholes = [build() for _, build in forms]
    given = _from_numpy(path, forms[0][1]) if path.suffix == ".npz" else dict(flatten(load_plain(path)))
    closest: tuple[Fit, Shapes] | None = None
    for (state, _), whole in zip(forms, wholes, strict=True):
        needed = needed_shapes(state)
        fit = _best(given, needed, whole, path)
        if fit.complete:
            _require_numbers(fit, state, path)
            mean, std = _own_normalisation(path) or normalisation(name)
            return fit.tensors, Origin(_line(fit, needed, path), mean, std)
        if closest is None or len(fit.tensors) > len(closest[0].tensors):
            closest = fit, needed
    assert closest is not None
    raise UsageError(
        f"the weights in {path} are not those of the encoder {name!r}: {told(*closest)}. Give weights of this very network, or "
        "name the encoder that they belong to"
    )


def _best(given: Mapping[str, Tensor], needed: Shapes, whole: nn.Module, path: Path) -> Fit:
    """The fit that counts: of the names as they are, or else of those that are known to mean the same."""
    whole_shapes = {name: tensor.shape for name, tensor in whole.state_dict().items()}
    fits = find_fits(given, needed, whole_shapes)
    if not fits[0].complete:
        fits += [
            fit_at(renamed, "", needed, whole_shapes)
            for _, state in unwrapped(given)
            for renamed in _renamed(state, whole)
        ]
        return max(fits, key=lambda fit: (fit.complete, len(fit.tensors)))
    complete = [fit for fit in fits if fit.complete]
    chosen = [fit for fit in complete if fit.preferred] or complete
    if any(not _equal(chosen[0], other) for other in chosen[1:]):
        raise UsageError(
            f"{path} holds this network more than once, with different weights, under the names "
            f"{' and '.join(repr(fit.prefix) for fit in chosen)}; save the one that you mean alone"
        )
    return chosen[0]


def _renamed(state: dict[str, Tensor], whole: nn.Module) -> list[dict[str, Tensor]]:
    """The tensors under timm's names, as far as timm or we know the names that they have."""
    if any(name.startswith("_conv_stem.") for name in state):
        return [rename(state, whole.state_dict())]
    module = sys.modules[type(whole).__module__]
    convert = getattr(module, "checkpoint_filter_fn", None) or getattr(module, "_filter_fn", None)
    if convert is None:
        return []
    arguments = (dict(state), whole)[: convert.__code__.co_argcount]
    try:
        found = convert(*arguments)
    except Exception:  # made for a checkpoint of its own kind, it fails on others in any way it likes
        return []
    return [{name: tensor for name, tensor in found.items() if isinstance(tensor, Tensor)}]


def _equal(one: Fit, other: Fit) -> bool:
    return all(torch.equal(tensor, other.tensors[name]) for name, tensor in one.tensors.items())


def _require_numbers(fit: Fit, state: Mapping[str, Tensor], path: Path) -> None:
    dense = {name: tensor for name, tensor in fit.tensors.items() if tensor.layout == torch.strided}
    sparse = [f"{name}: a sparse tensor" for name in fit.tensors if name not in dense]
    if problems := sparse + explain_state(dense, state):
        raise UsageError(f"{path} cannot give the encoder its weights:{listed(problems)}")


def _line(fit: Fit, needed: Shapes, path: Path) -> str:
    below = f", below {fit.prefix!r}" if fit.prefix else ""
    rest = f", without {', '.join(fit.unused[:4])}{' and others' if len(fit.unused) > 4 else ''}" if fit.unused else ""
    return f"{len(fit.tensors)} of {len(needed)} tensors from {package_of(path) or path}{below}{rest}"


def _existing(file: str | Path, name: str) -> Path:
    path = Path(file).expanduser()
    if path.is_dir():
        for inside in RUN_FILES:
            if (path / inside).is_file():
                return path / inside
        raise UsageError(
            f"the folder {path} holds no weights: {' or '.join(RUN_FILES)} was expected, as a run folder has them, or give a file"
        )
    if not path.exists():
        raise FileNotFoundError(f"no file of encoder weights at {file}; it should hold timm's {name}")
    return path


def _from_numpy(path: Path, build: Callable[[], Any]) -> dict[str, Tensor]:
    """Tensors of the format in which Google released its transformers; NumPy reads no objects unless told to."""
    network = build()
    try:
        network.load_pretrained(str(require_file(path)))
    except Exception as error:  # names and shapes are looked up unchecked
        raise UsageError(f"{path} cannot be read as weights of this encoder: {error!r}") from None
    return dict(network.state_dict())


def _own_normalisation(path: Path) -> tuple[tuple[float, ...], tuple[float, ...]] | None:
    """Model arguments stored in an attseg file."""
    if path.suffix != ".safetensors":
        return None
    with safe_open(require_file(path), framework="pt") as file:
        header = (file.metadata() or {}).get("attseg")
    if header is None:
        return None
    try:
        values = json.loads(header)["preprocessing"]
        return tuple(map(float, values["mean"])), tuple(map(float, values["std"]))
    except (LookupError, TypeError, ValueError) as error:
        raise UsageError(f"the header of {path} is damaged ({error!r}); fetch or write the file again") from None
