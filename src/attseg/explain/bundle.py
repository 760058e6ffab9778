"""All that a view of one picture needs, as plain values: what a page carries, and what the explorer sends to the browser.

The layout, as JSON. Places are pixels of the picture, from the left and from the top; sizes are [height, width]::

    {"version": 1,
     "name": "street",                          of the picture
     "picture": {"source": "data:image/png;base64,..",   may be smaller than the picture
                 "width": 480, "height": 360},           of the picture itself
     "at": [120, 80],                           the pixel to begin with, or null
     "cautions": ["demo was trained on ..."],   what to know before the picture is read, in sentences
     "notes": ["The picture has ..."],          what was scaled down, in sentences
     "sides": [SIDE, ..]}                       one model, or two to compare

    SIDE = {"title": "PAN", "source": "demo",
            "classes": [{"name": "sky", "color": [70, 130, 180], "area": 0.31}, ..],    area: share of the picture
            "labels": PLANE [h, w], "scores": PLANE [h, w],    bytes: the class of each pixel; its probability
            "seconds": PLANE [h, w],            bytes: the class that comes next
            "second_scores": PLANE [h, w],      its probability
            "truth": PLANE [h, w],              bytes: the labelled class of each pixel, 255 where ignored; null without labels
            "seen": [360, 480],                 size that the network saw, where sides under 32 pixels were continued
            "maps": [MAP, ..],                  in the order in which the network computes them
            "switches": [SWITCH, ..]}           what changes without each map; null: ask for each

    SWITCH = {"map": "context.pyramid", "how": "off",   a map, and how it is switched: off, even, other
              "means": "nothing is gathered",    the same in words
              "share": 0.12,                     of the pixels that have another class then
              "moved": 0.09,                     mean probability that goes to other classes
              "labels": PLANE [h, w]}            bytes: the class of each pixel then

    MAP = {"id": "0/context.pyramid",           unique in the bundle
           "name": "context.pyramid",           of the tap
           "mechanism": "fpa",                  short name of what made it
           "kind": "spatial",                   scale, class, channel, channel-pairs (values are means over the
                                                channels that gather), spatial or pairwise: decides how it is drawn
           "size": [23, 30],                    rows and columns of cells, as computed
           "stride": 16,                        of channels: output stride of the features that are weighed; null: unknown
           "pool": 1,                           the plane holds means of so many by so many cells
           "entries": ["100 %", "50 %"],        names of the scales or classes that are weighed; null: numbers
           "values": PLANE [C, rows / pool, columns / pool],    null for pairwise
           "pairs": null}                       for pairwise:

    PAIRS = {"direction": "collect",            what the map of a pixel holds: "collect", how much it gathers from every cell;
                                                "distribute", how much it gives to every cell
             "step": 1,                         one cell in so many by so many has its map, the middle one
             "values": PLANE [points, rows / pool, columns / pool]}     of these cells, row by row; null: ask for each

``planes`` says what a PLANE is. Divisions of sizes round up. The pixel (x, y) of ``labels`` is in column
floor((2 x + 1) w / (2 width)), and likewise that of a map, with the size seen in place of the picture's.

The viewer is ``mountViewer(element, bundle, {pairwise, without})`` of ``page/static/viewer.js``. Where ``pairs.values`` is null
it asks ``await pairwise(mapId, x, y)``, which gives ``{rows, columns, weights}``: a flat list, row by row. Where ``switches`` is
null it asks ``await without(mapId, how)``, which gives a SWITCH.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F
from torch import Tensor

from attseg.data.classes import ClassTable
from attseg.data.sample import Array
from attseg.explain.ablation import single_changes
from attseg.explain.bundle_picture import data_uri, kept_places, kept_size, switch_values
from attseg.explain.capture import AttentionMap
from attseg.explain.looked import Looked, Pairs
from attseg.explain.planes import Plane, encode, encode_bytes, encode_rows
from attseg.explain.titles import map_titles
from attseg.text import short

VERSION = 1
"""Of the layout."""

MOST_VALUES = 1_000_000
"""Values of one map that are kept; maps with more are averaged over squares of cells."""

MOST_PAIRS = 500_000
"""The same of the weights of pairs: all of 26 x 26 positions."""

POINTS = 64
"""Positions whose maps are computed together."""

ROWS = 128
"""Rows of a picture whose probabilities are computed together."""

Values = dict[str, Any]


@dataclass(frozen=True, eq=False)
class Side:
    """A model's view of the image.

    Args:
        title: What the model is called.
        source: Where its weights come from, as the user named it.
        classes: Names and colours.
        looked: The model's forward pass.
        scales: What image scales are called, as ``scale_names`` gives them.
        truth: (H, W) labels of the image, if there are any.
    """

    title: str
    source: str
    classes: ClassTable
    looked: Looked
    scales: Sequence[str] = ()
    truth: Array | None = None


def make_bundle(
    image: Array,
    sides: Sequence[Side],
    *,
    name: str,
    pairs: bool = True,
    switches: bool = False,
    at: tuple[int, int] | None = None,
    cautions: Sequence[str] = (),
) -> Values:
    """The values that this module's text describes, ready for ``json.dumps``.

    Args:
        image: (H, W, 3) the picture.
        sides: One model or two.
        name: Of the picture.
        pairs: Whether the weights of pairs are in it; otherwise they are asked for pixel by pixel.
        switches: Whether it holds what changes without each map; with two models of one architecture also with the other's map.
        at: The pixel (x, y) to begin with.
        cautions: Sentences that stand above the picture.

    Raises:
        UsageError: A map holds values that are not numbers.
    """
    height, width = image.shape[:2]
    size = kept_size(height, width)
    notes = []
    if size != (height, width):
        notes.append(
            f"The picture has {height} × {width} pixels (height × width); it, classes and scores are kept at "
            f"{size[0]} × {size[1]}."
        )
    written = [_side(side, number, (height, width), size, pairs) for number, side in enumerate(sides)]
    if switches:
        for one, side in zip(written, sides, strict=True):
            other = next((each.looked for each in sides if each is not side), None)
            changes = single_changes(side.looked, other)
            one["switches"] = [switch_values(change, (height, width), side.looked.model) for change in changes]
    notes += [note for side in written for one in side["maps"] if (note := _note(one))]
    picture = {"source": data_uri(image, size), "width": width, "height": height}
    return {
        "version": VERSION,
        "name": short(name),
        "picture": picture,
        "at": at,
        "cautions": list(cautions),
        "notes": notes,
        "sides": written,
    }


def _side(side: Side, number: int, full: tuple[int, int], size: tuple[int, int], pairs: bool) -> Values:
    height, width = full
    labels = side.looked.labels[:height, :width]
    areas = np.bincount(labels.ravel(), minlength=len(side.classes)) / labels.size
    table = zip(side.classes.names, side.classes.colors, areas, strict=True)
    maps = [
        _pair_map(one, number, side.looked.size, pairs) if isinstance(one, Pairs) else _plain_map(one, number, side)
        for one in side.looked.found
    ]
    titles = map_titles(side.looked)
    return {
        "title": short(side.title),
        "source": short(side.source),
        "classes": [
            {"name": short(name), "color": list(color), "area": round(float(area), 6)} for name, color, area in table
        ],
        **_decisions(side.looked.logits[:, :height, :width], size),
        "truth": None if side.truth is None else encode_bytes(side.truth[np.ix_(*kept_places(full, size))]),
        "seen": list(side.looked.size),
        "maps": [one | {"title": short(titles[one["name"]])} for one in maps],
        "switches": None,
    }


def _decisions(logits: Tensor, size: tuple[int, int]) -> dict[str, Plane]:
    """The two most probable classes of every kept pixel and their probabilities, some rows at a time."""
    full = logits.shape[1], logits.shape[2]
    rows, columns = (torch.from_numpy(places).to(logits.device) for places in kept_places(full, size))
    count = min(2, len(logits))
    labels, scores = np.zeros((2, *size), np.uint8), np.zeros((2, *size), np.float32)
    for start in range(0, size[0], ROWS):
        some = logits[:, rows[start : start + ROWS]][:, :, columns]
        best = (some - some.logsumexp(0)).exp().topk(count, 0)
        labels[:count, start : start + ROWS] = best.indices.cpu().numpy()
        scores[:count, start : start + ROWS] = best.values.cpu().numpy()
    return {
        "labels": encode_bytes(labels[0]),
        "scores": encode(scores[0]),
        "seconds": encode_bytes(labels[1]),
        "second_scores": encode(scores[1]),
    }


def _plain_map(one: AttentionMap, number: int, side: Side) -> Values:
    weights = one.weights[0].float().cpu()  # (C, h, w)
    if one.kind == "channel-pairs":
        weights = weights.mean(1)[:, None, None]
    channels, rows, columns = weights.shape
    pool = _squares(weights.numel(), MOST_VALUES) if rows * columns > 1 else 1
    entries: list[str] | None = None
    if one.kind == "class" and channels == len(side.classes):
        entries = [short(name) for name in side.classes.names]
    elif one.kind == "scale" and channels == len(side.scales):
        entries = list(side.scales)
    return {
        "id": f"{number}/{one.name}",
        "name": one.name,
        "mechanism": one.mechanism,
        "kind": one.kind,
        "size": [rows, columns],
        "stride": side.looked.strides.get(one.name),
        "pool": pool,
        "entries": entries,
        "values": encode(_pooled(weights, pool)),
        "pairs": None,
    }


def _pair_map(one: Pairs, number: int, seen: tuple[int, int], pairs: bool) -> Values:
    rows, columns = one.cells
    step = _squares(rows * columns, math.isqrt(MOST_PAIRS)) if pairs else 1
    values = None
    if pairs:
        points = [
            ((2 * column + 1) * seen[1] // (2 * columns), (2 * row + 1) * seen[0] // (2 * rows))
            for row in _middles(rows, step)
            for column in _middles(columns, step)
        ]
        parts = (torch.from_numpy(one.at(points[start : start + POINTS])) for start in range(0, len(points), POINTS))
        values = encode_rows(np.concatenate([_pooled(part, step) for part in parts]))
    return {
        "id": f"{number}/{one.name}",
        "name": one.name,
        "mechanism": one.mechanism,
        "kind": "pairwise",
        "size": [rows, columns],
        "stride": None,
        "pool": step,
        "entries": None,
        "values": None,
        "pairs": {"direction": one.direction, "step": step, "values": values},
    }


def _note(one: Values) -> str | None:
    """Part of a map that was scaled down."""
    (rows, columns), pool = one["size"], one["pool"]
    if pool == 1:
        return None
    if one["pairs"] is None:
        return f"{one['title']}: {rows} × {columns} cells (height × width), kept as means of {pool} × {pool}."
    return (
        f"{one['title']}: {rows} × {columns} positions (height × width), of which one in {pool} × {pool} has its map here; "
        f"weights are means of {pool} × {pool}."
    )


def _squares(values: int, most: int) -> int:
    """Side of the squares of cells to average over, so that at most about so many values are left."""
    return max(1, math.ceil(math.sqrt(values / most)))


def _middles(length: int, step: int) -> list[int]:
    """The middle of each stretch of ``step`` positions; the last may be shorter."""
    return [min(start + step // 2, length - 1) for start in range(0, length, step)]


def _pooled(weights: Tensor, pool: int) -> npt.NDArray[np.float32]:
    if pool > 1:
        weights = F.avg_pool2d(weights[None], pool, ceil_mode=True, count_include_pad=False)[0]
    return weights.numpy()
