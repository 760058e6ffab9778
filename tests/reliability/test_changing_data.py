"""Data sets that change under a run, or between two parts of it."""

import io
import os
import signal
from dataclasses import replace

import pytest
from PIL import Image
from rich.console import Console

from attseg.data.catalog import open_data
from attseg.data.checking.unchanged import check_unchanged
from attseg.data.sample import DataError
from attseg.recipes.recipe import DataSpec
from attseg.runs.errors import RunError
from attseg.runs.state import load_state
from attseg.training.run import train
from fitting import HERE, Watched, fit_into
from reliability.test_training_faults import assert_same


class Stop(io.StringIO):
    """What a run says; it is asked to stop as soon as it has said its second score, of step 4."""

    asked = False

    def write(self, text):
        if "step 4: mIoU" in text and not self.asked:
            self.asked = True
            os.kill(os.getpid(), signal.SIGTERM)
        return super().write(text)


@pytest.fixture
def half(tiny, tmp_path):
    """A run of 8 steps that was stopped before its end, and what a run gives that was not."""
    fit_into(tmp_path / "straight", tiny(steps=8))
    with pytest.raises(RunError, match="stopped after step 5"):
        train(tiny(steps=8), HERE, out=tmp_path / "run", console=Console(file=Stop(), width=200))
    return tmp_path / "run", tmp_path / "straight"


@pytest.mark.slow
def test_a_data_set_that_changed_is_not_trained_on_further(half, tiny, pictures):
    run, straight = half

    def refused(match):
        with pytest.raises(DataError, match=match):
            train(tiny(steps=8), HERE, out=run, resume=True)

    advice = r"Put the data back as they were, and the run goes on from its last save"
    began = "is no longer what it was when the run began, with 5 samples"
    image, labels = (pictures / kind / "train" / "train2.png" for kind in ("images", "labels"))
    kept = image.read_bytes(), labels.read_bytes()

    image.unlink(), labels.unlink()
    refused(rf"the split 'train' {began}: 1 missing sample \(train2\)\. {advice}")
    image.write_bytes(kept[0]), labels.write_bytes((pictures / "labels" / "train" / "train1.png").read_bytes())
    refused(rf"the split 'train' {began}: 1 sample \(train2\) with another image or label file\. {advice}")
    labels.write_bytes(kept[1])
    for kind in ("images", "labels"):
        (pictures / kind / "val" / "new.png").write_bytes((pictures / kind / "val" / "val0.png").read_bytes())
    refused(rf"the split 'val' {began}: 1 new sample \(new\)\. {advice}")
    for kind in ("images", "labels"):
        (pictures / kind / "val" / "new.png").unlink()
    table = (pictures / "classes.csv").read_text()
    for other in (table + "3,boat,0,0,9\n", table.replace("sky", "heaven")):
        (pictures / "classes.csv").write_text(other)
        refused(r"the classes of the data set are no longer those that the run began with\. Put the data back")
    (pictures / "classes.csv").write_text(table)

    train(tiny(steps=8), HERE, out=run, resume=True)
    assert_same(run, straight)


@pytest.mark.slow
def test_a_data_set_may_move_between_two_parts_of_a_run(half, tiny, pictures, tmp_path):
    run, straight = half
    pictures.rename(tmp_path / "moved")
    train(tiny(steps=8, data=DataSpec(name="folder", root=str(tmp_path / "moved"))), HERE, out=run, resume=True)
    assert_same(run, straight)


def test_a_file_that_vanishes_under_a_run_is_named(tiny, pictures, tmp_path):
    gone = pictures / "images" / "train" / "train1.png"
    data = Watched(
        open_data("folder", "train", root=str(pictures)), at=5 + 7, act=gone.unlink
    )  # in step 4, once counted
    with pytest.raises(DataError, match="train1"):
        fit_into(tmp_path / "run", tiny(steps=40, val_every=40), replace(HERE, save_every=3), data=data)
    assert load_state(tmp_path / "run" / "state")[0]["step"] == 3


@pytest.mark.parametrize("part", ["image", "labels"])
def test_a_file_of_equal_size_is_noticed_and_a_copy_is_not(part, tmp_path):
    for folder, color in (("images", "RGB"), ("labels", "L")):
        (tmp_path / folder / "val").mkdir(parents=True)
        Image.new(color, (40, 40)).save(tmp_path / folder / "val" / "a.bmp")
    (tmp_path / "classes.csv").write_text("index,name\n0,a\n1,b\n")
    data = open_data("folder", "val", root=tmp_path)
    check_unchanged(tmp_path / "data.json", [data])
    path = getattr(data.pairs[0], part)
    before = path.read_bytes()
    path.write_bytes(before)  # a copy: another time, the same content
    os.utime(path, ns=(0, 5))
    check_unchanged(tmp_path / "data.json", [data])
    path.write_bytes(before[:-1] + bytes([before[-1] ^ 1]))
    with pytest.raises(DataError, match=r"1 sample \(a\)"):
        check_unchanged(tmp_path / "data.json", [data])
