import numpy as np
import pytest
from PIL import Image

from attseg.cli import main


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
