"""The paths of CONTRIBUTING.md: in a copy of the project, a toy of each kind is added in the files that it lists, and works."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
COPIED = ("src", "tests", "docs", "CONTRIBUTING.md", "README.md", "pyproject.toml")

CONTEXT = '''
"""A toy context: one weight for each position."""

from torch import Tensor, nn

from attseg.attention.tap import Tap
from attseg.layers import ConvNormAct


class ToyContext(nn.Module):
    """Weighs each position by a convolution."""

    def __init__(self, in_channels: int, channels: int) -> None:
        super().__init__()
        self.weigh = nn.Conv2d(in_channels, 1, 1)
        self.weights = Tap("spatial")
        self.reduce = ConvNormAct(in_channels, channels)

    def forward(self, features: Tensor) -> Tensor:
        """The features, weighed."""
        return self.reduce(features * self.weights(self.weigh(features).sigmoid()))
'''
DECODER = '''
"""A toy decoder: the finest map is added."""

from torch import Tensor, nn

from attseg.decoders.base import Decoded
from attseg.layers import resize


class ToyDecoder(nn.Module):
    """Adds the finest map."""

    def __init__(self, low_channels: tuple[int, ...], channels: int) -> None:
        super().__init__()
        self.reduce = nn.Conv2d(low_channels[0], channels, 1)

    def forward(self, lows: list[Tensor], high: Tensor) -> Decoded:
        """The sum at the finest stride."""
        return Decoded(resize(high, lows[0].shape[-2:]) + self.reduce(lows[0]), {})
'''
LOSS = '''
"""A toy loss: a power of the cross-entropy."""

from torch import Tensor

from attseg.losses.pixels import check_labels, pixel_losses, pixel_weights, weighted_mean


def toy_loss(logits: Tensor, labels: Tensor, *, power: float = 1.0, weight: Tensor | None = None) -> Tensor:
    """Mean of the cross-entropies to a power."""
    check_labels(logits, labels)
    return weighted_mean(pixel_losses(logits, labels) ** power, pixel_weights(labels, weight))
'''
ENCODER = '''
"""A toy encoder: four strided convolutions."""

from torch import Tensor, nn

from attseg.encoders.base import Encoder
from attseg.errors import UsageError


class ToyEncoder(Encoder):
    """One convolution for each stride."""

    def __init__(self, output_stride: int = 32, in_channels: int = 3) -> None:
        if output_stride != 32:
            raise UsageError(f"output_stride is {output_stride}; the toy has 32")
        super().__init__((8, 8, 16, 16), (4, 8, 16, 32), in_channels)
        sizes = [in_channels, *self.channels]
        self.steps = nn.ModuleList(
            nn.Conv2d(sizes[i], sizes[i + 1], 3, stride=4 if i == 0 else 2, padding=1) for i in range(4)
        )

    def forward(self, images: Tensor) -> list[Tensor]:
        """Maps, finest first."""
        maps = []
        for step in self.steps:
            images = step(images).relu()
            maps.append(images)
        return maps
'''
TOY_ENCODER = '    if encoder == "toy":\n        return ToyEncoder(output_stride, in_channels)\n'
DATA = '''
"""A toy data set: two classes."""

from __future__ import annotations

from attseg.data.classes import ClassTable
from attseg.data.sets.record import DataSet, Terms

TOY = ClassTable(("grass", "cow"), ((0, 255, 0), (90, 60, 30)))
RECORD = DataSet(
    name="toy",
    title="Toy",
    about="cows on grass, 2 classes",
    classes=TOY,
    layouts=(("images/{}", "labels/{}"),),
    terms=Terms(license="cc0-1.0", note="Cite the cow."),
)
'''
VERB = '''
"""``attseg toy``: count."""

from __future__ import annotations


def run(*, number: int = 3) -> int:
    """Count to a number.

    Args:
        number: Where to stop.

    Examples:
        attseg toy --number 5
    """
    print(*range(1, number + 1))
    return 0
'''
ROW = """ + (
            Row.of(varied(dfdam_cityscapes(), "toy", {"context": "psp"}), "ours", "toy", "a toy", Figure(miou=71.0)),
        )"""
TESTS = {
    "tests/context/test_toy.py": """
import torch

from attseg import FCN, capture
from attseg.cli import main
from attseg.context import ToyContext, build_context


def test_toy(capsys):
    assert isinstance(build_context("toy", 8, 4, output_stride=16), ToyContext)
    model = FCN(3, encoder="test_resnet", context="toy", channels=8).eval()
    with capture(model) as maps:
        model(torch.zeros(1, 3, 64, 64))
    assert [each.kind for each in maps] == ["spatial"]
    assert main(["models", "PAN"]) == 0
    assert "toy" in capsys.readouterr().out
""",
    "tests/decoders/test_toy.py": """
from attseg.decoders import ToyDecoder, build_decoder


def test_toy():
    assert isinstance(build_decoder("toy", (4, 8, 8), 4), ToyDecoder)
""",
    "tests/losses/test_toy.py": """
import torch

