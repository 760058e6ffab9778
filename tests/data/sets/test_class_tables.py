"""Tables of classes as tools write them, by the formats that their documentation states."""

import json

import pytest

from attseg.data.classes import IGNORE
from attseg.data.sample import DataError
from attseg.data.sets.class_tables import find_classes, find_classes_below

WRITTEN = {
    "labelmap.txt": "# label:color_rgb:parts:actions\nbackground:0,0,0::\ncrack:250,50,83::\nvoid:1,1,1::\n",
    "label_colors.txt": "0 0 0\t\tbackground\n250 50 83\t\tcrack\n1 1 1\t\tVoid\n",
    "class_dict.csv": "name,r,g,b\nbackground,0,0,0\ncrack,250,50,83\nvoid,1,1,1\n",
    "_classes.csv": "Pixel Value, Class\n0, background\n1, crack\n2, void\n",
    "dataset_meta.json": json.dumps(
        {
            "label_map": {"0": "background", "1": "crack", "2": "void"},
            "segmentation_colors": [[0, 0, 0], [250, 50, 83], [1, 1, 1]],
        },
        indent=1,
    ),
    "class_names.txt": "background\ncrack\nvoid\n",
    "labels.txt": "background\ncrack\nvoid\n",
    "classes.txt": "background\r\ncrack\r\nvoid\r\n",
    "obj.names": "background\ncrack\nvoid\n",
}
COLORED = ("labelmap.txt", "label_colors.txt", "class_dict.csv", "dataset_meta.json")


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
        ("dataset_meta.json", '{"label_map": ["a"]}'),
    ],
)
def test_files_of_these_names_that_hold_something_else_are_no_tables(name, text, tmp_path):
    (tmp_path / name).write_text(text)
    with pytest.raises(
        DataError, match=rf"there is no .*classes\.csv(.|\n)*no table of classes, for all its name: .*{name}"
    ):
        find_classes([tmp_path])
    assert find_classes_below(tmp_path) is None


def test_a_class_that_stands_there_twice_is_told(tmp_path):
    (tmp_path / "classes.txt").write_text("a\nb\na\n")
    with pytest.raises(DataError, match=r"classes\.txt cannot be used .*\n.*line 3: the name 'a' stands in line 1"):
        find_classes([tmp_path])


def test_names_of_numbers_in_further_columns_and_quotes(tmp_path):
    (tmp_path / "_classes.csv").write_text('Pixel Value, Class\n0, a, b\n4, "c, d"\n')
    assert find_classes([tmp_path]).table.names == ("a,b", "c, d")
    (tmp_path / "_classes.csv").write_text("Pixel Value, Class, Color\n0, a, red\n4, b, blue\n")
    assert find_classes([tmp_path]).table.names == ("a", "b")


def test_one_table_for_each_split_below_a_folder(tmp_path):
    for split in ("train", "valid"):
        (tmp_path / split).mkdir()
        (tmp_path / split / "LabelMap.txt").write_text("a:0,0,0::\nb:1,1,1::\n")
    (tmp_path / "classes.txt").write_text("b\nb\n")  # a list of names, beside a table
    source = find_classes_below(tmp_path)
    assert source is not None
    assert source.colors == {0: (0, 0, 0), 1: (1, 1, 1)}
    (tmp_path / "valid" / "LabelMap.txt").write_text("a:1,1,1::\nb:0,0,0::\n")
    with pytest.raises(DataError, match=r"train.*LabelMap\.txt and .*valid.*LabelMap\.txt differ; keep one"):
        find_classes_below(tmp_path)


def test_roots_with_other_colors_are_refused_where_colors_count(tmp_path):
    for day, color in (("a", "9,9,9"), ("b", "8,8,8")):
        (tmp_path / day).mkdir()
        (tmp_path / day / "labelmap.txt").write_text(f"ground:0,0,0::\nice:{color}::\n")
    days = [tmp_path / "a", tmp_path / "b"]
    assert find_classes([tmp_path, *days], alike=days).table.names == ("ground", "ice")
    with pytest.raises(DataError, match=r"write one classes.csv for all roots"):
        find_classes([tmp_path, *days], alike=days, by_color=True)
