"""Draw the README's picture: two scenes, their labels, what the bundled model says, and the attention behind it.

Run it as ``python examples/first_look.py docs/pictures/first-look.png``.
"""

from __future__ import annotations

import sys
from pathlib import Path

from matplotlib.figure import Figure

from attseg import capture, load
from attseg.data.paint import colorize
from attseg.data.sets.scenes import Scenes
from attseg.explain.views import draw_map

SCENES, SIZE = (1, 2), (160, 320)


def main(out: Path) -> None:
    """Write the picture."""
    segmenter = load("demo")
    figure = Figure(figsize=(17, 3.6), layout="constrained")
    rows = figure.subplots(len(SCENES), 5)
    for axes, scene in zip(rows, SCENES, strict=True):
        sample = Scenes("val", size=SIZE)[scene]
        with capture(segmenter.model) as maps:
            result = segmenter(sample.image)
        pyramid, *gates = maps
        pictures = (
            sample.image,
            colorize(sample.labels, segmenter.classes),
            colorize(result.labels, segmenter.classes),
            draw_map(pyramid, sample.image).picture,
        )
        for panel, picture in zip(axes, pictures, strict=False):
            panel.imshow(picture)
            panel.axis("off")
        for name, gate in zip(("stride 16", "stride 8", "stride 4"), gates, strict=True):
            axes[-1].plot(gate.weights.flatten().sort(descending=True).values, label=name)
        axes[-1].set_ylim(0, 1)
        axes[-1].set_xticks([])
        axes[-1].spines[["top", "right"]].set_visible(False)
    titles = ("picture", "labels", "prediction", "where the pyramid attends (FPA)", "channel weights, sorted (GAU)")
    for panel, title in zip(rows[0], titles, strict=True):
        panel.set_title(title)
    rows[0, -1].legend(frameon=False)
    figure.savefig(out, dpi=100)


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "first-look.png"))
