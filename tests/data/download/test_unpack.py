import errno
import io
import shutil
import signal
import stat
import subprocess
import sys
import tarfile
import zipfile

import pytest

from attseg.data.archives import ArchiveError, unpack_checked
from attseg.data.download.download import unpack
from attseg.data.download.fetch import DownloadError
from attseg.data.sets.record import Source

FILES = {
    "top/set/a.txt": b"first",
    "top/set/deep/b.txt": b"second" * 5000,
    "top/other.txt": b"not wanted",
    "c.txt": b"",
}
SOURCE = Source(url="https://example.org/a.zip", inside="top/set", place="set", homepage="", terms="")


def write_zip(path, files, *, modes=None, compression=zipfile.ZIP_DEFLATED):
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, content in files:
            info = zipfile.ZipInfo(name)
            info.compress_type = compression
            info.external_attr = (modes or {}).get(name, stat.S_IFREG | 0o644) << 16
            archive.writestr(info, content)


def write_tar(path, files, *, kinds=None):
    with tarfile.open(path, "w:gz" if path.suffix == ".tgz" else "w") as archive:
        for name, content in files:
            info = tarfile.TarInfo(name)
            info.type = (kinds or {}).get(name, tarfile.REGTYPE)
            info.linkname = "a.txt"
            info.size = len(content) if info.isreg() else 0
            archive.addfile(info, io.BytesIO(content))


WRITERS = {"a.zip": write_zip, "a.tar": write_tar, "a.tgz": write_tar}


@pytest.fixture(params=WRITERS)
def make(request, tmp_path):
    """Writes an archive of one of the kinds, from pairs of name and content."""

    def write(files):
        path = tmp_path / request.param
        WRITERS[request.param](path, list(files))
        return path

    return write


@pytest.fixture
def archive(make):
    return make(FILES.items())


def listing(folder):
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*"))


def refused(archive, match):
    """The archive is refused, and nothing but itself is there."""
    with pytest.raises((ArchiveError, DownloadError), match=match):
        unpack(archive, archive.parent / "set", SOURCE)
    assert listing(archive.parent) == [archive.name]


def test_a_folder_of_the_archive_becomes_the_place(archive, tmp_path):
    assert unpack(archive, tmp_path / "set", SOURCE) == 2
    assert listing(tmp_path) == [archive.name, "set", "set/a.txt", "set/deep", "set/deep/b.txt"]
    assert (tmp_path / "set" / "deep" / "b.txt").read_bytes() == b"second" * 5000


def test_what_an_interrupted_call_left_is_removed_first(archive, tmp_path):
    left = tmp_path / ".set.part" / "top" / "set"
    left.mkdir(parents=True)
    (left / "stale.txt").write_text("half")
    unpack(archive, tmp_path / "set", SOURCE)
    assert listing(tmp_path) == [archive.name, "set", "set/a.txt", "set/deep", "set/deep/b.txt"]


def test_a_link_in_the_way_is_not_followed(archive, tmp_path):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "precious.txt").write_text("keep me")
    (tmp_path / ".set.part").symlink_to(elsewhere)
    with pytest.raises(DownloadError, match="cannot unpack"):
        unpack(archive, tmp_path / "set", SOURCE)
    assert listing(elsewhere) == ["precious.txt"]


def test_a_zip_file_of_a_system_without_modes_is_read(tmp_path):
    write_zip(tmp_path / "a.zip", FILES.items(), modes=dict.fromkeys(FILES, 0))
    assert unpack(tmp_path / "a.zip", tmp_path / "set", SOURCE) == 2


@pytest.mark.parametrize(
    "name", ["../a.txt", "set/../../a.txt", "/tmp/a.txt", "//tmp/a.txt", "set/..", "..", "..\\a.txt", "C:\\a.txt"]
)
def test_paths_that_lead_elsewhere_are_refused(make, name):
    refused(
        make([*FILES.items(), (name, b"x")]),
        r"holds a path that leads elsewhere \(at .*\), as no .*; nothing was unpacked",
    )


@pytest.mark.parametrize("kind", ["SYMTYPE", "LNKTYPE", "CHRTYPE", "BLKTYPE", "FIFOTYPE"])
def test_links_and_devices_in_a_tar_file_are_refused(tmp_path, kind):
    path = tmp_path / "a.tar"
    write_tar(path, FILES.items(), kinds={"top/set/a.txt": getattr(tarfile, kind)})
    refused(path, r"holds a link or device \(at 'top/set/a.txt'\)|is damaged")


@pytest.mark.parametrize("kind", ["S_IFLNK", "S_IFCHR", "S_IFIFO", "S_IFSOCK"])
def test_links_and_devices_in_a_zip_file_become_plain_files(tmp_path, kind):
    path = tmp_path / "a.zip"
    write_zip(path, FILES.items(), modes={"top/set/a.txt": getattr(stat, kind) | 0o777})
    unpack(path, tmp_path / "set", SOURCE)
    assert stat.S_ISREG((tmp_path / "set/a.txt").lstat().st_mode)


