import hashlib
import io
import json
import subprocess
import sys
import tarfile
import zipfile
from dataclasses import replace

import numpy as np
import pytest
from filelock import FileLock

import layouts
from attseg.cli import main
from attseg.data.catalog import CATALOG, open_data
from attseg.data.checking.check import check
from attseg.data.download import download as module
from attseg.data.download import fetch as fetching
from attseg.data.download.download import download, find_source
from attseg.data.download.fetch import DownloadError
from attseg.data.sets.record import Checksum
from attseg.errors import UsageError

SOURCES = {name: record.source for name, record in CATALOG.items() if record.source}


def place(monkeypatch, name, source):
    """The data set comes from another source now."""
    monkeypatch.setitem(CATALOG, name, replace(CATALOG[name], source=source))


def packed(files, kind):
    """An archive with these files, as bytes."""
    content = io.BytesIO()
    if kind == "zip":
        with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, text in files.items():
                archive.writestr(name, text)
    else:
        with tarfile.open(fileobj=content, mode="w:gz" if kind == "tgz" else "w") as archive:
            for name, text in files.items():
                info = tarfile.TarInfo(name)
                info.size = len(text)
                archive.addfile(info, io.BytesIO(text))
    return content.getvalue()


def tree(source):
    """A few files where the archive of a source has thousands."""
    names = [pattern.replace("*", f"{index}") for pattern, count in source.holds.items() for index in range(count)]
    return {
        f"{source.inside}/{name}": name.encode() for name in names or ["JPEGImages/a.jpg", "SegmentationClass/a.png"]
    }


@pytest.fixture(params=SOURCES)
def served(request, serve, monkeypatch):
    """The name of a data set, whose archive now comes from here, and the server."""
    source = SOURCES[request.param]
    content = packed(tree(source), source.file.rpartition(".")[2])
    server = serve(content)
    known = source.checksum
    if known:
        known = replace(known, value=hashlib.new(known.algorithm, content).hexdigest())
    place(monkeypatch, request.param, replace(source, url=server.url(source.file), checksum=known))
    monkeypatch.setattr(fetching.time, "sleep", lambda _: None)
    return request.param, server


def quiet(what, done, total):
    pass


def visible(folder):
    return sorted(path.name for path in folder.iterdir() if not path.name.startswith("."))


def test_a_data_set_arrives_in_its_place(served, tmp_path):
    name, server = served
    source, root, told = CATALOG[name].source, tmp_path / "new" / "data", []
    result = download(name, root, progress=lambda what, done, total: told.append(what))
    assert result.folder == root / source.place and result.archive == root / source.file
    expected = tree(source)
    assert result.files == len(expected)
    for path, content in expected.items():
        assert (result.folder / path.removeprefix(source.inside + "/")).read_bytes() == content
    assert visible(root) == sorted([source.file, source.place.split("/")[0]])
    assert list(dict.fromkeys(told)) == ["fetching", "checking", "unpacking"]
    record = json.loads((result.folder / "downloaded.json").read_text())
    algorithm = source.checksum.algorithm if source.checksum else "sha256"
    assert record[algorithm] == hashlib.new(algorithm, server.content).hexdigest()
    assert record["url"] == source.url and record["bytes"] == len(server.content)

    again = download(name, root, progress=quiet)
    assert again.folder == result.folder and again.archive is None
    assert len(server.requests) == 1


def test_an_archive_laid_there_by_hand_is_used(served, tmp_path):
    name, server = served
    (tmp_path / CATALOG[name].source.file).write_bytes(server.content)
    result = download(name, tmp_path, progress=quiet)
    assert server.requests == []
    assert result.archive.exists()


def test_a_wrong_checksum_is_refused(served, tmp_path, monkeypatch):
    name, server = served
    wrong = Checksum(algorithm="md5", value="0" * 32, publisher="nobody")
    place(monkeypatch, name, replace(CATALOG[name].source, checksum=wrong))
    with pytest.raises(DownloadError) as error:
        download(name, tmp_path, progress=quiet)
    message = str(error.value)
    assert hashlib.md5(server.content).hexdigest() in message and "0" * 32 in message and "by nobody" in message
    assert "Remove the file and run the same command again" in message
    assert not (tmp_path / CATALOG[name].source.place).exists()


@pytest.mark.parametrize("served", [name for name, source in SOURCES.items() if source.holds], indirect=True)
def test_an_archive_with_too_few_pictures_is_not_taken(served, tmp_path):
    name, server = served
    source = CATALOG[name].source
    files = tree(source)
    del files[next(iter(files))]
    server.content = packed(files, "zip")
    with pytest.raises(DownloadError, match=r"'train/\*\.png': 366.*, and .*'train/\*\.png': 367.* were expected"):
        download(name, tmp_path, progress=quiet)
    assert not (tmp_path / source.place).exists()


