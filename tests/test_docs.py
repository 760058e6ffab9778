"""Pages of the documentation: navigation, links and anchors, without the packages that build the site."""

import re
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
PAGES = sorted(DOCS.rglob("*.md"))
DOCUMENTS = [*PAGES, *ROOT.glob("*.md"), *(ROOT / "benchmarks").glob("*.md"), *(ROOT / "src").rglob("assets/README.md")]


def without_code(text):
    return re.sub(r"^```.*?^```|`[^`\n]*`", "", text, flags=re.DOTALL | re.MULTILINE)


def anchors(document):
    """As GitHub and Python-Markdown make them of headings."""
    headings = re.findall(r"^#+ (.*)$", document.read_text("utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_links_and_anchors_are_there(document):
    broken = []
    for target, anchor in re.findall(
        r"\]\((?!\w+://|mailto:)([^)#\s]*)#?([^)\s]*)\)", without_code(document.read_text("utf-8"))
    ):
        place = document.parent / target if target else document
        if not place.exists() or (anchor and anchor not in anchors(place)):
            broken.append(f"{target}#{anchor}")
    assert not broken


def listed(entry):
    if isinstance(entry, str):
        return [entry]
    entries = entry if isinstance(entry, list) else entry.values()
    return [page for one in entries for page in listed(one)]


def test_the_navigation_and_the_index_have_every_page_once():
    names = [path.relative_to(DOCS).as_posix() for path in PAGES]
    assert sorted(listed(yaml.safe_load((ROOT / "mkdocs.yml").read_text("utf-8"))["nav"])) == names
    index = re.findall(r"\]\((?!\.\.)([^)]*\.md)\)", (DOCS / "index.md").read_text("utf-8"))
    assert sorted([*index, "index.md"]) == names
