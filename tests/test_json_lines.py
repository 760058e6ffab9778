import json
import os

import pytest

from attseg.errors import UsageError
from attseg.files import FileError
from attseg.json_lines import JsonLines, read_lines


def values(path):
    return [found for _, found in read_lines(path)]


def test_lines_are_added_at_once_and_their_place_is_told(tmp_path):
    path = tmp_path / "new" / "log.jsonl"
    lines = JsonLines(path)
    assert not path.exists()
    places = [lines.add({"a": number}) for number in range(3)]
    assert list(read_lines(path)) == [(place, {"a": number}) for number, place in enumerate(places)]
    assert places == [0, 9, 18]


@pytest.mark.parametrize("torn", [b"{", b'{"a": 7}', b"x" * 200_000])
def test_a_torn_line_is_passed_over_and_then_taken_off(tmp_path, torn):
    path = tmp_path / "log.jsonl"
    JsonLines(path).add({"a": 1})
    with path.open("ab") as file:
        file.write(torn)
    assert values(path) == [{"a": 1}]
    JsonLines(path, "a").add({"a": 2})
    assert path.read_bytes() == b'{"a": 1}\n{"a": 2}\n'


def test_damaged_lines_cost_themselves_alone(tmp_path):
    path = tmp_path / "log.jsonl"
    path.write_bytes(b'{"a": 1}\n\0\n[1]\n' + b"[" * 100_000 + b'\n\n{"a": 2}\n')
    assert values(path) == [{"a": 1}, {"a": 2}]


@pytest.mark.parametrize("content", [b"mine", b'{"b": 1}\n', b"[1]\n{", b"\xff\n"])
def test_files_of_another_kind_are_left_alone(tmp_path, content):
    path = tmp_path / "log.jsonl"
    path.write_bytes(content)
    with pytest.raises(UsageError, match=r"log\.jsonl is there already, and is no list of a"):
        JsonLines(path, "a", "list of a")
    assert path.read_bytes() == content


def test_links_and_pipes_are_refused(tmp_path):
    (tmp_path / "link").symlink_to("mine")
    os.mkfifo(tmp_path / "pipe")
    for name in ("link", "pipe"):
        with pytest.raises(FileError, match=f"{name}.* it is a {name}"):
            JsonLines(tmp_path / name)
    assert not (tmp_path / "mine").exists()


def test_names_that_command_a_terminal_are_spelled_out(tmp_path):
    path, name = tmp_path / "log.jsonl", "a\x9b31m\u202e\u200b\u2028\xe9"
    JsonLines(path).add({"name": name})
    assert path.read_text().strip().isprintable()
    assert json.loads(path.read_text())["name"] == name
