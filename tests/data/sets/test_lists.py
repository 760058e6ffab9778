import numpy as np
import pytest

import layouts
from attseg.data.sample import DataError
from attseg.data.sets.folder import Folder
from attseg.data.sets.lists import PairList


@pytest.fixture
def root(tmp_path):
    for name in ("images/a.png", "labels/a.png", "images/b c.png", "labels/b c.png"):
        layouts.save(tmp_path / name, np.zeros((4, 4)))
    (tmp_path / "classes.csv").write_text("index,name\n0,a\n1,b\n")
    return tmp_path


@pytest.mark.parametrize(
    "text",
    [
        "images/a.png labels/a.png\nimages/b c.png labels/b c.png\n",
        "images/a.png\tlabels/a.png\nimages/b c.png\tlabels/b c.png\n",
        "\ufeffimages/a.png,labels/a.png\r\n\r\nimages/b c.png, labels/b c.png\r\n",
        "# picture labels\n/images/a.png /labels/a.png\n/images/b c.png /labels/b c.png\n",
        "images\\a.png labels\\a.png\nimages\\b c.png labels\\b c.png\n",
    ],
)
@pytest.mark.parametrize("place", ["train.txt", "lists/train.txt"])
def test_lists_of_pairs(text, place, root):
    (root / place).parent.mkdir(exist_ok=True)
    (root / place).write_text(text)
    data = Folder(root, "train", lists=place.replace("train", "{split}"))
    assert [(pair.name.replace("\\", "/"), pair.image.name, pair.labels.parent.name) for pair in data.pairs] == [
        ("images/a", "a.png", "labels"),
        ("images/b c", "b c.png", "labels"),
    ]


def test_paths_may_be_below_the_folder_of_the_list(root):
    (root / "sub").mkdir()
    for kind in ("images", "labels"):
        (root / kind).rename(root / "sub" / kind)
    (root / "sub/train.txt").write_text("images/a.png labels/a.png\n")
    assert Folder(root, "train", lists="sub/{split}.txt").pairs[0].image == root / "sub/images/a.png"


@pytest.mark.parametrize("text", ["a\nb c\n", "a.png\nb c.png\n", "b c.jpg\na\n"])
def test_lists_of_names(text, root):
    (root / "train.txt").write_text(text)
    data = Folder(root, "train", lists="{split}.txt")
    assert [pair.name for pair in data.pairs] == ["a", "b c"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("images/a.png labels/z.png\n", r"train\.txt, line 1: .*labels/z\.png does not exist"),
        ("images/a.png labels/a.png\nimages/a.png labels/a.png\n", "lists images/a more than once"),
        ("images/a.png labels/a.png\nimages/a.png\n", "line 2: 1 path, and line 1 has 2"),
        ("images/a.png labels/a.png 3 4\n", "no way to take it as a picture and its labels"),
        ("a\nz\n", "line 2: there is no picture 'z'"),
        ("a\na\n", "line 2: 'a' stands there already"),
        ("\n", "is empty"),
    ],
)
def test_what_is_wrong_names_the_line(text, said, root):
    (root / "train.txt").write_text(text)
    with pytest.raises(DataError, match=said):
        Folder(root, "train", lists="{split}.txt")


def test_a_list_of_pictures_alone_can_be_predicted(root):
    (root / "test.txt").write_text("images/a.png\nimages/b c.png\n")
    survey = PairList.read(root / "test.txt", root).survey()
    assert [picture.name for picture in survey.pictures] == ["images/a", "images/b c"]
    assert "one path in each line" in survey.no_labels
