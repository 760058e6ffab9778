"""Public data sets in their official layouts, small and in order, for tests to damage."""

import numpy as np
from PIL import Image
from scipy.io import savemat

from attseg.data.sets.voc import VOC


def save(path, values):
    """A picture or labels of any shape."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.asarray(values, np.uint8)).save(path)


VOC_SPLITS = {"train": ("2007_000032", "2007_000039"), "val": ("2007_000033", "2007_000042"), "test": ("2008_000006",)}
SBD_SPLITS = {"train": ("2008_000002", "2007_000032"), "val": ("2008_000003", "2007_000033")}
"""Two of SBD's pictures are VOC's: one of its train, one of its val."""


def write_noise(path, seed, suffix="JPEG"):
    """A picture of 12 x 8 pixels."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.random.default_rng(seed).integers(0, 256, (8, 12, 3), np.uint8)).save(path, suffix)


def write_paletted(path, values):
    """Labels as VOC has them: indices of a palette, whose colours mean nothing to a program."""
    path.parent.mkdir(parents=True, exist_ok=True)
    image = Image.fromarray(np.resize(np.asarray(values, np.uint8), (8, 12)))
    image.putpalette(VOC.palette.tobytes())
    image.save(path)


def write_mat(path, values):
    """Labels as SBD has them."""
    path.parent.mkdir(parents=True, exist_ok=True)
    labels = np.resize(np.asarray(values, np.uint8), (8, 12))
    boundaries = np.empty((20, 1), object)
    boundaries[:] = [[np.zeros((8, 12), np.uint8)]] * 20
    present = np.unique(labels[labels > 0]).reshape(-1, 1)
    content = {"Boundaries": boundaries, "Segmentation": labels, "CategoriesPresent": present}
    savemat(path, {"GTcls": content}, do_compression=True)


def make_voc(root):
    """PASCAL VOC 2012 with two pictures to train, two to validate, and one to test."""
    home = root / "VOCdevkit" / "VOC2012"
    (home / "ImageSets" / "Segmentation").mkdir(parents=True)
    for seed, (split, names) in enumerate(VOC_SPLITS.items()):
        (home / "ImageSets" / "Segmentation" / f"{split}.txt").write_text("".join(f"{name}\n" for name in names))
        for place, name in enumerate(names):
            write_noise(home / "JPEGImages" / f"{name}.jpg", (seed, place))
            if split != "test":
                write_paletted(home / "SegmentationClass" / f"{name}.png", (0, 5, 20, 255))


def make_sbd(root):
    """SBD with two pictures in each split."""
    home = root / "benchmark_RELEASE" / "dataset"
    for seed, (split, names) in enumerate(SBD_SPLITS.items(), 10):
        for place, name in enumerate(names):
            write_noise(home / "img" / f"{name}.jpg", (seed, place))
            write_mat(home / "cls" / f"{name}.mat", (0, 1, 15))
        (home / f"{split}.txt").write_text("\n".join(names))


def make_ade20k(root):
    """ADE20K with two pictures to train, one to validate, one to test."""
    home = root / "ADEChallengeData2016"
    for seed, (split, folder, count) in enumerate((("train", "training", 2), ("val", "validation", 1))):
        for place in range(1, count + 1):
            name = f"ADE_{split}_{place:08d}"
            write_noise(home / "images" / folder / f"{name}.jpg", (seed, place))
            save(home / "annotations" / folder / f"{name}.png", np.resize((0, 1, 2, 150), (8, 12)))
    write_noise(home / "images" / "testing" / "ADE_test_00000001.jpg", 9)


def write_frame(root, kind, split, frame, *endings, values):
    """Label files of a frame of Cityscapes."""
    for ending in endings:
        save(root / kind / split / frame.split("_")[0] / f"{frame}_{kind}_{ending}.png", np.resize(values, (8, 12)))


def make_cityscapes(root):
    """Cityscapes with two pictures to train, and one in each other split."""
    frames = {
        "train": ("aachen_000000_000019", "bochum_000000_000313"),
        "val": ("frankfurt_000000_000294",),
        "test": ("berlin_000000_000019",),
        "train_extra": ("augsburg_000000_000000",),
    }
    for seed, (split, names) in enumerate(frames.items()):
        for place, frame in enumerate(names):
            picture = root / "leftImg8bit" / split / frame.split("_")[0] / f"{frame}_leftImg8bit.png"
            write_noise(picture, (seed, place), "PNG")
            kind = "gtCoarse" if split == "train_extra" else "gtFine"
            write_frame(root, kind, split, frame, "labelIds", "instanceIds", values=(0, 7, 33, 26))
            write_frame(root, kind, split, frame, "labelTrainIds", values=(255, 0, 18, 13))
