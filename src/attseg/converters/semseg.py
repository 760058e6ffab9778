"""The door for PSANet and PSPNet as their authors released them for PyTorch: github.com/hszhao/semseg."""

from __future__ import annotations

from typing import Any, cast

from torch import Tensor

from attseg.attention.pointwise.terms import Direction
from attseg.converters.foreign import Foreign, Given, Renaming
from attseg.converters.resnet import find_resnet, sequential_stem
from attseg.converters.source import Source, read_tensors
from attseg.errors import UsageError
from attseg.models.psanet import PSANet

WHAT = "a PSANet or PSPNet of hszhao/semseg"
BOTH: tuple[Direction, ...] = ("collect", "distribute")
RENAMING: Renaming = [
    *sequential_stem("layer0"),
    ("encoder.network.", ""),
    ("head.2.", "cls.4."),
    ("aux.encoder.0.", "aux."),
    ("aux.encoder.2.", "aux.4."),
]


def load_semseg(
    source: Source,
    *,
    directions: tuple[Direction, ...] = BOTH,
    compact: bool = False,
    mask_size: tuple[int, int] | None = None,
    shrink: int = 2,
) -> PSANet:
    """A released network with its weights, in evaluation mode, giving the logits that it gave where it comes from.

    PSANet, PSPNet (``context="psp"``) or the baseline without either, depth, classes, the number of branches and whether there
    is an auxiliary head follow from the weights.

    Args:
        source: A file (``.pth``, read weights-only, or ``.safetensors``), or its tensors by name; names may begin with
            ``module.``, and a file may hold them below ``state_dict``.
        directions: What the branches of PSANet do; the names of a single branch do not tell.
        compact: Whether its maps have no relative offsets; the names do not tell either.
        mask_size: Rows and columns of its filters; None takes them to be as many.
        shrink: How many times smaller its map of attention is.

    Raises:
        UsageError: There is no such file, it would run code, the tensors are not those of such a network, or do not agree
            with the arguments.

    Source:
        The parameter names of ``model/psanet.py``, ``model/pspnet.py`` and ``model/resnet.py`` there.
    Reading:
        The released networks resize with aligned corners, dilate all blocks of a stage alike, give pairs beyond PSA's filters
        the score 0, and take pictures whose sides are a multiple of 8 plus 1. Their logits are met at such sizes; others work
        as well. The one-bin level of PSPNet has a normalisation that is folded into its convolution.
    """
    found = read_semseg(source, directions=directions, compact=compact, mask_size=mask_size, shrink=shrink)
    return cast(PSANet, found.build())


def read_semseg(
    source: Source,
    *,
    directions: tuple[Direction, ...] = BOTH,
    compact: bool = False,
    mask_size: tuple[int, int] | None = None,
    shrink: int = 2,
) -> Foreign:
    """The model that ``load_semseg`` builds; arguments and errors as there."""
    given = Given(WHAT, read_tensors(source))
    args: dict[str, Any] = {
        "encoder": find_resnet(given, last_stem="layer0.6.weight"),
        "even_dilation": True,
        "channels": given.shape("cls.0.weight")[0],
        "aux": "aux.0.weight" in given,
        "align_corners": True,
    }
    if args["aux"]:
        args["aux_channels"] = given.shape("aux.0.weight")[0]
    classes = given.shape("cls.4.weight")[0]
    if "ppm.features.0.1.weight" in given:
        weight, bias = given.folded_convolution("ppm.features.0.1", "ppm.features.0.2")
        made = {"context.levels.0.0.weight": weight, "context.levels.0.0.bias": bias}
        names: Renaming = [("context.merge.", "cls."), *_levels()]
        return given.fit("PSANet", classes, args | {"context": "psp"}, renaming=[*names, *RENAMING], made=made)
    if "psa.reduce.0.weight" not in given:
        args["directions"] = ()
        return given.fit("PSANet", classes, args, renaming=[("context.", "cls."), *RENAMING])

    check_branches("psa.reduce_p.0.weight" in given, directions)
    rows, columns = mask_shape(given.shape("psa.attention.3.weight")[0], mask_size)
    args |= {
        "directions": directions,
        "max_offset": (rows - 1, columns - 1) if compact else (rows // 2, columns // 2),
        "compact": compact,
        **({} if compact else {"outside": "zero"}),  # absolute places have no pairs without a filter
        "shrink": shrink,
        "inner": given.shape("psa.reduce.0.weight")[0],
    }
    made, names = {}, [("context.psa.project.", "psa.proj."), ("context.fuse.", "cls.")]
    for direction in directions:
        suffix = "_p" if direction == "distribute" and len(directions) == 2 else ""
        branch = f"context.psa.branches.{direction}"
        made[f"{branch}.filters"] = as_filters(given.take(f"psa.attention{suffix}.3.weight"), (rows, columns))
        names += [(f"{branch}.reduce.", f"psa.reduce{suffix}."), (f"{branch}.adapt.", f"psa.attention{suffix}.")]
    return given.fit("PSANet", classes, args, renaming=[*names, *RENAMING], made=made)


def check_branches(both: bool, directions: tuple[Direction, ...]) -> None:
    """Refuse directions that are not as many as the branches in the file."""
    if both != (len(directions) == 2):
        raise UsageError(
            f"the weights have {'two branches' if both else 'one branch'}, and the directions are {directions}; "
            "name as many, such as directions=('collect',)"
        )


def mask_shape(filters: int, given: tuple[int, int] | None) -> tuple[int, int]:
    """Rows and columns of the filters, which are as many unless something else is given."""
    size = given or (round(filters**0.5), round(filters**0.5))
    if size[0] * size[1] != filters:
        raise UsageError(
            f"there are {filters} filters, which {size[0]} x {size[1]} are not; give mask_size, their rows and columns"
        )
    return size


def as_filters(weight: Tensor, shape: tuple[int, int]) -> Tensor:
    """(inner, rows, columns) of a 1x1 convolution (rows * columns, inner, 1, 1)."""
    return weight[:, :, 0, 0].T.unflatten(1, shape).contiguous()


def _levels() -> Renaming:
    places = ((level, place) for level in (1, 2, 3) for place in (0, 1))
    return [(f"context.levels.{level}.{at}.", f"ppm.features.{level}.{at + 1}.") for level, at in places]
