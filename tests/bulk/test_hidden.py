"""Videos that systems and notebooks leave in hidden folders are not found by patterns."""

import pytest

from attseg.bulk.frames import find_videos
from attseg.errors import UsageError

pytest.importorskip("av")


@pytest.mark.parametrize(
    ("given", "names"),
    [
        ("*.mp4", ["a"]),
        ("**/*.mp4", ["a", "b"]),
        ("*/*.mp4", ["b"]),
        ("@eaDir/*.mp4", ["a"]),
        ("._a.mp4", ["._a"]),
    ],
)
def test_hidden_videos_are_skipped_unless_they_are_named(tmp_path, given, names):
    hidden = (".ipynb_checkpoints", "@eaDir", "__MACOSX", ".Trash-1000", "$RECYCLE.BIN")
    for name in ("a.mp4", "deep/b.mp4", "._a.mp4", *(f"{folder}/a.mp4" for folder in hidden)):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    assert sorted(file.name for file in find_videos([tmp_path / given])) == names


@pytest.mark.parametrize(
    ("given", "names"),
    [
        ("clips/**/*.mp4", ["a", "day/a"]),
        ("clips/*/*.m*", ["a"]),
        ("*/*/*.mkv", []),
        ("linked/*.mp4", []),
        ("clips/[lo]*/*.mp4", []),
    ],
)
def test_predictions_are_no_inputs_of_their_own_folder(tmp_path, given, names):
    for name in ("a.mp4", "day/a.mp4", "labels/a.mkv", "overlays/a.mp4", "overlays/deep/a.mp4"):
        (tmp_path / "clips" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "clips" / name).touch()
    (tmp_path / "linked").symlink_to(tmp_path / "clips" / "overlays")
    if not names:
        with pytest.raises(UsageError, match="no video was found"):
            find_videos([tmp_path / given], outside=tmp_path / "clips")
        return
    assert sorted(file.name for file in find_videos([tmp_path / given], outside=tmp_path / "clips")) == names


def test_predictions_of_another_folder_with_a_manifest_are_no_inputs_either(tmp_path):
    for name in ("a.mp4", "out/overlays/a.mp4", "out/manifest.jsonl"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    assert [file.path.name for file in find_videos([tmp_path / "**/*.mp4"])] == ["a.mp4"]


def test_a_prediction_that_is_named_is_refused(tmp_path):
    (tmp_path / "overlays").mkdir()
    (tmp_path / "overlays" / "a.mp4").touch()
    (tmp_path / "b.mp4").symlink_to(tmp_path / "overlays" / "a.mp4")
    for name in ("overlays/a.mp4", "b.mp4"):
        with pytest.raises(UsageError, match="among the results"):
            find_videos([tmp_path / name], outside=tmp_path)
