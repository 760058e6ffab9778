"""Recipes of networks whose parts come from several papers: on wide generated scenes at a small scale, and one on CamVid.

Each is built of what the toolkit has by name, and none costs more multiply-adds than the cheapest of the four papers' own
networks on the same encoder. All else is as in the rows of ``attseg reproduce --budget small``, or in ``pan-camvid``, so that
their figures can be compared.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Literal

from attseg.recipes.dfdam import AUX
from attseg.recipes.pan import PRETRAINED, pan_camvid
from attseg.recipes.psanet import psanet_scenes
from attseg.recipes.recipe import ModelSpec, Recipe
from attseg.recipes.tables.small import ENCODER

CHEAP = {"output_stride": 32, "gau_kernel": 1}
"""PAN's decoder where it costs least."""


def mix_psa_gau_scenes() -> Recipe:
    """PSANet's point-wise attention on a map at stride 32, and PAN's decoder in its cheap form, three times as wide.

    That form has 1x1 convolutions on the encoder's maps, as a row of PAN's table 3. What it saves pays for the width.

    Not measured: anything about real pictures.
    """
    return _mix("mix-psa-gau-scenes", "PAN", {**CHEAP, "context": "psa", "channels": 192})


def mix_global_gau_scenes() -> Recipe:
    """ParseNet's global pooling, a row of PSANet's table 1, in place of PSA in `mix-psa-gau-scenes`, at the same cost.

    Not measured: anything about real pictures.
    """
    return _mix("mix-global-gau-scenes", "PAN", {**CHEAP, "context": "global", "channels": 256})


def mix_global_gau_camvid() -> Recipe:
    """`pan-camvid` with the network of `mix-global-gau-scenes`: global pooling at stride 32, and wide GAU.

    Not measured: all of its steps, and the test split.
    """
    args = {**PRETRAINED, **CHEAP, "context": "global", "channels": 256}
    return replace(pan_camvid(), name="mix-global-gau-camvid", model=ModelSpec(name="PAN", args=args))


def mix_fpa_dafm_scenes() -> Recipe:
    """PAN's feature pyramid attention within DF-DAM, whose gates fuse its result, with DF-DAM's auxiliary losses.

    The finest map is added as it is: in its own table at this scale, 2DPAM did not pay.

    Not measured: anything about real pictures.
    """
    return _mix("mix-fpa-dafm-scenes", "DFDAM", {"context": "fpa", "confidence": "none"}, aux=AUX)


def pan_32_scenes() -> Recipe:
    """PAN's own parts alone as in the two mixes with GAU: stride 32, 1x1 convolutions, as wide as makes it cost the same.

    No mix, but what says how much of their gain is due to the place of their parts.

    Not measured: anything about real pictures.
    """
    return _mix("pan-32-scenes", "PAN", {**CHEAP, "context": "fpa", "channels": 256})


def _mix(
    name: str, model: Literal["PAN", "DFDAM"], args: Mapping[str, Any], *, aux: Mapping[str, float] | None = None
) -> Recipe:
    """``psanet-scenes`` with another network, and with the auxiliary losses of that alone."""
    base = psanet_scenes()
    return replace(
        base,
        name=name,
        model=ModelSpec(name=model, args={"encoder": ENCODER, "channels": 64, **args}),
        loss=replace(base.loss, aux=dict(aux or {})),
    )
