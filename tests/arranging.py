"""A data folder in the usual layout, arranged anew as people and tools arrange theirs, with the options that read it."""

import csv
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image

from attseg.data.sets.folder import Folder


def write_usual(root, draw, classes, **counts):
    """A data folder in the usual layout: so many pictures a split, whose image and labels ``draw()`` gives."""
    index = 0
    for split, count in counts.items():
        for kind in ("images", "labels"):
            (root / kind / split).mkdir(parents=True)
        for _ in range(count):
            for kind, values in zip(("images", "labels"), draw(), strict=True):
                Image.fromarray(values).save(root / kind / split / f"p{index:02d}.png")
            index += 1
    (root / "classes.csv").write_text(classes)
    return root


def write_noise(root, **counts):
    """A data folder of noise in the usual layout, with three classes and an ignored value."""
    rng, values = np.random.default_rng(0), np.repeat(np.array([0, 1, 2, 255], np.uint8), 24)
    classes = "index,name,r,g,b,ignore\n0,water,0,0,255,\n1,land,0,255,0,\n2,boat,255,0,0,\n255,unsure,9,9,9,1\n"

    def draw():
        return rng.integers(0, 256, (8, 12, 3), np.uint8), rng.permutation(values).reshape(8, 12)

    return write_usual(root, draw, classes, **counts)


def rows_of(root):
    """The rows of classes.csv."""
    with (root / "classes.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def pairs_of(root, most=None):
    """Picture and label file of each split."""
    return {
        split: [(pair.image, pair.labels) for pair in Folder(root, split).pairs[:most]] for split in ("train", "val")
    }


def copy(file, to):
    to.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(file, to)


def copy_colored(labels, to, rows, mode="RGB"):
    """A label file as colours of the classes."""
    values = np.array(Image.open(labels))
    palette = np.zeros((256, 3), np.uint8)
    for row in rows:
        palette[int(row["index"])] = [int(row[channel]) for channel in "rgb"]
    to.parent.mkdir(parents=True, exist_ok=True)
    if mode == "P":  # indices that are not those of the classes
        image = Image.fromarray(np.uint8(255) - values)
        image.putpalette(palette[::-1].tobytes())
    else:
        image = Image.fromarray(palette[values]).convert(mode)
    image.save(to)


def suffix(pairs, rows, root, out):
    """Pictures and masks in one folder."""
    for image, labels in pairs["train"] + pairs["val"]:
        copy(image, out / image.name)
        copy(labels, out / f"{labels.stem}_mask.png")
    copy(root / "classes.csv", out / "classes.csv")
    return {"images": ".", "labels": "{stem}_mask.png", "split": 0.8}


def prefix(pairs, rows, root, out):
    """Masks that begin with a word, in a folder of their own."""
    for image, labels in pairs["train"] + pairs["val"]:
        copy(image, out / "photos" / image.name)
        copy(labels, out / "masks" / f"gt_{labels.name}")
    copy(root / "classes.csv", out / "classes.csv")
    return {"images": "photos", "labels": "masks/gt_{stem}.png", "split": 0.8}


def colors(pairs, rows, root, out):
    """Two folders, and masks as colours."""
    for image, labels in pairs["train"] + pairs["val"]:
        copy(image, out / "images" / image.name)
        copy_colored(labels, out / "masks" / labels.name, rows)
    copy(root / "classes.csv", out / "classes.csv")
    return {"images": "images", "labels": "masks", "split": 0.8, "masks": "color"}


def lists(pairs, rows, root, out):
    """Lists of pairs, as PaddleSeg has them."""
    for split, files in pairs.items():
        for image, labels in files:
            copy(image, out / "images" / image.name)
            copy(labels, out / "annotations" / labels.name)
        lines = [f"images/{image.name} annotations/{labels.name}\n" for image, labels in files]
        (out / f"{split}.txt").write_text("".join(lines))
    copy(root / "classes.csv", out / "classes.csv")
    return {"lists": "{split}.txt"}


def names(pairs, rows, root, out):
    """Lists of names, as mmsegmentation has them, and masks as palettes with other indices."""
    for split, files in pairs.items():
        for image, labels in files:
            copy(image, out / "JPEGImages" / image.name)
            copy_colored(labels, out / "SegmentationClass" / labels.name, rows, mode="P")
        place = out / "ImageSets" / "Segmentation" / f"{split}.txt"
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text("".join(f"{image.stem}\n" for image, _ in files))
    ignored = {row["name"]: "ignore" for row in rows if row["ignore"]}
    lines = [f"{ignored.get(row['name'], row['name'])}:{row['r']},{row['g']},{row['b']}::\n" for row in rows]
    (out / "labelmap.txt").write_text("# label:color_rgb:parts:actions\n" + "".join(lines))
    return {
        "lists": "ImageSets/Segmentation/{split}.txt",
        "images": "JPEGImages",
        "labels": "SegmentationClass",
        "masks": "color",
    }


def roots(pairs, rows, root, out):
    """Three folders in the usual layout."""
    for split, files in pairs.items():
        for number, (image, labels) in enumerate(files):
            place = out / f"day{number % 3}"
            copy(image, place / "images" / split / image.name)
            copy(labels, place / "labels" / split / labels.name)
    copy(root / "classes.csv", out / "classes.csv")
    return {"roots": "day0,day1,day2", "images": "images/{split}", "labels": "labels/{split}"}


def inner(pairs, rows, root, out):
    """Splits outside, kinds inside; masks as BMP."""
    for split, files in pairs.items():
        for image, labels in files:
            copy(image, out / split / "images" / image.name)
            copy_colored(labels, out / split / "masks" / f"{labels.stem}.bmp", rows)
    copy(root / "classes.csv", out / "classes.csv")
    return {"images": "{split}/images", "labels": "{split}/masks", "masks": "color"}


def roboflow(pairs, rows, root, out):
    """As Roboflow exports semantic masks."""
    for split, files in pairs.items():
        for image, labels in files:
            copy(image, out / split / image.name)
            copy(labels, out / split / f"{labels.stem}_mask.png")
        lines = [f"{row['index']}, {'ignore' if row['ignore'] else row['name']}\n" for row in rows]
        (out / split / "_classes.csv").write_text("Pixel Value, Class\n" + "".join(lines))
    return {"images": "{split}", "labels": "{stem}_mask.png"}


FORMS: dict[str, Callable[..., dict]] = {
    form.__name__: form for form in (suffix, prefix, colors, lists, names, roots, inner, roboflow)
}


def arrange(form, root: Path, out: Path, most=None):
    """Arrange a data folder in one of ``FORMS``; returns the options that read it."""
    return FORMS[form](pairs_of(root, most), rows_of(root), root, out)
