import errno
import os
import socket

import numpy as np
import pytest
from PIL import Image

from attseg.errors import UsageError
from attseg.files import (
    FileError,
    NotAFile,
    digest_file,
    making,
    no_such_path,
    open_file,
    read_bytes,
    read_text,
    replacing,
    require_file,
)


def test_content_appears_only_when_the_block_has_ended(tmp_path):
    path = tmp_path / "new" / "report.json"
    with replacing(path) as file:
        file.write(b"content")
        assert not path.exists()
    assert path.read_bytes() == b"content"
    assert [entry.name for entry in path.parent.iterdir()] == ["report.json"]


def test_an_error_leaves_the_old_file_and_no_remains(tmp_path):
    path = tmp_path / "report.json"
    path.write_bytes(b"old")
    with pytest.raises(RuntimeError, match="halfway"), replacing(path) as file:
        file.write(b"ne")
        raise RuntimeError("halfway")
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_new_files_have_the_permissions_that_the_user_wants(tmp_path):
    (tmp_path / "plain").touch()
    with replacing(tmp_path / "replaced") as file:
        file.write(b"x")
    assert (tmp_path / "replaced").stat().st_mode == (tmp_path / "plain").stat().st_mode


@pytest.mark.parametrize(
    ("number", "message"),
    [
        (errno.ENOSPC, "no space is left in .*; free some, or choose another folder"),
        (errno.EACCES, "no permission to write to .*; choose another folder"),
        (errno.EROFS, ".* lies on a read-only disk; choose another folder"),
        (errno.EIO, "Input/output error"),
    ],
)
def test_obstacles_are_named(tmp_path, monkeypatch, number, message):
    def fail(descriptor):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "fsync", fail)
    with (
        pytest.raises(FileError, match=rf"cannot write .*file\.bin: {message}"),
        replacing(tmp_path / "file.bin") as file,
    ):
        file.write(b"x")
    assert list(tmp_path.iterdir()) == []


def test_a_file_in_the_place_of_the_folder_is_named(tmp_path):
    (tmp_path / "runs").write_text("not a folder")
    with (
        pytest.raises(FileError, match=r"a file is where the folder .*runs should be"),
        replacing(tmp_path / "runs" / "a"),
    ):
        pass


def test_a_folder_in_the_place_of_the_file_is_named(tmp_path):
    (tmp_path / "a" / "full").mkdir(parents=True)
    with pytest.raises(FileError, match="a folder has this name"), replacing(tmp_path / "a"):
        pass


def test_the_nearest_name_is_proposed(tmp_path):
    (tmp_path / "runs" / "pan-camvid").mkdir(parents=True)
    error = no_such_path(tmp_path / "runs" / "pan-canvid" / "best.safetensors")
    assert isinstance(error, UsageError)
    assert str(error).endswith(f"did you mean {str(tmp_path / 'runs' / 'pan-camvid')!r}?")


def test_without_a_near_name_the_folder_is_listed(tmp_path):
    assert str(no_such_path(tmp_path / "x")).endswith(f"; {tmp_path} is empty")
    for number in range(12):
        (tmp_path / f"long-name-{number:02}").touch()
    assert "holds long-name-00, " in str(no_such_path(tmp_path / "x"))
    assert str(no_such_path(tmp_path / "x")).endswith("long-name-09 and 2 more")


def test_the_current_folder_is_called_so(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "abc").touch()
    from pathlib import Path

    assert str(no_such_path(Path("xyz"))) == "there is no file or folder 'xyz'; the current folder holds abc"


def odd(path, kind):
    """Something that is no regular file, at a path."""
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "socket":
        with socket.socket(socket.AF_UNIX) as server:
            os.chdir(path.parent)
            server.bind(path.name)
    elif kind == "folder":
        path.mkdir()
    elif kind == "link to a pipe":
        os.mkfifo(path.with_name("target"))
        path.symlink_to("target")
    else:
        path.symlink_to("/dev/zero")
    return path


KINDS = ["pipe", "socket", "folder", "link to a pipe", "link to a device"]


