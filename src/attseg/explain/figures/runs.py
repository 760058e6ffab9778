"""Figures of predictions: picture, labels, and a column a model, as papers show their results."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from attseg.data.classes import IGNORE, ClassTable
from attseg.data.fonts import class_label, font_families
from attseg.data.paint import colorize
from attseg.data.sample import Array, SegmentationData
from attseg.errors import UsageError, unknown
from attseg.explain.figures import panels

Predict = Callable[[Array], Array]
"""From a picture (H, W, C) to the predicted classes (H, W)."""


@dataclass(frozen=True, eq=False)
class Compared:
    """A picture, its labels, and what several models predict.

    Args:
        name: Of the picture.
        image: (H, W, 3) the picture.
        truth: (H, W) its labels.
        predictions: (H, W) the predicted classes, one a model.
    """

    name: str
    image: Array
    truth: Array
    predictions: tuple[Array, ...]

    @property
    def right(self) -> tuple[float, ...]:
        """Share of right pixels of each model, of those that are labelled; nan where none is."""
        labelled = self.truth != IGNORE
        if not labelled.any():
            return (float("nan"),) * len(self.predictions)
        return tuple(float((one == self.truth)[labelled].mean()) for one in self.predictions)

    @property
    def difference(self) -> float:
        """Largest share of right pixels less the smallest; 0 where no pixel is labelled."""
        return float(np.nan_to_num(max(self.right) - min(self.right)))


def chosen_pictures(
    data: SegmentationData,
    models: Sequence[Predict],
    visible: Callable[[Array], Array],
    *,
    names: Sequence[str] = (),
    count: int = 4,
    limit: int | None = None,
    on_picture: Callable[[int, int], None] = lambda done, total: None,
) -> list[Compared]:
    """Rows of a figure: the named pictures, or those on which the models differ most in their share of right pixels.

    Args:
        data: A split with labels.
        models: Of the same classes as the data.
        visible: Gives red, green and blue of a picture.
        names: Of the pictures, in the order of the rows; without any, ``count`` are looked for.
        count: Rows that are looked for. With one model they are spread evenly over the split.
        limit: At most so many pictures are looked at, spread evenly over the split; None looks at all.
        on_picture: Called with the number of pictures done and of all.

    Raises:
        UsageError: A picture that the split does not have, or a number below 1.
    """
    if count < 1 or (limit is not None and limit < 1):
        raise UsageError(f"{count} rows of {limit} pictures were asked for; at least 1 was expected")
    if names:
        indices = _find(data, names)
    else:
        most = min(len(data), len(data) if limit is None else limit)
        indices = _spread(len(data), most if len(models) > 1 else min(most, count))
    found: list[Compared] = []
    for done, index in enumerate(indices, 1):
        sample = data[index]
        predictions = tuple(model(sample.image) for model in models)
        found.append(Compared(sample.name, visible(sample.image), sample.labels, predictions))
        if not names and len(models) > 1:
            found = sorted(found, key=lambda row: -row.difference)[:count]  # stable: of equal ones, the first
        on_picture(done, len(indices))
    return found


def predictor_of(model: Callable[[Array], Any]) -> Predict:
    """A model of which only the labels are wanted."""
    return lambda image: model(image).labels


def runs_figure(rows: Sequence[Compared], columns: Sequence[str], classes: ClassTable) -> Figure:
    """Picture, labels and a column a model; above each prediction the share of right pixels, below all the classes.

    Args:
        rows: From ``chosen_pictures``.
        columns: Names of the models.
        classes: Names and colours.

    Source:
        Li et al., BMVC 2018, figure 1; Zhao et al., ECCV 2018, figure 5; Yang and Peng 2018, figure 3; Xiong et al. 2019,
        figures 5 and 6.
    """
    figure = panels.sheet(len(rows), 2 + len(columns), rows[0].image, bars=0, extra=0.6)
    grid = figure.subplots(len(rows), 2 + len(columns), squeeze=False)
    for row, places in zip(rows, grid, strict=True):
        painted = [row.image, *(colorize(labels, classes) for labels in (row.truth, *row.predictions))]
        shares = ["" if np.isnan(share) else f"{share:.1%} right" for share in row.right]
        for axes, pixels, below in zip(places, painted, [row.name, "", *shares], strict=True):
            panels.show_pixels(axes, pixels)
            axes.set_xlabel(below, fontsize=panels.SMALL - 1, fontfamily=font_families(below), parse_math=False)
    for axes, title in zip(grid[0], ("picture", "labels", *columns), strict=True):
        axes.set_title(title, fontsize=panels.SMALL + 1, fontfamily=font_families(title), parse_math=False)
    _name_classes(figure, rows, classes)
    return figure


def _find(data: SegmentationData, names: Sequence[str]) -> list[int]:
    """The index of each name, which is looked for picture by picture."""
    places: dict[str, int] = {}
    for index in range(len(data)):
        places.setdefault(data[index].name, index)
        if all(name in places for name in names):
            return [places[name] for name in names]
    missing = next(name for name in names if name not in places)
    raise unknown(f"picture of {data.split}", missing, places)


def _spread(total: int, count: int) -> list[int]:
    """Indices spread evenly over a split, the first and the last among them."""
    return sorted({int(place) for place in np.linspace(0, total - 1, count).round()})


def _name_classes(figure: Figure, rows: Sequence[Compared], classes: ClassTable) -> None:
    """A legend of the classes that are labelled or predicted, largest areas first."""
    shown = np.concatenate([labels.ravel() for row in rows for labels in (row.truth, *row.predictions)])
    areas = np.bincount(shown, minlength=IGNORE + 1)
    order = [int(index) for index in np.argsort(-areas, kind="stable") if areas[index]]
    named = [index for index in order if index != IGNORE][: panels.MOST_LISTED]
    labels = [class_label(classes.names[index], index) for index in named]
    colors = [classes.palette[index] for index in named]
    if IGNORE in order:
        labels, colors = [*labels, "ignored"], [*colors, np.full(3, 80)]
    patches = [
        Patch(facecolor=to_hex(color / 255), edgecolor="grey", label=label)
        for color, label in zip(colors, labels, strict=True)
    ]
    font = {"family": font_families(*labels), "size": panels.SMALL}
    columns = max(1, int(figure.get_figwidth() / 1.5))
    legend = figure.legend(handles=patches, loc="outside lower left", ncols=columns, prop=font, frameon=False)
    for text in legend.get_texts():
        text.set_parse_math(False)
