import json
import os

import numpy as np
import pytest

from attseg.bulk.manifest import Manifest, areas, count, key_of, read_manifests
from attseg.bulk.share import Share
from attseg.data.classes import ClassTable
from attseg.files import FileError

CLASSES = ClassTable(("sky", "road", "car"), ((1, 1, 1), (2, 2, 2), (3, 3, 3)))


def write(folder, *entries, share=None):
    manifest = Manifest(folder, *([share] if share else []))
    for entry in entries:
        manifest.add(entry)


def test_lines_are_added_at_once_and_never_changed(tmp_path):
    manifest = Manifest(tmp_path / "out")
    manifest.add({"file": "a.png", "key": "0a"})
    first = (tmp_path / "out/manifest.jsonl").read_bytes()
    assert json.loads(first) == {"file": "a.png", "key": "0a"}
    manifest.add({"file": "Straße.png"})
    write(tmp_path / "out", {"file": "c.png", "key": "0c"})
    content = (tmp_path / "out/manifest.jsonl").read_bytes()
    assert content.startswith(first)
    assert "Straße" in content.decode()
    assert [entry["file"] for entry in read_manifests(tmp_path / "out")] == ["a.png", "Straße.png", "c.png"]


@pytest.mark.parametrize("torn", [b"{", b'{"file": "b.png", "key": "0b"}', b"x" * 200_000])
def test_a_torn_last_line_is_taken_off_and_nothing_else(tmp_path, torn):
    write(tmp_path, {"file": "a.png", "key": "0a"})
    with (tmp_path / "manifest.jsonl").open("ab") as file:
        file.write(torn)
    assert [entry["file"] for entry in read_manifests(tmp_path)] == ["a.png"]
    write(tmp_path, {"file": "c.png", "key": "0c"})
    lines = (tmp_path / "manifest.jsonl").read_text().splitlines()
    assert [json.loads(line)["file"] for line in lines] == ["a.png", "c.png"]


def test_a_file_that_is_one_torn_line_is_begun_anew(tmp_path):
    (tmp_path / "manifest.jsonl").write_bytes(b'{"file": "a.p')
    write(tmp_path, {"file": "b.png"})
    assert (tmp_path / "manifest.jsonl").read_bytes() == b'{"file": "b.png"}\n'


def test_lines_that_are_none_of_ours_are_passed_over(tmp_path):
    (tmp_path / "manifest.jsonl").write_bytes(b'{"file": "a.png"}\n\x00\x00\n[1]\n\n{"key": "0a"}\n')
    manifest = Manifest(tmp_path)
    assert manifest.holds("0a")


@pytest.mark.parametrize("key", ["x", "-1", "f" * 17, 3, None, ["f"], "0x" + "f" * 14])
def test_keys_that_are_none_are_passed_over(key, tmp_path):
    lines = [json.dumps({"file": "a.png", "key": key}), "[" * 100_000, json.dumps({"key": "00000000000000ff"})]
    (tmp_path / "manifest.jsonl").write_text("".join(f"{line}\n" for line in lines))
    manifest = Manifest(tmp_path)
    assert manifest.holds("00000000000000ff") and not manifest.holds("00000000000000fe")


def test_all_processes_know_what_any_has_done(tmp_path):
    for rank in range(3):
        write(tmp_path, {"key": f"{rank:016x}"}, share=Share(rank, 3))
    assert sorted(path.name for path in tmp_path.iterdir()) == [f"manifest-{rank}-of-3.jsonl" for rank in range(3)]
    manifest = Manifest(tmp_path)
    assert [manifest.holds(f"{number:016x}") for number in range(4)] == [True, True, True, False]
    assert manifest.holds("ffffffffffffffff") is False


def test_many_are_found_as_a_set_finds_them(tmp_path):
    numbers = np.random.default_rng(0).integers(0, 2**64, 500, np.uint64)
    write(tmp_path, *({"file": "a.png", "key": f"{number:016x}"} for number in numbers[:250]))
    manifest = Manifest(tmp_path)
    assert all(manifest.holds(f"{number:016x}") for number in numbers[:250])
    assert not any(manifest.holds(f"{number:016x}") for number in numbers[250:])


def test_a_key_changes_with_the_picture_its_labels_and_what_they_depend_on(tmp_path):
    one, other = tmp_path / "one", tmp_path / "other"
    one.write_bytes(b"1")
    other.write_bytes(b"22")
    os.utime(one, ns=(1, 1))
    key = key_of("weights a", one.stat(), other.stat())
    assert key == key_of("weights a", one.stat(), other.stat())
    assert key != key_of("weights b", one.stat(), other.stat())
    assert key != key_of("weights a", other.stat(), other.stat())
    assert key != key_of("weights a", one.stat(), one.stat())
    os.utime(one, ns=(2, 2))
    assert key != key_of("weights a", one.stat(), other.stat())


def test_a_name_that_is_no_unicode_is_kept(tmp_path):
    name = os.fsdecode(b"caf\xe9.png")
    write(tmp_path, {"file": name})
    assert [entry["file"] for entry in read_manifests(tmp_path)] == [name]
    (tmp_path / "x").touch()
    key_of(name, (tmp_path / "x").stat(), (tmp_path / "x").stat())


def test_names_that_command_a_terminal_are_spelled_out(tmp_path):
    name = "a\x9b31m\u202e\u200b\u2028\xe9"
    write(tmp_path, {"key": "1", "file": name})
    line = (tmp_path / "manifest.jsonl").read_bytes().decode()
    assert line.strip().isprintable()
    assert json.loads(line)["file"] == name


def test_areas_are_those_of_numpy():
    labels = np.random.default_rng(0).choice(3, (40, 50), p=[0.2, 0.5, 0.3]).astype(np.uint8)
    found = areas(count(labels), CLASSES)
    assert list(found["classes"]) == ["road", "car", "sky"]
    assert found["classes"] == {name: int((labels == index).sum()) for index, name in enumerate(CLASSES.names)}


def test_a_full_disk_is_a_sentence(tmp_path, monkeypatch):
    manifest = Manifest(tmp_path)
    monkeypatch.setattr("attseg.json_lines.open_file", lambda path, mode: open("/dev/full", mode))  # noqa: PTH123, SIM115
    with pytest.raises(FileError, match=r"cannot write .*manifest\.jsonl: no space is left"):
        manifest.add({"file": "a.png"})


def test_a_folder_that_is_a_file_is_a_sentence(tmp_path):
    (tmp_path / "out").touch()
    with pytest.raises(FileError, match=r"cannot write .*manifest\.jsonl: a file is where the folder"):
        Manifest(tmp_path / "out").add({"file": "a.png"})


@pytest.mark.parametrize("content", [None, "", '{"file": "a.png"}\n{"torn'])
def test_a_link_in_the_place_of_a_manifest_is_refused(tmp_path, content):
    (tmp_path / "manifest.jsonl").symlink_to(tmp_path / "other")
    if content is not None:
        (tmp_path / "other").write_text(content)
    with pytest.raises(FileError, match="it is a link"):
        write(tmp_path, {"file": "b.png"})
    assert (tmp_path / "other").exists() == (content is not None)
    assert content is None or (tmp_path / "other").read_text() == content


def test_a_manifest_is_made_with_its_first_line(tmp_path):
    Manifest(tmp_path)
    assert list(tmp_path.iterdir()) == []
