import pytest
import torch

from attseg.devices import find_device
from attseg.errors import UsageError
from attseg.inference.segmenter import load
from attseg.recipes.recipe import Machine


def test_devices_are_found_by_name(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert find_device("auto").type == find_device("cpu").type == "cpu"
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    assert find_device("auto") == torch.device("cuda")
    assert find_device("cuda:1") == torch.device("cuda:1")
    with pytest.raises(UsageError, match="the device is cuda:2, but PyTorch finds only 2 of them here"):
        find_device("cuda:2")
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)
    assert find_device("mps") == torch.device("mps")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("cuda", "the device is cuda, but PyTorch finds no GPU here; choose cpu or auto"),
        ("mps", "finds no GPU of Apple here"),
        ("gpu", "a GPU is called cuda, cuda:1 or mps"),
        ("cdua", "did you mean 'cuda'"),
    ],
)
def test_devices_that_are_not_there_are_refused(name, message, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    with pytest.raises(UsageError, match=message):
        find_device(name)
    with pytest.raises(UsageError, match=message):
        load("demo", device=name)


def test_a_machine_takes_names_of_devices_that_are_elsewhere():
    assert Machine(device="cuda:7").device == "cuda:7"
    with pytest.raises(UsageError, match="did you mean 'cuda'"):
        Machine(device="cudaa")
