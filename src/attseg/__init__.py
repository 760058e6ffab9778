"""Semantic segmentation with attention: train, measure, look into, ship."""
