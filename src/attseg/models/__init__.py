"""One file a paper, over one ``frame``; the constructor arguments are the rows of the paper's tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attseg.lazy import lazy

if TYPE_CHECKING:
    from attseg.models.build import MODELS as MODELS
    from attseg.models.build import Model as Model
    from attseg.models.build import build_model as build_model
    from attseg.models.dfdam import DFDAM as DFDAM
    from attseg.models.fcn import FCN as FCN
    from attseg.models.frame import Segmentation as Segmentation
    from attseg.models.frame import SegmentationModel as SegmentationModel
    from attseg.models.pan import PAN as PAN
    from attseg.models.psanet import PSANet as PSANet
    from attseg.models.refine import AttentionToRefine as AttentionToRefine
    from attseg.models.staged import StagedModel as StagedModel

__getattr__, __dir__ = lazy(__name__)
