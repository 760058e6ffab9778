"""What only POSIX has is hidden, as on Windows: training, evaluation and prediction run nevertheless."""

import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

WITHOUT = """
import sys, warnings
warnings.simplefilter("ignore")  # filelock says that it falls back to a lock without fcntl
for name in ("fcntl", "resource", "termios", "pwd", "grp", "syslog"):
    sys.modules[name] = None
from attseg.cli import main
for words in WORDS:
    assert main(words) == 0, words
"""


@pytest.mark.slow
def test_train_evaluate_and_predict_need_nothing_that_only_posix_has(tmp_path):
    Image.fromarray(np.zeros((64, 64, 3), np.uint8)).save(tmp_path / "a.png")
    words = [
        ["train", "pan-scenes", "--steps", "1", "--out", "run", "--machine.workers", "0"],
        ["evaluate", "demo", "--data.options.size", "[64, 64]", "--data.options.count", "2"],
        ["predict", "demo", "a.png", "--out", "out"],
        ["predict", "demo", "a.png", "--out", "out"],
        ["doctor"],
    ]
    code = f"WORDS = {words!r}\n{WITHOUT}"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert (tmp_path / "run" / "last.safetensors").is_file()
    assert (tmp_path / "out" / "labels" / "a.png").is_file()


def test_a_cache_is_refused_in_a_sentence_where_there_is_no_fcntl(monkeypatch):
    from attseg.data.feeding.cache import SampleCache
    from attseg.errors import UsageError

    monkeypatch.setitem(sys.modules, "fcntl", None)
    with pytest.raises(UsageError, match=r"Linux or macOS; leave machine\.cache at 0"):
        SampleCache(1, 10)
