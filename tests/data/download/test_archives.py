import io
import stat
import tarfile
import zipfile

import pytest

from attseg.data.download.archives import ArchiveError, opened

FILES = {"set/a.txt": b"first", "set/deep/b.txt": b"second" * 5000, "c.txt": b""}


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
            info.linkname = "/etc/passwd"
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


def contents(path, **options):
    with opened(path, **options) as members:
        read = {}
        for member in members:
            with member.open() as content:
                read[str(member.path)] = content.read()
            assert member.size == len(read[str(member.path)])
        return read


def test_files_are_found_with_their_contents(make):
    assert contents(make(FILES.items())) == FILES


def test_folders_are_no_files(tmp_path):
    with tarfile.open(tmp_path / "a.tar", "w") as archive:
        folder = tarfile.TarInfo("./set")
        folder.type = tarfile.DIRTYPE
        archive.addfile(folder)
        archive.addfile(tarfile.TarInfo("./set/a.txt"))
    assert contents(tmp_path / "a.tar") == {"set/a.txt": b""}
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.mkdir("set")
        archive.writestr("set/a.txt", "")
    assert contents(tmp_path / "a.zip") == {"set/a.txt": b""}


@pytest.mark.parametrize(
    "name", ["../a.txt", "set/../../a.txt", "/tmp/a.txt", "//tmp/a.txt", "set/..", "..", "..\\a.txt", "C:\\a.txt"]
)
def test_paths_that_lead_elsewhere_are_refused(make, name):
    path = make([*FILES.items(), (name, b"x")])
    with pytest.raises(ArchiveError, match=r"holds a path that leads elsewhere \(at .*\), as no archive of ours does"):
        contents(path)


@pytest.mark.parametrize("kind", ["SYMTYPE", "LNKTYPE", "CHRTYPE", "BLKTYPE", "FIFOTYPE", "GNUTYPE_SPARSE"])
def test_links_and_devices_in_a_tar_file_are_refused(tmp_path, kind):
    path = tmp_path / "a.tar"
    write_tar(path, FILES.items(), kinds={"set/a.txt": getattr(tarfile, kind)})
    with pytest.raises(ArchiveError, match=r"holds a link or device \(at 'set/a.txt'\)|is damaged"):
        contents(path)


@pytest.mark.parametrize("kind", ["S_IFLNK", "S_IFCHR", "S_IFIFO", "S_IFSOCK"])
def test_links_and_devices_in_a_zip_file_are_refused(tmp_path, kind):
    path = tmp_path / "a.zip"
    write_zip(path, FILES.items(), modes={"set/a.txt": getattr(stat, kind) | 0o777})
    with pytest.raises(ArchiveError, match=r"holds a link or device \(at 'set/a.txt'\)"):
        contents(path)


def test_a_zip_file_of_a_system_without_modes_is_read(tmp_path):
    write_zip(tmp_path / "a.zip", FILES.items(), modes=dict.fromkeys(FILES, 0))
    assert contents(tmp_path / "a.zip") == FILES


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_names_that_stand_there_twice_are_refused(make):
    path = make([*FILES.items(), ("set/./a.txt", b"other")])
    with pytest.raises(ArchiveError, match=r"a name that stands there twice \(at 'set/./a.txt'\)"):
        contents(path)


def test_a_file_without_a_name_is_refused(tmp_path):
    path = tmp_path / "a.zip"
    write_zip(path, [("a.txt", b"x"), ("b", b"y")])
    raw = path.read_bytes()
    at = raw.rindex(b"PK\x01\x02")
    assert raw[at + 28 : at + 30] == b"\x01\x00"  # the length of the name "b"
    nameless = raw[: at + 28] + b"\x00\x00" + raw[at + 30 : at + 46] + raw[at + 47 :]
    path.write_bytes(nameless)
    with pytest.raises(ArchiveError):
        contents(path)


def test_a_bomb_is_refused_by_what_it_claims(make):
    path = make([("zeros", bytes(10**7))])
    assert contents(path, most_bytes=10**7) == {"zeros": bytes(10**7)}
    with pytest.raises(ArchiveError, match=r"holds more than 10.0 MB \(at 'zeros'\)"):
        contents(path, most_bytes=10**7 - 1)
    assert path.suffix == ".tar" or path.stat().st_size < 20_000


def test_too_many_files_are_refused(make):
    path = make((f"{index}", b"") for index in range(50))
    assert len(contents(path, most_files=50)) == 50
    with pytest.raises(ArchiveError, match="holds more than 49 files"):
        contents(path, most_files=49)


def test_a_zip_file_that_lies_about_a_size_gives_no_more(tmp_path):
    path = tmp_path / "a.zip"
    write_zip(path, [("a.txt", bytes(10**6))])
    raw = path.read_bytes()
    path.write_bytes(raw.replace((10**6).to_bytes(4, "little"), (1000).to_bytes(4, "little")))
    with pytest.raises(ArchiveError, match="is damaged or cut off"):
        contents(path, most_bytes=1000)


def test_a_tar_header_that_claims_to_be_huge_is_refused_unread(tmp_path):
    path = tmp_path / "a.tgz"
    header = tarfile.TarInfo("././@PaxHeader")
    header.type, header.size = tarfile.XHDTYPE, 2**32
    with tarfile.open(path, "w:gz") as archive:
        archive.addfile(tarfile.TarInfo("a.txt"))
        archive.fileobj.write(header.tobuf(tarfile.GNU_FORMAT))
    with pytest.raises(ArchiveError, match="is damaged or cut off .a header of 4294967296 bytes"):
        contents(path)


def test_a_password_is_refused(tmp_path):
    path = tmp_path / "a.zip"
    write_zip(path, [("a.txt", b"x")])
    raw = bytearray(path.read_bytes())
    raw[raw.index(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(raw)
    with pytest.raises(ArchiveError, match="holds a file with a password"):
        contents(path)


def test_an_archive_that_is_cut_off_anywhere_is_refused(make):
    path = make(FILES.items())
    whole = path.read_bytes()
    padding = 8192 if path.suffix == ".tar" else 0  # zeros behind the block that ends a tar file
    for length in range(0, len(whole) - padding, 511 if padding else 23):
        path.write_bytes(whole[:length])
        with pytest.raises(
            ArchiveError, match=f"{path.name} is damaged or cut off .*; remove it, and run the same command"
        ):
            contents(path)


def test_an_archive_that_is_damaged_is_refused(make):
    path = make(FILES.items())
    whole = bytearray(path.read_bytes())
    if path.suffix == ".tar":
        whole[512 * 3] ^= 255  # the name in a header, whose checksum is wrong now
        whole[1024] ^= 255
    else:
        whole[len(whole) // 3] ^= 255
    path.write_bytes(whole)
    with pytest.raises(ArchiveError, match="is damaged or cut off"):
        contents(path)


@pytest.mark.parametrize("content", [b"", b"not an archive", b"<html>" * 200])
def test_what_is_no_archive_is_refused(tmp_path, content):
    for name in WRITERS:
        (tmp_path / name).write_bytes(content)
        with pytest.raises(ArchiveError, match="is damaged or cut off"):
            contents(tmp_path / name)
