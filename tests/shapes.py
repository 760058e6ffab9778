"""The checker for shapes in signatures: of every ``forward``, and of nothing else, so that errors for people stay ours."""

from typing import Any

from beartype import beartype


def checked(function: Any) -> Any:
    """What ``--jaxtyping-packages=attseg,shapes.checked`` puts around the functions of attseg."""
    return beartype(function) if getattr(function, "__name__", "") == "forward" else function
