"""A data set of your own: two folders and a table of classes, no code."""

from __future__ import annotations

from attseg.data.sets.record import DataSet

RECORD = DataSet(
    name="folder",
    title="a data folder",
    about="your own: images/, labels/ and classes.csv, or as options say",
    options={
        "range": "values of black and white, such as 0,4095; with bands, a pair for each or for all",
        "orientation": "applied or raw, of images with an EXIF orientation",
        "images": "where pictures are: a folder, or a path with {stem}; {split} stands for the split",
        "labels": "where label files are, such as labels/{split} or {stem}_mask.png",
        "lists": "lists of pictures and label files, such as {split}.txt",
        "roots": "folders with the same arrangement each, such as day1,day2",
        "classes": "file of the classes, where it is another one than classes.csv",
        "masks": "index, or color to read label files by the colours of the classes",
        "unknown": "refuse, or ignore colours that no class has",
        "split": "share of the pictures to train on, such as 0.8; or a .csv file of names and splits",
        "fold": "the fold that is val, such as 2/5",
        "group": "folder, or a regular expression in names: pictures that stay in one split",
        "seed": "of split and fold",
        "bands": "bands to read, such as 1,2,3,4 (default: red, green and blue)",
        "mean": "mean of each of these bands, as attseg data check measures it",
        "std": "standard deviation of each, likewise",
    },
    layouts=(("images/{}", "labels/{}", "classes.csv"),),
    files="folder.FolderFiles",
)
