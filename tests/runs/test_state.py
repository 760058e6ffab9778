import pytest
import torch

from attseg.files import FileError
from attseg.runs.errors import RunError
from attseg.runs.state import load_state, save_state


def state(step):
    return {"step": step, "model": {"weight": torch.arange(1000.0) + step}, "best": 0.5}


def steps(folder):
    return [path.name for path in sorted(folder.iterdir())]


def test_the_newest_state_comes_back(tmp_path):
    for step in (1, 2, 10):
        save_state(tmp_path, step, state(step))
    found, damaged = load_state(tmp_path)
    assert found["step"] == 10
    assert torch.equal(found["model"]["weight"], torch.arange(1000.0) + 10)
    assert damaged == []
    assert steps(tmp_path) == ["00000002.pt", "00000010.pt"]


def test_nothing_saved_is_no_state(tmp_path):
    assert load_state(tmp_path) == (None, [])


def damage_by_truncation(content):
    return content[: len(content) // 2]


def damage_by_one_bit(content):
    middle = len(content) // 2
    return content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :]


def damage_by_emptying(content):
    return b""


@pytest.mark.parametrize("damage", [damage_by_truncation, damage_by_one_bit, damage_by_emptying])
def test_a_damaged_newest_state_is_recognised_and_the_one_before_is_used(tmp_path, damage):
    for step in (1, 2):
        save_state(tmp_path, step, state(step))
    newest = tmp_path / "00000002.pt"
    newest.write_bytes(damage(newest.read_bytes()))
    found, damaged = load_state(tmp_path)
    assert found["step"] == 1
    assert damaged == [newest]


def test_states_beyond_the_one_that_is_saved_are_removed(tmp_path):
    for step in (1, 2):
        save_state(tmp_path, step, state(step))
    save_state(tmp_path, 3, state(3))
    (tmp_path / "00000009.pt").write_bytes(b"damaged, from before the run went back")
    save_state(tmp_path, 4, state(4))
    assert steps(tmp_path) == ["00000003.pt", "00000004.pt"]


def test_only_damaged_states_are_an_error_that_names_them(tmp_path):
    save_state(tmp_path, 1, state(1))
    (tmp_path / "00000001.pt").write_bytes(b"?")
    with pytest.raises(RunError, match=r"no state in .* is whole \(00000001.pt\).*start it again in another folder"):
        load_state(tmp_path)


def test_a_state_that_cannot_be_written_leaves_the_others_alone(tmp_path, monkeypatch):
    save_state(tmp_path, 1, state(1))

    def full(descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(FileError, match=r"cannot write .*00000002.pt: no space is left"):
        save_state(tmp_path, 2, state(2))
    assert steps(tmp_path) == ["00000001.pt"]
    assert load_state(tmp_path)[0]["step"] == 1


class Exploit:
    def __reduce__(self):
        return exec, ("raise SystemExit('code ran')",)


def test_no_code_in_a_state_is_run(tmp_path):
    save_state(tmp_path, 1, {"step": Exploit()})
    with pytest.raises(RunError, match="no state in .* is whole"):
        load_state(tmp_path)
