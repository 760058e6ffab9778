"""Names of splits, as tools and people write them."""

from __future__ import annotations

import re

_NAMES = {
    "train": ("train", "training"),
    "val": ("val", "valid", "validation", "validate"),
    "test": ("test", "testing"),
}
_BY_NAME = {name: split for split, names in _NAMES.items() for name in names}


def split_name(text: str) -> str:
    """The split that a name alone stands for; empty for any other name.

    Example:
        >>> split_name("Valid"), split_name("ds0"), split_name("train2017")
        ('val', '', 'train')
    """
    return _BY_NAME.get(re.sub(r"(19|20)\d\d$", "", text.lower()), "")


def split_in(text: str) -> str:
    """The split that a part of a name stands for; empty where none or several do.

    Example:
        >>> split_in("instances_train2017"), split_in("my-val"), split_in("train_val"), split_in("trainee")
        ('train', 'val', '', '')
    """
    found = {split for part in re.split(r"[^A-Za-z0-9]+", text) if (split := split_name(part))}
    return found.pop() if len(found) == 1 else ""
