import os

import pytest

from attseg.data.reading.inputs import Pictures, find_pictures, is_pattern
from attseg.errors import UsageError
from attseg.files import FileError


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder with pictures (empty files: nobody reads them here), which is the current one."""
    for name in (
        "day/1.png",
        "day/2.JPG",
        "day/deep/1.png",
        "night/1.png",
        "night/notes.txt",
        "night/.hidden.png",
        ".cache/1.png",
    ):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    monkeypatch.chdir(tmp_path)
    return tmp_path


def names(*inputs, **options):
    return [(str(file.path), file.name) for file in find_pictures(inputs, **options)]


def test_a_file_is_named_without_its_suffix(folder):
    assert names("day/1.png") == [("day/1.png", "1")]


def test_a_named_file_needs_no_known_suffix(folder):
    assert names("night/notes.txt") == [("night/notes.txt", "notes")]


def test_a_folder_is_searched_to_the_bottom_without_hidden_files(folder):
    assert names("day") == [("day/1.png", "1"), ("day/2.JPG", "2"), ("day/deep/1.png", "deep/1")]
    assert names(".") == [
        ("day/1.png", "day/1"),
        ("day/2.JPG", "day/2"),
        ("day/deep/1.png", "day/deep/1"),
        ("night/1.png", "night/1"),
    ]


def test_a_pattern_names_below_its_fixed_part(folder):
    assert names("day/*") == [("day/1.png", "1"), ("day/2.JPG", "2")]
    assert names("*/1.png") == [("day/1.png", "day/1"), ("night/1.png", "night/1")]
    assert names("day/**") == names("day")
    assert names(str(folder / "ni*" / "*.png")) == [(str(folder / "night/1.png"), "night/1")]


def test_equal_stems_of_two_folders_get_their_folders(folder):
    assert names("day/1.png", "night/1.png") == [("day/1.png", "day/1"), ("night/1.png", "night/1")]
    assert [name for _, name in names("day", "night")] == ["day/1", "day/2", "day/deep/1", "night/1"]


def test_equal_stems_in_one_folder_keep_their_suffixes(folder):
    (folder / "day/1.jpg").touch()
    assert [name for _, name in names("day/1.png", "day/1.jpg")] == ["1.png", "1.jpg"]


def test_equal_stems_in_one_folder_leave_other_names_alone(folder):
    for name in ("1.jpg", "1.jpg.webp", "3.JPG"):
        (folder / "day" / name).touch()
    assert [name for _, name in names("day")] == ["1.jpg", "1.jpg.webp", "1.png", "2", "3", "deep/1"]
    assert [name for _, name in names("day/*")] == ["1.jpg", "1.jpg.webp", "1.png", "2", "3"]


def test_pictures_are_counted_at_first_and_looked_up_one_after_another(folder, monkeypatch):
    pictures = Pictures(["."])
    assert len(pictures) == 4
    read = []
    scan = os.scandir
    monkeypatch.setattr("os.scandir", lambda path: read.append(str(path)) or scan(path))
    assert next(iter(pictures)).name == "day/1"
    assert read == [".", "day"]
    assert [file.name for file in pictures] == [file.name for file in pictures] == [name for _, name in names(".")]


def test_files_and_folders_come_by_name(folder):
    for name in ("day.png", "day-1.png", "Zoo.png"):
        (folder / name).touch()
    expected = ["Zoo", "day/1", "day/2", "day/deep/1", "day-1", "day", "night/1"]
    assert [name for _, name in names(".")] == expected == [name for _, name in names("**")]


def test_a_folder_that_cannot_be_read_is_a_sentence(folder, monkeypatch):
    def refuse(path):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("os.scandir", refuse)
    with pytest.raises(
        FileError, match="the folder day cannot be read: Permission denied; have its permissions changed"
    ):
        find_pictures(["day"])


def test_names_differ_even_where_a_disk_ignores_case(folder):
    (folder / "night/A.png").touch()
    (folder / "day/a.png").touch()
    assert [name for _, name in names("night/A.png", "day/a.png")] == ["night/A", "day/a"]


def test_dots_in_names_stay(folder):
    (folder / "day/v1.2.png").touch()
    assert names("day/v1.2.png") == [("day/v1.2.png", "v1.2")]


def test_names_never_lead_out_of_a_folder(folder, monkeypatch):
    monkeypatch.chdir(folder / "day")
    assert names("../night/1.png", "1.png") == [("../night/1.png", "night/1"), ("1.png", "day/1")]


def test_a_picture_that_is_given_twice_counts_once(folder):
    assert names("day/1.png", folder / "day/1.png", "day/../day/1.png") == [("day/1.png", "1")]


def test_links_keep_their_names(folder):
    (folder / "links").mkdir()
    for name in ("left", "right"):
        (folder / "links" / f"{name}.png").symlink_to(folder / "day/1.png")
    assert [name for _, name in names("links")] == ["left", "right"]


def results(out):
    """A folder as ``attseg predict`` leaves it."""
    for place in ("labels/deep", "overlays"):
        (out / place).mkdir(parents=True)
    for name in ("labels/1.png", "labels/deep/1.png", "overlays/1.jpg"):
        (out / name).touch()
    (out / "manifest.jsonl").touch()
    return out


def links_into(folder):
    results(folder / "day" / "deep" / "out")
    (folder / "link").symlink_to("day/deep/out")
    return folder / "link"


OUTS = {
    "inside": lambda folder: results(folder / "day" / "out"),
    "deep inside": lambda folder: results(folder / "day" / "deep" / "out"),
    "the input itself": lambda folder: results(folder / "day"),
    "a link into the input": links_into,
    "not there yet": lambda folder: folder / "day" / "later",
}


@pytest.mark.parametrize("given", ["day", "day/**/*.png", "day/**", "day/../day"])
@pytest.mark.parametrize("out", OUTS)
def test_earlier_results_are_no_inputs(folder, given, out):
    expected = [path for path, _ in names(given)]
    assert [path for path, _ in names(given, outside=OUTS[out](folder))] == expected


@pytest.mark.parametrize("given", ["day", "day/**/*.png"])
def test_results_of_other_runs_below_an_input_are_no_inputs(folder, given):
    expected = [path for path, _ in names(given)]
    for name in ("out", "deep/out"):
        results(folder / "day" / name)
    assert [path for path, _ in names(given, outside=folder / "elsewhere")] == expected
    assert [path for path, _ in names(given)] == expected


def test_folders_called_labels_without_a_manifest_are_folders_like_others(folder):
    results(folder / "data" / "images")
    (folder / "data" / "images" / "manifest.jsonl").unlink()
    assert [name for _, name in names("data")] == ["images/labels/1", "images/labels/deep/1", "images/overlays/1"]


@pytest.mark.parametrize("given", ["out/labels/1.png", "out/labels", "out/labels/deep", "link/labels", "inside.png"])
def test_results_that_are_named_as_inputs_of_their_own_folder_are_refused(folder, given):
    results(folder / "out")
    (folder / "link").symlink_to("out")
    (folder / "inside.png").symlink_to("out/labels/1.png")
    for out in ("out", "link"):
        with pytest.raises(UsageError, match=r"lies among the results in .*another folder with --out"):
            names("day", given, outside=folder / out)
    with pytest.raises(UsageError, match=r"names predictions, for .*out holds their manifest"):
        names("day", given, outside=folder / "elsewhere")
    assert names(given)  # in Python they may be named


def test_links_to_results_in_a_folder_are_no_inputs(folder):
    results(folder / "out")
    expected = names("day")
    (folder / "day" / "9.png").symlink_to(folder / "out/labels/1.png")
    assert names("day", outside=folder / "out") == expected


@pytest.mark.parametrize("pattern", ["out/labels/*.png", "out/overlays/*", "out/labels/**/*.png"])
@pytest.mark.parametrize("out", ["out", "elsewhere"])
def test_a_pattern_that_names_predictions_is_refused(folder, pattern, out):
    results(folder / "out")
    with pytest.raises(UsageError, match="names predictions"):
        names(pattern, outside=folder / out)


def test_a_file_or_folder_with_brackets_is_no_pattern(folder):
    (folder / "a[1]").mkdir()
    (folder / "a[1]" / "b[2].png").touch()
    assert not is_pattern("a[1]")
    assert names("a[1]") == names("a[1]/b[2].png") == [("a[1]/b[2].png", "b[2]")]


def test_what_is_not_there_is_named_with_its_neighbour(folder):
    with pytest.raises(UsageError, match=r"there is no file or folder 'nigth'; did you mean 'night'\?"):
        find_pictures(["day", "nigth"])


@pytest.mark.parametrize("given", [["*.png"], [".cache/.none*"], []])
def test_nothing_found_is_a_sentence(folder, given):
    with pytest.raises(
        UsageError, match=r"no picture was found in .*give picture files, folders with .*\.jpg.*or patterns"
    ):
        find_pictures(given)


HIDDEN = (".ipynb_checkpoints", "@eaDir", "__MACOSX", ".Trash-1000", "$RECYCLE.BIN")


@pytest.fixture
def littered(tmp_path, monkeypatch):
    """A folder with two images, and what systems and notebooks leave beside them."""
    monkeypatch.chdir(tmp_path)
    for name in ("a.png", "deep/b.png", "._a.png", "deep/._b.png", *(f"{folder}/a.png" for folder in HIDDEN)):
        (tmp_path / "photos" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "photos" / name).touch()
    return tmp_path / "photos"


@pytest.mark.parametrize(
    ("given", "names"),
    [
        ("photos", ["a", "deep/b"]),
        ("photos/**/*.png", ["a", "deep/b"]),
        ("photos/*.png", ["a"]),
        ("photos/*/*.png", ["deep/b"]),
        ("**/*.png", ["photos/a", "photos/deep/b"]),
        ("photos/@eaDir", ["a"]),  # named itself
        ("photos/@eaDir/*.png", ["a"]),
        ("photos/._a.png", ["._a"]),
    ],
)
def test_hidden_files_and_folders_are_skipped_unless_they_are_named(littered, given, names):
    assert sorted(file.name for file in find_pictures([given])) == names


def test_a_hidden_folder_that_holds_the_data_does_not_hide_them(littered, tmp_path):
    littered.rename(tmp_path / ".data")
    assert [file.name for file in find_pictures([tmp_path / ".data"])] == ["a", "deep/b"]
