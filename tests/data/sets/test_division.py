"""Splits that options make: the same wherever they are made, kept in a file, and extended without moving a picture."""

import shutil
from collections import Counter

import numpy as np
import pytest
from PIL import Image

from attseg.data.sample import DataError
from attseg.data.sets.folder import Folder, FolderFiles
from attseg.data.sets.kept_splits import extend_splits, keep_splits, with_kept_splits
from attseg.data.sets.own import RECORD
from attseg.data.splitting import read_splits
from attseg.errors import UsageError

PATTERN = {"labels": "{stem}_mask.png"}


def add(root, name, seed, rare=False):
    rng = np.random.default_rng(seed)
    (root / name).parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(rng.integers(0, 256, (6, 7, 3), np.uint8)).save(root / f"{name}.jpg")
    labels = np.zeros((6, 7), np.uint8)
    labels[0] = 1
    labels[1] = 2 if rare else 0
    Image.fromarray(labels).save(root / f"{name}_mask.png")


@pytest.fixture
def mine(tmp_path):
    """Twenty pictures in one folder, of which five hold the rare class."""
    root = tmp_path / "mine"
    for index in range(20):
        add(root, f"clip{index // 4}_{index:03d}", index, rare=index % 4 == 0)
    (root / "classes.csv").write_text("index,name\n0,a\n1,b\n2,rare\n")
    return root


def names(root, split, /, **options):
    data = Folder(root, split, **PATTERN, **options)
    return [data.name(index) for index in range(len(data))]


def test_the_rare_class_is_in_both_splits_in_its_share(mine):
    train, val = names(mine, "train", split=0.8), names(mine, "val", split=0.8)
    assert (len(train), len(val)) == (16, 4)
    assert sum(int(name[-3:]) % 4 == 0 for name in val) == 1
    assert sorted(train + val) == sorted(path.stem for path in mine.glob("*.jpg"))


def test_three_shares_and_the_seed(mine):
    parts = [names(mine, split, split=(0.5, 0.25, 0.25)) for split in ("train", "val", "test")]
    assert [len(part) for part in parts] == [10, 5, 5]
    assert names(mine, "val", split=0.8, seed=1) != names(mine, "val", split=0.8)


def test_folds_share_no_picture_and_are_all_together(mine):
    folds = [names(mine, "val", fold=f"{number}/5") for number in range(1, 6)]
    assert sorted(name for fold in folds for name in fold) == sorted(path.stem for path in mine.glob("*.jpg"))
    assert [sum(int(name[-3:]) % 4 == 0 for name in fold) for fold in folds] == [1] * 5
    assert sorted(names(mine, "train", fold="2/5") + folds[1]) == sorted(name for fold in folds for name in fold)


def test_frames_of_a_video_stay_together(mine):
    train, val = (names(mine, split, split=0.8, group="^(clip[0-9]+)_") for split in ("train", "val"))
    clips = [{name.partition("_")[0] for name in part} for part in (train, val)]
    assert clips[0].isdisjoint(clips[1])
    assert [len(part) for part in clips] == [4, 1]


def test_the_remark_says_how_pictures_were_divided(mine):
    assert Folder(mine, "train", **PATTERN, split=0.8).remarks == [
        "divided by the option split: 16 train, 4 val; stratified by the classes in each picture, seed 0"
    ]


def test_a_kept_file_decides_and_new_pictures_are_left_out_and_named(mine, tmp_path):
    data = Folder(mine, "train", **PATTERN, split=0.8)
    keep_splits(data, tmp_path / "splits.csv")
    val = names(mine, "val", split=0.8)
    for index in range(30, 40):
        add(mine, f"new_{index}", index, rare=True)
    assert names(mine, "val", split=0.8) != val
    kept = with_kept_splits("folder", {"split": 0.8, "seed": 3, **PATTERN}, tmp_path / "splits.csv")
    assert kept == {"split": str(tmp_path / "splits.csv"), **PATTERN}
    again = Folder(mine, "val", **kept)
    assert [pair.name for pair in again.pairs] == val
    assert any("10 pictures that" in remark and "does not list left out: new_30" in remark for remark in again.remarks)
    (mine / f"{val[0]}.jpg").unlink()
    (mine / f"{val[0]}_mask.png").unlink()
    with pytest.raises(
        DataError, match=rf"splits\.csv lists 1 picture of val not found there: {val[0]}; to divide this folder anew"
    ):
        Folder(mine, "val", **kept)


def test_a_file_is_extended_and_no_picture_moves(mine, tmp_path):
    files = FolderFiles(RECORD, mine, **PATTERN, split=0.8)
    assert extend_splits(files, tmp_path / "s.csv") == f"{tmp_path / 's.csv'}: 16 train, 4 val"
    before = read_splits(tmp_path / "s.csv")
    for index in range(30, 40):
        add(mine, f"new_{index}", index, rare=True)
    (mine / "clip0_000.jpg").unlink()
    (mine / "clip0_000_mask.png").unlink()
    told = extend_splits(FolderFiles(RECORD, mine, **PATTERN, split=0.8), tmp_path / "s.csv")
    after = read_splits(tmp_path / "s.csv")
    assert {name: after[name] for name in before.keys() & after.keys()}.items() <= before.items()
    added = Counter(split for name, split in after.items() if name not in before)
    assert added == {"train": 8, "val": 2}
    assert "19 pictures stayed, added: 8 to train, 2 to val; 1 picture no longer there" in told
    with pytest.raises(UsageError, match="no shares are stated"):
        extend_splits(FolderFiles(RECORD, mine, **PATTERN, fold="1/5"), tmp_path / "s.csv")


def test_a_picture_without_labels_stands_in_the_way_of_a_split(mine):
    (mine / "clip0_000_mask.png").unlink()
    with pytest.raises(DataError, match="1 picture in .* without labels .*: clip0_000"):
        names(mine, "train", split=0.8)


def test_label_files_are_read_once_for_all_splits(mine, monkeypatch):
    from attseg.data.sets import division

    division._present.cache_clear()
    read, seen = division.read_raw_labels, []
    monkeypatch.setattr(division, "read_raw_labels", lambda path: (seen.append(path), read(path))[1])
    names(mine, "train", split=0.8)
    names(mine, "val", split=0.8)
    assert len(seen) == 20
    shutil.copy(mine / "clip0_000_mask.png", mine / "clip0_001_mask.png")
    names(mine, "val", split=0.8)
    assert len(seen) == 21
