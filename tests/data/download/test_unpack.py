import errno
import shutil
import signal
import subprocess
import sys
import zipfile
from collections import namedtuple
from pathlib import Path

import pytest

from attseg.data.download.archives import ArchiveError
from attseg.data.download.transfer import DownloadError
from attseg.data.download.unpack import unpack

FILES = {
    "top/set/a.txt": b"first",
    "top/set/deep/b.txt": b"second" * 5000,
    "top/other.txt": b"not wanted",
    "c.txt": b"",
}


@pytest.fixture
def archive(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in FILES.items():
            file.writestr(name, content)
    return tmp_path / "a.zip"


def call(archive, place, **options):
    defaults = {"inside": "top/set", "holds": {}, "more": {}, "progress": lambda done, total: None}
    return unpack(archive, place, **defaults | options)


def listing(folder):
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*"))


def test_a_folder_of_the_archive_becomes_the_place(archive, tmp_path):
    told = []
    assert call(archive, tmp_path / "set", more={"more.json": b"{}"}, progress=lambda *values: told.append(values)) == 2
    assert listing(tmp_path) == ["a.zip", "set", "set/a.txt", "set/deep", "set/deep/b.txt", "set/more.json"]
    assert (tmp_path / "set" / "deep" / "b.txt").read_bytes() == b"second" * 5000
    assert told[-1] == (30_005, 30_005)


def test_what_an_interrupted_call_left_is_removed_first(archive, tmp_path):
    left = tmp_path / ".set.part" / "deep"
    left.mkdir(parents=True)
    (left / "stale.txt").write_text("half")
    call(archive, tmp_path / "set")
    assert listing(tmp_path) == ["a.zip", "set", "set/a.txt", "set/deep", "set/deep/b.txt"]


def test_a_link_in_the_way_is_not_followed(archive, tmp_path):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "precious.txt").write_text("keep me")
    (tmp_path / ".set.part").symlink_to(elsewhere)
    with pytest.raises(DownloadError, match="cannot unpack"):
        call(archive, tmp_path / "set")
    assert listing(elsewhere) == ["precious.txt"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"inside": "top/nothing"}, "holds no folder top/nothing; it is not the expected archive"),
        ({"holds": {"*.txt": 2, "deep/*.txt": 3}}, "holds 1 file top/set/deep/.*, and 3 were expected; it is not the"),
        ({"most_files": 3}, "holds more than 3 files"),
        ({"most_bytes": 30_000}, "holds more than 30.0 kB"),
    ],
)
def test_nothing_is_left_of_what_is_refused(archive, tmp_path, options, message):
    with pytest.raises(ArchiveError, match=message):
        call(archive, tmp_path / "set", **options)
    assert listing(tmp_path) == ["a.zip"]


def test_nothing_is_left_of_what_is_damaged(archive, tmp_path):
    raw = bytearray(archive.read_bytes())
    raw[raw.index(b"top/set/deep/b.txt") + 40] ^= 255
    archive.write_bytes(raw)
    with pytest.raises(ArchiveError, match="is damaged or cut off"):
        call(archive, tmp_path / "set")
    assert listing(tmp_path) == ["a.zip"]


def test_dangerous_archives_write_nothing_anywhere(tmp_path):
    path = tmp_path / "deep" / "er" / "a.zip"
    path.parent.mkdir(parents=True)
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("top/set/a.txt", "fine")
        file.writestr("top/set/../../../evil.txt", "evil")
    with pytest.raises(ArchiveError, match="a path that leads elsewhere"):
        call(path, path.parent / "set")
    assert listing(tmp_path) == ["deep", "deep/er", "deep/er/a.zip"]


def test_too_little_room_is_told_before_anything_is_written(archive, tmp_path, monkeypatch):
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage(10**12, 10**12, 30_005))
    with pytest.raises(DownloadError, match=r"unpacking a.zip needs 38.2 kB in .*, and 30.0 kB are free there"):
        call(archive, tmp_path / "set")
    assert listing(tmp_path) == ["a.zip"]


def test_a_disk_that_fills_up_leaves_nothing(archive, tmp_path):
    def full(done, total):
        raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(DownloadError, match=r"cannot unpack .*a.zip: no space is left in .*; free some"):
        call(archive, tmp_path / "set", progress=full)
    assert listing(tmp_path) == ["a.zip"]


KILLED = """
import os, signal, sys
from pathlib import Path

from attseg.data.download.unpack import unpack


def progress(done, total):
    if done > total / 2:
        os.kill(os.getpid(), signal.SIGKILL)


folder = Path(sys.argv[1])
unpack(folder / "a.zip", folder / "set", inside="top/set", holds={}, more={}, progress=progress)
"""


def test_a_process_killed_in_the_middle_leaves_nothing_in_place_and_the_next_one_finishes(archive, tmp_path):
    killed = subprocess.run([sys.executable, "-c", KILLED, str(tmp_path)], timeout=60)
    assert killed.returncode == -signal.SIGKILL
    assert not (tmp_path / "set").exists()
    assert listing(tmp_path) == [".set.part", ".set.part/a.txt", ".set.part/deep", ".set.part/deep/b.txt", "a.zip"]
    assert call(archive, tmp_path / "set") == 2
    assert listing(tmp_path) == ["a.zip", "set", "set/a.txt", "set/deep", "set/deep/b.txt"]
    assert Path(tmp_path, "set", "deep", "b.txt").read_bytes() == b"second" * 5000
