import csv
import itertools
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from attseg.data.classes import IGNORE, distinct_colors
from attseg.data.sample import DataError
from attseg.data.sets.class_file import COLUMNS, IGNORED_NAMES, read_class_file, read_rows, to_colors


@pytest.fixture
def read(tmp_path):
    def read(text, encoding="utf-8"):
        path = tmp_path / "classes.csv"
        path.write_bytes(text.encode(encoding))
        return read_class_file(path)

    return read


def test_gaps_colours_and_an_ignored_row(read):
    table = read("index,name,r,g,b,ignore\n9,boat,255,128,0,\n\n4,water,0,0,255,0\n255,border,1,2,3,yes\n")
    assert table.names == ("water", "boat")
    assert table.colors == ((0, 0, 255), (255, 128, 0))
    assert table.raw_to_train == {4: 0, 9: 1, 255: IGNORE}


@pytest.mark.parametrize("name", IGNORED_NAMES)
def test_names_that_say_ignore_are_enough(read, name):
    assert read(f"index,name\n0,water\n1,{name.title()}\n").raw_to_train == {0: 0, 1: IGNORE}


def test_the_column_has_the_last_word(read):
    assert read("index,name,ignore\n0,water,\n1,void,no\n").names == ("water", "void")


def test_a_row_of_255_may_be_a_class(read):
    assert read("index,name\n0,ground\n255,water\n").raw_to_train == {0: 0, 255: 1}


def test_missing_colours_are_made_up_and_differ(read):
    table = read("index,name\n" + "".join(f"{index},class {index}\n" for index in range(255)))
    assert len(set(table.colors)) == 255


def test_byte_order_mark_spaces_quotes_capitals_and_column_order_do_not_matter(read):
    table = read('Name , INDEX\r\n"road, paved", 3 \r\n', "utf-8-sig")
    assert table.names == ("road, paved",)
    assert table.raw_to_train == {3: 0}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "has no header with index and name in its first line; expected are a header, then a row a class"),
        ("0,water\n1,land\n", "has no header with index and name"),
        ("index,name\n", r"has no classes: expected are"),
        ("index,name\n0,void\n", r"has no classes: expected are"),
        ("index,name,colour\n0,water,blue\n", r"has unknown columns \(colour\)"),
        ("index,name,name\n0,a,b\n", "has a column twice"),
        ("index,name,r,g\n0,a,1,2\n", "has only some of the columns r, g, b"),
        ("index;name\n0;water\n", "is separated by semicolons; separate it by commas"),
        ("index\tname\n0\twater\n", "is separated by tabs"),
        ("index,name\n0,a\n0,b\n", "line 3: the index 0 stands in line 2 already"),
        ("index,name\n0,a\n1,a\n", "line 3: the name 'a' stands in line 2 already"),
        ("index,name\nzero,a\n", "line 2: the index is 'zero'; a whole number from 0 to 65535 was expected"),
        ("index,name\n-1,a\n", "line 2: the index is '-1'"),
        ("index,name\n65536,a\n", "line 2: the index is '65536'"),
        ("index,name\n²,a\n", "line 2: the index is '²'"),
        ("index,name\n0,\n", "line 2: the class has no name"),
        ("index,name\n0,a,b\n", "line 2: 3 values, but the header names 2 columns"),
        ("index,name,r,g,b\n0,a,1,2,\n", "line 2: the colour b is ''"),
        ("index,name,r,g,b\n0,a,1,2,300\n", "line 2: the colour b is '300'"),
        ("index,name,ignore\n0,a,perhaps\n", "line 2: ignore is 'perhaps'; 1 or 0"),
    ],
)
def test_damage_is_a_sentence(read, text, message):
    with pytest.raises(DataError, match=rf"classes\.csv .*(\n.*)*{message}"):
        read(text)


def test_every_wrong_line_is_named(read):
    with pytest.raises(
        DataError, match=r"line 2: the index is 'x'.*\n.*line 4: the class has no name.*\n.*line 5: the index 1"
    ):
        read("index,name\nx,a\n1,b\n2,\n1,c\n")


def test_256_classes_do_not_fit(read):
    with pytest.raises(DataError, match=r"has 256 classes; at most 255 fit"):
        read("index,name\n" + "".join(f"{index},class {index}\n" for index in range(256)))


def test_a_missing_file_says_what_it_should_hold(tmp_path):
    with pytest.raises(DataError, match=r"there is no .*classes\.csv; .*\n  index,name,r,g,b,ignore\n"):
        read_class_file(tmp_path / "classes.csv")


def test_another_encoding_is_refused(read):
    with pytest.raises(DataError, match=r"is no UTF-8 text"):
        read("index,name\n0,été\n", "latin-1")


NAMES = (
    st.text(string.ascii_letters + 'é ,;"', min_size=1)
    .map(str.strip)
    .filter(lambda name: name and name.lower() not in IGNORED_NAMES)
)
BYTES = st.integers(0, 255)


@pytest.mark.slow
@given(
    st.lists(
        st.tuples(BYTES, NAMES, BYTES, BYTES, BYTES, st.booleans()),
        min_size=1,
        unique_by=(lambda row: row[0], lambda row: row[1]),
    )
)
def test_any_table_survives_its_file(tmp_path_factory, rows):
    path = tmp_path_factory.getbasetemp() / "classes.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([COLUMNS, *((*row[:5], int(row[5])) for row in rows)])
    classes = sorted(row for row in rows if not row[5])
    if not classes:
        with pytest.raises(DataError, match="has no classes"):
            read_class_file(path)
        return
    table = read_class_file(path)
    assert table.names == tuple(row[1] for row in classes)
    assert table.colors == tuple(row[2:5] for row in classes)
    for number, name, *_, ignored in rows:
        assert table.lookup[number] == (IGNORE if ignored else table.names.index(name))
    assert (table.lookup >= 0).sum() == len(rows)


@pytest.mark.parametrize("wanted", list(itertools.product([None, (128, 0, 0), (0, 0, 0), (9, 9, 9)], repeat=3)))
def test_generated_colours_never_collide_with_given_ones(tmp_path, wanted):
    rows = [f"{index},c{index},{','.join(map(str, color or ('', '', '')))}" for index, color in enumerate(wanted)]
    (tmp_path / "classes.csv").write_text("\n".join(["index,name,r,g,b", *rows]))
    colors = read_class_file(tmp_path / "classes.csv").colors
    assert all(color == want for color, want in zip(colors, wanted, strict=True) if want)
    made = [color for color, want in zip(colors, wanted, strict=True) if not want]
    assert len(set(made)) == len(made) and not set(made) & set(wanted)
    assert to_colors(read_rows(tmp_path / "classes.csv")) == {index: c for index, c in enumerate(wanted) if c}


def test_without_collisions_the_generated_colours_are_the_usual_ones(tmp_path):
    (tmp_path / "classes.csv").write_text("index,name,r,g,b\n" + "".join(f"{n},c{n},,,\n" for n in range(255)))
    assert read_class_file(tmp_path / "classes.csv").colors == distinct_colors(255)