@pytest.mark.timeout(20)
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("mode", ["rb", "r", "ab", "a", "rb+", "wb", "w"])
def test_only_regular_files_are_opened(tmp_path, monkeypatch, kind, mode):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(NotAFile, match=rf"odd: it is a {kind.rpartition(' ')[2]}, and a regular file was expected"):
        open_file(odd(tmp_path / "odd", kind), mode)


@pytest.mark.timeout(20)
@pytest.mark.parametrize("kind", KINDS)
def test_only_regular_files_are_handed_to_libraries(tmp_path, monkeypatch, kind):
    monkeypatch.chdir(tmp_path)
    for read in (require_file, read_bytes, read_text, digest_file):
        path = tmp_path / f"odd-{read.__name__}"
        path.mkdir()
        with pytest.raises(FileError, match="a regular file was expected"):
            read(odd(path / "odd", kind))


@pytest.mark.parametrize("kind", ["pipe", "socket"])
def test_pipes_and_sockets_are_never_replaced(tmp_path, monkeypatch, kind):
    monkeypatch.chdir(tmp_path)
    path = odd(tmp_path / "odd", kind)
    with pytest.raises(FileError, match=f"cannot write .*odd: it is a {kind}"), replacing(path) as file:
        file.write(b"x")
    assert not path.is_file()
    assert [entry.name for entry in tmp_path.iterdir()] == ["odd"]


def test_a_link_is_replaced_and_what_it_leads_to_is_left_alone(tmp_path):
    (tmp_path / "mine").write_text("mine")
    (tmp_path / "link").symlink_to("mine")
    with replacing(tmp_path / "link") as file:
        file.write(b"x")
    assert ((tmp_path / "mine").read_text(), (tmp_path / "link").read_text()) == ("mine", "x")


def test_files_are_opened_as_python_opens_them(tmp_path):
    with open_file(tmp_path / "a", "w", encoding="utf-8") as file:
        file.write("ä")
    with open_file(tmp_path / "a", "ab") as file:
        assert file.tell() == 2
        file.write(b"b")
    assert (read_text(tmp_path / "a"), read_bytes(tmp_path / "a")) == ("äb", "äb".encode())
    with pytest.raises(FileExistsError):
        open_file(tmp_path / "a", "xb")
    with pytest.raises(FileNotFoundError):
        open_file(tmp_path / "b")
    (tmp_path / "plain").touch()
    assert (tmp_path / "a").stat().st_mode == (tmp_path / "plain").stat().st_mode


@pytest.fixture
def limit_on_files():
    """No file may become larger than 8 KiB: a write across that takes a part first, as on a disk that becomes full."""
    resource = pytest.importorskip("resource")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (8192, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


NOISE = np.random.default_rng(0).integers(0, 256, (96, 128, 3), np.uint8)


@pytest.mark.usefixtures("limit_on_files")
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "TIFF", "WEBP", "BMP", "GIF", "numpy", "bytes"])
def test_a_disk_that_takes_a_part_only_is_noticed_whatever_writes(tmp_path, kind):
    path = tmp_path / "new" / "file"
    with pytest.raises(FileError, match=r"cannot write .*: the limit on the size of a file"), replacing(path) as file:
        if kind == "bytes":
            file.write(NOISE.tobytes())
        elif kind == "numpy":
            np.save(file, NOISE)
        else:
            Image.fromarray(NOISE).save(file, kind, quality=95)
    assert list(tmp_path.iterdir()) == []


def test_folders_made_for_nothing_go_again_and_others_stay(tmp_path):
    (tmp_path / "there").mkdir()
    for below in ("there/a/b", "c", "there"):
        with pytest.raises(KeyboardInterrupt), making(tmp_path / below):
            assert (tmp_path / below).is_dir()
            raise KeyboardInterrupt
    assert list(tmp_path.rglob("*")) == [tmp_path / "there"]
    with pytest.raises(KeyError), making(tmp_path / "d" / "e"):
        (tmp_path / "d" / "file").touch()
        raise KeyError
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["d", "file", "there"]
