"""Write the parts of the papers' pages that follow from the tables, the recipes and the docstrings: ``make docs``.

They stand between ``<!-- generated NAME -->`` and ``<!-- end -->``; what stands around them is written by hand. With ``--check``
nothing is written, and the exit status says whether a page would change.
"""

from __future__ import annotations

import ast
import inspect
import re
import sys
from pathlib import Path
from textwrap import dedent

from attseg.models import MODELS
from attseg.recipes import RECIPES
from attseg.recipes.recipe import ModelSpec, Recipe
from attseg.recipes.tables import TABLES
from attseg.recipes.tables.record import Figure, Row, Table

DOCS = Path(__file__).parent
SOURCE = DOCS.parent / "src" / "attseg"

NUM_CLASSES = {"voc2012": 21, "ade20k": 150, "cityscapes": 19}

PAGES = {
    "pan": (
        "papers/pan.md",
        "models/pan.py attention/pyramid.py attention/upsample.py attention/squeeze.py context/pyramid_pooling.py "
        "context/aspp.py decoders/refinement.py decoders/global_convolution.py encoders/timm.py",
    ),
    "psanet": (
        "papers/psanet.md",
        "models/psanet.py recipes/psanet.py attention/pointwise/module.py attention/pointwise/operator.py "
        "context/global_pooling.py context/aspp.py attention/non_local.py context/non_local.py context/pyramid_pooling.py",
    ),
    "dfdam": (
        "papers/dfdam.md",
        "models/dfdam.py attention/fusion.py attention/position.py decoders/dual.py profiling/tables.py",
    ),
    "a2r": (
        "papers/attention-to-refine.md",
        "models/refine.py attention/location.py attention/scale.py attention/recalibration.py encoders/vgg.py",
    ),
}
"""By the name of a paper's tables: its page, and the files whose readings it lists."""


def page(paper: str, text: str) -> str:
    """The page with its generated parts as they should be."""
    parts = {"rows": _rows, "recipes": _recipes, "readings": _readings}
    for name, make in parts.items():
        pattern = re.compile(rf"(<!-- generated {name} -->\n).*?(<!-- end -->)", re.DOTALL)
        if not pattern.search(text):
            raise SystemExit(
                f"{PAGES[paper][0]} has no place for {name}: <!-- generated {name} --> and <!-- end --> mark it"
            )
        made = make(paper)
        text = pattern.sub(lambda match, made=made: f"{match[1]}\n{made}\n\n{match[2]}", text)
    return text


def call(model: ModelSpec, num_classes: int) -> str:
    """The constructor call of a network, without what is the default and without first weights."""
    defaults = {name: parameter.default for name, parameter in inspect.signature(MODELS[model.name]).parameters.items()}
    given = {
        name: _plain(value) for name, value in model.args.items() if name != "pretrained" and value != defaults[name]
    }
    texts = [f"{name}={_code(value)}" for name, value in given.items() if value != {}]
    return f"{model.name}({', '.join([str(num_classes), *texts])})"


def _plain(value: object) -> object:
    if isinstance(value, dict):
        return {name: inner for name, inner in value.items() if name != "pretrained"}
    return value


def _code(value: object) -> str:
    return repr(value).replace("'", '"')


def _rows(paper: str) -> str:
    tables = [table for table in TABLES.values() if table.paper == paper]
    return "\n\n".join(_table(table) for table in tables)


def _table(table: Table) -> str:
    figures = max((row.figures for row in table.rows), key=len)
    several = len(figures) > 1
    headings = ["row", "in the paper", "network", *(f"`{f.protocol}`" for f in figures)] if several else []
    printed = [figure.miou for row in table.rows for figure in row.figures if figure.miou is not None]
    decimals = 1 if all(round(miou, 1) == miou for miou in printed) else 2
    headings = headings or ["row", "in the paper", "network", "protocol", "paper"]
    lines = [headings, ["---"] * (len(headings) - len(figures)) + ["---:"] * len(figures)]
    for row in table.rows:
        seen = [] if several else [_protocol(row.figures[0])]
        lines.append(
            [f"`{row.name}`", row.printed, _network(row), *seen, *(_figure(figure, decimals) for figure in row.figures)]
        )
    texts = [f"### `{table.name}`: {table.title}", "\n".join(f"| {' | '.join(line)} |" for line in lines)]
    notes = [f"- `{row.name}`: {row.note}." for row in table.rows if row.note and row.recipe is not None]
    return "\n\n".join([*texts, *(["\n".join(notes)] if notes else []), *([table.note] if table.note else [])])


