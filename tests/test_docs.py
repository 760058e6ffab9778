"""Pages of the documentation: navigation, links and anchors, without the packages that build the site."""

import importlib.util
import re
import warnings
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
    text = without_code(document.read_text("utf-8"))
    broken += [source for source in re.findall(r'src="([^"]+)"', text) if not (document.parent / source).exists()]
    for target, anchor in re.findall(r"\]\((?!\w+://|mailto:)([^)#\s]*)#?([^)\s]*)\)", text):
        place = document.parent / target if target else document
        if not place.exists() or (anchor and anchor not in anchors(place)):
            broken.append(f"{target}#{anchor}")
    assert not broken


def load_site():
    spec = importlib.util.spec_from_file_location("site_pages", DOCS / "stage_site.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def listed(entry):
    if isinstance(entry, str):
        return [entry]
    entries = entry if isinstance(entry, list) else entry.values()
    return [page for one in entries for page in listed(one)]


def test_the_navigation_and_the_index_have_every_page_once():
    names = [path.relative_to(DOCS).as_posix() for path in PAGES]
    site = {path.relative_to(ROOT).as_posix() for path in load_site().documents()}
    nav = listed(yaml.safe_load((ROOT / "mkdocs.yml").read_text("utf-8"))["nav"])
    assert sorted(nav) == sorted(site) and {f"docs/{name}" for name in names} < site
    index = re.findall(r"\]\((?!\.\.)([^)]*\.md)\)", (DOCS / "index.md").read_text("utf-8"))
    assert sorted([*index, "index.md"]) == names


@pytest.mark.slow
def test_the_site_builds(tmp_path):
    pytest.importorskip("mkdocstrings", reason="pip install '.[docs]'")
    pytest.importorskip("material", reason="pip install '.[docs]'")
    from mkdocs.commands.build import build
    from mkdocs.config import load_config

    load_site().main(tmp_path / "pages")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the packages
        build(
            load_config(
                str(ROOT / "mkdocs.yml"), docs_dir=str(tmp_path / "pages"), site_dir=str(tmp_path / "site"), strict=True
            )
        )
    api = (tmp_path / "site/docs/reference/api.html").read_text("utf-8")
    assert 'id="attseg.load"' in api and "https://fonts" not in api