def test_a_bomb_is_refused_by_what_it_claims(make):
    path = make([("top/set/zeros", bytes(10**7))])
    with pytest.raises(ArchiveError, match="holds more than 10.0 MB"):
        unpack_checked(path, path.parent / "set", most_bytes=10**7 - 1)
    assert listing(path.parent) == [path.name]
    assert path.suffix == ".tar" or path.stat().st_size < 20_000


def test_a_zip_file_that_lies_about_a_size_gives_no_more(tmp_path):
    path = tmp_path / "a.zip"
    write_zip(path, [("top/set/a.txt", bytes(10**6))])
    raw = path.read_bytes()
    path.write_bytes(raw.replace((10**6).to_bytes(4, "little"), (1000).to_bytes(4, "little")))
    refused(path, "is damaged")


def test_a_password_is_refused(tmp_path):
    path = tmp_path / "a.zip"
    write_zip(path, FILES.items())
    raw = bytearray(path.read_bytes())
    raw[raw.index(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(raw)
    refused(path, "is damaged .*password")


def test_an_archive_that_is_cut_off_is_refused(archive):
    """But for a tar file that ends after one of its files, which only its checksum tells."""
    whole = archive.read_bytes()
    for length in range(0, len(whole) - 9000 if archive.suffix == ".tar" else len(whole), 2047):
        archive.write_bytes(whole[:length])
        refused(
            archive, f"{archive.name} is damaged .*; remove it, and run the same command|holds 0 files|were expected"
        )


def test_an_archive_that_is_damaged_is_refused(archive):
    whole = bytearray(archive.read_bytes())
    at = 9 if archive.suffix == ".tar" else whole.rindex(b"b.txt") if archive.suffix == ".zip" else len(whole) // 3
    whole[at] ^= 255
    archive.write_bytes(whole)
    refused(archive, "is damaged|holds 0 files|were expected")


@pytest.mark.parametrize("content", [b"", b"not an archive", b"<html>" * 200])
@pytest.mark.parametrize("name", WRITERS)
def test_what_is_no_archive_is_refused(tmp_path, name, content):
    (tmp_path / name).write_bytes(content)
    refused(tmp_path / name, "is damaged")


def test_another_archive_is_refused(archive, monkeypatch):
    monkeypatch.setattr(sys.modules[__name__], "SOURCE", Source(**vars(SOURCE) | {"inside": "top/nothing"}))
    refused(archive, "holds 0 files in top/nothing: .*, and some were expected. Remove it")
    holds = {"*.txt": 1, "deep/*.txt": 3}
    monkeypatch.setattr(sys.modules[__name__], "SOURCE", Source(**vars(SOURCE) | {"inside": "top/set", "holds": holds}))
    refused(archive, r"holds 2 files in top/set: .*'deep/\*\.txt': 1.*, and .*'deep/\*\.txt': 3.* were expected")


def test_dangerous_archives_write_nothing_anywhere(tmp_path):
    path = tmp_path / "deep" / "er" / "a.zip"
    path.parent.mkdir(parents=True)
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("top/set/a.txt", "fine")
        file.writestr("top/set/../../../evil.txt", "evil")
    with pytest.raises(ArchiveError, match="a path that leads elsewhere"):
        unpack(path, path.parent / "set", SOURCE)
    assert listing(tmp_path) == ["deep", "deep/er", "deep/er/a.zip"]


def test_a_disk_that_fills_up_leaves_nothing(archive, monkeypatch):
    real = shutil.unpack_archive

    def full(*args, **options):
        real(*args, **options)
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(shutil, "unpack_archive", full)
    refused(archive, r"cannot unpack .*a\.\w+: no space is left in .*; free some")


KILLED = """
import os, shutil, signal, sys
from pathlib import Path

from attseg.data.download.download import unpack
from attseg.data.sets.record import Source

real = shutil.unpack_archive


def killed(*args, **options):
    real(*args, **options)
    os.kill(os.getpid(), signal.SIGKILL)


shutil.unpack_archive = killed
folder = Path(sys.argv[1])
source = Source(url="https://example.org/a.zip", inside="top/set", place="set", homepage="", terms="")
unpack(folder / "a.zip", folder / "set", source)
"""


def test_a_process_killed_in_the_middle_leaves_nothing_in_place_and_the_next_one_finishes(tmp_path):
    write_zip(tmp_path / "a.zip", FILES.items())
    killed = subprocess.run([sys.executable, "-c", KILLED, str(tmp_path)], timeout=60)
    assert killed.returncode == -signal.SIGKILL
    assert not (tmp_path / "set").exists() and (tmp_path / ".set.part").exists()
    assert unpack(tmp_path / "a.zip", tmp_path / "set", SOURCE) == 2
    assert listing(tmp_path) == ["a.zip", "set", "set/a.txt", "set/deep", "set/deep/b.txt"]
