"""The image that is explained, through the model of a run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from PIL import Image
from torch import nn

from attseg.data.catalog import CATALOG, open_files
from attseg.data.classes import ClassTable
from attseg.data.preprocessing import Preprocessing
from attseg.data.reading.bands import describe_bands, resized
from attseg.data.reading.image import read_labels as label_file
from attseg.data.sample import Array, DataError
from attseg.data.sets.file_data import FileData
from attseg.data.sets.scenes import Scenes
from attseg.errors import UsageError
from attseg.evaluation.run_data import kept_spec, own_root, recipe_of
from attseg.explain.bundle import Side
from attseg.explain.figures.seen import Pictured
from attseg.explain.looked import look
from attseg.explain.passes import scale_names
from attseg.files import no_such_path
from attseg.models.frame import smallest_side
from attseg.prediction.stream import is_out_of_memory
from attseg.prediction.whole import as_batch

SCENE = (240, 320)
"""Height and width of generated scenes."""


class Model(Protocol):
    """A model with what is needed to use it, such as a ``Segmenter``."""

    model: nn.Module
    classes: ClassTable
    preprocessing: Preprocessing
    device: torch.device

    def visible(self, image: Array) -> Array:
        """An image of the model as a picture for people."""
        ...


def read_picture(
    source: str, longest: int | None = None, preprocessing: Preprocessing | None = None
) -> tuple[Array, str]:
    """A picture file, or the generated scene that ``scene:N`` means, with its name.

    Args:
        source: As on the command line.
        longest: Pixels along the longer side to which a larger picture is scaled down.
        preprocessing: By whose value range and bands the models read it; None reads red, green and blue.

    Raises:
        UsageError: There is no such file, N is no number, or a scene was asked for and the models see other bands.
        DataError: The file cannot be read as a picture.
    """
    preprocessing = preprocessing or Preprocessing()
    number = source.removeprefix("scene:")
    path = Path(source).expanduser()
    if is_scene(source):
        if not number.isdecimal() or int(number) > 1_000_000:
            raise UsageError(
                f"{source!r} names no scene; scene:0, scene:1 and so on were expected, up to scene:1000000"
            )
        if preprocessing.bands is not None:
            raise UsageError(
                f"scenes are red, green and blue, and the model sees {describe_bands(preprocessing.bands, None)}; give an image "
                "file"
            )
        image, name = Scenes("val", size=SCENE, count=int(number) + 1)[int(number)].image, f"scene {number}"
    elif path.is_dir():
        raise UsageError(f"{source} is a folder; a page shows one picture: give a file")
    elif not path.exists():
        raise no_such_path(path)
    else:
        image, name = preprocessing.read(path), path.stem
    if longest is None or max(image.shape[:2]) <= longest:
        return image, name
    if image.shape[2] != 3:
        height, width = (max(1, round(side * longest / max(image.shape[:2]))) for side in image.shape[:2])
        return resized(image, (height, width), Image.Resampling.LANCZOS), name
    picture = Image.fromarray(image)
    picture.thumbnail((longest, longest), Image.Resampling.LANCZOS)
    return np.array(picture), name


def look_at(run: str, segmenter: Model, image: Array) -> Side:
    """The result of a run's model on a picture."""
    try:
        looked = look(
            segmenter.model,
            as_batch(image, segmenter.preprocessing, segmenter.device, least=smallest_side(segmenter.model)),
        )
    except (RuntimeError, MemoryError) as error:
        if not is_out_of_memory(error):
            raise
        raise UsageError(
            f"{run} does not fit into the memory of {segmenter.device} for a picture of "
            f"{image.shape[0]} x {image.shape[1]} (height x width); "
            "let it see a smaller one, such as with --longest 1000, or use another device"
        ) from error
    title = type(segmenter.model).__name__
    return Side(title, Path(run).name, segmenter.classes, looked, scale_names(segmenter.model))


