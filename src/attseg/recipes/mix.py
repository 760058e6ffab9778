"""Recipes of networks whose parts come from several papers, on wide generated scenes at a small scale.

Each is built of what the toolkit has by name, and none costs more multiply-adds than the cheapest of the four papers' own
networks on the same encoder. All else is as in the rows of ``attseg reproduce --budget small``, so that their figures can be
compared.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Literal

from attseg.recipes.dfdam import AUX
from attseg.recipes.psanet import psanet_scenes
from attseg.recipes.recipe import ModelSpec, Recipe
from attseg.recipes.tables.small import ENCODER


def mix_psa_gau_scenes() -> Recipe:
    """PSANet's point-wise attention on a map at stride 32, and PAN's decoder back to stride 4.

    Not measured: anything about real pictures.
    """
    return _mix("mix-psa-gau-scenes", "FCN", {"output_stride": 32, "context": "psa", "decoder": "gau"})


def mix_global_gau_scenes() -> Recipe:
    """ParseNet's global pooling, a row of PSANet's table 1, on a map at stride 32, and PAN's decoder in its cheap form.

    That form has 1x1 convolutions on the encoder's maps, as a row of PAN's table 3, and makes this the cheapest of all.

    Not measured: anything about real pictures.
    """
    return _mix("mix-global-gau-scenes", "PAN", {"output_stride": 32, "context": "global", "gau_kernel": 1})


def mix_fpa_dafm_scenes() -> Recipe:
    """PAN's feature pyramid attention within DF-DAM, whose gates fuse its result, with DF-DAM's auxiliary losses.

    The finest map is added as it is: in its own table at this scale, 2DPAM did not pay.

    Not measured: anything about real pictures.
    """
    return _mix("mix-fpa-dafm-scenes", "DFDAM", {"context": "fpa", "confidence": "none"}, aux=AUX)


def pan_32_scenes() -> Recipe:
    """PAN with its deepest map at stride 32: no mix, but what a mix at that stride has to be compared with.

    Not measured: anything about real pictures.
    """
    return _mix("pan-32-scenes", "PAN", {"output_stride": 32})


def _mix(
    name: str, model: Literal["FCN", "PAN", "DFDAM"], args: Mapping[str, Any], *, aux: Mapping[str, float] | None = None
) -> Recipe:
    """``psanet-scenes`` with another network, and with the auxiliary losses of that alone."""
    base = psanet_scenes()
    return replace(
        base,
        name=name,
        model=ModelSpec(name=model, args={"encoder": ENCODER, "channels": 64, **args}),
        loss=replace(base.loss, aux=dict(aux or {})),
    )
