import numpy as np
import pytest
from PIL import Image

from attseg.data.catalog import open_data
from attseg.data.sample import DataError
from attseg.data.sets.camvid import CAMVID

RAW = np.arange(12, dtype=np.uint8).reshape(3, 4)


@pytest.fixture(params=["ours", "segnet"])
def root(request, tmp_path):
    """One picture in each of two splits, in either layout."""
    for split in ("train", "val"):
        folders = (f"images/{split}", f"labels/{split}") if request.param == "ours" else (split, f"{split}annot")
        for folder in folders:
            (tmp_path / folder).mkdir(parents=True)
        Image.new("RGB", (4, 3), "red").save(tmp_path / folders[0] / "0001TP_006690.png")
        Image.fromarray(RAW).save(tmp_path / folders[1] / "0001TP_006690.png")
    return tmp_path


def test_both_layouts_give_the_same(root):
    data = open_data("camvid", "val", root=root)
    sample = data[0]
    assert (len(data), data.classes, data.name(0), sample.name) == (1, CAMVID, "0001TP_006690", "0001TP_006690")
    assert sample.image[0, 0].tolist() == [255, 0, 0]
    assert sample.labels.ravel().tolist() == [*range(11), 255]


def test_a_missing_split_names_those_that_exist(root):
    with pytest.raises(DataError, match=r"has no split 'test': images/test/.* or test/.* It has: train, val$"):
        open_data("camvid", "test", root=root)


def test_a_wrong_folder_shows_both_layouts_beside_what_was_found(tmp_path):
    (tmp_path / "701_StillsRaw_full").mkdir()
    (tmp_path / "readme.txt").touch()
    with pytest.raises(DataError) as caught:
        open_data("camvid", "train", root=tmp_path)
    assert str(caught.value).splitlines()[1:] == [
        "  expected             or                 found",
        "  images/train/*.jpg   train/*.jpg        701_StillsRaw_full/ (0 folders, 0 files)",
        "  labels/train/*.png   trainannot/*.png   readme.txt",
    ]


def test_folders_of_another_layout_are_not_taken_for_segnet(tmp_path):
    (tmp_path / "train" / "images").mkdir(parents=True)
    with pytest.raises(DataError, match=r"does not look like CamVid"):
        open_data("camvid", "train", root=tmp_path)


def test_there_are_eleven_classes_with_different_colours():
    assert len(CAMVID) == len(set(CAMVID.colors)) == 11
    assert (CAMVID.names[3], CAMVID.colors[3]) == ("road", (128, 64, 128))


@pytest.mark.data
def test_the_real_files_have_the_published_shares(camvid_root):
    assert len(open_data("camvid", "train", root=camvid_root)) == 367
    data = open_data("camvid", "val", root=camvid_root)
    assert len(data) == 101
    assert data.name(0) == "0016E5_07959"
    counts = np.zeros(256, np.int64)
    for index in range(len(data)):
        sample = data[index]
        assert sample.image.shape == (360, 480, 3) and sample.labels.shape == (360, 480)
        counts += np.bincount(sample.labels.ravel(), minlength=256)
    shares = 100 * counts / counts.sum()
    published = [9.177, 25.962, 0.564, 28.953, 8.719, 16.336, 0.892, 3.078, 1.746, 0.651, 2.217]
    np.testing.assert_allclose(shares[:11], published, atol=6e-4)
    np.testing.assert_allclose(shares[255], 1.703, atol=6e-4)
