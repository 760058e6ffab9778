"""The walk in docs/start/first-model.md, and the pages about labelling tools: what they show runs."""

import re
import shlex
from pathlib import Path

import pytest
from PIL import Image

from attseg.cli import main
from attseg.cli.data_import import Options, import_
from attseg.data.checking import check as checking
from cracked_walls import photograph, write_photographs
from labelling import cvat_folder, labelme_folder, roboflow_folder, studio_folder

DOCS = Path(__file__).parents[1] / "docs"
SMALL = {
    "train": ["--steps", "2", "--crop_size", "64,64", "--batch_size", "2", "--model.args.encoder", "test_resnet",
              "--model.args.pretrained", "false", "--machine.workers", "0"],
    "evaluate": ["--split", "val"],
}  # fmt: skip
"""Further options, so that the test takes seconds."""


@pytest.mark.slow
def test_the_walk(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    write_photographs(Path("photos"), 40, (64, 96))
    Path("new").mkdir()
    photograph(90, (64, 96))[0].save("new/wall90.jpg")
    for block in re.findall(r"```sh\n(.*?)```", (DOCS / "start" / "first-model.md").read_text(), re.DOTALL):
        for line in block.splitlines():
            command = shlex.split(line)
            assert command[0] == "attseg"
            assert main([*command[1:], *SMALL.get(command[1], [])]) == 0, (line, capsys.readouterr().err)
    names = {path.name[:6] for path in Path("cracks/images/train").iterdir()}
    assert not names & {path.name[:6] for path in Path("cracks/images/val").iterdir()}
    assert Path("cracks.onnx").is_file() and Path("page.html").is_file()
    with Image.open("predicted/labels/wall90.png") as labels:
        assert labels.size == (96, 64) and set(labels.get_flattened_data()) <= {0, 1}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("make", "command"),
    [
        (labelme_folder, "attseg data import photos --out mine"),
        (cvat_folder, "attseg data import task.zip --out mine"),
        (roboflow_folder, "attseg data import project.zip --out mine"),
        (studio_folder, "attseg data import project.json --images photos --out mine"),
    ],
)
def test_two_commands_a_tool(tmp_path, monkeypatch, make, command):
    import shutil

    monkeypatch.chdir(tmp_path)
    page = (DOCS / "train" / "importing.md").read_text()
    assert f"```sh\n{command}\nattseg train pan-folder --data.root mine\n```" in page
    source = shlex.split(command)[3]
    folder = make(Path("photos"))
    if source.endswith(".zip"):
        shutil.make_archive(source.removesuffix(".zip"), "zip", folder)
        shutil.rmtree(folder)
    elif source.endswith(".json"):
        next(folder.glob("*.json")).rename(source)
    assert main(shlex.split(command)[1:]) == 0
    assert (
        main(["train", "pan-folder", "--data.root", "mine", "--out", "run", *SMALL["train"], "--crop_size", "32,32"])
        == 0
    )
    assert checking.check("folder", "mine").ok


def test_the_page_names_every_option():
    text = (DOCS / "train" / "importing.md").read_text()
    options = {f"--{name}" for name in (*import_.__annotations__, *Options.__annotations__)} - {
        "--source",
        "--return",
        "--json",
        "--asked",
    }
    assert {option for option in options if option not in text} == set()
