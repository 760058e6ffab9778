"""Exported files in use: what they say about themselves, what computes them, and a model that stands in for the network."""
