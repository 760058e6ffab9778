"""Where two points of a scene collect from and distribute to, in a trained PSANet; the paper's figure 6 for any run.

    attseg train psanet-scenes --out runs/psanet-scenes
    python examples/psa_points.py runs/psanet-scenes psa-points.png

The picture holds the scene with two points and its prediction; below, where each point collects from and whom it gives to.
"""

from __future__ import annotations

import sys

import numpy as np
import torch
from PIL import Image, ImageDraw

from attseg import load
from attseg.data.sets.scenes import Scenes
from attseg.explain.views import heat_map

GAP, RADIUS = 6, 5


def main(run: str, out: str) -> None:
    """Draw the scene with its points, its prediction, and both maps of each point."""
    segmenter = load(run)
    scenes = Scenes("val", size=(160, 384))
    sample = next(s for s in scenes if s.probes is not None and s.probes["context"].sum() > 800)
    covered = np.argwhere(sample.probes["context"])[len(np.argwhere(sample.probes["context"])) // 2]
    points = [(int(covered[1]), int(covered[0])), (sample.image.shape[1] // 2, 20)]
    rows = [[marked(sample.image, points), segmenter(sample.image).overlay(legend=False)]]
    found = segmenter.look(sample.image).pairs
    for point in points:
        maps = [heat_map(sample.image, torch.from_numpy(pairs.at([point])[0]), low=0.0).picture for pairs in found]
        rows.append([marked(np.asarray(one), [point]) for one in maps])
    height, width = sample.image.shape[:2]
    sheet = Image.new("RGB", (2 * width + GAP, len(rows) * (height + GAP) - GAP), "white")
    for y, row in enumerate(rows):
        for x, picture in enumerate(row):
            sheet.paste(picture, (x * (width + GAP), y * (height + GAP)))
    sheet.save(out)


def marked(image: np.ndarray, points: list[tuple[int, int]]) -> Image.Image:
    """A picture with a ring around each point."""
    picture = Image.fromarray(image)
    draw = ImageDraw.Draw(picture)
    for x, y in points:
        draw.ellipse((x - RADIUS, y - RADIUS, x + RADIUS, y + RADIUS), outline="white", width=2)
    return picture


if __name__ == "__main__":
    torch.set_num_threads(1)
    main(*sys.argv[1:3])
