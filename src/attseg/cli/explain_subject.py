"""What ``attseg explain`` looks at: a picture, through the model of a run, at some pixels."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path
from typing import TYPE_CHECKING

from attseg.errors import UsageError

if TYPE_CHECKING:
    from attseg.data.reading.value_range import ValueRange
    from attseg.data.sample import Array
    from attseg.explain.bundle import Side
    from attseg.inference.segmenter import Segmenter

SCENE = (240, 320)
"""Height and width of generated scenes."""

SHORTEST = 32
"""Least of ``--longest``: networks take nothing smaller."""


def read_picture(source: str, longest: int | None = None, value_range: ValueRange | None = None) -> tuple[Array, str]:
    """A picture file, or the generated scene that ``scene:N`` means, with its name.

    Args:
        source: As on the command line.
        longest: Pixels along the longer side to which a larger picture is scaled down.
        value_range: The values that are black and white, as the models take them.

    Raises:
        UsageError: There is no such file, or N is no number.
        DataError: The file cannot be read as a picture.
    """
    import numpy as np
    from PIL import Image

    from attseg.data.reading.image import read_image
    from attseg.data.sets.scenes import Scenes
    from attseg.files import no_such_path

    kind, _, number = source.partition(":")
    path = Path(source).expanduser()
    if kind == "scene" and not path.exists():
        if not number.isdecimal() or int(number) > 1_000_000:
            raise UsageError(
                f"{source!r} names no scene; scene:0, scene:1 and so on were expected, up to scene:1000000"
            )
        image, name = Scenes("val", size=SCENE, count=int(number) + 1)[int(number)].image, f"scene {number}"
    elif path.is_dir():
        raise UsageError(f"{source} is a folder; a page shows one picture: give a file")
    elif not path.exists():
        raise no_such_path(path)
    else:
        image, name = read_image(path, value_range=value_range), path.stem
    if longest is None or max(image.shape[:2]) <= longest:
        return image, name
    picture = Image.fromarray(image)
    picture.thumbnail((longest, longest), Image.Resampling.LANCZOS)
    return np.array(picture), name


def look_at(run: str, segmenter: Segmenter, image: Array) -> Side:
    """What the model of a run makes of a picture."""
    import torch

    from attseg.explain.bundle import Side, scale_names
    from attseg.explain.looked import look
    from attseg.models.frame import smallest_side
    from attseg.prediction.whole import as_batch

    try:
        looked = look(
            segmenter.model,
            as_batch(image, segmenter.preprocessing, segmenter.device, least=smallest_side(segmenter.model)),
        )
    except (RuntimeError, MemoryError) as error:
        if not isinstance(error, torch.OutOfMemoryError | MemoryError) and "DefaultCPUAllocator" not in str(error):
            raise
        raise UsageError(
            f"{run} does not fit into the memory of {segmenter.device} for a picture of {image.shape[1]} x {image.shape[0]}; "
            "let it see a smaller one, such as with --longest 1000, or use another device"
        ) from error
    title = type(segmenter.model).__name__
    return Side(title, Path(run).name, segmenter.classes, looked, scale_names(segmenter.model))


def points_of(arguments: Namespace) -> list[tuple[int, int]]:
    """The pixels (x, y) that ``--at`` names.

    Raises:
        UsageError: One is not two whole numbers.
    """
    pairs = (_whole_numbers("--at", text, "120,80") for text in arguments.at)
    return [(x, y) for x, y in pairs]


def longest_of(arguments: Namespace) -> int | None:
    """What ``--longest`` says.

    Raises:
        UsageError: It is no number, or too small.
    """
    if arguments.longest is None:
        return None
    (longest,) = _whole_numbers("--longest", arguments.longest, "1000")
    if longest < SHORTEST:
        raise UsageError(f"--longest is {longest}; at least {SHORTEST} was expected")
    return longest


def _whole_numbers(option: str, text: str, example: str) -> list[int]:
    """As many whole numbers as the example has."""
    parts = [part.strip() for part in text.split(",")]
    if len(parts) != len(example.split(",")) or not all(part.isdecimal() for part in parts):
        raise UsageError(f"{option} is {text!r}; something like {example} was expected")
    return [int(part) for part in parts]
