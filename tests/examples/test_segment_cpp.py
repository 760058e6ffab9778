"""The C++ of docs/use/deploy.md: OpenVINO's is built and run, as its headers come with the Python package."""

import re
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from attseg.inference.exported.packages import need
from onnx_files import picture, strongest

ROOT = Path(__file__).parents[2]


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("g++") is None, reason="there is no C++ compiler")
def test_the_program_for_openvino_gives_the_classes(tmp_path):
    example, page = (ROOT / "examples" / "segment.cpp").read_text(), (ROOT / "docs" / "use" / "deploy.md").read_text()
    header, *body = re.search(r"```cpp\n(.*?)```", page, re.DOTALL)[1].splitlines()
    begin, end = example.index("    Ort::Env"), example.index("    std::ofstream out")
    text = example[:begin] + "\n".join(body) + "\n" + example[end:]
    source = tmp_path / "segment.cpp"
    source.write_text(text.replace("#include <onnxruntime_cxx_api.h>", header))
    package = Path(need("openvino", "this test").__path__[0])
    library = next(package.glob("libs/libopenvino.so*"))
    build = ["g++", "-std=c++17", "-Wall", "-Werror", "-isystem", str(package / "include"), str(source), str(library)]
    subprocess.run([*build, f"-Wl,-rpath,{library.parent}", "-o", str(tmp_path / "segment")], check=True, timeout=300)
    image = picture(40, 50)
    Image.fromarray(image).save(tmp_path / "a.ppm")
    command = [tmp_path / "segment", strongest(tmp_path / "model.onnx"), tmp_path / "a.ppm", tmp_path / "labels.pgm"]
    subprocess.run(command, check=True, timeout=120)
    with Image.open(tmp_path / "labels.pgm") as labels:
        assert np.array_equal(np.asarray(labels), image.argmax(-1))
    assert subprocess.run([*command[:2], tmp_path / "model.onnx", tmp_path / "no.pgm"], check=False).returncode == 1
