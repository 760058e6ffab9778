"""Messages that help: what was given, what was expected, what to do next."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

from attseg.text import LONGEST_NAME, cut


class UsageError(ValueError):
    """The request is invalid: an unknown name, or values that do not go together."""


def unknown(what: str, given: str, known: Iterable[str], *, more: str = "") -> UsageError:
    """The error for a name that is none of the known ones, with the nearest of them.

    Example:
        >>> print(unknown("recipe", "pan-canvid", ["pan-camvid", "pan-scenes"]))
        there is no recipe 'pan-canvid'; did you mean 'pan-camvid'? There are: pan-camvid, pan-scenes
    """
    names = list(known)
    small = {name.lower(): name for name in names}
    near = get_close_matches(given[:LONGEST_NAME].lower(), small, n=1, cutoff=0.6)
    hint = f"; did you mean {small[near[0]]!r}?" if near else "."
    listed = ", ".join(names) if len(names) <= 30 else f"{', '.join(names[:30])} and {len(names) - 30} more"
    return UsageError(f"there is no {what} {cut(given, LONGEST_NAME)!r}{hint} {more or f'There are: {listed}'}")
