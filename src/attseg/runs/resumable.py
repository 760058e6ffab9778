"""Whether a run can go on from a saved state: finite numbers, of the kinds and shapes that its network and optimizer have."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from attseg.data.preprocessing import Preprocessing
from attseg.models import Model
from attseg.recipes.recipe import Recipe
from attseg.runs.errors import RunError
from attseg.runs.state import State
from attseg.tensors import explain_state, listed

Groups = Mapping[str, Any]


def check_resumable(state: State, model: Model, recipe: Recipe, groups: Sequence[Groups]) -> None:
    """Refuse a state that a run cannot go on from, whoever wrote it: PyTorch casts what is of another kind, and takes NaN.

    Args:
        state: What ``load_state`` found.
        model: The network, whose own weights do not matter.
        recipe: Its ``optim`` and ``ema`` say what else a state has.
        groups: Parameter groups of the optimizer.

    Raises:
        RunError: The message names the file, and what is wrong in it.
    """
    try:
        problems = list(_explain(state, model, recipe, groups))
    except (LookupError, TypeError, ValueError, AttributeError, OverflowError) as error:
        problems = [f"{type(error).__name__}: {error}"]
    if problems:
        step = state["step"]
        raise RunError(
            f"the run cannot go on from step {step}: what it saved then is damaged, or of another run:{listed(problems)}\n"
            f"Delete {step:08}.pt in its folder `state` to go on from the save before it, or begin anew in another folder"
        )


def _explain(state: State, model: Model, recipe: Recipe, groups: Sequence[Groups]) -> Iterator[str]:
    """Problems of a state, a line each. Errors of look-ups and conversions say that it is built in another way."""
    own = model.state_dict()
    if state["step"] > recipe.steps:
        yield f"step: {state['step']}, and the run has {recipe.steps}"
    yield from _tensors("weights", state["model"], own)
    average = state["average"]
    if (average is not None) != bool(recipe.ema):
        yield f"ema is {recipe.ema}, and the state has {'no' if average is None else 'a'} moving average"
    elif average is not None:
        yield from _tensors("moving average", average["model"], own)
        yield from _count("updates of the moving average", average["updates"])
    yield from _optimizer(state["optimizer"], model, recipe, groups)
    if not isinstance(state["best"], float | int) or math.isinf(state["best"]):
        yield f"best: {state['best']!r:.40}, where a number was expected"
    for name in ("steps", "stale"):
        yield from _count(name, state.get(name, 0))
    if not isinstance(state.get("patience_best", 0.0), float | int):
        yield f"patience_best: {state['patience_best']!r:.40}, where a number was expected"
    if (kept := state.get("preprocessing")) is not None:
        Preprocessing.from_dict(kept)


def _optimizer(saved: Mapping[str, Any], model: Model, recipe: Recipe, groups: Sequence[Groups]) -> Iterator[str]:
    """Its tensors are as their parameters, but for the count of steps of AdamW."""
    names = {id(parameter): name for name, parameter in model.named_parameters()}
    parameters = [parameter for group in groups for parameter in group["params"]]
    sizes = [len(group["params"]) for group in saved["param_groups"]]
    if sizes != [len(group["params"]) for group in groups]:
        yield f"optimizer: groups of {sizes} parameters, where {[len(group['params']) for group in groups]} were expected"
        return
    for group, ours in zip(saved["param_groups"], groups, strict=True):
        for key in ("name", "lr_factor", "weight_decay"):
            if group[key] != ours[key]:
                yield f"optimizer: {key} is {group[key]!r:.40}, where the recipe gives {ours[key]!r}"
    kept = [index for group in saved["param_groups"] for index in group["params"]]
    wanted = {"sgd": {"momentum_buffer"}, "adamw": {"step", "exp_avg", "exp_avg_sq"}}[recipe.optim.name]
    for index, parameter in zip(kept, parameters, strict=True):
        values, name = saved["state"].get(index, {}), names[id(parameter)]
        if values and set(values) != wanted:
            yield f"optimizer of {name}: {', '.join(map(str, values))}, where {', '.join(sorted(wanted))} were expected"
        elif values:
            tensors = {key: value for key, value in values.items() if value is not None}
            like = {key: parameter.detach() if key != "step" else values[key].float() for key in tensors}
            yield from _tensors(f"optimizer of {name}", tensors, like)
            for key in {"step", "exp_avg_sq"} & tensors.keys():
                if not tensors[key].is_complex() and (tensors[key] < 0).any():
                    yield f"optimizer of {name}: {key} has values below 0"


def _tensors(what: str, found: Mapping[str, Any], like: Mapping[str, Tensor]) -> Iterator[str]:
    if found.keys() != like.keys():
        other = sorted(found.keys() ^ like.keys())
        yield f"{what}: {len(other)} tensors are missing or unexpected, such as {other[0]}"
    for name in (name for name in like if name in found):
        if not isinstance(found[name], Tensor):
            yield f"{what}: {name} is no tensor"
        elif found[name].layout != torch.strided or found[name].device.type != "cpu" or found[name].is_quantized:
            yield f"{what}: {name} is sparse, quantized or without values, where a plain tensor was expected"
        elif found[name].shape != like[name].shape:
            yield f"{what}: {name} is {tuple(found[name].shape)}, where {tuple(like[name].shape)} was expected"
        else:
            yield from (f"{what}: {line}" for line in explain_state({name: found[name]}, like))


def _count(what: str, value: object) -> Iterator[str]:
    if not isinstance(value, int) or value < 0:
        yield f"{what}: {value!r:.40}, where a count was expected"
