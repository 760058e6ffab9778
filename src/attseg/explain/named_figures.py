"""The papers' figures by name, and the options that each uses; ``attseg.explain.figures`` draws them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from attseg.errors import UsageError, unknown
from attseg.text import listed


@dataclass(frozen=True)
class NamedFigure:
    """A figure of a paper.

    Args:
        about: What it shows.
        options: Options of the command line that only some figures use, and this one does.
    """

    about: str
    options: tuple[str, ...] = ()


FIGURES = {
    "a2r-scales": NamedFigure("the weight of each image scale at each position, and by class"),
    "a2r-recalibration": NamedFigure("what the recalibration does to each class"),
    "dfdam-7": NamedFigure(
        "channel weights of the high-level and the low-level map as curves, of two images with --second", ("second",)
    ),
    "dfdam-8": NamedFigure(
        "channels of the low-level map, the confidence in each position, and the labels (--labels)",
        ("second", "labels", "second-labels", "channels"),
    ),
    "pan-fpa": NamedFigure("the value of the pyramid at each position, and by class"),
    "pan-gau": NamedFigure("channel weights of every global attention upsample"),
    "psanet-6": NamedFigure("for each point --at: the positions that it collects from and distributes to", ("at",)),
}


def check_figure(name: str, given: Iterable[str]) -> None:
    """Refuse a name that no figure has, and options that the figure does not use.

    Args:
        name: Of the figure.
        given: The options that were given, without dashes.

    Raises:
        UsageError: The message says what would do.
    """
    if name not in FIGURES:
        raise unknown("figure", name, FIGURES)
    for option in given:
        users = [one for one, figure in FIGURES.items() if option in figure.options]
        if users and name not in users:
            raise UsageError(f"--{option} has no meaning for {name}; it is for {listed(users)}")
