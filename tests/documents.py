"""Code blocks of documents, and small data on which they run."""

import re
import shlex
import shutil
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image

from attseg.cli import main
from attseg.data.sets.camvid import CAMVID
from attseg.data.sets.scenes import Scenes
from labelling import labelme_folder

BLOCK = re.compile(
    r"(?:^<!-- not run: (?P<reason>.+?) -->\n)?^```(?P<language>\w+)\n(?P<text>.*?)^```$", re.DOTALL | re.MULTILINE
)


class Block(NamedTuple):
    """A fenced block; ``reason`` says why it is not run."""

    language: str
    text: str
    reason: str | None


def blocks(document):
    """Every fenced block of a document, in order."""
    return [
        Block(match["language"], match["text"], match["reason"])
        for match in BLOCK.finditer(document.read_text("utf-8"))
    ]


def write_folder(root, classes, counts, size=(48, 64)):
    """A data set of two folders per split, made of scenes."""
    for split, count in counts.items():
        for kind in ("images", "labels"):
            (root / kind / split).mkdir(parents=True)
        for index in range(count):
            sample = Scenes("train", size=size)[index]
            Image.fromarray(sample.image).save(root / f"images/{split}/{index}.jpg")
            Image.fromarray(np.minimum(sample.labels, len(classes) - 1)).save(root / f"labels/{split}/{index}.png")
    (root / "classes.csv").write_text(
        "index,name\n" + "".join(f"{index},{name}\n" for index, name in enumerate(classes))
    )


def write_world(root):
    """What documents take as given: folders of data, photographs, an export, and the runs ``runs/mine`` and ``runs/base``."""
    classes = Scenes.classes.names
    write_folder(root / "mine", classes, {"train": 4, "val": 2})
    write_folder(root / "CAMVID", CAMVID.names, {"train": 4, "val": 2, "test": 2})
    (root / "CAMVID/classes.csv").unlink()
    labelme_folder(root / "EXPORT")
    (root / "photos").mkdir()
    for index, name in enumerate(("one", "two")):
        Image.fromarray(Scenes("test")[index].image).save(root / f"photos/{name}.png")
    Image.fromarray(Scenes("test", size=(160, 320))[0].image).save(root / "street.jpg")
    for name in ("mine", "base"):
        command = ["train", "pan-folder", "--data.root", str(root / "mine"), "--out", str(root / "runs" / name)]
        assert main(small(command)) == 0
    return root


def small(command):
    """The command with less to do: few steps, a tiny encoder."""
    if command[0] != "train" or "--print_config" in command:
        return command
    command = list(command)
    length = ["--steps", "2"]
    for option, value in (("--steps", "4"), ("--epochs", "7")):
        if option in command:
            command[command.index(option) + 1] = value
            length = []
    if "--minutes" in command:  # how many steps fit depends on the load of the machine
        start = command.index("--minutes")
        del command[start : start + 2]
    if "--resume" in command:
        return command
    args = ["--machine.workers", "0"]
    for option, value in (("--batch_size", "4"), ("--crop_size", "64,64"), ("--val_every", "1")):
        args += [] if option in command else [option, value]
    fitted = "--init" in command or any("base_args" in part for part in command)
    if not fitted:
        args += ["--model.args.encoder", "test_resnet", "--model.args.pretrained", "false"]
    return [*command, *length, *args]


def run_shell(text, capsys):
    """Run the lines of a block, all of which have to be commands of attseg; ``> FILE`` keeps what one prints."""
    for line in text.replace("\\\n", " ").splitlines():
        command = shlex.split(line, comments=True)
        if not command:
            continue
        assert command[0] == "attseg", f"{line!r} is no command of attseg: mark the block with <!-- not run: REASON -->"
        command, target = (command[:-2], command[-1]) if ">" in command else (command, None)
        new = (command[1] == "train" and "--resume" not in command) or command[1:3] == ["data", "import"]
        if new and "--out" in command:
            shutil.rmtree(command[command.index("--out") + 1], ignore_errors=True)
        capsys.readouterr()
        status = main(small(command[1:]))
        shown = capsys.readouterr()
        assert status == 0, f"{line}\n{shown.out}\n{shown.err}"
        if target:
            Path(target).write_text(shown.out)
