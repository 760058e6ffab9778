"""Label files that were compressed with loss: their values cannot be trusted, whatever they are."""

from __future__ import annotations

from pathlib import Path

from attseg.data.sample import DataError
from attseg.files import open_file

LOSSY = {"JPEG": "JPEG", "MPO": "JPEG (MPO)", "AVIF": "AVIF"}
"""Formats, as Pillow calls them, that are never taken as labels."""

HEAD = 2**16
"""Bytes at the beginning of a file in which its header ends."""


class LossyError(DataError):
    """A label file was compressed with loss."""

    def __init__(self, path: str | Path, what: str) -> None:
        super().__init__(
            f"{path} is compressed with loss ({what}), which changes values: its labels are wrong even where they look right. "
            "Save the labels anew from the original masks, as PNG; converting this file does not bring them back"
        )


def refuse_lossy(path: str | Path, format: str) -> None:
    """Refuse a label file by its content; the ending of its name does not matter.

    JPEG 2000 with the reversible transform passes; whether its encoder left something out cannot be seen.

    Args:
        path: The file.
        format: What Pillow calls its format.

    Raises:
        LossyError: It is JPEG, AVIF, lossy WebP, or JPEG 2000 with the irreversible transform.
    """
    if what := LOSSY.get(format):
        raise LossyError(path, what)
    if format == "WEBP" and not _is_lossless_webp(path):
        raise LossyError(path, "lossy WebP")
    if format == "JPEG2000" and not _is_reversible(path):
        raise LossyError(path, "JPEG 2000 with the irreversible transform")


def _is_lossless_webp(path: str | Path) -> bool:
    """Whether all images of a WebP file, which are chunks of it or of its frames, are of the lossless kind."""
    kinds = set()
    with open_file(path) as file:
        file.seek(12)
        while len(head := file.read(8)) == 8:
            kind, length = head[:4], int.from_bytes(head[4:], "little")
            kinds.add(kind)
            if kind == b"ANMF":
                file.seek(16, 1)  # the header of a frame; its chunks follow
            else:
                file.seek(length + length % 2, 1)
    return b"VP8L" in kinds and b"VP8 " not in kinds


def _is_reversible(path: str | Path) -> bool:
    """Whether the coding style of a JPEG 2000 file names the reversible transform, for all components."""
    with open_file(path) as file:
        head = file.read(HEAD)
    at = head.find(b"\xff\x4f\xff\x51") + 2  # from the start of the codestream to its first segment, the one of sizes
    wide = int.from_bytes(head[at + 38 : at + 40]) > 256  # numbers of components take two bytes
    transforms = []
    while 2 <= at < len(head) - 14 and head[at] == 0xFF and head[at + 1] != 0x90:  # up to the first tile
        if head[at + 1] == 0x52:  # coding style of all components
            transforms.append(head[at + 13])
        elif head[at + 1] == 0x53:  # and of one
            transforms.append(head[at + 10 + wide])
        at += 2 + int.from_bytes(head[at + 2 : at + 4])
    return bool(transforms) and all(transform == 1 for transform in transforms)
