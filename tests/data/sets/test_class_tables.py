"""Tables of classes as tools write them, by the formats that their documentation states."""

import pytest

from attseg.data.classes import IGNORE
from attseg.data.sample import DataError
from attseg.data.sets.class_tables import find_classes

WRITTEN = {
    "labelmap.txt": "# label:color_rgb:parts:actions\nbackground:0,0,0::\ncrack:250,50,83::\nvoid:1,1,1::\n",
    "label_colors.txt": "0 0 0\t\tbackground\n250 50 83\t\tcrack\n1 1 1\t\tVoid\n",
    "class_dict.csv": "name,r,g,b\nbackground,0,0,0\ncrack,250,50,83\nvoid,1,1,1\n",
    "_classes.csv": "Pixel Value, Class\n0, background\n1, crack\n2, void\n",
    "class_names.txt": "background\ncrack\nvoid\n",
    "labels.txt": "background\ncrack\nvoid\n",
    "classes.txt": "background\r\ncrack\r\nvoid\r\n",
    "obj.names": "background\ncrack\nvoid\n",
}
COLORED = ("labelmap.txt", "label_colors.txt", "class_dict.csv")


@pytest.mark.parametrize("name", WRITTEN)
def test_each_table_is_read_and_named(name, tmp_path):
    (tmp_path / name).write_text(WRITTEN[name])
    source = find_classes([tmp_path])
    assert source.table.names == ("background", "crack")
    assert source.table.lookup[:3].tolist() == [0, 1, IGNORE]
    assert source.colors == ({0: (0, 0, 0), 1: (250, 50, 83), 2: (1, 1, 1)} if name in COLORED else {})
    assert name in source.remark
    assert "there is no classes.csv" in source.remark


def test_names_of_labelme_begin_with_what_is_ignored(tmp_path):
    (tmp_path / "labels.txt").write_text("__ignore__\n_background_\ncrack\n")
    table = find_classes([tmp_path]).table
    assert table.names == ("_background_", "crack")
    assert table.lookup[[0, 1, 255]].tolist() == [0, 1, IGNORE]


def test_classes_csv_comes_first(tmp_path):
    (tmp_path / "labels.txt").write_text("a\nb\n")
    (tmp_path / "classes.csv").write_text("index,name\n3,c\n4,d\n")
    source = find_classes([tmp_path])
    assert source.table.names == ("c", "d")
    assert source.remark == ""


def test_two_tables_that_differ_are_refused_and_an_equal_one_is_not(tmp_path):
    (tmp_path / "labels.txt").write_text("a\nb\n")
    (tmp_path / "classes.txt").write_text("a\nb\n")
    assert find_classes([tmp_path]).table.names == ("a", "b")
    (tmp_path / "classes.txt").write_text("b\na\n")
    with pytest.raises(
        DataError, match=r"labels\.txt and .*classes\.txt differ; say which .*--data\.options\.classes classes\.txt"
    ):
        find_classes([tmp_path])


def test_roots_with_other_tables_are_refused(tmp_path):
    for number, text in enumerate(("a\nb\n", "a\nb\n", "a\nc\n")):
        (tmp_path / f"day{number}").mkdir()
        (tmp_path / f"day{number}" / "labels.txt").write_text(text)
    days = [tmp_path / f"day{number}" for number in range(3)]
    assert find_classes([tmp_path, *days[:2]], alike=days[:2]).table.names == ("a", "b")
    with pytest.raises(DataError, match="write one classes.csv for all roots"):
        find_classes([tmp_path, *days], alike=days)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("labels.txt", "images/a.jpg labels/a.png\n"),
        ("label_colors.txt", "not a table\n"),
        ("class_dict.csv", "file,label\na,b\n"),
        ("_classes.csv", "filename,a,b\nx.jpg,1,0\n"),
        ("labelmap.txt", "item { id: 1 }\n"),
        ("classes.txt", ""),
    ],
)
def test_files_of_these_names_that_hold_something_else_are_no_tables(name, text, tmp_path):
    (tmp_path / name).write_text(text)
    with pytest.raises(DataError, match=r"there is no .*classes\.csv"):
        find_classes([tmp_path])


def test_a_class_that_stands_there_twice_is_told(tmp_path):
    (tmp_path / "classes.txt").write_text("a\nb\na\n")
    with pytest.raises(DataError, match=r"classes\.txt cannot be used .*\n.*line 3: the name 'a' stands in line 1"):
        find_classes([tmp_path])
