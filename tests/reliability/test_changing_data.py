"""Data sets that change under a run, or between two parts of it."""

import os
import signal
from dataclasses import replace

import pytest
from PIL import Image

from attseg.data.catalog import open_data
from attseg.data.sample import DataError
from attseg.recipes.recipe import DataSpec, OptimSpec
from attseg.training import run as run_module
from attseg.training.errors import RunError
from attseg.training.run import train
from attseg.training.same_data import SameData
from attseg.training.state import load_state
from reliability.breaking import write_pictures
from reliability.test_training_faults import HERE, assert_same


@pytest.fixture
def half(tiny, tmp_path, no_pictures, monkeypatch):
    """A run of 8 steps that was stopped after 4, and what a run gives that was not."""
    train(tiny(steps=8), HERE, out=tmp_path / "straight")
    on_train_batch_end = run_module.Recorder.on_train_batch_end

    def stop(recorder, trainer, task, *rest):
        if trainer.global_step == 4 and task.start == 0:
            os.kill(os.getpid(), signal.SIGTERM)
        on_train_batch_end(recorder, trainer, task, *rest)

    monkeypatch.setattr(run_module.Recorder, "on_train_batch_end", stop)
    with pytest.raises(RunError, match="stopped after step 4"):
        train(tiny(steps=8), HERE, out=tmp_path / "run")
    return tmp_path / "run", tmp_path / "straight"


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
    for other in (table + "3,boat,0,0,9\n", table.replace("sky", "heaven"), table.replace("1,road", "3,road")):
        (pictures / "classes.csv").write_text(other)
        refused(r"the classes of the data set are no longer those that the run began with\. Put the data back")
    (pictures / "classes.csv").write_text(table)

    train(tiny(steps=8), HERE, out=run, resume=True)
    assert_same(run, straight)


def test_a_data_set_may_move_between_two_parts_of_a_run(half, tiny, pictures, tmp_path):
    run, straight = half
    pictures.rename(tmp_path / "moved")
    train(tiny(steps=8, data=DataSpec(name="folder", root=str(tmp_path / "moved"))), HERE, out=run, resume=True)
    assert_same(run, straight)


def change_when(monkeypatch, step, change):
    on_train_batch_end = run_module.Recorder.on_train_batch_end

    def then(recorder, trainer, task, *rest):
        on_train_batch_end(recorder, trainer, task, *rest)
        if trainer.global_step == step:
            change()

    monkeypatch.setattr(run_module.Recorder, "on_train_batch_end", then)


def test_a_file_that_vanishes_under_a_run_is_named(tiny, pictures, tmp_path, no_pictures, monkeypatch):
    gone = pictures / "images" / "train" / "train1.png"
    change_when(monkeypatch, 3, gone.unlink)
    with pytest.raises(DataError, match="train1"):
        train(tiny(steps=40, val_every=40), replace(HERE, save_every=3), out=tmp_path / "run")
    assert load_state(tmp_path / "run" / "state")[0]["step"] == 3


def test_a_file_that_is_replaced_under_a_run_is_noticed_before_the_next_save(
    tiny, pictures, tmp_path, no_pictures, monkeypatch
):
    other = write_pictures(tmp_path / "other", size=(64, 96))

    def change():
        for kind in ("images", "labels"):
            (other / kind / "train" / "train4.png").replace(pictures / kind / "train" / "train4.png")

    change_when(monkeypatch, 3, change)
    with pytest.raises(DataError, match=r"with 5 samples: 1 sample \(train4\) with another image or label file"):
        train(tiny(steps=8, optim=OptimSpec()), HERE, out=tmp_path / "run")
    assert load_state(tmp_path / "run" / "state")[0]["step"] == 2


@pytest.mark.parametrize("part", ["image", "labels"])
def test_a_file_of_equal_size_is_noticed_and_a_copy_is_not(part, tmp_path):
    for folder, color in (("images", "RGB"), ("labels", "L")):
        (tmp_path / folder / "val").mkdir(parents=True)
        Image.new(color, (40, 40)).save(tmp_path / folder / "val" / "a.bmp")
    (tmp_path / "classes.csv").write_text("index,name\n0,a\n1,b\n")
    data = open_data("folder", "val", root=tmp_path)
    SameData(tmp_path / "data.json", [data])
    path = getattr(data.pairs[0], part)
    before = path.read_bytes()
    path.write_bytes(before)  # a copy: another time, the same content
    os.utime(path, ns=(0, 5))
    SameData(tmp_path / "data.json", [data]).check()
    path.write_bytes(before[:-1] + bytes([before[-1] ^ 1]))
    with pytest.raises(DataError, match=r"1 sample \(a\)"):
        SameData(tmp_path / "data.json", [data])
