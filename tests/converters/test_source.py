"""Files of weights from elsewhere are read without running anything, or refused with a sentence."""

import pytest
import torch

from attseg.converters.source import read_tensors
from attseg.errors import UsageError


class Harm:
    def __reduce__(self):
        return print, ("a file of weights has run code",)


def test_what_cannot_be_read_gets_a_sentence_and_runs_nothing(tmp_path, capsys):
    torch.save({"state_dict": {"cls": Harm()}}, tmp_path / "harm.pth")
    (tmp_path / "text.pth").write_text("no weights")
    (tmp_path / "text.safetensors").write_text("no weights")
    (tmp_path / "empty.pth").touch()
    torch.save([1, 2], tmp_path / "list.pth")
    cases = [
        ("harm.pth", "harm.pth cannot be read as weights alone: it holds more than tensors .* save only its state"),
        ("text.pth", "text.pth cannot be read as weights"),
        ("empty.pth", "empty.pth cannot be read as weights"),
        ("text.safetensors", "text.safetensors is not a safetensors file"),
        ("list.pth", "list.pth holds no tensors by name; a state dict was expected"),
        ("tex.pth", "there is no file or folder .*tex.pth'; did you mean"),
    ]
    for name, message in cases:
        with pytest.raises(UsageError, match=message):
            read_tensors(tmp_path / name)
    assert capsys.readouterr().out == ""


def test_what_stands_beside_the_state_is_of_no_matter(tmp_path):
    content = {"meta": {"CLASSES": ("a", "b"), "epoch": 3}, "state_dict": {"module.a.weight": torch.ones(2)}}
    torch.save(content, tmp_path / "train.pth")
    assert read_tensors(tmp_path / "train.pth")["a.weight"].tolist() == [1, 1]
