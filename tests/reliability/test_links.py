"""Links, pipes, sockets and devices where files are expected: told or followed as SECURITY.md says, never waited for."""

import os
import socket
import stat

import pytest
from PIL import Image

from attseg.cli import main
from attseg.data.catalog import open_data
from attseg.data.checking.check import check
from attseg.data.reading.image import read_image, read_raw_labels
from attseg.data.reading.inputs import find_pictures
from attseg.data.sample import DataError
from attseg.data.sets.class_file import read_class_file
from attseg.data.sets.lists import read_list
from attseg.errors import UsageError
from attseg.files import FileError
from attseg.inference.segmenter import load
from attseg.recipes.files import read_recipe
from attseg.web.folder import PictureFolder
from attseg.web.limits import Limits
from reliability.conftest import write_pair
from reliability.test_inputs import time_limit


def make_special(path, kind):
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "socket":
        with socket.socket(socket.AF_UNIX) as listening:
            listening.bind(str(path))
    elif kind == "device":
        path.symlink_to("/dev/zero")
    elif kind == "folder":
        path.mkdir()
    elif kind == "dangling link":
        path.symlink_to(path.parent / "nowhere")
    elif kind == "link to itself":
        path.symlink_to(path)


SPECIAL = ("pipe", "socket", "device", "folder", "dangling link", "link to itself")


@pytest.mark.parametrize("kind", SPECIAL)
def test_what_is_no_file_is_told_and_never_waited_for(kind, tmp_path):
    for name, read in {
        "a.png": read_image,
        "b.png": read_raw_labels,
        "c.mat": read_raw_labels,
        "classes.csv": read_class_file,
        "train.txt": read_list,
        "recipe.yaml": read_recipe,
        "a.safetensors": load,
    }.items():
        make_special(tmp_path / name, kind)
        with time_limit(), pytest.raises((DataError, FileError, UsageError), match=name):
            read(tmp_path / name)


def test_links_in_a_data_folder_are_followed_once_each(mine, tmp_path):
    """Linked data is usual; links that lead round in a circle end."""
    elsewhere = tmp_path / "elsewhere"
    write_pair(elsewhere, "far", "far", 7)
    for folder in ("images", "labels"):
        (mine / folder / "train" / "linked").symlink_to(elsewhere / folder / "far")
        (mine / folder / "train" / "file.png").symlink_to(elsewhere / folder / "far" / "far.png")
        for number in range(30):  # a name for every way through would take for ever
            (mine / folder / "train" / f"round{number}").symlink_to(mine / folder)
    with time_limit():
        data = open_data("folder", "train", root=mine)
    names = [data.name(index) for index in range(len(data))]
    assert {"train0", "train1", "file", "linked/far"} <= set(names)
    assert len(names) == 4 + 2  # and those of val, below one of the links
    assert all(data[index].image.shape == (8, 9, 3) for index in range(len(data)))


@pytest.mark.parametrize("kind", SPECIAL)
def test_a_special_file_in_a_data_folder_is_found_by_the_check(kind, mine, capsys):
    make_special(mine / "images" / "train" / "odd.png", kind)
    labels = mine / "labels" / "train"
    (labels / "odd.png").write_bytes((labels / "train0.png").read_bytes())
    with time_limit():
        result = check("folder", mine)
        assert not result.ok and any("odd" in finding.message for finding in result.findings)
        assert main(["data", "check", str(mine)]) == 1
        if kind != "folder":
            with pytest.raises(DataError, match=r"odd\.png"):
                data = open_data("folder", "train", root=mine)
                [data[index] for index in range(len(data))]
    assert "odd" in capsys.readouterr().out


def test_links_among_pictures_to_predict(mine, tmp_path):
    """Linked files are taken, linked folders are not, patterns included: who wants them names them."""
    pictures = mine / "images" / "train"
    (tmp_path / "far").mkdir()
    Image.new("RGB", (4, 4)).save(tmp_path / "far" / "b.png")
    (pictures / "folder").symlink_to(tmp_path / "far")
    (pictures / "file.png").symlink_to(tmp_path / "far" / "b.png")
    for number in range(30):
        (pictures / f"round{number}").symlink_to(mine)
    os.mkfifo(pictures / "pipe.png")
    with time_limit():
        for given in (pictures, pictures / "**", pictures / "**" / "*.png", mine / "images" / "**" / "train" / "*.png"):
            found = {file.name.rpartition("/")[2] for file in find_pictures([given])}
            assert found - {"val0", "val1"} == {"train0", "train1", "file"}, given
        with pytest.raises(UsageError, match=r"pipe\.png is neither a file nor a folder, but a pipe"):
            find_pictures([pictures / "pipe.png"])


def test_the_explorer_shows_nothing_from_outside_of_its_folder(mine, tmp_path):
    pictures = mine / "images" / "train"
    Image.new("RGB", (4, 4)).save(tmp_path / "secret.png")
    (pictures / "file.png").symlink_to(tmp_path / "secret.png")
    (pictures / "folder").symlink_to(tmp_path)
    os.mkfifo(pictures / "pipe.png")
    with time_limit():
        folder = PictureFolder(pictures, Limits())
    assert folder.names() == ["train0", "train1"]


def test_results_do_not_replace_a_link_to_a_file_of_others_and_are_not_written_through_it(mine, tmp_path, capsys):
    precious = tmp_path / "precious"
    precious.write_text("do not lose")
    labels = tmp_path / "out" / "labels"
    labels.mkdir(parents=True)
    (labels / "train0.png").symlink_to(precious)
    picture = mine / "images" / "train" / "train0.png"
    arguments = ["predict", "demo", str(picture), "--out", str(tmp_path / "out"), "--device", "cpu", "--overwrite"]
    assert main(arguments) == 1
    assert "train0.png" in capsys.readouterr().err
    assert precious.read_text() == "do not lose" and (labels / "train0.png").is_symlink()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_what_may_not_be_read_is_told(mine):
    file = mine / "images" / "train" / "train0.png"
    file.chmod(0)
    try:
        with pytest.raises(DataError, match=r"train0\.png cannot be read as a picture: Permission denied"):
            read_image(file)
    finally:
        file.chmod(stat.S_IRUSR | stat.S_IWUSR)