from attseg.cli import main
from attseg.losses import LossSpec, make_loss, toy_loss


def test_toy(capsys):
    logits, labels = torch.randn(1, 3, 4, 4), torch.ones(1, 4, 4, dtype=torch.uint8)
    found = make_loss(LossSpec(terms={"toy": 2.0}, toy_power=0.5))(logits, labels)
    assert found == 2 * toy_loss(logits, labels, power=0.5)
    assert main(["train", "--help"]) == 0
    assert "--loss.toy_power" in capsys.readouterr().out
""",
    "tests/encoders/test_toy.py": """
import torch

from attseg import FCN
from attseg.encoders import ToyEncoder


def test_toy():
    model = FCN(3, encoder="toy", output_stride=32, decoder="skip", channels=8)
    assert isinstance(model.encoder, ToyEncoder)
    assert model.eval()(torch.zeros(1, 3, 50, 65)).logits.shape == (1, 3, 50, 65)
""",
    "tests/data/sets/test_toy.py": """
import numpy as np
from PIL import Image

from attseg.cli import main
from attseg.data import open_data


def test_toy(tmp_path, capsys):
    labels = np.array([[0, 1], [1, 255]], np.uint8)
    for kind, image in (("images", Image.new("RGB", (2, 2), "red")), ("labels", Image.fromarray(labels))):
        for split in ("train", "val"):
            (tmp_path / kind / split).mkdir(parents=True)
            image.save(tmp_path / kind / split / "a.png")
    data = open_data("toy", "val", root=tmp_path)
    assert data.classes.names == ("grass", "cow")
    assert np.array_equal(data[0].labels, labels)
    assert main(["train", "pan-folder", "--data.name", "toy", "--data.root", str(tmp_path), "--print_config"]) == 0
    assert "name: toy" in capsys.readouterr().out
""",
    "tests/cli/test_toy.py": """
import pytest

from attseg.cli import main
from attseg.errors import UsageError


def test_toy(capsys):
    assert main(["toy", "--number", "4"]) == 0
    assert capsys.readouterr().out.split() == ["1", "2", "3", "4"]
    assert main(["toy", "--help"]) == 0
    assert "Where to stop" in capsys.readouterr().out
    assert main(["toy", "--nunber", "4"]) == 2
    assert "'--number" in capsys.readouterr().err
""",
}


def before(anchor, text):
    """Puts a text before the only place of another."""

    def edit(content):
        assert content.count(anchor) == 1, anchor
        return content.replace(anchor, text + anchor)

    return edit


def after(pattern, text):
    """Puts a text behind the first match of a pattern."""

    def edit(content):
        found = re.search(pattern, content, re.DOTALL)
        assert found, pattern
        return content[: found.end()] + text + content[found.end() :]

    return edit


def both(*edits):
    def edit(content):
        for each in edits:
            content = each(content)
        return content

    return edit


PATHS = {
    "A context": {
        "src/attseg/context/toy.py": CONTEXT,
        "src/attseg/context/named.py": both(
            after(
                r"from attseg\.context\.pyramid_pooling import [^\n]*\n", "from attseg.context.toy import ToyContext\n"
            ),
            after(r"__all__ = \[\n", '    "ToyContext",\n'),
            after(r'ContextName = Literal\[\s*"', 'toy", "'),
            after(r"OPTIONS: dict\[[^\n]*\] = \{\n", '    "toy": ToyContext,\n'),
        ),
        "tests/context/test_toy.py": TESTS["tests/context/test_toy.py"],
        "docs/modules/parts.md": after(
            r"## Contexts\n.*?\n\| `none` [^\n]*\n", "| `toy` | a toy | | `ToyContext(deep, 256)` | spatial |\n"
        ),
    },
    "A decoder": {
        "src/attseg/decoders/toy.py": DECODER,
        "src/attseg/decoders/named.py": both(
            after(r"from attseg\.decoders\.topdown import [^\n]*\n", "from attseg.decoders.toy import ToyDecoder\n"),
            after(r"__all__ = \[\n", '    "ToyDecoder",\n'),
            after(r'DecoderName = Literal\[\s*"', 'toy", "'),
            after(r"KINDS: dict\[[^\n]*\] = \{\n", '    "toy": (ToyDecoder, {}),\n'),
        ),
        "tests/decoders/test_toy.py": TESTS["tests/decoders/test_toy.py"],
        "docs/modules/parts.md": after(
            r"## Decoders\n.*?\n\| `bilinear` [^\n]*\n", "| `toy` | a toy | | `ToyDecoder(lows, 256)` | |\n"
        ),
    },
    "A loss": {
        "src/attseg/losses/toy.py": LOSS,
        "src/attseg/losses/__init__.py": both(
            after(
                r"from attseg\.losses\.ohem import [^\n]*\n", "    from attseg.losses.toy import toy_loss as toy_loss\n"
            ),
            after(r'LossName = Literal\[\s*"', 'toy", "'),
            after(r"    Args:\n", "        toy_power: Power of the cross-entropy.\n"),
            after(r"    ohem_share: float = [^\n]*\n", "    toy_power: float = 1.0\n"),
        ),
        "tests/losses/test_toy.py": TESTS["tests/losses/test_toy.py"],
    },
    "An encoder": {
        "src/attseg/encoders/toy.py": ENCODER,
        "src/attseg/encoders/named.py": both(
            after(r"from attseg\.encoders\.timm import [^\n]*\n", "from attseg.encoders.toy import ToyEncoder\n"),
            after(r"__all__ = \[", '"ToyEncoder", '),
            before("    if isinstance(encoder, str):", TOY_ENCODER),
        ),
        "tests/encoders/test_toy.py": TESTS["tests/encoders/test_toy.py"],
        "docs/modules/parts.md": after(r"## Encoders\n.*?\n\| ResNet [^\n]*\n", "| toys | `toy` | 32 | |\n"),
    },
    "A data set": {
        "src/attseg/data/sets/toy.py": DATA,
        "src/attseg/data/catalog.py": both(
            after(r"from attseg\.data\.sets import [^\n]*sbd, scenes", ", toy"),
            after(r"for module in \(scenes", ", toy"),
        ),
        "tests/data/sets/test_toy.py": TESTS["tests/data/sets/test_toy.py"],
        "docs/train/data.md": after(r"\Z", "\nToy has cows.\n"),
    },
    "A row of a table": {
        "src/attseg/recipes/tables/dfdam.py": after(r"rows=_ablation\(2, dfdam_cityscapes\(\), 18, \([^)]*\)\)", ROW),
    },
    "A verb": {
        "src/attseg/cli/toy.py": VERB,
        "src/attseg/cli/__init__.py": after(r"VERBS = \{\n", '    "toy": "count",\n'),
        "tests/cli/test_toy.py": TESTS["tests/cli/test_toy.py"],
    },
}
"""For each part the files, in the order of CONTRIBUTING.md: a new file's text, or what is changed in one that is there."""