def _network(row: Row) -> str:
    if row.recipe is None:
        return row.note
    return f"`{call(row.recipe.model, NUM_CLASSES[row.recipe.data.name])}`"


def _protocol(figure: Figure) -> str:
    return f"`{figure.protocol}`" + "".join(f", {name} {value}".lower() for name, value in figure.changes.items())


def _figure(figure: Figure, decimals: int) -> str:
    if figure.miou is None:
        return ""
    return f"{figure.miou:.{decimals}f}" + (f" / {figure.accuracy:.2f}" if figure.accuracy is not None else "")


def _recipes(paper: str) -> str:
    found = {name: make() for name, make in RECIPES.items() if name.startswith(f"{paper}-")}
    published = {name: recipe for name, recipe in found.items() if recipe.expected_miou is not None}
    lines = [
        ["recipe", "stands for", "trains on", "steps", "batch", "crop", "lr", "decay", "protocol", "paper"],
        ["---", "---", "---", *["---:"] * 5, "---", "---:"],
        *(_recipe(recipe) for recipe in published.values()),
    ]
    texts = ["\n".join(f"| {' | '.join(line)} |" for line in lines)]
    for name in published:
        doc = inspect.getdoc(RECIPES[name]) or ""
        first, *rest = (" ".join(part.split()) for part in doc.split("\n\n"))
        assumed = " ".join(part for part in rest if not part.startswith("Not measured"))
        texts.append(f"**`{name}`**: {first}" + (f" {assumed}" if assumed else ""))
    return "\n\n".join(texts)


def _recipe(recipe: Recipe) -> list[str]:
    factor = recipe.optim.new_layers_factor
    return [
        f"`{recipe.name}`",
        recipe.source.rpartition(", ")[2],
        f"{recipe.data.name} {recipe.data.train}",
        f"{recipe.steps:,}",
        str(recipe.batch_size),
        str(recipe.crop_size[0]),
        f"{recipe.optim.lr:g}" + (f" (new layers x {factor:g})" if factor != 1 else ""),
        f"{recipe.optim.weight_decay:g}",
        f"`{recipe.protocol}`",
        str(recipe.expected_miou),
    ]


def _readings(paper: str) -> str:
    """Every reading of the paper's files, under the name of what it belongs to."""
    found = []
    for file in PAGES[paper][1].split():
        tree = ast.parse((SOURCE / file).read_text())
        for node in ast.walk(tree):
            text = _docstring(node)
            if reading := re.search(r"^Reading:\n((?:    .*\n|\n)+)", f"{text}\n", re.MULTILINE):
                name = node.name if isinstance(node, ast.ClassDef | ast.FunctionDef) else file
                found.append(f"**`{name}`**\n\n{_bullets(reading[1])}")
    return "\n\n".join(found)


def _docstring(node: ast.AST) -> str:
    """The docstring of a module, a class or a function, or the text that documents a variable."""
    if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef):
        return ast.get_docstring(node) or ""
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
        text = node.value.value
        return inspect.cleandoc(text) if node.col_offset == 0 and "Reading:\n" in text and not _is_first(node) else ""
    return ""


def _is_first(node: ast.Expr) -> bool:
    """Whether a text begins its file: that is the module's docstring, which was looked at before."""
    return node.lineno == 1


def _bullets(text: str) -> str:
    """Sentences that begin a line begin a bullet; lines go on until one ends with a full stop."""
    bullets: list[str] = []
    ended = True
    for line in dedent(text).strip().splitlines():
        if ended:
            bullets.append(line.strip())
        else:
            bullets[-1] += f" {line.strip()}"
        ended = line.rstrip().endswith(".")
    return "\n".join(f"- {bullet.replace('``', '`')}" for bullet in bullets)


def main() -> int:
    """Write the pages, or check them."""
    stale = []
    for paper, (name, _) in PAGES.items():
        file = DOCS / name
        before = file.read_text()
        after = page(paper, before)
        if after != before:
            stale.append(name)
            if "--check" not in sys.argv:
                file.write_text(after)
    print(f"changed: {', '.join(stale) or 'nothing'}")
    return 1 if stale and "--check" in sys.argv else 0


if __name__ == "__main__":
    raise SystemExit(main())
