import pytest

from attseg.data.reading.walk import hidden_below, is_hidden, visible, walk

HIDDEN = (
    ".ipynb_checkpoints",
    ".Trash-1000",
    ".DS_Store",
    "._001.jpg",
    ".git",
    "@eaDir",
    "__MACOSX",
    "Thumbs.db",
    "THUMBS.DB",
    "desktop.ini",
    "$RECYCLE.BIN",
    "System Volume Information",
    "lost+found",
)
SHOWN = ("001.jpg", "train", "a.b.png", "_001.png", "@2x.png", "$1.png", "thumbs", "eaDir", "MACOSX", "-.png")


@pytest.mark.parametrize("name", HIDDEN)
def test_leftovers_of_systems_are_hidden(name):
    assert is_hidden(name)


@pytest.mark.parametrize("name", SHOWN)
def test_other_names_are_not(name):
    assert not is_hidden(name)


def test_visible_keeps_the_order():
    assert visible(["b", ".a", "a", "@eaDir"]) == ["b", "a"]


def test_a_walk_leaves_hidden_things_out_and_they_can_be_listed(tmp_path):
    for name in HIDDEN:
        (tmp_path / "deep" / name).mkdir(parents=True, exist_ok=True)
        (tmp_path / "deep" / name / "in.png").touch()
    (tmp_path / "Thumbs.db").touch()
    (tmp_path / "deep" / "a.png").touch()
    assert list(walk(tmp_path)) == [(tmp_path, []), (tmp_path / "deep", ["a.png"])]
    assert set(hidden_below(tmp_path)) == {tmp_path / "Thumbs.db", *(tmp_path / "deep" / name for name in HIDDEN)}


def test_a_hidden_folder_that_is_given_is_walked(tmp_path):
    (tmp_path / ".cache").mkdir()
    (tmp_path / ".cache" / "a.png").touch()
    assert list(walk(tmp_path / ".cache")) == [(tmp_path / ".cache", ["a.png"])]
