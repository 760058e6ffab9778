"""Folders of pictures: attseg against a plain loop (open, forward, save), and what memory and a second run take.

Both sides have the same network with the same weights (the bundled one), and write the same label files, byte for byte in their
pixels but for ties; the script says in how many pixels they differ. They take turns. ``--many`` segments that many small
pictures in a process of its own, and looks at its memory on the way.

    python benchmarks/predict.py
    python benchmarks/predict.py --many 5000
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

import numpy as np
import psutil
import torch
from machine import describe
from PIL import Image

from attseg.bulk.images import predict_files
from attseg.data.classes import ClassTable, distinct_colors
from attseg.data.preprocessing import Preprocessing
from attseg.data.reading.inputs import Pictures
from attseg.inference.segmenter import Segmenter, load
from attseg.models import PAN

CASES = {
    "64 x 64": (200, 64, 64),
    "128 x 128": (100, 128, 128),
    "360 x 480": (24, 360, 480),
    "1024 x 2048": (3, 1024, 2048),
}
"""Pictures, and their height and width."""


def main() -> None:
    """Measure, and print tables in Markdown."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument(
        "--many", type=int, default=0, metavar="N", help="segment N small pictures, and look at the memory"
    )
    parser.add_argument(
        "--encoder", help="PAN on this encoder, untrained, with 19 classes, in place of the bundled network"
    )
    parser.add_argument("--sizes", nargs="+", choices=CASES, default=list(CASES))
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    segmenter = untrained(options.encoder) if options.encoder else load("demo", device="cpu")
    print(f"{describe()}\n")
    with tempfile.TemporaryDirectory() as scratch:
        if options.many:
            measure_memory(segmenter, Path(scratch), options.many)
            return
        heads = ["pictures", "attseg, 1/s", "one by one, 1/s", "plain loop, 1/s", "attseg / plain", "in processor time"]
        print(f"| {' | '.join([*heads, 'pixels that differ'])} |")
        print("| --- | ---: | ---: | ---: | ---: | ---: | ---: |")
        for name in options.sizes:
            count, height, width = CASES[name]
            folder = Path(scratch) / name.replace(" ", "")
            draw(folder, count, height, width)
            compare(segmenter, folder, name, count, options.rounds)


def untrained(encoder: str) -> Segmenter:
    """PAN with random weights."""
    torch.manual_seed(0)
    classes = ClassTable(tuple(f"class {number}" for number in range(19)), distinct_colors(19))
    return Segmenter(PAN(19, encoder=encoder), classes, Preprocessing(), device="cpu")


def draw(folder: Path, count: int, height: int, width: int) -> None:
    """Pictures of smooth noise, as JPEG."""
    folder.mkdir(parents=True)
    for number in range(count):
        coarse = np.random.default_rng(number).integers(0, 256, (6, 8, 3), np.uint8)
        Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC).save(folder / f"{number:05}.jpg")


@torch.inference_mode()
def plain(segmenter: Segmenter, folder: Path, out: Path) -> None:
    """What a short script does: one picture after another."""
    normalise: Preprocessing = segmenter.preprocessing
    (out / "labels").mkdir(parents=True)
    for path in sorted(folder.glob("*.jpg")):
        pixels = torch.from_numpy(np.array(Image.open(path).convert("RGB"))).permute(2, 0, 1)[None]
        labels = segmenter.model(normalise(pixels)).logits.argmax(dim=1)[0].byte().numpy()
        picture = Image.fromarray(labels)
        picture.putpalette(segmenter.classes.palette.tobytes())
        picture.save(out / "labels" / f"{path.stem}.png")


def compare(segmenter: Segmenter, folder: Path, name: str, count: int, rounds: int) -> None:
    """A row of the table."""
    sides: list[Callable[[Path], object]] = [
        lambda out: predict_files(segmenter, [folder], out, overlay=False),
        lambda out: predict_files(segmenter, [folder], out, overlay=False, batch=1),
        lambda out: plain(segmenter, folder, out),
    ]
    walls: list[list[float]] = [[], [], []]
    busy: list[list[float]] = [[], [], []]
    differing = 0
    for _ in range(rounds + 1):  # the first warms up
        with tempfile.TemporaryDirectory() as scratch:
            for number, side in enumerate(sides):
                wall, processor = time.perf_counter(), time.process_time()
                side(Path(scratch) / str(number))
                walls[number].append(time.perf_counter() - wall)
                busy[number].append(time.process_time() - processor)
            differing = sum(
                int((labels_of(Path(scratch) / "0", path) != labels_of(Path(scratch) / "2", path)).sum())
                for path in folder.glob("*.jpg")
            )
    rates = [count / median(times[1:]) for times in walls]
    ratio, processor = (
        median(other / ours for ours, other in zip(times[0][1:], times[2][1:], strict=True)) for times in (walls, busy)
    )
    print(
        f"| {count} of {name} | {' | '.join(f'{rate:.1f}' for rate in rates)} | {ratio:.2f} | {processor:.2f} | {differing} |"
    )


def labels_of(out: Path, picture: Path) -> np.ndarray:
    """The classes in a label file."""
    with Image.open(out / "labels" / f"{picture.stem}.png") as labels:
        return np.array(labels)


def measure_memory(segmenter: Segmenter, scratch: Path, count: int) -> None:
    """Segment many pictures, which are names of a few files, and say how large the process is on the way."""
    draw(scratch / "few", 20, 64, 64)
    (scratch / "many").mkdir()
    for number in range(count):
        (scratch / "many" / f"{number:07}.jpg").hardlink_to(scratch / "few" / f"{number % 20:05}.jpg")
    process = psutil.Process()
    sizes: dict[int, float] = {}

    def look(done: int, total: int, path: Path, problem: str | None) -> None:
        if done in marks:
            sizes[done] = process.memory_info().rss / 2**20

    marks = sorted({max(1, count * part // 10) for part in (1, 2, 4, 6, 8, 10)})
    start = time.perf_counter()
    found = Pictures([scratch / "many"])
    looked = time.perf_counter() - start
    start = time.perf_counter()
    predict_files(segmenter, [scratch / "many"], scratch / "out", on_file=look)
    first = time.perf_counter() - start
    start = time.perf_counter()
    again = predict_files(segmenter, [scratch / "many"], scratch / "out")
    second = time.perf_counter() - start
    print("| pictures done | memory of the process, MiB |\n| ---: | ---: |")
    for done, size in sizes.items():
        print(f"| {done} | {size:.0f} |")
    print(f"\nLooking {len(found)} up took {looked:.2f} s; segmenting them {first:.1f} s;", end=" ")
    print(f"a second run, which skipped {again.skipped}, {second:.1f} s.")


if __name__ == "__main__":
    main()
