"""The papers' pages are what the tables, the recipes and the docstrings say, and what they show runs."""

import importlib.util
import inspect
import re
from pathlib import Path

import pytest
import torch

import attseg
from attseg.checkpoint import architecture
from attseg.models import MODELS
from attseg.recipes.tables import TABLES
from attseg.recipes.tables.record import Row

DOCS = Path(__file__).parents[1] / "docs"
SPEC = importlib.util.spec_from_file_location("generate", DOCS / "generate.py")
generate = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(generate)

ROWS = [(table, row) for table in TABLES.values() for row in table.rows if row.recipe is not None]


@pytest.mark.parametrize("paper", generate.PAGES)
def test_the_committed_page_is_what_would_be_generated(paper):
    text = (DOCS / generate.PAGES[paper][0]).read_text()
    assert generate.page(paper, text) == text, "run: make docs"


def test_a_page_that_was_changed_by_hand_is_noticed():
    text = (DOCS / "papers" / "pan.md").read_text()
    changed = text.replace("79.38", "99.38")
    assert generate.page("pan", changed) == text != changed


def test_a_page_without_a_place_for_a_part_is_refused():
    with pytest.raises(SystemExit, match=r"pan.md has no place for rows"):
        generate.page("pan", "# PAN\n")


@pytest.mark.parametrize(("table", "row"), ROWS, ids=lambda one: one.name)
def test_the_call_on_the_page_builds_the_network_of_the_row(table: object, row: Row):
    recipe = row.recipe
    text = generate.call(recipe.model, generate.NUM_CLASSES[recipe.data.name])
    seen = {}

    def record(num_classes, **args):
        seen.update(args)

    exec(text, {recipe.model.name: record})
    defaults = {
        name: parameter.default
        for name, parameter in inspect.signature(MODELS[recipe.model.name]).parameters.items()
        if parameter.default is not inspect.Parameter.empty
    }
    ours, theirs = defaults | seen, defaults | architecture(recipe.model.args)
    ours["base_args"], theirs["base_args"] = (one.get("base_args") or {} for one in (ours, theirs))
    assert ours == theirs
    page = (DOCS / generate.PAGES[table.paper][0]).read_text()
    assert f"| `{row.name}` | {row.printed} | `{text}` |" in page


@pytest.mark.parametrize("paper", generate.PAGES)
def test_every_reading_of_the_model_is_on_its_page(paper):
    name, files = generate.PAGES[paper]
    page = " ".join((DOCS / name).read_text().split())
    found = re.search(r"Reading:\n(.*?)\n\n", inspect.getdoc(MODELS[CLASSES[paper]]), re.DOTALL)
    for line in found[1].splitlines():
        assert line.strip().replace("``", "`") in page
    assert all((generate.SOURCE / file).is_file() for file in files.split())


CLASSES = {"pan": "PAN", "psanet": "PSANet", "dfdam": "DFDAM", "a2r": "AttentionToRefine"}


@pytest.mark.parametrize("paper", generate.PAGES)
def test_the_example_runs(paper):
    [block] = re.findall(r"```python\n(.*?)```", (DOCS / generate.PAGES[paper][0]).read_text(), re.DOTALL)
    names = {}
    with torch.device("meta") if paper == "a2r" else torch.no_grad():
        exec(block, names)
    if paper != "a2r":
        assert names["logits"].shape[-2:] == (128, 160)
        assert len(names["maps"]) == {"pan": 4, "psanet": 2, "dfdam": 3}[paper]
    assert attseg.__all__
