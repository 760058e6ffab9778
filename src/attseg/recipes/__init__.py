"""Runs with a name: the record that describes one (``recipe``), one file of them a paper, and their YAML (``files``).

``tables`` has the rows of the papers' tables, each with its recipe.
"""

from __future__ import annotations

from collections.abc import Callable

from attseg.errors import unknown
from attseg.recipes import dfdam, fcn, finetune, mix, pan, psanet, refine
from attseg.recipes.recipe import Recipe
from attseg.recipes.tables import find_row_recipe

_FUNCTIONS: tuple[Callable[[], Recipe], ...] = (
    pan.pan_scenes, fcn.fcn_scenes, dfdam.dfdam_scenes, refine.a2r_scenes, pan.pan_demo, pan.pan_camvid,
    fcn.fcn_camvid, dfdam.dfdam_camvid, refine.a2r_camvid, psanet.psanet_scenes, psanet.psanet_where_scenes,
    psanet.psanet_camvid, mix.mix_psa_gau_scenes, mix.mix_global_gau_scenes, mix.mix_fpa_dafm_scenes,
    mix.pan_32_scenes, mix.mix_global_gau_camvid, pan.pan_folder, finetune.finetune_nano, finetune.finetune_small,
    finetune.finetune_medium, pan.pan_voc, pan.pan_voc_test, pan.pan_cityscapes, psanet.psanet_ade20k_50,
    psanet.psanet_ade20k_101, psanet.psanet_voc_50, psanet.psanet_voc_101, psanet.psanet_coco, psanet.psanet_voc_test,
    psanet.psanet_cityscapes_50, psanet.psanet_cityscapes_101, psanet.psanet_cityscapes_test,
    psanet.psanet_cityscapes_coarse_test, dfdam.dfdam_voc_50, dfdam.dfdam_voc_101, dfdam.dfdam_voc_test,
    dfdam.dfdam_cityscapes, refine.a2r_voc, refine.a2r_ade20k,
)  # fmt: skip

RECIPES = {function.__name__.replace("_", "-"): function for function in _FUNCTIONS}
"""Recipes by name, in the order in which they are listed."""


def find_recipe(name: str) -> Recipe:
    """The recipe of this name, or of a row of a paper's table: ``pan:1/se``.

    Raises:
        UsageError: There is none; the message names the nearest.

    Example:
        >>> find_recipe("pan-camvid").data.name
        'camvid'
    """
    if ":" in name:
        return find_row_recipe(name)
    if name not in RECIPES:
        raise unknown("recipe", name, RECIPES)
    return RECIPES[name]()
