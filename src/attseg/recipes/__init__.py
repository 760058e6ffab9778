"""Runs with a name: the record that describes one (``recipe``), one file of them a paper, and their YAML (``files``)."""

from __future__ import annotations

from collections.abc import Callable

from attseg.errors import unknown
from attseg.recipes.dfdam import dfdam_camvid, dfdam_scenes
from attseg.recipes.fcn import fcn_camvid, fcn_scenes
from attseg.recipes.pan import pan_camvid, pan_demo, pan_folder, pan_scenes
from attseg.recipes.psanet import psanet_camvid, psanet_scenes
from attseg.recipes.recipe import Recipe
from attseg.recipes.refine import a2r_camvid, a2r_scenes

RECIPES: dict[str, Callable[[], Recipe]] = {
    "pan-scenes": pan_scenes,
    "fcn-scenes": fcn_scenes,
    "dfdam-scenes": dfdam_scenes,
    "a2r-scenes": a2r_scenes,
    "pan-demo": pan_demo,
    "pan-camvid": pan_camvid,
    "fcn-camvid": fcn_camvid,
    "dfdam-camvid": dfdam_camvid,
    "a2r-camvid": a2r_camvid,
    "psanet-scenes": psanet_scenes,
    "psanet-camvid": psanet_camvid,
    "pan-folder": pan_folder,
}


def find_recipe(name: str) -> Recipe:
    """The recipe of this name.

    Raises:
        UsageError: There is none; the message names the nearest.

    Example:
        >>> find_recipe("pan-camvid").data.name
        'camvid'
    """
    if name not in RECIPES:
        raise unknown("recipe", name, RECIPES)
    return RECIPES[name]()
