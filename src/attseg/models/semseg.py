"""The door for PSANet as its authors released it for PyTorch: their parameter names, their dilation, their resizing."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors import safe_open
from torch import Tensor

from attseg.attention.pointwise.terms import Direction
from attseg.errors import UsageError
from attseg.models.psanet import PSANet

DEPTHS = {(6, 3): "resnet50s", (23, 3): "resnet101s", (36, 3): "resnet152s"}
"""Blocks of the third and the fourth stage, and timm's network with the same stem of 64, 64 and 128 channels."""

STEM = {
    "layer0.0": "conv1.0",
    "layer0.1": "conv1.1",
    "layer0.3": "conv1.3",
    "layer0.4": "conv1.4",
    "layer0.6": "conv1.6",
    "layer0.7": "bn1",
}

OTHERS = {
    "psa.proj": "context.psa.project",
    "cls.0": "context.fuse.0",
    "cls.1": "context.fuse.1",
    "cls.4": "head.2",
    "aux.0": "aux.encoder.0.0",
    "aux.1": "aux.encoder.0.1",
    "aux.4": "aux.encoder.2",
}


def load_semseg(
    source: str | Path | Mapping[str, Tensor],
    *,
    directions: tuple[Direction, ...] = ("collect", "distribute"),
    compact: bool = False,
    mask_size: tuple[int, int] | None = None,
    shrink: int = 2,
) -> PSANet:
    """PSANet with released weights, in evaluation mode, giving the logits of the released network.

    Depth, classes, the number of branches and whether there is an auxiliary head follow from the weights.

    Args:
        source: A file (``.pth``, read weights-only, or ``.safetensors``), or its tensors by name; names may begin with
            ``module.``, and a file may hold them below ``state_dict``.
        directions: What the branches do; the names of a single branch do not tell.
        compact: Whether maps have no relative offsets; the names do not tell either.
        mask_size: Rows and columns of the filters; None takes them to be as many.
        shrink: How many times smaller the map of attention is.

    Raises:
        UsageError: The tensors are not those of such a network, or do not agree with the arguments.
        FileNotFoundError: There is no such file.

    Source:
        The parameter names of the authors' repository hszhao/semseg, ``model/psanet.py``.
    Reading:
        The released network resizes with aligned corners, dilates all blocks of a stage alike, gives pairs beyond its filters the
        score 0, and takes pictures whose sides are a multiple of 8 plus 1. Its logits are met at such sizes; others work as well.
    """
    given = {name.removeprefix("module."): tensor for name, tensor in _read(source).items()}
    given = {name: tensor for name, tensor in given.items() if not name.endswith("num_batches_tracked")}
    both = "psa.reduce_p.0.weight" in given
    if both != (len(directions) == 2):
        raise UsageError(
            f"the weights have {'two branches' if both else 'one branch'}, and the directions are {directions}; "
            "name as many, such as directions=('collect',)"
        )
    rows, columns = _mask_size(_one(given, "psa.attention.3.weight").shape[0], mask_size)
    model = PSANet(
        _one(given, "cls.4.weight").shape[0],
        encoder=_encoder(given),
        even_dilation=True,
        directions=directions,
        max_offset=(rows - 1, columns - 1) if compact else (rows // 2, columns // 2),
        compact=compact,
        outside="zero",
        shrink=shrink,
        inner=_one(given, "psa.reduce.0.weight").shape[0],
        channels=_one(given, "cls.0.weight").shape[0],
        aux="aux.0.weight" in given,
        align_corners=True,
    )
    state = {}
    for name, tensor in given.items():
        ours = _renamed(name, directions)
        if ours.endswith("filters"):
            tensor = tensor[:, :, 0, 0].T.unflatten(1, (rows, columns))
        state[ours] = tensor
    wanted = {name for name in model.state_dict() if not name.endswith("num_batches_tracked")}
    if state.keys() != wanted:
        missing, more = sorted(wanted - state.keys()), sorted(state.keys() - wanted)
        raise UsageError(
            f"these are not the weights of a released PSANet: {len(missing)} are missing (such as {missing[:1]}) and "
            f"{len(more)} are not known (such as {more[:1]})"
        )
    try:
        model.load_state_dict(state, strict=False)
    except RuntimeError as error:
        raise UsageError(f"the weights do not fit a released PSANet: {error}") from None
    return model.eval()


def _read(source: str | Path | Mapping[str, Tensor]) -> Mapping[str, Tensor]:
    if isinstance(source, Mapping):
        return source
    path = Path(source)
    if not path.is_file():
        raise FileNotFoundError(f"no file of weights at {path}")
    if path.suffix == ".safetensors":
        with safe_open(path, framework="pt") as file:
            return {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (a safetensors file is no dict)
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:
        raise UsageError(f"{path} cannot be read as weights alone: {error}") from None
    if isinstance(content, dict) and isinstance(content.get("state_dict"), dict):
        content = content["state_dict"]
    if not isinstance(content, dict) or not all(isinstance(tensor, Tensor) for tensor in content.values()):
        raise UsageError(f"{path} holds no tensors by name; a state dict was expected, alone or below 'state_dict'")
    return content


def _one(given: Mapping[str, Tensor], name: str) -> Tensor:
    if name not in given:
        raise UsageError(f"these are not the weights of a released PSANet: there is no {name!r}")
    return given[name]


def _encoder(given: Mapping[str, Tensor]) -> str:
    blocks = tuple(len({name.split(".")[1] for name in given if name.startswith(f"layer{stage}.")}) for stage in (3, 4))
    if blocks not in DEPTHS:
        raise UsageError(
            f"the encoder has {blocks[0]} and {blocks[1]} blocks in its last stages; those of ResNet-50, 101 or 152 were expected"
        )
    return DEPTHS[blocks]


def _mask_size(filters: int, given: tuple[int, int] | None) -> tuple[int, int]:
    size = given or (round(filters**0.5), round(filters**0.5))
    if size[0] * size[1] != filters:
        raise UsageError(
            f"there are {filters} filters, which {size[0]} x {size[1]} are not; give mask_size, their rows and columns"
        )
    return size


def _renamed(name: str, directions: tuple[Direction, ...]) -> str:
    """Our name of a released parameter; one that is not known stays as it is."""
    part, _, last = name.rpartition(".")
    if part in STEM:
        return f"encoder.network.{STEM[part]}.{last}"
    if re.match(r"layer[1-4]\.", name):
        return f"encoder.network.{name}"
    branch = re.fullmatch(r"psa\.(reduce|attention)(_p)?\.(\d)\.(\w+)", name)
    if branch:
        direction = "distribute" if branch[2] else directions[0] if len(directions) == 1 else "collect"
        ours = {"reduce": "reduce", "attention": "adapt"}[branch[1]]
        if branch[1] == "attention" and branch[3] == "3":
            return f"context.psa.branches.{direction}.filters"
        return f"context.psa.branches.{direction}.{ours}.{branch[3]}.{last}"
    for theirs, mine in OTHERS.items():
        if name.startswith(f"{theirs}."):
            return mine + name.removeprefix(theirs)
    return name
