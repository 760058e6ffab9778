"""Stage the pages of the site in ``build/pages``, laid out as in the repository, so that links hold: ``make site``.

Staged are the documents at the root, of docs/ and of benchmarks/, and each file that one of them links to.
"""

from __future__ import annotations

import re
import shutil
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGES = ROOT / "build" / "pages"
LINK = re.compile(r"\]\((?!\w+://|mailto:|#)([^)#\s]+)[^)\s]*\)")


def documents() -> list[Path]:
    """Every Markdown document of the site."""
    return sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "benchmarks").glob("*.md")])


def main(pages: Path = PAGES) -> None:
    """Stage all of it anew in a folder."""
    shutil.rmtree(pages, ignore_errors=True)
    found = {*documents(), *(ROOT / "docs" / "pictures").rglob("*.png")}
    for document in documents():
        found.update((document.parent / target).resolve() for target in LINK.findall(document.read_text("utf-8")))
    for path in found:
        if path.is_file():
            target = pages / path.relative_to(ROOT)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, target)
    print(f"{len(documents())} pages in {pages}")


if __name__ == "__main__":
    main()
