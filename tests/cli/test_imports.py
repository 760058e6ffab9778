"""Which libraries a verb waits for: what it does not use is not imported."""

import os
import subprocess
import sys

import pytest
from PIL import Image

from onnx_files import picture, strongest

TAKES_SECONDS = {"timm", "torchvision", "matplotlib", "lightning_fabric", "scipy", "triton", "torch._dynamo"}
"""Libraries that take a tenth of a second or more to import, some of them seconds."""


def imported(*words):
    """Libraries of ``TAKES_SECONDS`` that a verb has imported once it is done."""
    code = (
        f"import sys; from attseg.cli import main; status = main({list(map(str, words))}); "
        f"print('|'.join({{str(status)}} | {TAKES_SECONDS} & sys.modules.keys()))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        timeout=300,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
    )
    status, *libraries = sorted(done.stdout.splitlines()[-1].split("|"))
    assert status == "0", done.stderr
    return set(libraries)


@pytest.fixture
def photo(tmp_path):
    Image.fromarray(picture()).save(tmp_path / "one.png")
    return tmp_path / "one.png"


@pytest.mark.slow
def test_an_exported_file_runs_without_the_libraries_of_networks(tmp_path, photo):
    file = strongest(tmp_path / "model.onnx")
    assert imported("predict", file, photo, "--out", tmp_path / "out") == set()


@pytest.mark.slow
def test_a_network_waits_for_its_encoder_alone(tmp_path, photo):
    found = imported("predict", "demo", photo, "--out", tmp_path / "out")
    assert "timm" in found and not found & {"matplotlib", "lightning_fabric", "scipy"}


@pytest.mark.slow
def test_plots_are_imported_where_they_are_drawn():
    code = "import sys, attseg.evaluation.written; print('matplotlib' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=300)
    assert done.stdout.split() == ["False"]
