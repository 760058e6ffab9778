import random
from collections import Counter

import pytest

from attseg.data.sample import DataError
from attseg.data.splitting import (
    assign_parts,
    group_names,
    read_splits,
    save_splits,
    split_pictures,
)
from attseg.errors import UsageError


def many(count=200, seed=1):
    """Pictures whose classes have frequencies from 1 in 2 to 1 in 40."""
    draw = random.Random(seed)
    names = [f"{index // 10:02d}/{index:03d}" for index in range(count)]
    return names, [
        {0, *(kind for kind, share in ((1, 2), (2, 8), (3, 40)) if draw.randrange(share) == 0)} for _ in names
    ]


def test_each_class_is_spread_as_the_pictures_are():
    names, classes = many()
    splits = split_pictures(names, classes, 0.8)
    assert Counter(splits.values()) == {"train": 160, "val": 40}
    total = Counter(kind for present in classes for kind in present)
    val = Counter(
        kind for name, present in zip(names, classes, strict=True) for kind in present if splits[name] == "val"
    )
    assert all(abs(val[kind] - 0.2 * count) < 1.5 for kind, count in total.items()), (val, total)


def test_the_seed_alone_decides_and_not_the_order():
    names, classes = many()
    known = dict(zip(names, classes, strict=True))
    shuffled = random.Random(5).sample(names, len(names))
    assert split_pictures(shuffled, [known[name] for name in shuffled]) == split_pictures(names, classes)
    assert split_pictures(names, classes, seed=1) != split_pictures(names, classes)


def test_groups_stay_together():
    names, classes = many()
    parts = assign_parts(names, classes, (1, 1, 1, 1, 1), group="folder")
    assert sorted(Counter(parts).values()) == [40] * 5
    assert all(
        len({part for name, part in zip(names, parts, strict=True) if name[:2] == folder}) == 1
        for folder in {name[:2] for name in names}
    )


def test_every_part_has_a_picture():
    assert sorted(assign_parts(list("abcde"), [{0}] * 5, (1,) * 5)) == [0, 1, 2, 3, 4]
    assert Counter(split_pictures(["a", "b"], [set(), set()], 0.99).values()) == {"train": 1, "val": 1}


def test_groups_by_name():
    assert group_names(["cam1/v1_001", "cam1/v2_001"], "folder") == ["cam1", "cam1"]
    assert group_names(["v1_001", "v1_002", "w"], "v[0-9]+") == ["v1", "v1", "w"]
    assert group_names(["a-1-x", "a-2-x"], "(a)-.-(x)") == ["a/x", "a/x"]


@pytest.mark.parametrize(
    ("names", "share", "group", "said"),
    [
        (["a"], 0.8, None, "1 pictures cannot be split"),
        (["f/a", "f/b"], 0.8, "folder", "lie in one folder"),
        (["a", "b"], 80, None, "between 0 and 1"),
        (["a", "b"], 0.5, "(", "no regular expression"),
        (["a", "b"], 0.5, "video", "none of the names, such as 'a'"),
    ],
)
def test_refused(names, share, group, said):
    with pytest.raises(UsageError, match=said):
        split_pictures(names, [set()] * len(names), share, group=group)


def test_split_files(tmp_path):
    path = tmp_path / "splits.csv"
    splits = {"b": "val", 'a, "1"': "train", "grün/ü": "test", "caf\udce9": "train"}
    save_splits(path, splits)
    assert read_splits(path) == splits
    path.write_text("name,split\na,train\na,val\n")
    with pytest.raises(DataError, match="line 3: 'a' stands there twice"):
        read_splits(path)
    path.write_text("a,train\n")
    with pytest.raises(DataError, match="does not begin"):
        read_splits(path)
    path.write_text("name,split\na\n")
    with pytest.raises(DataError, match="line 2"):
        read_splits(path)
