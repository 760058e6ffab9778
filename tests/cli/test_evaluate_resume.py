"""An evaluation that stopped goes on: what was counted is not counted again."""

import json

import pytest

from attseg.cli import main
from attseg.files import replacing

CALL = ("--scales", "0.5,1")


@pytest.fixture(scope="module")
def whole(trained, tmp_path_factory):
    """The folder of an evaluation that was not interrupted."""
    out = tmp_path_factory.mktemp("whole")
    assert main(["evaluate", str(trained), *CALL, "--out", str(out)]) == 0
    return out


@pytest.fixture
def half(whole, tmp_path):
    """The folder of one that stopped after two of five pictures."""
    lines = (whole / "pictures.jsonl").read_bytes().splitlines(keepends=True)
    assert len(lines) == 6
    (tmp_path / "pictures.jsonl").write_bytes(b"".join(lines[:3]))
    return tmp_path


@pytest.mark.slow
def test_it_goes_on_and_ends_with_the_same_files(trained, whole, half):
    assert main(["evaluate", str(trained), *CALL, "--out", str(half), "--resume"]) == 0
    for name in ("report.json", "samples.png", "confusion.png", "pictures.jsonl"):
        assert (half / name).read_bytes() == (whole / name).read_bytes()


def test_what_is_not_finished_is_not_thrown_away_unasked(trained, half, capsys):
    before = (half / "pictures.jsonl").read_bytes()
    assert main(["evaluate", str(trained), *CALL, "--out", str(half)]) == 2
    assert (
        "holds the counts of 2 of 5 pictures of this evaluation; go on with --resume, or delete"
        in capsys.readouterr().err
    )
    assert (half / "pictures.jsonl").read_bytes() == before


def test_another_evaluation_does_not_go_on_from_it(trained, half, capsys):
    arguments = ["--scales", "0.5", "--split", "test", "--out", str(half), "--resume"]
    assert main(["evaluate", str(trained), *arguments]) == 2
    assert "belongs to an evaluation with another protocol, split; repeat its options" in capsys.readouterr().err


def test_going_on_needs_a_folder(trained, capsys):
    assert main(["evaluate", str(trained / "best.safetensors"), "--resume"]) == 2
    assert "--resume goes on from what a folder holds; say which with --out" in capsys.readouterr().err


def test_ctrl_c_says_how_to_go_on(trained, half, capsys, monkeypatch):
    def stop(*args, **kwargs):
        raise KeyboardInterrupt

    monkeypatch.setattr("attseg.evaluation.job.evaluate", stop)
    assert main(["evaluate", str(trained), *CALL, "--out", str(half), "--resume"]) == 130
    assert "2 of 5 pictures are counted in" in capsys.readouterr().err


@pytest.mark.slow
def test_a_finished_evaluation_begins_anew(trained, whole):
    before = json.loads((whole / "report.json").read_text())
    with replacing(whole / "report.json") as file:
        file.write(b"gone")
    assert main(["evaluate", str(trained), *CALL, "--out", str(whole), "--overwrite"]) == 0
    assert json.loads((whole / "report.json").read_text()) == before