def test_a_broken_download_goes_on_in_the_next_call(served, tmp_path):
    name, server = served
    half = len(server.content) // 2
    server.cuts = [half, *[0] * 4]
    with pytest.raises(DownloadError, match="have arrived and are kept; the same command resumes"):
        download(name, tmp_path, progress=quiet)
    download(name, tmp_path, progress=quiet)
    assert server.requests[-1]["Range"] == f"bytes={half}-"
    assert (tmp_path / CATALOG[name].source.place).is_dir()


def test_an_empty_folder_in_its_place_is_no_hindrance(served, tmp_path):
    name, _ = served
    (tmp_path / CATALOG[name].source.place).mkdir(parents=True)
    assert download(name, tmp_path, progress=quiet).files


def test_other_folders_beside_it_are_left_alone(served, tmp_path):
    name, _ = served
    neighbour = (tmp_path / CATALOG[name].source.place).parent / "VOC2007" / "mine.txt"
    neighbour.parent.mkdir(parents=True)
    neighbour.write_text("keep me")
    download(name, tmp_path, progress=quiet)
    assert neighbour.read_text() == "keep me"


def test_two_downloads_into_one_folder_do_not_meet(tmp_path):
    with FileLock(tmp_path / module.LOCK):
        code = (
            "import sys; from attseg.data.download.download import download\n"
            "try: download('camvid', sys.argv[1], progress=print)\n"
            "except OSError as error: print(error)"
        )
        done = subprocess.run([sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, timeout=60)
    assert done.stdout.startswith("process ")
    assert f"downloads into {tmp_path}; wait for it to end" in done.stdout


def test_a_folder_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(DownloadError, match=r"cannot make .*: a file is where the folder .* should be"):
        download("camvid", tmp_path / "file", progress=quiet)


def test_cityscapes_says_what_to_do_by_hand(tmp_path):
    with pytest.raises(DownloadError, match="make an account at https://www.cityscapes-dataset.com") as error:
        download("cityscapes", tmp_path, progress=quiet)
    assert f"attseg data check cityscapes --data.root {tmp_path}" in str(error.value)
    assert list(tmp_path.iterdir()) == []


def test_a_name_that_does_not_exist_is_told():
    with pytest.raises(UsageError, match="there is no data set to download 'ade20'; did you mean 'ade20k'"):
        find_source("ade20", "x")


def test_sources_are_as_they_should_be():
    from torchvision.datasets.sbd import SBDataset
    from torchvision.datasets.voc import DATASET_YEAR_DICT

    assert SOURCES["voc2012"].url == DATASET_YEAR_DICT["2012"]["url"]
    assert SOURCES["voc2012"].checksum.value == DATASET_YEAR_DICT["2012"]["md5"]
    assert SOURCES["sbd"].url == SBDataset.url and SOURCES["sbd"].checksum.value == SBDataset.md5
    for source in SOURCES.values():
        assert source.url.startswith("https://")
        assert source.checksum or source.holds
        assert source.inside.endswith(source.place)


def pack_folder(root, source):
    """The archive of a source, from a small data set in its official layout."""
    files = sorted(path for path in root.rglob("*") if path.is_file())
    names = {path: path.relative_to(root).as_posix().removeprefix(f"{source.place}/") for path in files}
    kind = source.file.rpartition(".")[2]
    return packed({f"{source.inside}/{name}": path.read_bytes() for path, name in names.items()}, kind)


@pytest.fixture
def camvid(tmp_path):
    """CamVid as SegNet's tutorial has it."""
    root = tmp_path / "segnet"
    for seed, split in enumerate(("train", "val")):
        noise = np.random.default_rng(seed).integers(0, 256, (8, 12, 3))
        layouts.save(root / "CamVid" / split / "0001TP_1.png", noise)
        layouts.save(root / "CamVid" / f"{split}annot" / "0001TP_1.png", np.resize((0, 5, 10, 11), (8, 12)))
    return root


@pytest.mark.parametrize(
    ("name", "fixture"), [("voc2012", "voc"), ("sbd", "sbd"), ("ade20k", "ade20k"), ("camvid", "camvid")]
)
def test_what_arrives_is_what_the_data_sets_expect(name, fixture, serve, request, tmp_path, monkeypatch):
    source = CATALOG[name].source
    content = pack_folder(request.getfixturevalue(fixture), source)
    known = source.checksum and replace(
        source.checksum, value=hashlib.new(source.checksum.algorithm, content).hexdigest()
    )
    url = serve(content).url(source.file)
    place(monkeypatch, name, replace(source, url=url, checksum=known, holds={}))
    root = tmp_path / "downloaded"
    download(name, root, progress=quiet)
    result = check(name, root)
    assert result.ok, [finding.message for finding in result.findings]
    assert open_data(name, "train", root=root)[0].labels.shape == (8, 12)
    assert main(["data", "check", name, "--data.root", str(root), "--out", str(tmp_path / "samples.png")]) == 0
