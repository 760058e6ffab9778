"""Suggests how to train on a folder: what is in it (``data``), the choice (``choose``), how long it takes (``pace``)."""
