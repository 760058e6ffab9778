"""Measured results of recipes; docs/papers/results.md has the machines, the commands and the limits of these figures."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class OurResult:
    """The result of a run.

    Args:
        miou: On the validation split, in percent.
        seed: Of the run.
        date: When it was run.
        changed: What was changed of the recipe; empty if nothing.
    """

    miou: float
    seed: int
    date: str
    changed: str = ""

    @property
    def mark(self) -> str:
        """A star where the recipe was changed."""
        return "*" if self.changed else ""


MEASURED = {
    "pan-demo": OurResult(miou=83.17, seed=0, date="2026-11-21", changed="val_every 500, bfloat16"),
    "pan-camvid": OurResult(
        miou=57.0, seed=0, date="2026-11-21", changed="as in 0.1.0, from scratch; steps 2000, bfloat16"
    ),
    "psanet-camvid": OurResult(
        miou=48.1, seed=0, date="2026-11-21", changed="as in 0.1.0, from scratch; steps 600, bfloat16"
    ),
}
"""By recipe."""
