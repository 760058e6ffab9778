"""A folder that is laid out like a repository on the Hugging Face hub."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from attseg.errors import UsageError
from attseg.files import making, require_file
from attseg.hub.card import REPORT
from attseg.hub.repository import OnHub
from attseg.hub.sources import HUB_FILE
from attseg.written import outputs


def save_published(
    segmenter: OnHub, out: Path, *, license: str | None, repository: str | None, overwrite: bool = False
) -> None:
    """Write to a folder what a repository on the hub would get; a ``README.md`` that is there is kept.

    Args:
        segmenter: The model.
        out: The folder.
        license: As of ``generate_model_card``, like ``repository``, which may be unknown.
        repository: ``owner/name``.
        overwrite: Whether files of others are replaced.

    Raises:
        UsageError: No licence is known, or something is in the way.
    """
    card: dict[str, Any] = {"license": license, "repository": repository or "OWNER/NAME"}
    segmenter.generate_model_card(**card)  # refuses before a folder is made
    if not out.is_dir() and os.path.lexists(out):
        raise UsageError(f"{out} is there and is no folder; choose another name with --out, or remove it")
    if os.path.lexists(out / "README.md"):
        require_file(out / "README.md")
    places = [out / name for name in (HUB_FILE, "config.json", "recipe.yaml", REPORT)]
    with outputs(*places, overwrite=overwrite), making(out):
        segmenter.save_pretrained(out, model_card_kwargs=card)
