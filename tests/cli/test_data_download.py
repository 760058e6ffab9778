import subprocess
import sys
from dataclasses import replace

import pytest

from attseg.cli import main
from attseg.data.catalog import CATALOG
from attseg.data.download import download as module
from attseg.data.download.download import Download


@pytest.fixture
def fetched(tmp_path, monkeypatch):
    """Calls of ``download``, which does nothing but tell of its progress."""
    calls = []

    def download(name, root, *, progress):
        calls.append((name, root))
        for what in ("fetching", "checking", "unpacking"):
            progress(what, 1, None)
            progress(what, 2, 2)
        archive = tmp_path / "a.zip"
        archive.write_bytes(bytes(1500))
        return Download(CATALOG[name].source, root / CATALOG[name].source.place, archive, 1402)

    monkeypatch.setattr(module, "download", download)
    return calls


def test_what_was_got_and_what_to_do_next_are_told(fetched, tmp_path, capsys):
    root = tmp_path / "my data"
    assert main(["data", "download", "camvid", "--data.root", str(root)]) == 0
    assert fetched == [("camvid", root)]
    assert capsys.readouterr().out.splitlines() == [
        f"{root}/CamVid: 1402 files, as many pictures as there should be; no checksum is published",
        f"{tmp_path}/a.zip (1.5 kB) is no longer needed",
        f"terms: {CATALOG['camvid'].source.terms} ({CATALOG['camvid'].source.homepage})",
        "next:",
        f"  attseg data check camvid --data.root '{root}'",
    ]
    assert main(["data", "download", "voc2012", "--data.root", str(root)]) == 0
    assert "1402 files, checksum as published\n" in capsys.readouterr().out


def test_what_was_there_is_told(tmp_path, monkeypatch, capsys):
    there = tmp_path / "CamVid"
    monkeypatch.setattr(module, "download", lambda name, root, progress: Download(CATALOG[name].source, there))
    assert main(["data", "download", "camvid"]) == 0
    text = capsys.readouterr().out
    assert text.startswith(f"{there} was there before; nothing was downloaded\n")
    assert text.endswith("  attseg data check camvid --data.root data\n")


def test_failures_are_one_sentence(tmp_path, capsys, monkeypatch):
    record = CATALOG["camvid"]
    source = replace(record.source, url="http://127.0.0.1:1/a.zip")
    monkeypatch.setitem(CATALOG, "camvid", replace(record, source=source))
    assert main(["data", "download", "camvid", "--data.root", str(tmp_path)]) == 1
    error = capsys.readouterr().err
    assert error.startswith("attseg: 127.0.0.1 cannot be reached: Connection refused.")
    assert error.count("\n") == 1


def test_cityscapes_is_explained(tmp_path, capsys):
    assert main(["data", "download", "cityscapes", "--data.root", str(tmp_path)]) == 1
    assert capsys.readouterr().err.startswith("attseg: Cityscapes is given only to those who have agreed to its terms")


def test_a_name_that_does_not_exist_is_told(capsys):
    assert main(["data", "download", "voc2013"]) == 2
    assert "did you mean 'voc2012'?" in capsys.readouterr().err


def test_help_loads_nothing_heavy():
    code = (
        "import sys; from attseg.cli import main; assert main(['data', 'download', '--help']) == 0\n"
        "print(sorted({'torch', 'numpy', 'requests'} & sys.modules.keys()))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.splitlines()[-1] == "[]"
    assert "camvid, voc2012, sbd, ade20k, cityscapes" in done.stdout
