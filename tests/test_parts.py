"""The page of parts names every part there is, and what it says of each is so."""

import re
from pathlib import Path
from typing import get_args

import pytest
import torch

from attseg import attention, context, decoders
from attseg.attention import Tap
from attseg.context import ContextName, build_context
from attseg.decoders import DecoderName, build_decoder
from attseg.encoders.named import make_encoder
from attseg.errors import UsageError
from attseg.layers import ConvNormAct

PAGE = (Path(__file__).parents[1] / "docs" / "modules" / "parts.md").read_text()
DEEP, LOWS = 96, (16, 32, 48)
NAMES = {
    **{"deep": DEEP, "lows": LOWS, "ConvNormAct": ConvNormAct},
    **{name: getattr(room, name) for room in (attention, context, decoders) for name in dir(room)},
}
"""What the constructors on the page may name."""


def rows(section):
    """The cells of each row of a section's table, without the ticks of code."""
    text = PAGE.split(f"\n## {section}\n")[1].split("\n## ")[0]
    lines = [line for line in text.splitlines() if line.startswith("|")][2:]
    return [[cell.strip().strip("`") for cell in line.strip("|").split("|")] for line in lines]


def shapes(module):
    return {name: tuple(p.shape) for name, p in module.named_parameters()}


def kinds(module):
    return {each.kind for each in module.modules() if isinstance(each, Tap)}


def test_every_name_is_on_the_page():
    assert sorted(row[0] for row in rows("Contexts")) == sorted(get_args(ContextName))
    assert sorted(row[0] for row in rows("Decoders")) == sorted(get_args(DecoderName))


@pytest.mark.parametrize("row", rows("Contexts"), ids=lambda row: row[0])
def test_contexts_by_name_are_what_the_constructors_give(row):
    name, _, _, call, tap = row
    with torch.device("meta"):
        named, built = build_context(name, DEEP, 256, output_stride=16, num_classes=21), eval(call, dict(NAMES))
    assert shapes(named[0] if name == "se" else named) == shapes(built)
    assert kinds(named) == {kind for kind in tap.split(", ") if kind}


@pytest.mark.parametrize("row", rows("Decoders"), ids=lambda row: row[0])
def test_decoders_by_name_are_what_the_constructors_give(row):
    name, _, _, call, tap = row
    with torch.device("meta"):
        named, built = build_decoder(name, LOWS, 256), eval(call, dict(NAMES))
    assert type(named) is type(built)
    assert shapes(named) == shapes(built)
    assert kinds(named) == {kind for kind in tap.split(", ") if kind}


@pytest.mark.slow
@pytest.mark.parametrize("row", rows("Encoders"), ids=lambda row: row[0])
def test_encoders_have_the_output_strides_that_the_page_gives(row):
    _, name, strides, _ = row
    for stride in (8, 16, 32):
        with torch.device("meta"):
            if str(stride) in strides.split(", "):
                encoder = make_encoder(name, output_stride=stride, pretrained=False, weights=None)
                assert encoder.strides == tuple(min(each, stride) for each in (4, 8, 16, 32))
            else:
                with pytest.raises(UsageError, match="output.stride"):
                    make_encoder(name, output_stride=stride, pretrained=False, weights=None)


def test_the_python_runs():
    [block] = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    with torch.device("meta"):
        exec(block, {})
