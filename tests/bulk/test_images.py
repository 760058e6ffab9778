import json
import os
import subprocess
import sys
from datetime import datetime

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from attseg.bulk.images import predict_files
from attseg.bulk.outputs import Summary
from attseg.bulk.share import Share
from attseg.data.classes import ClassTable
from attseg.data.preprocessing import Preprocessing
from attseg.data.reading.image import read_image, read_labels
from attseg.data.reading.inputs import PictureFile, Pictures
from attseg.errors import UsageError
from attseg.files import FileError
from attseg.inference.segmenter import Segmenter
from attseg.models import Segmentation
from attseg.prediction.decision import Decision

CLASSES = ClassTable(("red", "green", "blue"), ((255, 0, 0), (0, 255, 0), (0, 0, 255)))


class Strongest(nn.Module):
    """The strongest colour wins; counts the pictures that it sees."""

    def __init__(self, factor=1.0):
        super().__init__()
        self.factor = nn.Parameter(torch.tensor(factor))
        self.count = self.seen = 0

    def forward(self, images):
        self.count += 1
        self.seen += len(images)
        return Segmentation(images * self.factor, {})


def segmenter(factor=1.0):
    return Segmenter(Strongest(factor), CLASSES, Preprocessing((0.0, 0.0, 0.0), (1.0, 1.0, 1.0)), device="cpu")


def write(path, seed, size=(36, 44), **options):
    path.parent.mkdir(parents=True, exist_ok=True)
    image = np.random.default_rng(seed).integers(0, 256, (*size, 3), np.uint8)
    Image.fromarray(image).save(path, **options)


def lines(out, name="manifest.jsonl"):
    return [json.loads(line) for line in (out / name).read_text().splitlines()]


@pytest.fixture
def photos(tmp_path):
    for seed, name in enumerate(("1.png", "2.jpg", "deep/1.png", "deep/3.webp")):
        write(tmp_path / "photos" / name, seed)
    return tmp_path / "photos"


def check(photo, labels):
    assert np.array_equal(read_labels(labels, CLASSES), read_image(photo).argmax(axis=-1))


def files(folder):
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def test_every_picture_gets_labels_and_an_overlay(photos, tmp_path):
    out = tmp_path / "out"
    assert predict_files(segmenter(), [photos], out) == Summary(4, 0, ())
    names = ["1", "2", "deep/1", "deep/3"]
    assert files(out) == [
        *(f"labels/{name}.png" for name in names),
        "manifest.jsonl",
        *(f"overlays/{name}.jpg" for name in names),
    ]
    for photo in ("1.png", "2.jpg", "deep/1.png", "deep/3.webp"):
        check(photos / photo, (out / "labels" / photo).with_suffix(".png"))


def test_label_files_have_the_palette_of_the_classes(photos, tmp_path):
    predict_files(segmenter(), [photos / "1.png"], tmp_path / "out", overlay=False)
    assert files(tmp_path / "out") == ["labels/1.png", "manifest.jsonl"]
    with Image.open(tmp_path / "out/labels/1.png") as labels:
        assert labels.mode == "P"
        assert labels.getpalette()[:9] == [255, 0, 0, 0, 255, 0, 0, 0, 255]


