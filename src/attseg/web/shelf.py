"""The pictures that are kept, with what models made of them: so many and so large, and the least recently used ones go first."""

from __future__ import annotations

import hashlib
import secrets
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass, field

from attseg.web.limits import Limits
from attseg.web.picture import Picture
from attseg.web.refusal import Refused
from attseg.web.seen import KeptPass


@dataclass(eq=False)
class Kept:
    """A picture on the shelf.

    Args:
        key: Its name in addresses.
        picture: The picture.
        small: Its thumbnail, a JPEG.
        seen: What models made of it, by their numbers.
    """

    key: str
    picture: Picture
    small: bytes
    seen: dict[int, KeptPass] = field(default_factory=dict)

    @property
    def nbytes(self) -> int:
        """Memory that it takes, about."""
        return self.picture.image.nbytes + len(self.small) + sum(one.nbytes for one in self.seen.values())


class Shelf:
    """Pictures by keys that nobody can guess; the same picture put twice is there once.

    Args:
        limits: ``kept_pictures`` and ``kept_bytes`` count here.
    """

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._salt = secrets.token_bytes(16)
        self._kept: OrderedDict[str, Kept] = OrderedDict()

    def __iter__(self) -> Iterator[Kept]:
        """The kept pictures, the last used first."""
        return reversed(list(self._kept.values()))

    def key(self, picture: Picture) -> str:
        """Identifier of an image."""
        told = repr((picture.name, picture.original, picture.image.shape)).encode()
        return hashlib.blake2b(told + picture.image.tobytes(), key=self._salt, digest_size=16).hexdigest()

    def put(self, kept: Kept) -> Kept:
        """Keep a picture; where it is there already, that one is returned."""
        kept = self._kept.setdefault(kept.key, kept)
        self._kept.move_to_end(kept.key)
        self.trim()
        return kept

    def take(self, key: str) -> Kept:
        """A kept picture, which counts as used by that.

        Raises:
            Refused: It is not, or no longer, kept.
        """
        if key not in self._kept:
            raise Refused(
                404,
                f"this picture is not kept any more; there is room for {self._limits.kept_pictures}: give it again",
            )
        self._kept.move_to_end(key)
        return self._kept[key]

    def drop(self, key: str) -> None:
        """Forget a picture, if it is there."""
        self._kept.pop(key, None)

    def trim(self) -> None:
        """Let pictures go until the rest is within the limits; the last used one stays."""
        while len(self._kept) > 1 and (
            len(self._kept) > self._limits.kept_pictures or self.nbytes > self._limits.kept_bytes
        ):
            self._kept.popitem(last=False)

    @property
    def nbytes(self) -> int:
        """Memory that all take, about."""
        return sum(kept.nbytes for kept in self._kept.values())
