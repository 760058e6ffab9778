import numpy as np
import pytest
from PIL import Image

import layouts
from attseg.cli import main
from attseg.inference.segmenter import load


@pytest.fixture
def photos(tmp_path):
    folder = tmp_path / "photos"
    folder.mkdir()
    for name, size in (("a.png", (70, 50)), ("b.jpg", (33, 90))):
        Image.new("RGB", size, "gray").save(folder / name)
    return folder


def test_labels_and_overlays_are_written_and_counted(trained, photos, tmp_path, capsys):
    out = tmp_path / "out"
    assert main(["predict", str(trained), str(photos), "--out", str(out), "--device", "cpu"]) == 0
    assert capsys.readouterr().out == f"{out}: 2 segmented\n"
    with Image.open(out / "labels" / "a.png") as labels:
        assert labels.mode == "P"
        assert np.asarray(labels).shape == (50, 70)
    assert (out / "overlays" / "b.jpg").is_file()


@pytest.mark.slow
def test_a_second_call_goes_on_and_overwrite_begins_anew(trained, photos, tmp_path, capsys):
    call = ["predict", str(trained), str(photos / "a.png"), "--out", str(tmp_path / "out"), "--no-overlay"]
    assert main(call) == 0
    assert main(call) == 0
    assert main([*call, "--overwrite"]) == 0
    first, second, third = capsys.readouterr().out.splitlines()
    assert (first.endswith(": 1 segmented"), third.endswith(": 1 segmented")) == (True, True)
    assert second.endswith(": 0 segmented, 1 done before (--overwrite segments them anew)")
    assert not (tmp_path / "out" / "overlays").exists()


def test_a_broken_picture_is_named_and_the_status_says_so(trained, photos, tmp_path, capsys):
    (photos / "broken.jpg").write_text("no picture")
    assert main(["predict", str(trained), str(photos), "--out", str(tmp_path / "out")]) == 1
    captured = capsys.readouterr()
    assert captured.out.endswith(": 2 segmented, 1 failed\n")
    assert "broken.jpg cannot be read as a picture" in captured.err


def test_a_model_that_is_not_there_is_wrong_use(photos, tmp_path, capsys):
    assert main(["predict", str(tmp_path / "photo"), str(photos), "--out", str(tmp_path / "out")]) == 2
    assert "did you mean" in capsys.readouterr().err


def test_a_split_without_labels_is_segmented_under_its_own_names(trained, tmp_path, capsys):
    layouts.make_cityscapes(tmp_path / "streets")
    layouts.save(next((tmp_path / "streets/leftImg8bit/test").glob("*/*.png")), np.full((40, 48, 3), 90))
    data = ("--data.name", "cityscapes", "--data.root", str(tmp_path / "streets"))
    assert (
        main(["predict", str(trained), "--split", "test", *data, "--out", str(tmp_path / "out"), "--no-overlay"]) == 0
    )
    assert capsys.readouterr().out.endswith(": 1 segmented\n")
    assert (tmp_path / "out/labels/berlin/berlin_000000_000019.png").is_file()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "name pictures, or a split of a data set"),
        (["a.jpg", "--data.name", "voc2012"], "name pictures, or a split of a data set"),
        (
            ["a.jpg", "--split", "test", "--data.name", "voc2012"],
            "--split test takes no PICTURES beside it, but --data.name",
        ),
        (["--split", "test"], "--split test takes no PICTURES beside it, but --data.name and --data.root"),
        (["--split", "test", "--data.name", "voc2012"], "the data set 'voc2012' lies in a folder, and none was given"),
        (
            ["--split", "test", "--data.name", "scenes"],
            "scenes are generated and lie in no folder; a data set of files",
        ),
        (["--split", "test", "--data.name", "voc2021"], '"voc2021" for --data.name. Choose from: "scenes", "camvid"'),
    ],
)
def test_what_to_segment_has_to_be_clear(trained, tmp_path, arguments, message, capsys):
    assert main(["predict", str(trained), *arguments, "--out", str(tmp_path / "out")]) == 2
    assert message in capsys.readouterr().err


