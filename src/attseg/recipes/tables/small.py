"""The rows of a table at a small scale: the same differences between networks, a tiny encoder, on generated scenes or CamVid.

The figures are those of another task. Scenes are so wide that the encoder does not see what decides far away: a row without
context cannot tell covered cars from covered boats.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Literal

from attseg.recipes.pan import camvid_from_scratch
from attseg.recipes.psanet import psanet_scenes
from attseg.recipes.recipe import ModelSpec, Recipe
from attseg.recipes.tables.record import Figure, Row, Table

SmallData = Literal["scenes", "camvid"]

ENCODER = "test_resnet"
CHANNELS = 256
"""Channels of PAN's context and decoder."""
WIDTHS: dict[str, dict[str, Any]] = {
    "PAN": {"channels": 64},
    "FCN": {"channels": 64},
    "DFDAM": {"channels": 64},
    "PSANet": {"channels": 64, "inner": 64},
    "AttentionToRefine": {"channels": 64, "stream_channels": 32},
}
"""Further arguments that make a network small."""

SEEN = {"psanet-sliding": "single", "psanet-multiscale": "pan-multiscale", "csail-5scale": "single"}
"""Protocols in place of those whose windows have the size of the papers' crops, and of the slow one that is a row's first."""


def small(table: Table, row: Row, *, data: SmallData = "scenes", steps: int | None = None) -> Recipe | None:
    """The recipe that stands for a row at a small scale; None where the row cannot be run.

    Rows of a paper that differ in nothing but data and depth of the encoder have one recipe.

    Args:
        table: Whose row it is.
        row: What to make small.
        data: ``scenes``, or ``camvid``, which needs its folder in ``data.root``.
        steps: Optimiser steps instead of the 600 that all rows have.
    """
    if row.recipe is None:
        return None
    base = psanet_scenes() if data == "scenes" else camvid_from_scratch()
    steps = psanet_scenes().steps if steps is None else steps
    return replace(
        base,
        name=f"{table.paper}-{'small' if data == 'scenes' else data}-{row.variant}",
        model=_model(row.recipe, base.crop_size),
        loss=replace(base.loss, aux=row.recipe.loss.aux),
        steps=steps,
        val_every=steps,
        source=f"{table.source}, {row.printed}, at a small scale",
    )


def small_figures(row: Row) -> tuple[Figure, ...]:
    """The figures of a row that are measured at a small scale: the first, under a protocol that every data set has."""
    return tuple(replace(figure, protocol=SEEN.get(figure.protocol, figure.protocol)) for figure in row.figures[:1])


def _model(recipe: Recipe, crop_size: tuple[int, int]) -> ModelSpec:
    """The network of a recipe on the smallest encoder, with few channels.

    Corners are not aligned: pictures here have sides of a multiple of 8, where half-pixel centres meet the cells of maps, and not
    one more.
    """
    model = recipe.model
    if model.name == "AttentionToRefine":
        base = model.args["base"]
        within = {**model.args["base_args"], **({"output_stride": 8, "head": "linear"} if base == "largefov" else {})}
        kind = "FCN" if base == "largefov" else base
        args = {**model.args, "base": kind, "base_args": _on_small_encoder(kind, within)}
        return ModelSpec(name=model.name, args=args | WIDTHS[model.name])
    args = _on_small_encoder(model.name, model.args)
    if model.name == "PSANet":
        args["crop_size"] = _within(crop_size, model.args.get("crop_size", recipe.crop_size), recipe.crop_size)
        options = args.get("context_args", {})
        if args.get("context") in ("nonlocal", "ocr"):  # as many inner channels as PSA has
            args["context_args"] = {**options, "inner": args["inner"]}
    return ModelSpec(name=model.name, args=args)


def _on_small_encoder(name: str, args: Mapping[str, Any]) -> dict[str, Any]:
    kept = {key: value for key, value in args.items() if key not in ("pretrained", "align_corners")}
    if "width" in (options := kept.get("context_args", {})):
        kept["context_args"] = {**options, "width": WIDTHS[name]["channels"]}
    if (width := kept.get("pyramid_channels", 1)) > 1:  # the share of the channels that it is of PAN's
        kept["pyramid_channels"] = width * WIDTHS[name]["channels"] // CHANNELS
    return {**kept, "encoder": ENCODER, **WIDTHS[name]}


def _within(crop_size: tuple[int, int], own: Sequence[int], whole: tuple[int, int]) -> tuple[int, int]:
    """A part of the crop that is to it what ``own`` is to ``whole``."""
    (height, width), (of_height, of_width) = own, whole
    return crop_size[0] * height // of_height, crop_size[1] * width // of_width
