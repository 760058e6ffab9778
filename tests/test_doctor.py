from importlib.metadata import PackageNotFoundError, version

import pytest

from attseg import doctor
from attseg.doctor import examine


def lines(**options):
    return {line.name: line for line in examine(**options)}


def test_what_attseg_needs_is_there():
    found = lines()
    assert found["torch"].value == version("torch")
    assert all(line.ok for line in found.values())
    assert {"attseg", "python", "system", "timm", "threads", "processor", "disk", "extra tensorboard"} <= found.keys()


def test_a_missing_package_is_named_with_what_to_do(monkeypatch):
    def without(name):
        if name in ("timm", "tensorboard"):
            raise PackageNotFoundError(name)
        return version(name)

    monkeypatch.setattr(doctor, "version", without)
    found = lines()
    assert (found["timm"].value, found["timm"].hint, found["timm"].ok) == ("missing", "pip install timm", False)
    assert found["extra tensorboard"].hint == "if you want it: pip install 'tensorboard>=2.19'"
    assert found["extra tensorboard"].ok


@pytest.mark.parametrize(("free", "hint"), [(1e9, "little: choose another folder with --out"), (1e12, "")])
def test_little_space_is_said(free, hint, monkeypatch, tmp_path):
    monkeypatch.setattr(doctor.shutil, "disk_usage", lambda folder: type("Usage", (), {"free": free}))
    assert lines(folder=tmp_path)["disk"].hint == hint


def test_a_folder_that_cannot_be_written_is_said(monkeypatch, tmp_path):
    monkeypatch.setattr(doctor.os, "access", lambda folder, mode: False)
    assert "cannot be written" in lines(folder=tmp_path)["disk"].hint


SAID = "Linux and macOS"


@pytest.mark.parametrize(("system", "said"), [("linux", ""), ("darwin", ""), ("win32", SAID), ("cygwin", SAID)])
def test_supported_systems_are_said(system, said, monkeypatch):
    monkeypatch.setattr(doctor.sys, "platform", system)
    hint = lines()["system"].hint
    assert said in hint
    assert bool(hint) == bool(said)


@pytest.mark.parametrize(
    ("capabilities", "value", "hint"),
    [
        ({"cpu_name": "New", "avx512_bf16": True, "amx_bf16": False}, "New, bfloat16 (avx512_bf16)", "bf16 is faster"),
        ({"cpu_name": "Old", "avx512_bf16": False}, "Old, no bfloat16", "32 is faster than bf16"),
    ],
)
def test_bfloat16_of_the_processor_is_said(capabilities, value, hint, monkeypatch):
    monkeypatch.setattr(doctor, "_capabilities", lambda: capabilities)
    line = lines()["processor"]
    assert (line.value, line.ok) == (value, True)
    assert hint in line.hint
