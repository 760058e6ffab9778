import pytest

from attseg.data.sample import DataError
from attseg.data.sets.survey import list_files, match_folders


@pytest.fixture
def folders(tmp_path):
    images, labels = tmp_path / "images", tmp_path / "labels"
    images.mkdir()
    labels.mkdir()
    return images, labels


def pairs_of(images, labels):
    advice = "; rename, add or remove files"
    found = list_files(images), list_files(labels)
    return match_folders(*found, images, labels, missing=f"labels in {labels}", advice=advice).checked()


def fill(folder, *names):
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()


def test_pairs_have_equal_names_below_their_folders(folders):
    images, labels = folders
    fill(images, "b.JPG", "paris/a.jpeg", "a.v2.png", ".hidden.png", "Thumbs.db")
    fill(labels, "a.v2.png", "b.png", "paris/a.tif")
    pairs = pairs_of(images, labels)
    assert [pair.name for pair in pairs] == ["a.v2", "b", "paris/a"]
    assert pairs[2].image == images / "paris" / "a.jpeg"
    assert pairs[2].labels == labels / "paris" / "a.tif"


def test_what_has_no_counterpart_is_counted_and_named_on_both_sides(folders):
    images, labels = folders
    fill(images, *(f"{index}.jpg" for index in range(6)))
    fill(labels, "0.png", "1_mask.png")
    with pytest.raises(DataError) as caught:
        pairs_of(images, labels)
    message = str(caught.value)
    assert f"5 pictures in {images} without labels in {labels}: 1, 2, 3 and 2 more" in message
    assert f"1 label file in {labels} without a picture in {images}: 1_mask" in message
    assert "rename, add or remove files" in message


def test_an_empty_folder_says_what_it_holds_instead(folders):
    images, labels = folders
    fill(images, "a.heic", "b.heic")
    fill(labels, "a.png")
    with pytest.raises(DataError, match=r"no picture was found in .*images \(but files ending in \.heic"):
        pairs_of(images, labels)


def test_two_empty_folders_are_both_named(folders):
    with pytest.raises(DataError, match=r"no picture was found in .*images; no label file was found in .*labels"):
        pairs_of(*folders)


def test_one_name_for_two_files_is_refused(folders):
    images, labels = folders
    fill(images, "a.jpg", "a.png")
    fill(labels, "a.png")
    with pytest.raises(DataError, match=r"of the same stem lies beside .*a\.png; keep one"):
        pairs_of(images, labels)


def test_linked_folders_are_followed(folders, tmp_path):
    images, labels = folders
    fill(tmp_path / "elsewhere", "a.jpg")
    (images / "city").symlink_to(tmp_path / "elsewhere")
    fill(labels, "city/a.png")
    assert [pair.name for pair in pairs_of(images, labels)] == ["city/a"]
