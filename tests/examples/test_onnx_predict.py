import subprocess
import sys
from pathlib import Path

import numpy as np
from PIL import Image

from onnx_files import CLASSES, picture, strongest

EXAMPLE = Path(__file__).parents[2] / "examples" / "onnx_predict.py"
BLOCKED = """
import runpy, sys
for name in ("torch", "torchvision", "attseg", "timm", "onnx", "openvino"):
    sys.modules[name] = None
sys.argv = sys.argv[1:]
runpy.run_path(sys.argv[0], run_name="__main__")
"""


def run(*arguments):
    command = [sys.executable, "-c", BLOCKED, str(EXAMPLE), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)


def test_the_example_is_short():
    assert len(EXAMPLE.read_text().splitlines()) <= 36


def test_it_needs_onnxruntime_numpy_and_pillow_alone(tmp_path):
    image = picture(40, 50)
    image[:30] = (250, 10, 10)
    Image.fromarray(image).save(tmp_path / "a.png")
    done = run(strongest(tmp_path / "model.onnx"), tmp_path / "out", tmp_path / "a.png")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(f"{tmp_path / 'a.png'}: red 8")
    with Image.open(tmp_path / "out" / "a.png") as labels:
        assert np.array_equal(np.asarray(labels), image.argmax(-1))
        assert tuple(np.reshape(labels.getpalette()[:9], (3, 3))[1]) == CLASSES.colors[1]


def test_a_file_of_another_contract_gets_a_sentence(tmp_path):
    done = run(strongest(tmp_path / "model.onnx", gives="logits"), tmp_path / "out", tmp_path / "a.png")
    assert done.returncode == 1
    assert "was exported with other --takes or --gives" in done.stderr
