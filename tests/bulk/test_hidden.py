"""Videos that systems and notebooks leave in hidden folders are not found by patterns."""

import pytest

from attseg.bulk.frames import find_videos

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
