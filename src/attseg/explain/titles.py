"""What maps are called on pages and in figures: by what they are, and by what tells those that are alike apart."""

from __future__ import annotations

import re
from collections.abc import Sequence

from attseg.explain.capture import AttentionMap
from attseg.explain.looked import Looked, Pairs

TITLES = {
    "scale": "Image scales",
    "class": "Classes",
    "channel": "Channel gates",
    "channel-pairs": "Channels from channels",
    "spatial": "Where",
    "collect": "Collects from",
    "distribute": "Gives to",
}
"""By kind; of maps between positions, by direction."""


def map_titles(looked: Looked) -> dict[str, str]:
    """Titles of the maps of a picture, by name: the kind; of several of one kind also the stride, words of names, or a number.

    Example:
        >>> import torch
        >>> from attseg.explain.looked import look
        >>> from attseg.models import PAN
        >>> titles = map_titles(look(PAN(3, encoder="resnet18").eval(), torch.zeros(1, 3, 64, 96)))
        >>> titles["context.pyramid"], titles["decoder.steps.2.attention"]
        ('Where (FPA)', 'Channel gates, stride 16')
    """
    kinds = [_kind_title(one) for one in looked.found]
    return {one.name: _title(place, kinds, looked) for place, one in enumerate(looked.found)}


def _title(place: int, kinds: Sequence[str], looked: Looked) -> str:
    kind, names = kinds[place], [one.name for one in looked.found]
    alike = [index for index, other in enumerate(kinds) if other == kind]
    if len(alike) == 1:
        return kind
    strides = {looked.strides.get(names[index]) for index in alike} - {None}
    if len(strides) == len(alike):
        return f"{kind}, stride {looked.strides[names[place]]}"
    words = {index: re.split(r"[._ ]", names[index]) for index in alike}
    own = [word for word in words[place] if not all(word in words[index] for index in alike)]
    if any(not word.isdecimal() for word in own):
        return f"{kind}: {' '.join(own)}"
    return f"{kind} {alike.index(place) + 1}"


def _kind_title(one: AttentionMap | Pairs) -> str:
    """The title of a kind; of weights of positions, with what made them: FPA for fpa, OCR regions for ocr-regions."""
    if isinstance(one, Pairs):
        return TITLES[one.direction]
    title = TITLES[one.direction or one.kind]
    if one.kind != "spatial" or not one.mechanism:
        return title
    first, *rest = one.mechanism.split("-")
    return f"{title} ({' '.join([first.upper() if re.fullmatch(r'[a-z0-9]{2,5}', first) else first, *rest])})"
