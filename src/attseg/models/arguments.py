"""What a model was built with, so that it can be built again."""

from __future__ import annotations

import inspect
from typing import Any, Self


class KeepsArguments:
    """Base class of models that keep the arguments of their constructor."""

    built_with: tuple[tuple[Any, ...], dict[str, Any]]

    def __new__(cls, *args: Any, **kwargs: Any) -> Self:
        """Keep the arguments before the constructor sees them."""
        made = super().__new__(cls)
        object.__setattr__(made, "built_with", (args, kwargs))
        return made


def arguments_of(model: KeepsArguments) -> dict[str, Any]:
    """The arguments that a model was built with, by name.

    Example:
        >>> from attseg.models import PAN
        >>> arguments_of(PAN(5, encoder="test_resnet", channels=32))
        {'num_classes': 5, 'encoder': 'test_resnet', 'channels': 32}
    """
    args, kwargs = model.built_with
    return dict(inspect.signature(type(model)).bind(*args, **kwargs).arguments)
