"""Nothing that attseg is given runs as code because it was given."""

import ast
from pathlib import Path

import pytest
import torch

from attseg.checkpoint import WeightsError
from attseg.converters.source import read_tensors
from attseg.errors import UsageError
from attseg.inference.segmenter import Segmenter, load

SOURCE = Path(__file__).parents[2] / "src" / "attseg"


class Exploit:
    """What runs code where it is unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return open, (str(self.path), "w")


@pytest.fixture
def exploit(tmp_path):
    """A file of weights that writes another file when it is read carelessly."""
    torch.save({"state_dict": {"weight": torch.zeros(1), "more": Exploit(tmp_path / "ran")}}, tmp_path / "weights.pth")
    return tmp_path / "weights.pth"


def test_the_file_of_this_test_is_dangerous(exploit):
    torch.load(exploit, weights_only=False)["state_dict"]["more"].close()
    assert exploit.with_name("ran").exists()


@pytest.mark.parametrize(
    ("read", "error", "message"),
    [
        (
            load,
            WeightsError,
            "it is a pickle, as torch.save writes; attseg reads safetensors only, because a pickle can run code",
        ),
        (read_tensors, UsageError, "it holds more than tensors and plain values, and reading those could run code"),
    ],
)
def test_a_pickle_with_code_is_refused_in_a_sentence(exploit, read, error, message):
    with pytest.raises(error, match=message):
        read(exploit)
    assert not exploit.with_name("ran").exists()


def test_a_pickle_under_the_name_of_weights_is_refused(exploit):
    exploit.rename(exploit.with_name("model.safetensors"))
    for read in (load, Segmenter.from_pretrained):
        with pytest.raises(WeightsError, match="it is a pickle"):
            read(exploit.parent)
    assert not exploit.with_name("ran").exists()


@pytest.mark.slow
def test_wherever_torch_reads_a_file_it_reads_weights_only():
    calls = [
        (path, node)
        for path in SOURCE.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call)
        and ast.unparse(node.func) in ("torch.load", "load_state_dict_from_url", "pickle.load")
    ]
    assert calls
    for path, node in calls:
        assert any(one.arg == "weights_only" and ast.unparse(one.value) == "True" for one in node.keywords), path
