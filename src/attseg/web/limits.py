"""Every limit of the explorer, in one place; ``docs/inside/explorer.md`` says what happens at each."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """Limits of a single request and of all requests together.

    Args:
        upload_bytes: Size of a file that is dropped, pasted or picked.
        file_bytes: Size of a file in the folder that was named at the start.
        pixels: Pixels of a picture, as its file claims before anything is decoded.
        seen_pixels: Pixels of a picture as the networks see it and the page shows it; larger ones are scaled down.
        seen_side: Longest side of the same.
        uploads: How many files are received at once.
        looks: How many pictures wait to be read or seen, with the one at work.
        reads: How many clicks and thumbnails wait, with the one at work.
        kept_pictures: How many pictures are kept; the one that was not used for longest goes first.
        kept_bytes: What the kept pictures and their maps take in all; the newest is kept even if it alone takes more.
        files: How many pictures of a folder are listed.
        idle_seconds: That a connection stays open behind an answer, for the next request.
        body_seconds: For a file to arrive.
        look_seconds: For a network to see a picture.
        connections: Open at once; more are answered with 503.
    """

    upload_bytes: int = 32 * 2**20
    file_bytes: int = 256 * 2**20
    pixels: int = 40_000_000
    seen_pixels: int = 1_000_000
    seen_side: int = 1200
    uploads: int = 4
    looks: int = 8
    reads: int = 64
    kept_pictures: int = 24
    kept_bytes: int = 2**30
    files: int = 5000
    idle_seconds: int = 10
    body_seconds: float = 30.0
    look_seconds: float = 120.0
    connections: int = 256
