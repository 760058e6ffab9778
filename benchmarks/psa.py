"""How fast and how lean point-wise spatial attention is, against the plain pipeline in PyTorch operators.

    python benchmarks/psa.py time [--threads 1 2]       ratios at 30 x 30 and 60 x 60, interleaved, median of 5
    python benchmarks/psa.py small                      the dense form against the tiled one on small maps
    python benchmarks/psa.py growth --out growth.png    time and memory up to where the plain pipeline no longer fits

The plain pipeline is how the operator reads: a 1x1 convolution to the scores of all (2H - 1)(2W - 1) offsets, a gather that cuts
out the H x W of every position, a softmax over the sources, a matrix product. Both sides do collect and distribute, D = C = 512.
Peak memory is that of a fresh process, beyond its inputs: Linux's VmHWM after the run less VmRSS before it, outputs included.
"""

from __future__ import annotations

import argparse
import json
import re
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import torch
import torch.nn.functional as F
from machine import describe
from torch import Tensor, nn

from attseg.attention.pointwise import dense, point_attention
from attseg.attention.pointwise.module import PointwiseSpatialAttention

CHANNELS = 512
DIRECTIONS = ("collect", "distribute")
REPEATS = 5


def plain(values: Tensor, features: Tensor, filters: Tensor, direction: str) -> Tensor:
    """The operator as a pipeline of PyTorch's own operators."""
    n, _, height, width = values.shape
    y = torch.arange(height, device=values.device).repeat_interleave(width)
    x = torch.arange(width, device=values.device).repeat(height)
    offsets = (y[:, None] - y + height - 1) * (2 * width - 1) + x[:, None] - x + width - 1  # [p, q]: of p, seen from q
    scores = F.conv2d(features, filters.flatten(1).T[:, :, None, None]).flatten(2)  # (N, offsets, H*W)
    if direction == "collect":
        maps = scores.gather(1, offsets.expand(n, -1, -1))  # (N, sources, targets)
    else:
        maps = scores.transpose(1, 2).gather(2, offsets.T.expand(n, -1, -1))
    return torch.bmm(values.flatten(2), maps.softmax(1)).view_as(values)


def tiled(values: Tensor, features: Tensor, filters: Tensor, direction: str) -> Tensor:
    """Ours."""
    return point_attention(values, features, filters, direction=direction)


class PlainModule(PointwiseSpatialAttention):
    """The PSA module around the plain pipeline."""

    def forward(self, maps: Tensor) -> Tensor:
        """As in the module, with nothing shrunk."""
        attended = []
        for branch in self.branches.values():
            values = branch.reduce(maps)
            attended.append(plain(values, branch.adapt(values), branch.filters, branch.direction))
        return self.project(torch.cat(attended, 1))


def inputs(size: int, *, grad: bool) -> list[list[Tensor]]:
    """Values, features and filters of both directions."""
    draw = torch.Generator().manual_seed(0)
    shapes = (1, CHANNELS, size, size), (1, CHANNELS, size, size), (CHANNELS, 2 * size - 1, 2 * size - 1)
    sides = [[torch.randn(shape, generator=draw) for shape in shapes] for _ in DIRECTIONS]
    for side in sides:
        side[1].relu_()
        side[2].mul_(CHANNELS**-0.5)
        for tensor in side:
            tensor.requires_grad_(grad)
    return sides


def both(form: Callable[..., Tensor], sides: list[list[Tensor]], *, grad: bool) -> None:
    """Both directions, forward, and back where gradients are wanted."""
    outputs = [form(*side, direction) for side, direction in zip(sides, DIRECTIONS, strict=True)]
    if grad:
        torch.autograd.backward(outputs, [torch.ones_like(output) for output in outputs])
        for side in sides:
            for tensor in side:
                tensor.grad = None


def train_module(module: nn.Module, maps: Tensor) -> None:
    """Forward and backward of a whole PSA module."""
    module(maps).sum().backward()
    module.zero_grad(set_to_none=True)