def test_labels_are_as_large_as_the_upright_picture(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 8
    write(tmp_path / "phone.jpg", 0, size=(40, 64), exif=exif)
    predict_files(segmenter(), [tmp_path / "phone.jpg"], tmp_path / "out")
    check(tmp_path / "phone.jpg", tmp_path / "out/labels/phone.png")
    with Image.open(tmp_path / "out/labels/phone.png") as labels:
        assert labels.size == (40, 64)


def test_what_was_done_is_skipped(photos, tmp_path):
    first, again = segmenter(), segmenter()
    predict_files(first, [photos], tmp_path / "out")
    before = {path: (tmp_path / "out" / path).stat().st_mtime_ns for path in files(tmp_path / "out")}
    (tmp_path / "out/labels/2.png").unlink()
    (tmp_path / "out/overlays/deep/1.jpg").unlink()
    assert predict_files(again, [photos], tmp_path / "out") == Summary(2, 2, ())
    assert (first.model.seen, again.model.seen) == (4, 2)
    after = {path: (tmp_path / "out" / path).stat().st_mtime_ns for path in files(tmp_path / "out")}
    redone = {path for path in before if before[path] != after[path]}
    assert redone == {"labels/2.png", "overlays/2.jpg", "labels/deep/1.png", "overlays/deep/1.jpg", "manifest.jsonl"}


def test_overwrite_does_all_again(photos, tmp_path):
    predict_files(segmenter(), [photos], tmp_path / "out")
    assert predict_files(segmenter(2.0), [photos], tmp_path / "out", overwrite=True) == Summary(4, 0, ())


@pytest.mark.parametrize("change", ["weights", "picture", "foreign"])
def test_results_of_other_origin_are_neither_kept_as_ours_nor_lost(photos, tmp_path, change):
    predict_files(segmenter(), [photos / "1.png"], tmp_path / "out")
    labels = tmp_path / "out/labels/1.png"
    if change == "picture":
        write(photos / "1.png", 99)
    if change == "foreign":
        Image.new("P", (3, 3)).save(labels)
    before = labels.read_bytes()
    summary = predict_files(segmenter(2.0 if change == "weights" else 1.0), [photos / "1.png"], tmp_path / "out")
    assert (summary.done, summary.skipped) == (0, 0)
    ((path, message),) = summary.failed
    assert path == photos / "1.png"
    assert message.endswith(
        f"{labels} is there already, and comes from another picture, another protocol or other weights; "
        "choose another folder for the results, or overwrite them"
    )
    assert labels.read_bytes() == before


def test_broken_files_are_named_and_the_others_done(photos, tmp_path):
    (photos / "11.png").write_bytes((photos / "1.png").read_bytes()[:300])
    (photos / "12.jpg").touch()
    summary = predict_files(segmenter(), [photos], tmp_path / "out")
    assert (summary.done, summary.skipped) == (4, 0)
    assert [path.name for path, _ in summary.failed] == ["11.png", "12.jpg"]
    assert all(str(path) in message for path, message in summary.failed)
    assert "labels/11.png" not in files(tmp_path / "out")


def test_pictures_that_do_not_fit_into_memory_fail_alone(photos, tmp_path):
    class Model(Strongest):
        def forward(self, images):
            if self.count == 1:
                self.count += 1
                raise torch.OutOfMemoryError("CUDA out of memory")
            return super().forward(images)

    one = Segmenter(Model(), CLASSES, Preprocessing(), device="cpu")
    summary = predict_files(one, [photos], tmp_path / "out", batch=1)
    assert summary.done == 3
    assert str(photos / "2.jpg") in summary.failed[0][1]
    assert "does not fit into the memory of cpu" in summary.failed[0][1]


def test_equal_stems_do_not_meet(photos, tmp_path):
    summary = predict_files(segmenter(), [photos / "1.png", photos / "deep" / "1.png"], tmp_path / "out", overlay=False)
    assert summary.done == 2
    check(photos / "1.png", tmp_path / "out/labels/1.png")
    check(photos / "deep/1.png", tmp_path / "out/labels/deep/1.png")


def test_results_inside_the_inputs_are_no_inputs(photos):
    for expected in (Summary(4, 0, ()), Summary(0, 4, ())):
        assert predict_files(segmenter(), [photos], photos / "out") == expected


def test_each_file_is_reported_in_order(photos, tmp_path):
    (photos / "11.png").touch()
    calls = []
    predict_files(segmenter(), [photos], tmp_path / "out", on_file=lambda *call: calls.append(call))
    assert [(count, total, path.name, problem is None) for count, total, path, problem in calls] == [
        (1, 5, "1.png", True),
        (2, 5, "11.png", False),
        (3, 5, "2.jpg", True),
        (4, 5, "1.png", True),
        (5, 5, "3.webp", True),
    ]


def test_nothing_to_do_is_a_sentence(tmp_path):
    with pytest.raises(UsageError, match="no picture was found in"):
        predict_files(segmenter(), [tmp_path], tmp_path / "out")


def test_an_unwritable_folder_is_a_sentence(photos, tmp_path):
    (tmp_path / "out").write_text("a file")
    with pytest.raises(FileError, match=r"a file is where the folder .*out.* should be"):
        predict_files(segmenter(), [photos], tmp_path / "out")


def test_a_full_disk_stops_the_work(photos, tmp_path, monkeypatch):
    def fail(descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", fail)
    with pytest.raises(FileError, match="no space is left"):
        predict_files(segmenter(), [photos], tmp_path / "out")
    assert not (tmp_path / "out").exists(), list((tmp_path / "out").rglob("*"))


def test_the_manifest_says_what_is_in_each_picture(photos, tmp_path):
    Image.new("RGB", (8, 6), "green").save(photos / "1.png")
    predict_files(segmenter(), [photos], tmp_path / "out")
    entries = lines(tmp_path / "out")
    assert [entry["file"] for entry in entries] == [
        str(photos / name) for name in ("1.png", "2.jpg", "deep/1.png", "deep/3.webp")
    ]
    first, second, *_ = entries
    assert (first["name"], first["height"], first["width"], first["classes"]) == ("1", 6, 8, {"green": 48})
    assert first["seconds"] > 0
    assert datetime.fromisoformat(first["time"]).utcoffset().total_seconds() == 0
    labels = read_labels(tmp_path / "out/labels/2.png", CLASSES)
    expected = {name: int((labels == index).sum()) for index, name in enumerate(CLASSES.names)}
    assert second["classes"] == expected
    assert list(second["classes"].values()) == sorted(expected.values(), reverse=True)


def test_the_manifest_names_failures(photos, tmp_path):
    (photos / "2.jpg").write_bytes(b"")
    for _ in range(2):
        ((_, problem),) = predict_files(segmenter(), [photos], tmp_path / "out").failed
    failed = [entry for entry in lines(tmp_path / "out") if "problem" in entry]
    assert [(entry["name"], entry["problem"]) for entry in failed] == [("2", problem)] * 2
    assert len(lines(tmp_path / "out")) == 5


def test_what_the_manifest_names_is_not_read_again(photos, tmp_path, monkeypatch):
    predict_files(segmenter(), [photos], tmp_path / "out")
    before = (tmp_path / "out/manifest.jsonl").read_bytes()
    monkeypatch.setattr("attseg.bulk.outputs.digest_file", None)
    monkeypatch.setattr("attseg.inference.saved.open_file", None)
    assert predict_files(segmenter(), [photos], tmp_path / "out") == Summary(0, 4, ())
    assert (tmp_path / "out/manifest.jsonl").read_bytes() == before


def test_a_manifest_that_is_lost_is_written_again_from_the_labels(photos, tmp_path):
    predict_files(segmenter(), [photos], tmp_path / "out")
    before = lines(tmp_path / "out")
    (tmp_path / "out/manifest.jsonl").unlink()
    again = segmenter()
    assert predict_files(again, [photos], tmp_path / "out") == Summary(0, 4, ())
    assert again.model.count == 0
    passing = ("seconds", "time")
    assert [{key: entry[key] for key in entry if key not in passing} for entry in lines(tmp_path / "out")] == [
        {key: entry[key] for key in entry if key not in passing} for entry in before
    ]


def test_a_label_file_that_is_broken_is_made_again(photos, tmp_path):
    predict_files(segmenter(), [photos], tmp_path / "out")
    labels = tmp_path / "out/labels/1.png"
    labels.write_bytes(labels.read_bytes()[:-40])
    assert predict_files(segmenter(), [photos], tmp_path / "out") == Summary(1, 3, ())
    check(photos / "1.png", labels)


@pytest.mark.parametrize("batch", [1, 2, 3, 100])
def test_pictures_of_equal_size_go_through_the_network_together(tmp_path, batch):
    sizes = ((36, 44), (36, 44), (50, 33), (36, 44), (20, 70), (20, 70), (50, 33))
    for number, size in enumerate(sizes):
        write(tmp_path / "photos" / f"{number}.png", number, size)
    one = segmenter()
    assert predict_files(one, [tmp_path / "photos"], tmp_path / "out", batch=batch, overlay=False).done == 7
    assert one.model.count == {1: 7, 2: 5, 3: 5, 100: 3}[batch]
    for number in range(7):
        check(tmp_path / f"photos/{number}.png", tmp_path / f"out/labels/{number}.png")
    assert [entry["name"] for entry in lines(tmp_path / "out")] == list("0123456")


def test_pictures_that_do_not_fit_together_are_tried_alone(photos, tmp_path):
    class Model(Strongest):
        def forward(self, images):
            if len(images) > 1:
                raise torch.OutOfMemoryError("CUDA out of memory")
            return super().forward(images)

    one = Segmenter(Model(), CLASSES, Preprocessing(), device="cpu")
    assert predict_files(one, [photos], tmp_path / "out").done == 4
    assert one.model.seen == 4


def test_each_process_takes_its_share_of_the_pictures(photos, tmp_path):
    for rank in range(3):
        share = Share(rank, 3)
        assert predict_files(segmenter(), [photos], tmp_path / "out", share=share).done == (2 if rank == 0 else 1)
    entries = [lines(tmp_path / "out", f"manifest-{rank}-of-3.jsonl") for rank in range(3)]
    assert [[entry["name"] for entry in part] for part in entries] == [["1", "deep/3"], ["2"], ["deep/1"]]
    again = segmenter()
    assert predict_files(again, [photos], tmp_path / "out") == Summary(0, 4, ())
    assert not (tmp_path / "out/manifest.jsonl").exists()


def test_a_picture_that_went_away_is_named(photos, tmp_path, monkeypatch):
    stream = Pictures.__iter__

    def vanish(pictures):
        for file in stream(pictures):
            if file.name == "2":
                file.path.unlink()
            yield file

    monkeypatch.setattr(Pictures, "__iter__", vanish)
    summary = predict_files(segmenter(), [photos], tmp_path / "out")
    assert summary.done == 3
    assert summary.failed == ((photos / "2.jpg", f"{photos / '2.jpg'} cannot be read: No such file or directory"),)


def test_half_written_files_of_a_killed_run_are_cleared_away(photos, tmp_path):
    out = tmp_path / "out"
    (out / "labels" / "deep").mkdir(parents=True)
    (out / "mine").mkdir()
    name = ".attseg-0123456789abcdef.part"
    parts = [out / name, out / "labels" / name, out / "labels" / "deep" / name]
    others = [out / ".part", out / ".film.mkv.part", out / "labels" / ".0123456789abcdef.part", out / "mine" / name]
    for part in (*parts, *others):
        part.touch()
    (out / "labels" / ".attseg-fedcba9876543210.part").symlink_to(others[0])
    predict_files(segmenter(), [photos / "1.png"], out)
    assert all(part.exists() for part in (*parts, *others))
    (out / ".predicting").write_text("4711")
    predict_files(segmenter(), [photos / "1.png"], out)
    assert not any(part.exists() for part in parts)
    assert all(part.exists() for part in others)
    assert not (out / ".predicting").exists()


def test_two_processes_do_not_write_to_one_folder(photos, tmp_path):
    hold = """
import sys, time
from pathlib import Path
from filelock import FileLock
lock = FileLock(sys.argv[1])
lock.acquire()
Path(sys.argv[1]).write_text("4711")
print("locked", flush=True)
time.sleep(300)
"""
    (tmp_path / "out").mkdir()
    command = [sys.executable, "-c", hold, str(tmp_path / "out/.predicting")]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as holder:
        try:
            holder.stdout.readline()
            with pytest.raises(
                UsageError, match=r"process 4711 is writing to .*out; wait for it to end, or choose another"
            ):
                predict_files(segmenter(), [photos], tmp_path / "out")
        finally:
            holder.kill()
    assert predict_files(segmenter(), [photos], tmp_path / "out").done == 4


@pytest.mark.parametrize(
    ("option", "message"),
    [({"batch": 0}, "batch is 0; at least 1 picture"), ({"workers": 0}, "workers is 0; at least 1 thread")],
)
def test_numbers_that_make_no_sense_are_refused(photos, tmp_path, option, message):
    with pytest.raises(UsageError, match=message):
        predict_files(segmenter(), [photos], tmp_path / "out", **option)


def test_many_threads_write_the_same(photos, tmp_path):
    for workers in (1, 5):
        predict_files(segmenter(), [photos], tmp_path / str(workers), workers=workers)
    assert files(tmp_path / "1") == files(tmp_path / "5")
    assert all(
        (tmp_path / "1" / path).read_bytes() == (tmp_path / "5" / path).read_bytes()
        for path in files(tmp_path / "1")
        if path != "manifest.jsonl"
    )


@pytest.mark.parametrize("overwrite", [False, True])
def test_ground_truth_is_never_replaced(photos, tmp_path, overwrite):
    truth = tmp_path / "data" / "labels" / "1.png"
    truth.parent.mkdir(parents=True)
    Image.fromarray(np.full((36, 44), 2, np.uint8)).save(truth)
    before = truth.read_bytes()
    summary = predict_files(segmenter(), [photos], tmp_path / "data", overwrite=overwrite)
    assert summary.done == 3
    [(path, problem)] = summary.failed
    assert path == photos / "1.png"
    assert str(truth) in problem
    assert truth.read_bytes() == before


def test_an_overlay_of_others_is_replaced_with_overwrite_alone(photos, tmp_path):
    other = tmp_path / "out" / "overlays" / "1.jpg"
    write(other, 7)
    before = other.read_bytes()
    [(_, problem)] = predict_files(segmenter(), [photos / "1.png"], tmp_path / "out").failed
    assert str(other) in problem
    assert other.read_bytes() == before
    assert predict_files(segmenter(), [photos / "1.png"], tmp_path / "out", overwrite=True).done == 1
    (tmp_path / "out" / "labels" / "1.png").unlink()  # as where a process was killed in between
    assert predict_files(segmenter(), [photos / "1.png"], tmp_path / "out").done == 1


@pytest.mark.timeout(60)
@pytest.mark.parametrize("overwrite", [False, True])
@pytest.mark.parametrize("name", ["labels/1.png", "overlays/1.jpg"])
def test_a_pipe_in_the_place_of_a_result_fails_alone(photos, tmp_path, name, overwrite):
    (tmp_path / "out" / name).parent.mkdir(parents=True)
    os.mkfifo(tmp_path / "out" / name)
    summary = predict_files(segmenter(), [photos], tmp_path / "out", overwrite=overwrite)
    assert (summary.done, len(summary.failed)) == (3, 1)
    assert f"{tmp_path / 'out' / name}: it is a pipe" in summary.failed[0][1]


@pytest.mark.timeout(60)
@pytest.mark.parametrize("name", ["manifest.jsonl", "manifest-0-of-2.jsonl", ".predicting"])
def test_a_pipe_in_the_place_of_a_manifest_is_told(photos, tmp_path, name):
    (tmp_path / "out").mkdir()
    os.mkfifo(tmp_path / "out" / name)
    with pytest.raises(FileError, match=f"{name}.* it is a pipe"):
        predict_files(segmenter(), [photos], tmp_path / "out")


@pytest.mark.parametrize("content", [b"mine", b'{"mine": 1}\n', b"[1]\n{", b'{"name": "a", "frames": [', b"\xff\n"])
def test_a_manifest_of_others_is_left_alone(photos, tmp_path, content):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "manifest.jsonl").write_bytes(content)
    with pytest.raises(UsageError, match=r"manifest\.jsonl is there already, and is no manifest of predictions"):
        predict_files(segmenter(), [photos], tmp_path / "out")
    assert (tmp_path / "out" / "manifest.jsonl").read_bytes() == content


def test_images_below_the_folder_of_results_are_segmented_and_results_are_not(photos, tmp_path):
    for count in range(2):
        summary = predict_files(segmenter(), [photos], photos)
        assert (summary.done, summary.skipped) == ((4, 0), (0, 4))[count]
    (tmp_path / "link").symlink_to(photos)
    assert predict_files(segmenter(), [photos], tmp_path / "link").skipped == 4


@pytest.mark.parametrize(
    ("orientation", "turned"), [(1, False), (2, True), (3, True), (6, True), (8, True), (9, False)]
)
@pytest.mark.parametrize("applied", [True, False])
def test_images_that_were_turned_upright_are_told(applied, orientation, turned, tmp_path):
    exif = Image.Exif()
    exif[0x0112] = orientation
    write(tmp_path / "a.png", 0, exif=exif)
    file = PictureFile(tmp_path / "a.png", "a", apply_orientation=applied)
    summary = predict_files(segmenter(), [file], tmp_path / "out")
    assert [("EXIF" in remark, count) for remark, count in summary.remarks.items()] == [(True, 1)] * (
        turned and applied
    )
    assert lines(tmp_path / "out")[0].get("remarks", []) == list(summary.remarks)


@pytest.mark.parametrize(("highest", "said"), [(4095, True), (4096, False)])
def test_images_of_16_bits_that_look_black_to_the_model_are_told(highest, said, tmp_path):
    values = np.arange(64, dtype=np.uint16).reshape(8, 8)
    values[3, 3] = highest
    Image.fromarray(np.kron(values, np.ones((8, 8), np.uint16))).save(tmp_path / "a.png")
    for value_range in (None, (0, 4096)):
        file = PictureFile(tmp_path / "a.png", "a", value_range=value_range)
        summary = predict_files(segmenter(), [file], tmp_path / f"out-{value_range is None}")
        assert [remark.startswith("uses 12 of its 16 bits") for remark in summary.remarks] == [True] * (
            said and value_range is None
        )


LOW = Decision(thresholds={"blue": 0.34}, min_region=3)


@pytest.mark.parametrize("batch", [None, 1])
@pytest.mark.parametrize("decision", [LOW, Decision(unsure_below=0.4), Decision(min_region=6, small="drop")])
def test_decisions_are_those_of_the_segmenter(photos, tmp_path, decision, batch):
    one = segmenter()
    assert predict_files(one, [photos], tmp_path / "out", decision=decision, batch=batch).done == 4
    for name in ("1.png", "2.jpg"):
        expected = one(photos / name, decision=decision).labels
        found = np.asarray(Image.open((tmp_path / "out/labels" / name).with_suffix(".png")))
        assert np.array_equal(found, expected) and (found != one(photos / name).labels).any()
    (line,) = [line for line in lines(tmp_path / "out") if line["name"] == "1"]
    labels = one(photos / "1.png", decision=decision).labels
    assert line.get("not_sure", 0) == (labels == 255).sum()
    assert sum(line["classes"].values()) == (labels != 255).sum()
    assert predict_files(one, [photos], tmp_path / "out", decision=decision) == Summary(0, 4, ())
    assert len(predict_files(one, [photos], tmp_path / "out").failed) == 4  # labels of another decision


def test_further_files_are_made_where_they_are_missing_and_corrected_ones_stay(photos, tmp_path):
    one, out, all_ = segmenter(), tmp_path / "out", ("probabilities", "labelme", "geojson", "coco")
    predict_files(one, [photos], out, overlay=False)
    assert predict_files(one, [photos], out, overlay=False, further=all_).done == 4
    for folder, suffix in (("probabilities", "npz"), ("labelme", "json"), ("geojson", "geojson")):
        assert files(out / folder) == [f"{name}.{suffix}" for name in ("1", "2", "deep/1", "deep/3")]
    coco = json.loads((out / "coco.json").read_text())
    assert [entry["file_name"] for entry in coco["images"]] == ["1.png", "2.jpg", "deep/1.png", "deep/3.webp"]
    corrected = out / "labelme/1.json"
    assert (corrected.parent / json.loads(corrected.read_text())["imagePath"]).resolve() == photos / "1.png"
    corrected.write_text("corrected")
    (out / "geojson/1.geojson").unlink()
    assert predict_files(one, [photos], out, overlay=False, further=all_) == Summary(1, 3, ())
    assert corrected.read_text() == "corrected" and (out / "geojson/1.geojson").exists()
    with np.load(out / "probabilities/2.npz") as found:
        assert np.array_equal(found["probabilities"].argmax(0), one(photos / "2.jpg").labels)


def test_further_files_of_others_are_not_replaced_unasked(photos, tmp_path):
    other = tmp_path / "out/labelme/1.json"
    other.parent.mkdir(parents=True)
    other.write_text("mine")
    summary = predict_files(segmenter(), [photos / "1.png"], tmp_path / "out", further=["labelme"])
    assert str(other) in summary.failed[0][1] and other.read_text() == "mine"
    (tmp_path / "out/coco.json").write_text("mine")
    with pytest.raises(UsageError, match=r"coco\.json"):
        predict_files(segmenter(), [photos], tmp_path / "out", further=["coco"])
    with pytest.raises(UsageError, match="in one process"):
        predict_files(segmenter(), [photos], tmp_path / "out", further=["coco"], share=Share(0, 2))


def test_scores_that_are_not_finite_are_refused_with_every_decision(photos, tmp_path):
    one = segmenter(float("nan"))
    for number, decision in enumerate((Decision(), LOW)):
        summary = predict_files(one, [photos], tmp_path / str(number), decision=decision)
        assert summary.done == 0 and all("NaN or infinite" in problem for _, problem in summary.failed)