def documented():
    """The files that CONTRIBUTING.md lists for each part."""
    text = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
    for section in re.split(r"\n### ", text)[1:]:
        yield section.partition("\n")[0], re.findall(r"^\d\. `([^`]+)`", section.split("\n## ")[0], re.MULTILINE)


def test_contributing_lists_the_files():
    listed = dict(documented())
    for part, files in PATHS.items():
        paper = [file.replace("tables/PAPER", "tables/dfdam").replace("NAME", "toy") for file in listed[part]]
        assert paper == list(files), part
    assert {part: len(listed[part]) for part in PATHS if part != "A verb"} == {
        "A context": 4,
        "A decoder": 4,
        "A loss": 3,
        "An encoder": 4,
        "A data set": 4,
        "A row of a table": 1,
    }


@pytest.fixture(scope="module")
def copy(tmp_path_factory):
    """The project with all toys in it."""
    folder = tmp_path_factory.mktemp("copy")
    for name in COPIED:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, folder / name)
    for files in PATHS.values():
        for name, change in files.items():
            path = folder / name
            path.write_text(
                change.lstrip("\n") if isinstance(change, str) else change(path.read_text("utf-8")), "utf-8"
            )
    return folder


def run(folder, *arguments):
    environment = os.environ | {"PYTHONPATH": str(folder / "src"), "OMP_NUM_THREADS": "1"}
    environment = {name: value for name, value in environment.items() if not name.startswith("PYTEST_")}
    done = subprocess.run(
        [sys.executable, *arguments], cwd=folder, env=environment, capture_output=True, text=True, timeout=500
    )
    return done.returncode, done.stdout + done.stderr


@pytest.mark.slow
def test_toys_added_in_these_files_work_everywhere(copy):
    """They are in the public rooms, the command line, the pages and the tests that walk over every part."""
    tests = [name for files in PATHS.values() for name in files if name.startswith("tests/")]
    every = ["context/test_context.py", "decoders/test_decoders.py", "losses/test_every_loss.py", "models/test_grid.py"]
    more = [
        "test_parts.py",
        "test_lazy.py",
        "recipes/tables/test_tables.py",
        "data/test_catalog.py",
        "recipes/tables/test_small.py",
    ]
    code, output = run(
        copy, "-m", "pytest", "-q", "-p", "no:randomly", "-k", "toy or every_name or every_table", "-n", "0",
        *tests, *(f"tests/{name}" for name in (*every, *more)),
    )  # fmt: skip
    assert code == 0, output[-3000:]
    assert int(re.search(r"(\d+) passed", output)[1]) > 50, output[-500:]
    code, output = run(copy, "-m", "attseg", "reproduce", "dfdam:2", "--report", "--out", "runs")
    assert code == 0 and re.search(r"^toy .*71\.00", output, re.MULTILINE), output[-3000:]


@pytest.mark.slow
def test_generated_pages_with_the_toys_are_written_by_one_command(copy):
    code, output = run(copy, "docs/generate.py")
    assert code == 0, output[-3000:]
    assert "| `toy` | a toy |" in (copy / "docs" / "papers" / "dfdam.md").read_text("utf-8")
