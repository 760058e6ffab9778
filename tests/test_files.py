import errno
import os

import pytest

from attseg.errors import UsageError
from attseg.files import FileError, no_such_path, replacing


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
