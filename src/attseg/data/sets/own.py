"""A data set of your own: two folders and a table of classes, no code."""

from __future__ import annotations

from attseg.data.sets.record import DataSet

RECORD = DataSet(
    name="folder",
    title="a data folder",
    about="your own: images/, labels/ and classes.csv",
    options={
        "range": "values of black and white, such as 0,4095",
        "orientation": "applied or raw, of images with an EXIF orientation",
    },
    layouts=(("images/{}", "labels/{}", "classes.csv"),),
    files="folder.FolderFiles",
)
