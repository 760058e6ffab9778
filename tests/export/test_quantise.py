import os
import subprocess
import sys

import numpy as np
import pytest

from attseg.data.sets.scenes import Scenes
from attseg.errors import UsageError
from attseg.export.drop import Drop, measure_drop
from attseg.export.formats import export_openvino
from attseg.export.quantise import quantise
from attseg.export.report import files_of
from attseg.export.samples import as_input, draw_some, read_some, sample_pictures
from attseg.inference.exported.contract import Contract
from attseg.inference.exported.engines import read_description
from attseg.inference.segmenter import load
from onnx_files import PLAIN, strongest
from tiny_exports import tiny

PICTURES = draw_some(Scenes("train", size=(64, 96), count=6), 6)

ALONE = """
import os, sys
def refuse(event, arguments):
    if event in ("socket.connect", "socket.getaddrinfo", "socket.sendto"):
        os.write(2, f"{event} {arguments[1:]}".encode())
        os._exit(3)
sys.addaudithook(refuse)
from pathlib import Path
from attseg.data.sets.scenes import Scenes
from attseg.export.samples import draw_some
from attseg.export.quantise import quantise
source, made = map(Path, sys.argv[1:])
quantise(source, made, draw_some(Scenes("train", size=(64, 96), count=2), 2))
import openvino.tools.ovc, time
time.sleep(1)  # whatever sends, sends from a thread
"""


@pytest.mark.compile
@pytest.mark.slow
@pytest.mark.parametrize("name", ["labels.onnx", "logits.xml"])
def test_integers_are_smaller_and_nearly_right(files, segmenter, tmp_path, name):
    made, seen = tmp_path / name, []
    about = quantise(files / name, made, PICTURES, on_picture=lambda done, total: seen.append((done, total)))
    assert about.quantised and read_description(made).quantised
    assert seen[:6] == [(done, 6) for done in range(6)]
    weights = [path for path in files_of(files / name) if path.suffix != ".xml"]
    before, after = (
        sum(path.stat().st_size for path in (made.parent / one.name if side else one for one in weights))
        for side in (0, 1)
    )
    assert after < 0.6 * before
    image = Scenes("val", size=(80, 112), count=1)[0].image
    ours, theirs = segmenter(image), load(made)(image)
    assert (ours.labels == theirs.labels).mean() > 0.9
    assert not np.array_equal(ours.scores, theirs.scores)
    with pytest.raises(UsageError, match="computes in 8-bit integers already"):
        quantise(made, tmp_path / f"again{made.suffix}", PICTURES)


@pytest.mark.compile
@pytest.mark.slow
def test_filters_that_one_size_cuts_out_are_no_obstacle(tmp_path):
    contract = Contract(gives="logits", size=(64, 80))
    network = tiny("PSANet", crop_size=(112, 112), inner=64)
    export_openvino(network, tmp_path / "floats.xml", contract)
    quantise(tmp_path / "floats.xml", tmp_path / "integers.xml", PICTURES[:2])
    image = Scenes("val", size=(64, 80), count=1)[0].image
    ours, theirs = network(image), load(tmp_path / "integers.xml")(image)
    assert (ours.labels == theirs.labels).mean() > 0.9


@pytest.mark.compile
@pytest.mark.slow
def test_nothing_is_sent_and_nothing_is_kept_at_home(files, tmp_path):
    home = tmp_path / "home"
    home.mkdir()
    command = [sys.executable, "-c", ALONE, str(files / "logits.xml"), str(tmp_path / "made.xml")]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env={**os.environ, "HOME": str(home)})
    assert (done.returncode, done.stderr[-2000:]) == (0, "")
    assert not (home / "intel").exists()
    assert (tmp_path / "made.bin").is_file()


@pytest.mark.compile
def test_what_is_lost_is_counted_by_evaluation(files, segmenter):
    data, seen = Scenes("val", size=(64, 64), count=2), []

    class Three:
        classes, split = segmenter.classes, "val"

        def __len__(self):
            return 2

        def name(self, index):
            return str(index)

        def __getitem__(self, index):
            from dataclasses import replace

            return replace(data[index], labels=data[index].labels % 3, probes=None)

    drop = measure_drop(segmenter, files / "labels.onnx", Three(), on_picture=lambda *place: seen.append(place))
    assert abs(drop.points) < 0.01
    assert seen == [(1, 4), (2, 4), (3, 4), (4, 4)]
    assert Drop(0.75, 0.70, 3, "val").to_dict()["points_lost"] == pytest.approx(5.0)


def test_what_cannot_be_quantised_gets_a_sentence(tmp_path):
    file = strongest(tmp_path / "a.onnx")
    with pytest.raises(UsageError, match="8-bit integers are made of .onnx and .xml, each of its own kind"):
        quantise(file, tmp_path / "b.xml", PICTURES)
    with pytest.raises(UsageError, match="no picture to calibrate with"):
        quantise(file, tmp_path / "b.onnx", [])


def test_a_missing_nncf_gets_the_command(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "nncf", None)
    with pytest.raises(UsageError, match=r"quantising needs the package nncf.*pip install .*openvino"):
        quantise(strongest(tmp_path / "a.onnx"), tmp_path / "b.onnx", PICTURES)


def test_pictures_are_those_given_or_scenes_at_the_size(tmp_path):
    from PIL import Image

    given = [np.full((10, 20, 3), value, np.uint8) for value in (5, 9)]
    assert [(one.shape, one.max()) for one in sample_pictures((40, 30), given, 3)] == [
        ((40, 30, 3), 5),
        ((40, 30, 3), 9),
        ((40, 30, 3), 5),
    ]
    assert len({one.tobytes() for one in sample_pictures((40, 30))}) == 2
    for index in range(5):
        Image.fromarray(np.full((4, 4, 3), index, np.uint8)).save(tmp_path / f"{index}.png")
    assert [int(read()[0, 0, 0]) for read in read_some([tmp_path], 2, PLAIN)] == [0, 2]


@pytest.mark.parametrize("takes", ["bytes", "floats"])
def test_pictures_go_in_as_the_contract_says(takes):
    batch = as_input(sample_pictures((32, 48)), Contract(takes=takes), PLAIN)
    shape, kind = ((2, 32, 48, 3), np.uint8) if takes == "bytes" else ((2, 3, 32, 48), np.float32)
    assert (batch.shape, batch.dtype, batch.flags.c_contiguous) == (shape, kind, True)
