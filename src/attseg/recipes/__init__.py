"""Runs with a name: the record that describes one (``recipe``), one file of them a paper, and their YAML (``files``).

``tables`` has the rows of the papers' tables, each with its recipe.
"""

from __future__ import annotations

from collections.abc import Callable

from attseg.errors import unknown
from attseg.recipes.dfdam import (
    dfdam_camvid,
    dfdam_cityscapes,
    dfdam_scenes,
    dfdam_voc_50,
    dfdam_voc_101,
    dfdam_voc_test,
)
from attseg.recipes.fcn import fcn_camvid, fcn_scenes
from attseg.recipes.finetune import finetune_medium, finetune_nano, finetune_small
from attseg.recipes.mix import (
    mix_fpa_dafm_scenes,
    mix_global_gau_camvid,
    mix_global_gau_scenes,
    mix_psa_gau_scenes,
    pan_32_scenes,
)
from attseg.recipes.pan import (
    pan_camvid,
    pan_cityscapes,
    pan_demo,
    pan_folder,
    pan_scenes,
    pan_voc,
    pan_voc_test,
)
from attseg.recipes.psanet import (
    psanet_ade20k_50,
    psanet_ade20k_101,
    psanet_camvid,
    psanet_cityscapes_50,
    psanet_cityscapes_101,
    psanet_cityscapes_coarse_test,
    psanet_cityscapes_test,
    psanet_coco,
    psanet_scenes,
    psanet_voc_50,
    psanet_voc_101,
    psanet_voc_test,
    psanet_where_scenes,
)
from attseg.recipes.recipe import Recipe
from attseg.recipes.refine import a2r_ade20k, a2r_camvid, a2r_scenes, a2r_voc
from attseg.recipes.tables import find_row_recipe

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
    "psanet-where-scenes": psanet_where_scenes,
    "psanet-camvid": psanet_camvid,
    "mix-psa-gau-scenes": mix_psa_gau_scenes,
    "mix-global-gau-scenes": mix_global_gau_scenes,
    "mix-fpa-dafm-scenes": mix_fpa_dafm_scenes,
    "pan-32-scenes": pan_32_scenes,
    "mix-global-gau-camvid": mix_global_gau_camvid,
    "pan-folder": pan_folder,
    "finetune-nano": finetune_nano,
    "finetune-small": finetune_small,
    "finetune-medium": finetune_medium,
    "pan-voc": pan_voc,
    "pan-voc-test": pan_voc_test,
    "pan-cityscapes": pan_cityscapes,
    "psanet-ade20k-50": psanet_ade20k_50,
    "psanet-ade20k-101": psanet_ade20k_101,
    "psanet-voc-50": psanet_voc_50,
    "psanet-voc-101": psanet_voc_101,
    "psanet-coco": psanet_coco,
    "psanet-voc-test": psanet_voc_test,
    "psanet-cityscapes-50": psanet_cityscapes_50,
    "psanet-cityscapes-101": psanet_cityscapes_101,
    "psanet-cityscapes-test": psanet_cityscapes_test,
    "psanet-cityscapes-coarse-test": psanet_cityscapes_coarse_test,
    "dfdam-voc-50": dfdam_voc_50,
    "dfdam-voc-101": dfdam_voc_101,
    "dfdam-voc-test": dfdam_voc_test,
    "dfdam-cityscapes": dfdam_cityscapes,
    "a2r-voc": a2r_voc,
    "a2r-ade20k": a2r_ade20k,
}


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
