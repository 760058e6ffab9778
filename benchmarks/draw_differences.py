"""Draw the scenes on which rows differ most, with what they predict, as ``docs/pictures/results/differ-*.png``.

    python benchmarks/draw_differences.py RUNS/small

Which scenes: of each probe the one on which the drawn rows (seed 0) differ most in their share of right pixels among those of the
probe, of scenes with at least 300 such pixels. They are where rows differ, and not what rows are like on average.
"""

from __future__ import annotations

import argparse
import json
from io import BytesIO
from pathlib import Path

import numpy as np
import numpy.typing as npt
from matplotlib.figure import Figure
from PIL import Image

from attseg.data import paint
from attseg.data.sets.scenes import SCENES, Scenes
from attseg.evaluation.counts import unpack
from attseg.inference.segmenter import load

ROWS = {
    "psanet-small-baseline": "PSANet's baseline",
    "psanet-small-global": "global pooling",
    "psanet-small-both": "PSA, both directions",
    "pan-small-baseline": "PAN's baseline",
    "pan-small-c357-ave-gp": "FPA",
    "pan-small-gau": "GAU",
    "dfdam-small-sum": "DF-DAM's baseline",
    "dfdam-small-dafm-2dpam": "DAFM and 2DPAM",
    "a2r-small-baseline": "Attention to Refine's baseline",
    "a2r-small-ours": "Attention to Refine",
}
PROBES = ("context", "boundary", "scale")
SIZE = (160, 384)
LEAST = 300
OUT = Path(__file__).parents[1] / "docs" / "pictures" / "results"


def main() -> None:
    """Choose the scenes and draw them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, metavar="RUNS")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=OUT)
    arguments = parser.parse_args()
    runs = {name: arguments.folder / name / f"seed-{arguments.seed}" for name in ROWS}
    segmenters = {name: load(run / "last.safetensors", device="cpu") for name, run in runs.items()}
    data = Scenes("val", size=SIZE)
    chosen: list[int] = []
    for probe in PROBES:
        shares = np.stack([_shares(run, probe) for run in runs.values()])
        order = np.argsort(-np.nan_to_num(shares.max(0) - shares.min(0)))
        index = next(int(one) for one in order if int(one) not in chosen)
        chosen.append(index)
        sample = data[index]
        labels = {name: segmenter(sample.image).labels for name, segmenter in segmenters.items()}
        found = dict(zip(ROWS, shares[:, index], strict=True))
        figure = _sheet(sample.image, sample.labels, labels, found, f"{sample.name}: right pixels of the {probe} probe")
        buffer = BytesIO()
        figure.savefig(buffer, format="png", dpi=100, facecolor="white")
        picture = Image.open(BytesIO(buffer.getvalue())).convert("RGB").quantize(128)
        arguments.out.mkdir(exist_ok=True)
        picture.save(arguments.out / f"differ-{probe}.png", optimize=True)
        print(f"{probe}: {sample.name}")


def _shares(run: Path, probe: str) -> npt.NDArray[np.float64]:
    """(N,) share of right pixels of each scene among those of a probe; nan where these are few."""
    lines = (run / "reproduced" / "single.jsonl").read_text().splitlines()[1:]
    found = {one["index"]: unpack(one["counts"])[f"confusion/probe {probe}"].numpy() for one in map(json.loads, lines)}
    counts = np.stack([found[index] for index in sorted(found)])
    pixels, right = counts.sum((1, 2)), counts.diagonal(axis1=1, axis2=2).sum(1)
    return np.where(pixels >= LEAST, right / np.maximum(pixels, 1), np.nan)


def _sheet(
    image: npt.NDArray[np.uint8],
    truth: npt.NDArray[np.uint8],
    labels: dict[str, npt.NDArray[np.uint8]],
    shares: dict[str, float],
    title: str,
) -> Figure:
    panels = [("picture", image), ("labels", paint.colorize(truth, SCENES))]
    panels += [(f"{ROWS[name]}: {shares[name]:.0%}", paint.colorize(one, SCENES)) for name, one in labels.items()]
    figure = Figure(figsize=(10.5, 8.6), layout="constrained")
    grid = figure.subplots(5, 3)
    for axes in grid.flat:
        axes.set_axis_off()
    order = [(0, 0), (0, 1), (1, 0), (1, 1), (1, 2), (2, 0), (2, 1), (2, 2), (3, 0), (3, 1), (4, 0), (4, 1)]
    for (row, column), (name, panel) in zip(order, panels, strict=True):
        grid[row, column].imshow(panel, interpolation="nearest")
        grid[row, column].set_title(name, fontsize=9, loc="left", parse_math=False)
    present = sorted(set(np.unique(truth)) | {int(one) for each in labels.values() for one in np.unique(each)})
    grid[0, 2].imshow(paint.legend(SCENES, present, 384))
    figure.suptitle(title, fontsize=10)
    return figure


if __name__ == "__main__":
    main()
