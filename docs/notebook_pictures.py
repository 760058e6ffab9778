"""Run the notebooks and keep the last figure of each for docs/start/notebooks.md: ``python docs/notebook_pictures.py``."""

from __future__ import annotations

import base64
import sys
import tempfile
from io import BytesIO
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from PIL import Image

ROOT = Path(__file__).parents[1]
WIDEST = 1000  # pixels


def main() -> None:
    """Run all of them, or those that are named."""
    for path in sorted((ROOT / "notebooks").glob("*.ipynb")):
        if sys.argv[1:] and path.stem not in sys.argv[1:]:
            continue
        with tempfile.TemporaryDirectory() as folder:
            book = nbformat.read(path, as_version=4)
            NotebookClient(book, kernel_name="python3", resources={"metadata": {"path": folder}}).execute()
        shown = [output.get("data", {}) for cell in book.cells for output in cell.get("outputs", [])]
        data = [each["image/png"] for each in shown if "image/png" in each][-1]
        picture = Image.open(BytesIO(base64.b64decode(data))).convert("RGB")
        picture.thumbnail((WIDEST, WIDEST))
        out = ROOT / "docs" / "pictures" / f"notebook-{path.stem.replace('_', '-')}.png"
        picture.quantize(256).save(out, optimize=True)
        print(f"{out.name}: {out.stat().st_size // 1000} kB")


if __name__ == "__main__":
    main()
