import subprocess
import sys
from dataclasses import replace

import pytest

from attseg.errors import UsageError
from attseg.files import FileError
from attseg.recipes.files import read_recipe
from attseg.recipes.recipe import DataSpec, Machine, OptimSpec
from attseg.runs.errors import RunError
from attseg.runs.folder import RunFolder, check_same, claimed

HERE = Machine()


@pytest.fixture
def folder(tmp_path):
    return RunFolder(tmp_path / "runs" / "first")


def begin(folder, recipe):
    with claimed(folder, recipe, Machine(), resume=False):
        pass


def resume(folder, recipe, machine=HERE):
    with claimed(folder, recipe, machine, resume=True):
        pass


def test_a_new_run_leaves_its_recipe(folder, tiny):
    with claimed(folder, tiny(), Machine(workers=3), resume=False):
        assert folder.state.is_dir()
    recipe, machine = read_recipe(folder.recipe)
    assert (recipe.name, recipe.steps, machine.workers) == ("tiny", 6, 3)


def test_a_run_that_saved_nothing_may_be_begun_anew(folder, tiny):
    begin(folder, tiny())
    left = folder.class_weights, folder.chances
    for path in left:
        path.write_text("[1, 2]")
    with claimed(folder, tiny(steps=9), Machine(), resume=False):
        assert not any(path.exists() for path in left)
    assert read_recipe(folder.recipe)[0].steps == 9


@pytest.mark.parametrize("saved", ["best.safetensors", "last.safetensors", "state/00000003.pt"])
def test_a_new_run_needs_a_folder_without_one(folder, tiny, saved):
    begin(folder, tiny())
    (folder.path / saved).touch()
    with pytest.raises(UsageError, match="first already holds a run") as refused:
        begin(folder, tiny())
    assert f"attseg train --resume --out {folder.path}" in str(refused.value)


WRITTEN = [
    "recipe.yaml",
    "metrics.csv",
    "curves.png",
    "confusion.png",
    "samples.png",
    "report.json",
    "class_weights.json",
]


@pytest.mark.parametrize("name", [*WRITTEN, "state/chances.npy", "state/data.json"])
def test_a_new_run_replaces_no_file_of_others(folder, tiny, name):
    (folder.path / name).parent.mkdir(parents=True)
    (folder.path / name).write_text("mine")
    for _ in range(2):
        with pytest.raises(UsageError, match=rf"not of a run: {name}; choose another folder"):
            begin(folder, tiny())
    assert [path for path in folder.path.rglob("*") if path.is_file()] == [folder.path / name]
    assert (folder.path / name).read_text() == "mine"


def test_a_broken_link_is_not_replaced_by_a_new_run(folder, tiny):
    folder.path.mkdir(parents=True)
    folder.metrics.symlink_to("nowhere")
    with pytest.raises(UsageError, match=r"metrics\.csv"):
        begin(folder, tiny())


def test_other_files_in_the_folder_are_in_nobodys_way(folder, tiny):
    folder.path.mkdir(parents=True)
    (folder.path / "notes.txt").write_text("mine")
    begin(folder, tiny())
    assert (folder.path / "notes.txt").read_text() == "mine"


def test_resume_needs_a_run(folder, tiny):
    with pytest.raises(UsageError, match=r"no run in .*first to resume; leave out resume to begin one"):
        resume(folder, tiny())
    assert not folder.path.exists()


def test_resume_refuses_another_recipe_and_says_what_differs(folder, tiny):
    begin(folder, tiny())
    other = replace(tiny(), seed=9, optim=OptimSpec(lr=0.5))
    with pytest.raises(UsageError, match=r"another recipe: optim.lr was 0.01 and is now 0.5; seed was 0 and is now 9"):
        resume(folder, other)


def test_the_length_may_change_when_a_run_goes_on_but_not_in_a_comparison(folder, tiny):
    begin(folder, tiny(steps=0, minutes=2.0))
    resume(folder, tiny(steps=9, patience=2))
    assert read_recipe(folder.recipe)[0].steps == 9
    with pytest.raises(UsageError, match="steps was 9 and is now 6"):
        check_same(folder, tiny(patience=2))
    with pytest.raises(UsageError, match="minutes was 0.0 and is now 3.0"):
        resume(folder, tiny(steps=0, minutes=3.0, patience=2))


def test_resume_may_find_the_data_elsewhere_and_run_on_another_machine(folder, tiny):
    begin(folder, tiny())
    moved = tiny(data=DataSpec(options={"size": (64, 64), "count": 5}, root="/elsewhere"))
    resume(folder, moved, Machine(workers=7))
    recipe, machine = read_recipe(folder.recipe)
    assert (recipe.data.root, machine.workers) == ("/elsewhere", 7)


def test_what_a_killed_run_was_writing_is_removed(folder, tiny):
    begin(folder, tiny())
    parts = [folder.path / ".attseg-0123456789abcdef.part", folder.state / ".attseg-fedcba9876543210.part"]
    others = [folder.path / ".0123.part", folder.state / ".film.mkv.part", folder.path / "attseg-0123456789abcdef.part"]
    for part in (*parts, *others):
        part.write_bytes(b"half")
    with claimed(folder, tiny(), Machine(), resume=True):
        assert not any(part.exists() for part in parts)
        assert all(part.exists() for part in others)


HOLD = """
import sys
from pathlib import Path
from filelock import FileLock
lock = FileLock(sys.argv[1])
lock.acquire()
Path(sys.argv[1]).write_text("4711")
print("held", flush=True)
sys.stdin.read()
"""


def test_two_runs_at_once_are_refused_and_the_lock_of_a_dead_run_is_not_in_the_way(folder, tiny):
    begin(folder, tiny())
    command = [sys.executable, "-c", HOLD, str(folder.lock)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout.readline() == "held\n"
        with pytest.raises(RunError, match=r"process 4711 is training in .*first"):
            resume(folder, tiny())
        other.kill()
    with claimed(folder, tiny(), Machine(), resume=True):
        assert folder.lock.read_text() != "4711"


def test_a_folder_that_cannot_be_made_is_refused_before_training(tmp_path, tiny):
    (tmp_path / "file").touch()
    with pytest.raises(FileError, match=r"cannot write to .*file/run: Not a directory; choose another folder"):
        begin(RunFolder(tmp_path / "file" / "run"), tiny())
