"""Prediction over many files: folders of images, videos, manifests, shares between processes."""
