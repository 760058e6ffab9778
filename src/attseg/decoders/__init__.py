"""What brings the deepest map back to finer ones: ``bilinear`` leaves that to the last resize, ``topdown`` climbs."""