def matmul_peak() -> float:
    """Multiply-adds and adds a second of one large product, in units of 1e9 (FLOP/s)."""
    a, b, c = torch.randn(2048, 2048), torch.randn(2048, 2048), torch.empty(2048, 2048)
    seconds = min(clock(lambda: torch.mm(a, b, out=c)) for _ in range(3))
    return 2 * 2048**3 / seconds / 1e9


def clock(work: Callable[[], object]) -> float:
    """Seconds of one call."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def interleaved(works: dict[str, Callable[[], object]], repeats: int = REPEATS) -> dict[str, list[float]]:
    """Seconds of each, taken in turns after a warm-up."""
    for work in works.values():
        work()
    taken: dict[str, list[float]] = {name: [] for name in works}
    for _ in range(repeats):
        for name, work in works.items():
            taken[name].append(clock(work))
    return taken


def time_table(threads: list[int], maps_of: list[int]) -> None:
    """Ratios of plain to tiled."""
    print("| threads | map | what | plain, s | tiled, s | ratio | share of matmul peak |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    for count in threads:
        torch.set_num_threads(count)
        for size in maps_of:
            for grad in (False, True):
                sides = inputs(size, grad=grad)
                works = {name: lambda f=f, s=sides, g=grad: both(f, s, grad=g) for name, f in FORMS.items()}
                works["peak"] = matmul_peak
                peaks: list[float] = []
                works["peak"] = lambda p=peaks: p.append(matmul_peak())
                taken = {name: statistics.median(seconds) for name, seconds in interleaved(works).items()}
                useful = 2 * 2 * size**4 * 2 * CHANNELS / taken["tiled"] / 1e9
                share = "" if grad else f"{useful / statistics.median(peaks):.0%}"
                row(count, size, "forward + backward" if grad else "forward", taken, share)
            options = {"reach": (size - 1, size - 1), "inner": CHANNELS, "shrink": 1}
            ours, theirs = PointwiseSpatialAttention(2048, **options), PlainModule(2048, **options)
            maps = torch.randn(1, 2048, size, size)
            works = {
                "plain": lambda m=theirs, x=maps: train_module(m, x),
                "tiled": lambda m=ours, x=maps: train_module(m, x),
            }
            taken = {name: statistics.median(seconds) for name, seconds in interleaved(works).items()}
            row(count, size, "PSA module, forward + backward", taken, "")


def row(threads: int, size: int, what: str, taken: dict[str, float], share: str) -> None:
    """Print a row of the table."""
    ratio = taken["plain"] / taken["tiled"]
    print(
        f"| {threads} | {size} x {size} | {what} | {taken['plain']:.3f} | {taken['tiled']:.3f} | {ratio:.2f} | {share} |",
        flush=True,
    )


def small_table() -> None:
    """Whether small maps want the dense form."""
    torch.set_num_threads(1)
    print("| map | dense, ms | tiled, ms | plain, ms |\n| --- | --- | --- | --- |")
    forms = {
        "dense": lambda *side: dense.point_attention(
            *side[:3], direction=side[3], normalize="softmax", outside="exclude"
        )
    }
    for size in (4, 8, 15, 22, 30):
        sides = inputs(size, grad=True)
        works = {name: lambda f=f, s=sides: both(f, s, grad=True) for name, f in (forms | FORMS).items()}
        taken = {name: 1e3 * statistics.median(seconds) for name, seconds in interleaved(works).items()}
        print(f"| {size} x {size} | {taken['dense']:.1f} | {taken['tiled']:.1f} | {taken['plain']:.1f} |", flush=True)


def one(form: str, size: int, grad: bool) -> dict[str, float]:
    """Seconds and peak memory (MB) of one run; to be called in a fresh process."""
    torch.set_num_threads(1)
    both(FORMS[form], inputs(12, grad=grad), grad=grad)
    sides = inputs(size, grad=grad)
    Path("/proc/self/clear_refs").write_text("5")
    before = memory("VmRSS")
    seconds = clock(lambda: both(FORMS[form], sides, grad=grad))
    return {"seconds": seconds, "megabytes": memory("VmHWM") - before}


def memory(field: str) -> float:
    """A figure of this process in MB."""
    found = re.search(rf"{field}:\s+(\d+) kB", Path("/proc/self/status").read_text())
    assert found
    return int(found[1]) * 1024 / 1e6


def growth(out: Path, largest: int) -> None:
    """Time and memory over the number of positions, each point in its own process."""
    print(
        "| map | what | plain, MB | tiled, MB | ratio | plain, s | tiled, s |\n| --- | --- | --- | --- | --- | --- | --- |"
    )
    points: dict[tuple[str, bool], list[tuple[int, dict[str, float]]]] = {}
    for size in (s for s in (15, 30, 45, 60, 90, 129, 180) if s <= largest):
        for grad in (False, True):
            found = {}
            for form in FORMS:
                command = [sys.executable, __file__, "one", form, str(size), *(["--grad"] if grad else [])]
                done = subprocess.run(command, capture_output=True, text=True, check=False)
                if done.returncode == 0:
                    found[form] = json.loads(done.stdout)
                    points.setdefault((form, grad), []).append((size, found[form]))
            p, t = found.get("plain"), found["tiled"]
            if p:
                ratio = p["megabytes"] / t["megabytes"]
                cells = f"{p['megabytes']:.0f} | {t['megabytes']:.0f} | {ratio:.1f} | {p['seconds']:.2f}"
            else:
                cells = f"does not fit | {t['megabytes']:.0f} | | "
            what = "forward + backward" if grad else "forward"
            print(f"| {size} x {size} | {what} | {cells} | {t['seconds']:.2f} |", flush=True)
    draw(points, out)


def draw(points: dict[tuple[str, bool], list[tuple[int, dict[str, float]]]], out: Path) -> None:
    """Memory and time over the side of the map, by form and whether there was a backward."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 3.6), layout="constrained")
    sides = sorted({size for found in points.values() for size, _ in found})
    panels = zip(figure.subplots(1, 2), ("megabytes", "seconds"), ("peak memory, MB", "seconds"), strict=True)
    for axes, key, label in panels:
        for (form, grad), found in points.items():
            xs, ys = zip(*((size, figures[key]) for size, figures in found), strict=True)
            color = "#c4553b" if form == "plain" else "#3b6fc4"
            name = f"{form}, forward{' + backward' if grad else ''}"
            axes.loglog(xs, ys, marker="o", markersize=4, color=color, linestyle="-" if grad else "--", label=name)
        axes.set_xticks(sides, [str(side) for side in sides])
        axes.minorticks_off()
        axes.set_xlabel("height and width of the map")
        axes.set_ylabel(label)
        axes.grid(alpha=0.3)
    axes.legend(fontsize=8)
    figure.savefig(out, dpi=110)


FORMS: dict[str, Callable[..., Tensor]] = {"plain": plain, "tiled": tiled}


def main() -> None:
    """Run what the command line names."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    verbs = parser.add_subparsers(dest="verb", required=True)
    timed = verbs.add_parser("time")
    timed.add_argument("--threads", type=int, nargs="+", default=[1])
    timed.add_argument("--maps", type=int, nargs="+", default=[30, 60], help="sides")
    verbs.add_parser("small")
    grown = verbs.add_parser("growth")
    grown.add_argument("--out", type=Path, default=Path("growth.png"))
    grown.add_argument("--largest", type=int, default=129)
    single = verbs.add_parser("one")
    single.add_argument("form", choices=FORMS)
    single.add_argument("size", type=int)
    single.add_argument("--grad", action="store_true")
    arguments = parser.parse_args()
    if arguments.verb == "time":
        print(f"{describe()}\n")
        time_table(arguments.threads, arguments.maps)
    elif arguments.verb == "small":
        small_table()
    elif arguments.verb == "one":
        print(json.dumps(one(arguments.form, arguments.size, arguments.grad)))
    else:
        growth(arguments.out, arguments.largest)


if __name__ == "__main__":
    main()
