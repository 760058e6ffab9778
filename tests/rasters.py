"""GeoTIFF files written and read by rasterio."""

import numpy as np
import rasterio
from affine import Affine

TRANSFORM = Affine(10, 0, 500_000, 0, -10, 5_000_000)


def write_raster(path, values, **profile):
    """Write (bands, H, W) with a georeference."""
    count, height, width = values.shape
    georeference = {"crs": "EPSG:32633", "transform": TRANSFORM} | profile
    with rasterio.open(
        path, "w", driver="GTiff", height=height, width=width, count=count, dtype=values.dtype, **georeference
    ) as file:
        file.write(values)
    return path


def read_raster(path, bands=None):
    """(bands, H, W)"""
    with rasterio.open(path) as file:
        return np.asarray(file.read(bands))
