import subprocess
import sys

import pytest
import torch

from attseg.profiling import memory
from attseg.profiling.count import profile
from attseg.profiling.memory import MeasureError, growth, measure_memory
from attseg.profiling.subject import Subject, find_subject

MIB = 2**20
on_linux = pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells the highest resident memory")


BLOCKS = """
import sys, torch
from attseg.profiling.memory import growth

def work(size=16 * 2**20):
    for _ in range(3):
        held = [torch.ones(size) for _ in range(int(sys.argv[1]))]
        del held

work(1000)  # its code is read from the disk only now
print(growth(work))
"""
"""Blocks of 64 MiB, given back three times; as large as that, they come from the system and go back to it."""


@pytest.mark.slow
@on_linux
@pytest.mark.parametrize("blocks", [1, 3])
def test_growth_is_the_most_that_was_there_at_once(blocks):
    # A process of its own: of this one, large and long idle, the system may take pages away while it is measured.
    done = subprocess.run([sys.executable, "-c", BLOCKS, str(blocks)], capture_output=True, text=True, check=True)
    assert int(done.stdout) == pytest.approx(64 * blocks * MIB, rel=0.05)


@on_linux
def test_what_was_there_before_does_not_count():
    large = torch.ones(64 * MIB)
    del large
    assert growth(lambda: None) < 16 * MIB


def test_without_proc_nothing_is_known(monkeypatch, tmp_path):
    monkeypatch.setattr(memory, "RESET", tmp_path / "nothere" / "clear_refs")
    assert growth(lambda: None) is None


@on_linux
@pytest.mark.slow
def test_a_network_needs_what_was_counted_and_scratch_memory():
    subject = find_subject("FCN", {"encoder": "test_resnet", "decoder": "skip", "channels": 32})
    counted = profile(subject.build(), (512, 512)).total.peak_bytes
    assert 0.9 * counted < measure_memory(subject, (512, 512)) < 4 * counted + 64 * MIB


@pytest.mark.slow
def test_a_process_that_fails_is_told_of():
    with pytest.raises(MeasureError, match=r"measures the memory of mine ended with 1: .*there is no model 'PANN'"):
        measure_memory(Subject("mine", "PANN", {}, 3), (64, 64))
