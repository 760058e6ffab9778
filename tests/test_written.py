import json
import os

import pytest

from attseg.errors import UsageError
from attseg.files import FileError, replacing
from attseg.written import LEDGER, outputs


def write(path, text, **options):
    with outputs(path, **options), replacing(path) as file:
        file.write(text.encode())


def test_our_own_files_are_replaced_and_nothing_else_is_added(tmp_path):
    path = tmp_path / "new" / "page.html"
    for text in ("first", "second", "third"):
        write(path, text)
    assert path.read_text() == "third"
    assert sorted(entry.name for entry in path.parent.iterdir()) == [LEDGER, "page.html"]


@pytest.mark.parametrize("content", [b"", b"mine", b"<meta name=generator content=attseg>", bytes(range(256))])
def test_files_of_others_are_replaced_with_overwrite_alone(tmp_path, content):
    path = tmp_path / "index.html"
    path.write_bytes(content)
    for _ in range(2):
        with pytest.raises(UsageError, match=r"index\.html.*--overwrite"):
            write(path, "ours")
        assert path.read_bytes() == content
    write(path, "ours", overwrite=True)
    write(path, "ours again")
    assert path.read_text() == "ours again"


def test_a_file_of_ours_that_was_changed_or_came_from_elsewhere_is_not_replaced(tmp_path):
    write(tmp_path / "a.png", "a")
    (tmp_path / "a.png").write_text("b")
    with pytest.raises(UsageError, match=r"a\.png"):
        write(tmp_path / "a.png", "c")
    write(tmp_path / "b.png", "b")
    (tmp_path / "other").mkdir()
    (tmp_path / "b.png").rename(tmp_path / "other" / "b.png")
    with pytest.raises(UsageError):
        write(tmp_path / "other" / "b.png", "c")


def test_all_files_are_looked_at_before_any_is_written(tmp_path):
    (tmp_path / "model.bin").write_text("mine")
    with pytest.raises(UsageError, match=r"model\.bin"), outputs(tmp_path / "model.xml", tmp_path / "model.bin"):
        raise AssertionError("the block must not run")
    assert [entry.name for entry in tmp_path.iterdir()] == ["model.bin"]


def test_what_was_written_before_an_error_is_ours(tmp_path):
    with pytest.raises(KeyboardInterrupt), outputs(tmp_path / "a", tmp_path / "b"):
        (tmp_path / "a").write_text("half")
        raise KeyboardInterrupt
    write(tmp_path / "a", "whole")


def test_links_and_pipes_in_the_place_of_a_file_are_refused(tmp_path):
    (tmp_path / "mine").write_text("mine")
    (tmp_path / "link").symlink_to("mine")
    (tmp_path / "broken").symlink_to("nowhere")
    for name in ("link", "broken"):
        with pytest.raises(UsageError, match=name):
            write(tmp_path / name, "x")
    os.mkfifo(tmp_path / "pipe")
    for overwrite in (False, True):
        with pytest.raises(FileError, match="pipe: it is a pipe"):
            write(tmp_path / "pipe", "x", overwrite=overwrite)


@pytest.mark.slow
@pytest.mark.parametrize("content", [b"\0\xff", b"[" * 10**6, b"{}\n[]\n1\nnull\n", b'{"file": 3}\n', b"x" * 10**6])
def test_a_broken_ledger_only_makes_files_unknown(tmp_path, content):
    write(tmp_path / "a", "a")
    ledger = (tmp_path / LEDGER).read_bytes()
    (tmp_path / LEDGER).write_bytes(content)
    with pytest.raises(UsageError):
        write(tmp_path / "a", "b")
    (tmp_path / LEDGER).write_bytes(content + b"\n" + ledger)
    write(tmp_path / "a", "b")


def test_a_ledger_that_is_a_pipe_is_not_opened(tmp_path):
    os.mkfifo(tmp_path / LEDGER)
    write(tmp_path / "a", "a")
    with pytest.raises(UsageError):
        write(tmp_path / "a", "b")


def test_a_ledger_holds_names_alone(tmp_path):
    write(tmp_path / "a", "a")
    assert json.loads((tmp_path / LEDGER).read_text()).keys() == {"file", "digest"}


def test_a_line_that_a_full_disk_cut_short_costs_its_own_file_alone(tmp_path):
    write(tmp_path / "a", "a")
    with (tmp_path / LEDGER).open("a") as ledger:
        ledger.write('{"file": "b", "dig')
    write(tmp_path / "c", "c")
    for name in "ac":
        write(tmp_path / name, "again")
    assert (tmp_path / LEDGER).read_bytes().endswith(b"\n")


def test_a_ledger_that_is_a_link_leads_nowhere(tmp_path):
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "mine").write_text("mine")
    for target in ("other/mine", "other/new"):
        (tmp_path / LEDGER).unlink(missing_ok=True)
        (tmp_path / LEDGER).symlink_to(target)
        write(tmp_path / target[-1], "a")
    assert [(path.name, path.read_text()) for path in (tmp_path / "other").iterdir()] == [("mine", "mine")]


def test_the_message_says_why_files_of_the_last_release_need_the_option(tmp_path):
    (tmp_path / "model.onnx").touch()
    with pytest.raises(UsageError, match=r"model\.onnx.*0\.1\.0.*--overwrite"):
        write(tmp_path / "model.onnx", "new")
