"""Point-wise spatial attention (PSA), the operator: every position attends to every other by their relative offset.

    map of position p at offset d        h_p[d] = f(p) . w[:, half + d]
    collect      p is the target         S[s, t] = h_t[s - t]          it gathers from where it looks
    distribute   p is the source         S[s, t] = h_s[t - s]          it gives to where it looks
    output                               z(t) = sum over s of A[s, t] x(s),  A = S normalised

One call, three implementations that agree: ``reference`` is the definition; ``dense`` builds the maps with plain operators, and
exports; ``tiled`` never holds them, and is what runs.

Source: Zhao et al., PSANet, ECCV 2018, sections 3.1 to 3.3, eq. 8 and 9.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from attseg.lazy import lazy

if TYPE_CHECKING:
    from attseg.attention.pointwise.maps import attention_maps as attention_maps
    from attseg.attention.pointwise.maps import source_sums as source_sums
    from attseg.attention.pointwise.operator import point_attention as point_attention
    from attseg.attention.pointwise.terms import Direction as Direction
    from attseg.attention.pointwise.terms import Normalize as Normalize
    from attseg.attention.pointwise.terms import Outside as Outside

__getattr__, __dir__ = lazy(__name__)
