"""A model's forward pass over one image, kept so that clicks are answered without running it again."""

from __future__ import annotations

import json
from dataclasses import dataclass

from attseg.data.sets.scenes import SCENES
from attseg.explain.bundle import Side, make_bundle
from attseg.explain.bundle_picture import switch_values
from attseg.explain.change import without
from attseg.explain.looked import Pairs, look
from attseg.explain.passes import scale_names
from attseg.explain.subject import cautions_of
from attseg.explain.switching import How
from attseg.models.frame import smallest_side
from attseg.prediction.whole import as_batch
from attseg.web.models import ModelChoice, Stop
from attseg.web.picture import Picture
from attseg.web.refusal import Refused

BYTES_PER_CELL = 8192
"""Estimated numbers that pairwise attention keeps per cell: 2048, more than any mechanism here."""


@dataclass(frozen=True, eq=False)
class KeptPass:
    """A model's forward pass over one image.

    Args:
        content: The bundle for the browser, as JSON.
        pairs: Pairwise attention by its names; it is not in the bundle, for the browser asks for single pixels.
    """

    content: bytes
    pairs: dict[str, Pairs]

    @property
    def nbytes(self) -> int:
        """Memory that it takes, about."""
        cells = sum(rows * columns for rows, columns in (one.cells for one in self.pairs.values()))
        return len(self.content) + cells * BYTES_PER_CELL


def see(choice: ModelChoice, picture: Picture, stop: Stop) -> KeptPass:
    """Run a model on a picture.

    Args:
        choice: The model.
        picture: The picture.
        stop: What ends the forward pass early.

    Raises:
        Refused: It took too long, or the server is stopping.
    """
    segmenter = choice.segmenter
    images = as_batch(picture.image, segmenter.preprocessing, segmenter.device, least=smallest_side(segmenter.model))
    with stop.watch(segmenter.model):
        looked = look(segmenter.model, images)
    truth = picture.labels if segmenter.classes.names == SCENES.names else None
    title = type(segmenter.model).__name__
    side = Side(title, choice.name, segmenter.classes, looked, scale_names(segmenter.model), truth)
    cautions = [] if picture.labels is not None else cautions_of([(choice.name, segmenter.data)])
    bundle = make_bundle(segmenter.visible(picture.image), [side], name=picture.name, pairs=False, cautions=cautions)
    height, width = picture.image.shape[:2]
    if picture.original != (height, width):
        tall, wide = picture.original
        bundle["notes"].insert(
            0,
            f"The picture has {tall} × {wide} pixels (height × width); it is shown, and models see it, at {height} × {width}.",
        )
    if not looked.found:
        bundle["notes"].append(_why_no_maps(choice))
    pairs = {one.name: one for one in looked.pairs}
    for one in pairs.values():
        one.at([(0, 0)])  # what all points share is computed with the first
    return KeptPass(json.dumps(bundle, separators=(",", ":")).encode(), pairs)


def see_without(
    choice: ModelChoice, other: ModelChoice | None, picture: Picture, name: str, how: How, stop: Stop
) -> bytes:
    """What becomes of a picture without a map, as JSON: the SWITCH of ``attseg.explain.bundle``.

    Args:
        choice: The model.
        other: For ``how="other"``, whose map takes its place.
        picture: The picture.
        name: Of the map.
        how: How it is switched.
        stop: What ends a forward pass early.

    Raises:
        Refused: It took too long, or the map of all pairs is too large; the server is stopping.
        UsageError: There is no such map, or the other model has none that fits.
    """
    looked = []
    for one in (choice,) if other is None else (choice, other):
        model, segmenter = one.segmenter.model, one.segmenter
        images = as_batch(picture.image, segmenter.preprocessing, segmenter.device, least=smallest_side(model))
        with stop.watch(model):
            looked.append(look(model, images))
    try:
        with stop.watch(choice.segmenter.model):
            change = without(looked[0], [name], how, other=looked[1] if other is not None else None)
    except RuntimeError as error:
        if "not built" not in str(error):
            raise
        raise Refused(
            422, f"the map of all pairs of positions would be too large; give a smaller picture ({name})"
        ) from error
    height, width = picture.image.shape[:2]
    return json.dumps(switch_values(change, (height, width), choice.segmenter.model), separators=(",", ":")).encode()


def _why_no_maps(choice: ModelChoice) -> str:
    if choice.segmenter.exported:
        return f"{choice.name} is an exported file, which keeps no attention: explore the run that it was made of."
    return f"{choice.name} has no attention to watch, so only what it predicts is shown."
