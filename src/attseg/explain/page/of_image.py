"""The page of an image file or a generated scene, as one or two models see it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Protocol

from attseg.explain.bundle import make_bundle
from attseg.explain.looked import check_pixel
from attseg.explain.page.page import make_page
from attseg.explain.subject import (
    Model,
    cautions_of,
    is_scene,
    labels_in_data,
    look_at,
    read_labels,
    read_picture,
)


class TrainedModel(Model, Protocol):
    """A model that says what it was trained on, such as a ``Segmenter``."""

    data: str | None

    @property
    def origin(self) -> Any:
        """Where its weights come from."""
        ...


def page_of(
    runs: Sequence[str],
    models: Sequence[TrainedModel],
    source: str,
    *,
    at: tuple[int, int] | None = None,
    longest: int | None = None,
    labels: str | None = None,
) -> str:
    """The HTML of the page.

    Args:
        runs: What the models are called.
        models: They read an image alike.
        source: As in ``read_picture``.
        at: Pixel (x, y) to look at first.
        longest: As in ``read_picture``.
        labels: As in ``read_labels``; without any, those of the data set that a model was trained on, if they are there.

    Raises:
        UsageError: There is no such picture or pixel, or the labels do not fit.
    """
    image, name = read_picture(source, longest, models[0].preprocessing)
    size = (image.shape[0], image.shape[1])
    if at is not None:
        check_pixel(*at, size)
    sides, trained = [], []
    for run, model in zip(runs, models, strict=True):
        side, origin = look_at(run, model, image), model.origin
        truth = read_labels(source, labels, model.classes, size)
        if truth is None and origin is not None and origin.file is not None:
            truth = labels_in_data(source, origin.info, origin.file, model.classes, size)
        sides.append(replace(side, truth=truth))
        trained.append((side.source, model.data))
    cautions = [] if is_scene(source) else cautions_of(trained)
    picture = models[0].visible(image)
    return make_page(make_bundle(picture, sides, name=name, switches=True, at=at, cautions=cautions))
