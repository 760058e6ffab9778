"""Readers of exports, one file a format."""
