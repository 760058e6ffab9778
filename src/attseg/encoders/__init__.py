"""Encoders, which turn an image into feature maps at several strides; each declares its channels and strides."""
