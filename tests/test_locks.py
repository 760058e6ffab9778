import os
import subprocess
import sys

import pytest

from attseg.files import FileError
from attseg.locks import locked

HOLD = """
import sys, time
from pathlib import Path
from attseg.locks import locked
with locked(Path(sys.argv[1]), RuntimeError):
    print("held", flush=True)
    time.sleep(300)
"""


def test_a_second_process_is_refused_with_the_number_of_the_first_and_a_dead_one_holds_nothing(tmp_path):
    with subprocess.Popen([sys.executable, "-c", HOLD, str(tmp_path / "lock")], stdout=subprocess.PIPE) as other:
        assert other.stdout.readline() == b"held\n"
        with pytest.raises(RuntimeError, match=f"^{other.pid}$"), locked(tmp_path / "lock", RuntimeError):
            pass
        other.kill()
    with locked(tmp_path / "lock", RuntimeError):
        assert (tmp_path / "lock").read_text() == f"{os.getpid()}\n"


def test_the_file_goes_where_that_is_asked_for(tmp_path):
    for remove in (False, True):
        with locked(tmp_path / "lock", RuntimeError, remove=remove):
            pass
        assert (tmp_path / "lock").exists() is not remove


def test_the_lock_ends_with_an_error_too(tmp_path):
    for _ in range(2):
        with pytest.raises(KeyError), locked(tmp_path / "lock", RuntimeError):
            raise KeyError


def test_pipes_and_missing_folders_are_told(tmp_path):
    os.mkfifo(tmp_path / "lock")
    with pytest.raises(FileError, match="it is a pipe"), locked(tmp_path / "lock", RuntimeError):
        pass
    (tmp_path / "file").touch()
    with pytest.raises(FileError, match="cannot write"), locked(tmp_path / "file" / "lock", RuntimeError):
        pass


@pytest.mark.parametrize("target", ["mine", "nowhere"])
def test_a_link_in_the_place_of_a_lock_is_refused(tmp_path, target):
    (tmp_path / "mine").write_text("mine")
    (tmp_path / "lock").symlink_to(target)
    with pytest.raises(FileError, match="it is a link"), locked(tmp_path / "lock", RuntimeError):
        pass
    assert (tmp_path / "mine").read_text() == "mine"
    assert not (tmp_path / "nowhere").exists()
