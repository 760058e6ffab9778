import json

import pytest
import torch

from attseg.errors import UsageError
from attseg.evaluation.kept import KeptCounts
from attseg.files import FileError

ABOUT = {"protocol": {"scales": (0.5, 1.0)}, "weights": "abc"}


def counts(value):
    return {"confusion/counts": torch.tensor([[value, 0], [0, 1]])}


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "new" / "pictures.jsonl"
    kept = KeptCounts(path, ABOUT)
    for index in (4, 0, 2):
        kept.add(index, f"picture-{index}", counts(index))
    return path


def test_counts_come_back_in_the_order_of_the_pictures(path):
    kept = KeptCounts(path, ABOUT, resume=True)
    assert kept.names == {4: "picture-4", 0: "picture-0", 2: "picture-2"}
    assert [int(one["confusion/counts"][0, 0]) for one in kept] == [0, 2, 4]
    kept.add(1, "picture-1", counts(1))
    assert [int(one["confusion/counts"][0, 0]) for one in KeptCounts(path, ABOUT, resume=True)] == [0, 1, 2, 4]


@pytest.mark.parametrize("cut", [1, 10, 60])
def test_a_line_that_was_cut_short_is_dropped(path, cut):
    path.write_bytes(path.read_bytes()[:-cut])
    kept = KeptCounts(path, ABOUT, resume=True)
    assert sorted(kept.names) == [0, 4]
    kept.add(2, "picture-2", counts(7))
    assert [int(one["confusion/counts"][0, 0]) for one in KeptCounts(path, ABOUT, resume=True)] == [0, 7, 4]


def test_without_resume_it_begins_anew(path):
    assert not KeptCounts(path, ABOUT).names
    assert path.read_bytes().count(b"\n") == 1


def test_another_evaluation_is_refused_and_left_alone(path):
    before = path.read_bytes()
    with pytest.raises(UsageError, match="belongs to an evaluation with another data, protocol; repeat its options"):
        KeptCounts(path, ABOUT | {"protocol": {"scales": (0.5,)}, "data": "camvid"}, resume=True)
    assert path.read_bytes() == before


@pytest.mark.parametrize("content", [b"no json\n", b"[]\n", json.dumps({"index": 1}).encode()])
@pytest.mark.parametrize("resume", [True, False])
def test_another_file_is_refused_and_left_alone(tmp_path, content, resume):
    (tmp_path / "a").write_bytes(content)
    with pytest.raises(UsageError, match="a is there already, and is no file of counts"):
        KeptCounts(tmp_path / "a", ABOUT, resume=resume)
    assert (tmp_path / "a").read_bytes() == content


@pytest.mark.parametrize("content", [b"", json.dumps({"format": 1}).encode()])
def test_a_file_without_a_whole_line_is_begun_anew(tmp_path, content):
    (tmp_path / "a").write_bytes(content)
    KeptCounts(tmp_path / "a", ABOUT, resume=True).add(1, "b", counts(1))
    assert KeptCounts(tmp_path / "a", ABOUT, resume=True).names == {1: "b"}


def test_a_damaged_line_costs_its_own_picture_alone(path):
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(
        b"".join([lines[0], lines[1], lines[2].replace(b"int64", b"int6\0"), b"x\n", b'{"index": 9}\n', lines[3]])
    )
    kept = KeptCounts(path, ABOUT, resume=True)
    assert sorted(kept.names) == [2, 4]
    assert [int(one["confusion/counts"][0, 0]) for one in kept] == [2, 4]


def test_a_file_that_cannot_be_written_is_named(path):
    kept = KeptCounts(path, ABOUT, resume=True)
    path.unlink()
    path.mkdir()
    with pytest.raises(FileError, match=r"cannot write .*pictures\.jsonl: it is a folder, and a regular file"):
        kept.add(1, "a", counts(1))