@pytest.mark.slow
def test_videos_and_pictures_are_taken_together(trained, photos, tmp_path, capsys):
    av = pytest.importorskip("av", reason="needs the package av")
    with av.open(str(tmp_path / "clip.mp4"), "w") as container:
        stream = container.add_stream("libx264", rate=25)
        stream.height, stream.width, stream.pix_fmt = 48, 64, "yuv420p"
        for _ in range(3):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(np.full((48, 64, 3), 90, np.uint8), format="rgb24")))
        container.mux(stream.encode(None))
    out = tmp_path / "out"
    call = ["predict", str(trained), str(photos), str(tmp_path / "*.mp4"), "--out", str(out), "--device", "cpu"]
    assert main(call) == 0
    assert main(call) == 0
    assert capsys.readouterr().out.splitlines() == [
        f"{out}: 3 segmented",
        f"{out}: 0 segmented, 3 done before (--overwrite segments them anew)",
    ]
    assert sorted(path.name for path in (out / "labels").iterdir()) == ["a.png", "b.png", "clip.mkv"]
    assert len((out / "manifest.jsonl").read_text().splitlines()) == 3
    assert main([*call, "--crf"]) == 2
    assert "--crf is for pictures, not videos" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("environment", "message"),
    [
        (
            {"RANK": "2", "WORLD_SIZE": "2"},
            "RANK is 2 and WORLD_SIZE 2; the processes are numbered from 0 to WORLD_SIZE - 1",
        ),
        ({"RANK": "x", "WORLD_SIZE": "2"}, "RANK is 'x' and WORLD_SIZE '2'; whole numbers were expected"),
    ],
)
def test_shares_that_make_no_sense_are_wrong_use(trained, photos, tmp_path, monkeypatch, environment, message, capsys):
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert main(["predict", str(trained), str(photos), "--out", str(tmp_path / "out")]) == 2
    assert message in capsys.readouterr().err


def test_shares_without_torchrun_are_those_of_the_environment(trained, photos, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("RANK", "1")
    monkeypatch.setenv("WORLD_SIZE", "2")
    out = tmp_path / "out"
    assert main(["predict", str(trained), str(photos), "--out", str(out), "--device", "cpu"]) == 0
    assert capsys.readouterr().out == f"{out}: 1 segmented\n"
    assert [path.name for path in (out / "labels").iterdir()] == ["b.png"]
    assert (out / "manifest-1-of-2.jsonl").is_file()


def test_probabilities_thresholds_and_outlines_from_the_command_line(trained, photos, tmp_path, capsys):
    out, name = tmp_path / "out", load(trained, device="cpu").classes.names[0]
    call = ["predict", str(trained), str(photos), "--out", str(out), "--no-overlay", "--device", "cpu"]
    call += ["--threshold", f"{name}=0.01", "--save", "probabilities,labelme,coco", "--probabilities-of", name]
    assert main([*call, "--unsure-below", "1/50", "--min-region", "4", "--small", "drop", "--unsure-value", "250"]) == 0
    assert capsys.readouterr().out.splitlines()[0] == f"{out}: 2 segmented"
    labels = np.asarray(Image.open(out / "labels/a.png"))
    chance = np.asarray(Image.open(out / "probabilities/a.0.png"))
    assert labels.shape == chance.shape == (50, 70)
    assert (labels[chance >= 4] == load(trained, device="cpu").classes.values[0]).mean() > 0.9
    assert (out / "labelme/b.json").is_file() and (out / "coco.json").is_file()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--threshold", "sky=2"], "threshold of 'sky' is 2"),
        (["--threshold", "skyy=0.2"], "did you mean 'sky'"),
        (["--threshold", "sky"], "such as crack=0.3,person=0.5"),
        (["--threshold", "0.2"], "'0.2' was given; classes with a probability each, such as crack=0.3"),
        (["--min-region", "-1"], "min_region is -1"),
        (["--save", "labelmi"], "did you mean 'labelme'"),
        (["--save", "coco", "--probabilities-of", "sky"], "are not saved"),
        (["--unsure-below", "0.5", "--unsure-value", "1"], "the value 1 means"),
    ],
)
def test_decisions_that_make_no_sense_are_wrong_use(photos, tmp_path, arguments, message, capsys):
    assert main(["predict", "demo", str(photos), "--out", str(tmp_path / "out"), *arguments]) == 2
    assert message in capsys.readouterr().err
