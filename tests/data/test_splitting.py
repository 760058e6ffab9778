import random
from collections import Counter

import pytest

from attseg.data.sample import DataError
from attseg.data.splitting import (
    _digest,
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
    assert group_names(["v1_001", "v1_002", "v2"], "v[0-9]+") == ["v1", "v1", "v2"]
    assert group_names(["a-1-x", "a-2-x"], "(a)-.-(x)") == ["a/x", "a/x"]


@pytest.mark.parametrize(
    ("names", "share", "group", "said"),
    [
        (["a"], 0.8, None, "1 picture cannot be split"),
        (["f/a", "f/b"], 0.8, "folder", "lie in one folder"),
        (["a", "b"], 80, None, "between 0 and 1"),
        (["a", "b"], 0.5, "(", "no regular expression"),
        (["a", "b"], 0.5, "video", "matches none of 2 names, and not a, b"),
        (["v1_a", "v1_b", "w"], 0.5, "v[0-9]", "matches 2 of 3 names, and not w"),
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


def algorithm_1(labels, shares, seed):
    """Iterative stratification with the loops and names of the paper; ties and pictures without a class as in the package."""
    labels = {name: kinds or {"None"} for name, kinds in labels.items()}
    data = sorted(labels, key=lambda name: _digest(seed, name))
    c = [len(data) * r for r in shares]
    c_label = {i: [sum(i in labels[x] for x in data) * r for r in shares] for i in set().union(*labels.values())}
    subsets = {}
    while data:
        sizes = {i: sum(i in labels[x] for x in data) for i in c_label}
        rarest = min((i for i in sizes if sizes[i]), key=lambda i: (sizes[i], str(i)))
        for x in [x for x in data if rarest in labels[x]]:
            most = max(c_label[rarest])
            m = [j for j in range(len(shares)) if abs(c_label[rarest][j] - most) < 1e-9]
            m = [j for j in m if c[j] > max(c[k] for k in m) - 1e-9]
            j = max(m, key=lambda j: _digest(seed, x, j))
            subsets[x] = j
            data.remove(x)
            c[j] -= 1
            for i in labels[x]:
                c_label[i][j] -= 1
    return subsets


@pytest.mark.parametrize("shares", [(0.8, 0.2), (0.7, 0.15, 0.15), (0.2,) * 5])
@pytest.mark.parametrize("seed", range(3))
def test_pictures_are_assigned_as_the_paper_says(shares, seed):
    names, classes = many(100, seed)
    labels = dict(zip(names, classes, strict=True)) | {"empty": set(), "bare": set()}
    found = assign_parts(list(labels), list(labels.values()), shares, seed=seed)
    assert dict(zip(labels, found, strict=True)) == algorithm_1(labels, shares, seed)


def test_drawing_at_random_spreads_the_rarest_class_worse():
    names, classes = many()
    rare = {name for name, present in zip(names, classes, strict=True) if 3 in present}
    drawn = [len({*random.Random(seed).sample(names, 40)} & rare) for seed in range(20)]
    assert max(abs(count - 0.2 * len(rare)) for count in drawn) >= 1.5


def test_a_known_split_stays_what_it_is():
    names = [f"{index}" for index in range(12)]
    found = split_pictures(names, [{index % 3} for index in range(12)], 0.75, seed=4)
    assert [name for name in names if found[name] == "val"] == ["0", "4", "11"]


def test_added_pictures_move_none_and_join_their_group():
    names, classes = many(80)
    before = dict(zip(names, assign_parts(names, classes, (0.8, 0.2), group="folder"), strict=True))
    more = [*names, "03/new", "new/1"]
    after = dict(
        zip(more, assign_parts(more, [*classes, {0}, {3}], (0.8, 0.2), group="folder", kept=before), strict=True)
    )
    assert {name: after[name] for name in names} == before
    assert after["03/new"] == before["03/030"]


def test_one_large_group_and_a_small_one_fill_both_parts():
    names = [f"{group}/{index}" for group in "ab" for index in range(30)]
    assert {*assign_parts(names, [{0}] * 60, (0.9, 0.1), group="folder")} == {0, 1}


def test_pictures_without_a_class_are_spread_in_groups_too():
    """Pairs of pictures of a wall; in every second pair, one has nothing on it."""
    names = [f"wall{index // 2:02d}_{index % 2}" for index in range(40)]
    classes = [{1} if index % 4 else set() for index in range(40)]
    splits = split_pictures(names, classes, 0.8, group="wall[0-9]+")
    assert Counter(splits.values()) == {"train": 32, "val": 8}
    empty = [name for name, present in zip(names, classes, strict=True) if not present]
    assert Counter(splits[name] for name in empty) == {"train": 8, "val": 2}