def cautions_of(trained: Sequence[tuple[str, str | None]]) -> list[str]:
    """Cautions for a photograph that is looked at through models trained on generated scenes.

    Args:
        trained: What each model is called, and the name of the data set that it was trained on.
    """
    toys = list(dict.fromkeys(name for name, data in trained if data == "scenes"))
    if not toys:
        return []
    were = "was" if len(toys) == 1 else "were"
    return [
        f"{' and '.join(toys)} {were} trained on generated scenes only. On a photograph the predictions are mostly wrong, and "
        "the maps show how the network works rather than what is in the picture."
    ]


def is_scene(source: str) -> bool:
    """Whether a picture on the command line is a generated scene, and no file."""
    return source.startswith("scene:") and not Path(source).expanduser().exists()


def labels_in_data(
    source: str, info: Mapping[str, Any], weights: Path, classes: ClassTable, size: tuple[int, int]
) -> Array | None:
    """The labels of a picture file of the data set that a model was trained on; None where it is not one of its pictures.

    Args:
        source: As in ``read_picture``.
        info: What the file of weights says about where they come from.
        weights: The file, beside which the division into splits is kept.
        classes: Of the model.
        size: As in ``read_labels``.
    """
    path, recipe = Path(source).expanduser(), recipe_of(info)
    if recipe is None or not CATALOG[recipe.data.name].files or not path.is_file():
        return None
    spec = kept_spec(recipe.data, {}, weights)
    try:
        files = open_files(spec.name, own_root(weights, spec.root), **spec.options)
        for split in files.splits():
            pairs = files.list_split(split).pairs
            found = [
                index for index, pair in enumerate(pairs) if pair.image.name == path.name and pair.image.samefile(path)
            ]
            if found and (data := FileData(files, split)).classes.names == classes.names:
                return _fitting(data[found[0]].labels, size)
    except (UsageError, DataError, OSError):  # the data set is gone, or was changed: the page does without labels
        pass
    return None


def read_labels(source: str, labels: str | None, classes: ClassTable, size: tuple[int, int]) -> Array | None:
    """The labels of a picture: those of a generated scene, or of a file; None where there are none.

    Args:
        source: The picture, as in ``read_picture``.
        labels: File of its labels, in the values of the model's classes.
        classes: Of the model.
        size: Height and width of the picture. Larger labels are scaled down to it.

    Raises:
        UsageError: There is no such file, or it has another shape than the picture.
        DataError: It cannot be read, or holds values that are no classes.
    """
    if labels is not None:
        path = Path(labels).expanduser()
        if not path.exists():
            raise no_such_path(path)
        found = label_file(path, classes)
    elif is_scene(source):
        number = int(source.removeprefix("scene:"))
        scenes = Scenes("val", size=SCENE, count=number + 1)
        if classes.names != scenes.classes.names:
            return None
        found = scenes[number].labels
    else:
        return None
    return _fitting(found, size)


def _fitting(found: Array, size: tuple[int, int]) -> Array:
    """Labels at the size of their picture."""
    height, width = found.shape
    if abs(height * size[1] - width * size[0]) > max(height, width, *size):
        raise UsageError(
            f"the labels are {height} x {width} (height x width) and the picture is {size[0]} x {size[1]}; labels of the same "
            "picture were expected"
        )
    if found.shape == size:
        return found
    return np.array(Image.fromarray(found).resize((size[1], size[0]), Image.Resampling.NEAREST))


def picture(run: str, segmenter: Model, source: str, longest: int | None, labels: str | None = None) -> Pictured:
    """An image and what the model of a run made of it, for a figure.

    Args:
        run: What the run is called.
        segmenter: Its model.
        source: As in ``read_picture``.
        longest: Likewise.
        labels: As in ``read_labels``.
    """
    image, name = read_picture(source, longest, segmenter.preprocessing)
    side = look_at(run, segmenter, image)
    height, width = image.shape[:2]
    truth = read_labels(source, labels, side.classes, (height, width))
    return Pictured(
        segmenter.visible(image), side.looked.labels[:height, :width], side.classes, side.looked, truth, name
    )
