import pytest

from attseg.data.sample import DataError
from attseg.data.sets.lists import NameList, read_list, survey_list


def write(folder, content):
    file = folder / "val.txt"
    file.write_bytes(content)
    return file


@pytest.mark.parametrize(
    "content",
    [
        b"a\nb\n",
        b"a\r\nb",
        b"\xef\xbb\xbfa\n\n  b  \n\n",
        b"/JPEGImages/a.jpg /SegmentationClassAug/a.png\n/JPEGImages/b.jpg /SegmentationClassAug/b.png\n",
        b"a.jpg\nb 1\n",
    ],
)
def test_every_way_to_write_names_is_read(tmp_path, content):
    file = write(tmp_path, content)
    assert read_list(file) == NameList(["a", "b"], str(file))


def test_dots_in_names_stay(tmp_path):
    assert read_list(write(tmp_path, b"a.v2\n")).names == ["a.v2"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", r"val\.txt is empty; a list with the name of a picture in each line was expected"),
        (b"\n  \n", r"val\.txt is empty"),
        (b"\xff\xfe\x00\xd8", r"val\.txt is no UTF-8 text"),
    ],
)
def test_a_list_that_is_none_is_named(tmp_path, content, message):
    with pytest.raises(DataError, match=message):
        read_list(write(tmp_path, content))


def test_a_list_that_cannot_be_read_is_named(tmp_path):
    with pytest.raises(DataError, match=r"val\.txt cannot be read: there is no such file"):
        read_list(tmp_path / "val.txt")


@pytest.fixture
def survey(tmp_path):
    """What is there of some names where there are the pictures a and b, and labels of a."""

    def of(*names, whole=1449):
        pictures = {name: tmp_path / f"{name}.jpg" for name in "ab"}
        labels = {"a": tmp_path / "a.png"}
        listed = NameList(list(names), "val.txt")
        return survey_list(
            listed,
            pictures,
            labels,
            whole=whole,
            expected=lambda name: (tmp_path / f"{name}.jpg", tmp_path / f"{name}.png"),
        )

    return of


def test_names_lead_to_pairs(survey, tmp_path):
    found = survey("a")
    assert [tuple(pair) for pair in found.checked()] == [("a", tmp_path / "a.jpg", tmp_path / "a.png")]
    assert [picture.name for picture in found.pictures] == ["a"]


def test_every_problem_is_told_at_once(survey, tmp_path):
    found = survey("c", "a", "b", "a")
    assert [problem.message for problem in found.problems] == [
        f"{tmp_path / 'b.jpg'} has no labels: {tmp_path / 'b.png'} does not exist",
        "val.txt lists a more than once",
        f"val.txt lists c, but {tmp_path / 'c.jpg'} does not exist",
    ]
    assert [problem.file for problem in found.problems] == [tmp_path / "b.png", None, tmp_path / "c.jpg"]
    with pytest.raises(DataError, match=r"b\.png does not exist; val\.txt lists a .*; val\.txt lists c"):
        found.checked()


def test_many_problems_are_shortened(survey):
    with pytest.raises(DataError, match=r"c\.jpg does not exist; .*; and 2 more like this$"):
        survey("c", "d", "e", "f", "g").checked()


def test_of_the_released_list_a_part_may_be_missing(survey):
    found = survey("a", "c", "d", whole=3)
    assert found.problems == []
    assert found.remarks == ["2 pictures that val.txt lists are not there: c.jpg, d.jpg"]
