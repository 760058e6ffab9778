"""Disables telemetry of dependencies while attseg calls them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def untold() -> Iterator[None]:
    """Telemetry of ``huggingface_hub`` is off while the block runs, whatever its environment variables say."""
    from huggingface_hub import constants

    before = constants.HF_HUB_DISABLE_TELEMETRY
    constants.HF_HUB_DISABLE_TELEMETRY = True
    try:
        yield
    finally:
        constants.HF_HUB_DISABLE_TELEMETRY = before
