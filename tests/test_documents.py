"""Every block of Python and of commands in the README and the pages runs as it stands, in order, on small data."""

import re
import shutil
from pathlib import Path

import matplotlib
import pytest

from documents import blocks, run_shell, write_world

ROOT = Path(__file__).parents[1]
DOCUMENTS = [ROOT / "README.md", *(path for path in sorted((ROOT / "docs").rglob("*.md")) if path.name != "log.md")]
RUN = ("sh", "python")


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    return write_world(tmp_path_factory.mktemp("world"))


@pytest.mark.slow
@pytest.mark.parametrize(
    "document",
    [path for path in DOCUMENTS if any(block.language in RUN and not block.reason for block in blocks(path))],
    ids=lambda path: path.stem,
)
def test_the_blocks_run(document, world, tmp_path, monkeypatch, capsys):
    shutil.copytree(world, tmp_path / "here")
    monkeypatch.chdir(tmp_path / "here")
    monkeypatch.setenv("WANDB_MODE", "offline")
    names = {"__name__": "block"}
    with matplotlib.rc_context({"backend": "agg"}):
        for block in blocks(document):
            if block.reason or block.language not in RUN:
                continue
            if block.language == "sh":
                run_shell(block.text, capsys)
            else:
                exec(compile(block.text, document.name, "exec"), names)


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.stem)
def test_commands_and_python_stand_in_fenced_blocks(document):
    """A block that is indented in place of fenced would not be run."""
    text = re.sub(r"^```.*?^```$", "", document.read_text("utf-8"), flags=re.DOTALL | re.MULTILINE)
    assert re.findall(r"^    (?:attseg|python|pip|torchrun|import|from) .*", text, re.MULTILINE) == []
