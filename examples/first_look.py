"""Draw the README's picture: a scene, its labels, what the bundled model says, and the attention behind it.

Run it as ``python examples/first_look.py docs/first-look.png``.
"""

from __future__ import annotations

import sys
from pathlib import Path

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from attseg import capture, load
from attseg.data.paint import colorize
from attseg.data.scenes import Scenes
from attseg.explain.views import draw_map

SCENE, SIZE = 3, (256, 384)


def main(out: Path) -> None:
    """Write the picture."""
    segmenter = load("demo")
    sample = Scenes("val", size=SIZE)[SCENE]
    with capture(segmenter.model) as maps:
        result = segmenter(sample.image)
    pyramid = next(one for one in maps if one.kind == "spatial")
    gates = [one for one in maps if one.kind == "channel"]

    figure = Figure(figsize=(17, 2.9), layout="constrained")
    axes = figure.subplots(1, 5)
    panels = (
        ("picture", sample.image),
        ("labels", colorize(sample.labels, segmenter.classes)),
        ("prediction", colorize(result.labels, segmenter.classes)),
        ("where the feature pyramid attends", draw_map(pyramid, sample.image).picture),
    )
    for panel, (title, picture) in zip(axes, panels, strict=False):
        panel.imshow(picture)
        panel.set_title(title)
        panel.axis("off")
    for name, gate in zip(("stride 16", "stride 8", "stride 4"), gates, strict=True):
        axes[-1].plot(gate.weights.flatten().sort(descending=True).values, label=name)
    axes[-1].set_title("channel weights of the three upsamples, sorted")
    axes[-1].set_ylim(0, 1)
    axes[-1].legend(frameon=False)
    axes[-1].spines[["top", "right"]].set_visible(False)
    FigureCanvasAgg(figure).print_png(out, dpi=90)


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "first-look.png"))
