"""Time and memory of networks and of point-wise attention on one device, in each number format; ``gpu.sh`` calls it.

    python benchmarks/gpu.py networks --device cuda --out TABLES/networks.md
    python benchmarks/gpu.py attention --device cuda --out TABLES/attention.md

Networks take turns, so that what else the machine does meets all alike; the time is the median of the repeats. Memory is the
peak of PyTorch's allocator on a GPU, and is not measured on a processor.
"""

from __future__ import annotations

import argparse
import platform
import statistics
import time
from collections.abc import Callable
from datetime import date
from functools import partial
from pathlib import Path

import segmentation_models_pytorch as smp
import torch
from psa import plain, tiled
from torch import Tensor, nn

from attseg.attention.pointwise import dense
from attseg.models import build_model

CLASSES = 19
ENCODER = "resnet50"
FORMATS = {"32": None, "bf16": torch.bfloat16, "fp16": torch.float16}


def main() -> None:
    """Write a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("networks", "attention"))
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--encoder", default=ENCODER)
    parser.add_argument("--size", type=int, default=513, help="side of the images, or of the maps for attention")
    parser.add_argument("--batch", type=int, default=4)
    parser.add_argument("--channels", type=int, default=512, help="of the maps for attention")
    parser.add_argument("--repeats", type=int, default=10)
    parser.add_argument("--compile", action="store_true", help="the networks through torch.compile too")
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()
    device = torch.device(args.device)
    rows = (networks if args.what == "networks" else attention)(args, device)
    heading = ("what", "format", "forward, ms", "forward and backward, ms", "peak memory, MiB")
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else platform.processor() or platform.machine()
    lines = [
        f"{name}, torch {torch.__version__}, {date.today().isoformat()}, "
        f"{torch.get_num_threads()} threads, batch {args.batch}, side {args.size}, median of {args.repeats}.",
        "",
        f"| {' | '.join(heading)} |",
        f"| --- | --- |{' ---: |' * 3}",
        *(f"| {' | '.join(row)} |" for row in rows),
    ]
    args.out.write_text("\n".join(lines) + "\n")
    print("\n".join(lines))


def networks(args: argparse.Namespace, device: torch.device) -> list[tuple[str, ...]]:
    """PAN, DF-DAM and PSANet, and segmentation-models-pytorch's PAN."""
    side = args.size - args.size % 32  # what smp takes
    images = torch.rand(args.batch, 3, side, side, device=device).contiguous(memory_format=torch.channels_last)
    made: dict[str, Callable[[], nn.Module]] = {
        "PAN": lambda: build_model("PAN", {"encoder": args.encoder}, CLASSES),
        "smp PAN": lambda: smp.PAN(args.encoder, encoder_weights=None, classes=CLASSES),
        "DFDAM": lambda: build_model("DFDAM", {"encoder": args.encoder}, CLASSES),
        "PSANet": lambda: build_model("PSANet", {"encoder": args.encoder, "crop_size": (side, side)}, CLASSES),
    }
    models = {name: make().to(device, memory_format=torch.channels_last) for name, make in made.items()}
    if args.compile:
        models |= {f"{name}, compiled": torch.compile(model) for name, model in models.items()}  # type: ignore[misc]

    def run(model: nn.Module, grad: bool) -> None:
        model.train(grad)
        output = model(images)
        if grad:
            (output if isinstance(output, Tensor) else output.logits).float().mean().backward()
            model.zero_grad(set_to_none=True)

    return _table({name: partial(run, model) for name, model in models.items()}, args, device)


def attention(args: argparse.Namespace, device: torch.device) -> list[tuple[str, ...]]:
    """Collect by the tiled, the dense and the plain form, on maps of a fixed number of channels."""
    size, channels = args.size, args.channels
    shapes = (
        (args.batch, channels, size, size),
        (args.batch, channels, size, size),
        (channels, 2 * size - 1, 2 * size - 1),
    )
    inputs = [torch.randn(shape, device=device).requires_grad_(True) for shape in shapes]

    def run(form: Callable[..., Tensor], grad: bool) -> None:
        output = form(*inputs)
        if grad:
            output.float().mean().backward()
            for tensor in inputs:
                tensor.grad = None

    forms = {
        "tiled": lambda *tensors: tiled(*tensors, "collect"),
        "dense": lambda *tensors: dense.point_attention(
            *tensors, direction="collect", normalize="softmax", outside="exclude"
        ),
        "plain": lambda *tensors: plain(*tensors, "collect"),
    }
    return _table({name: partial(run, form) for name, form in forms.items()}, args, device)


def _table(
    works: dict[str, Callable[[bool], None]], args: argparse.Namespace, device: torch.device
) -> list[tuple[str, ...]]:
    rows = []
    for form, dtype in FORMATS.items():
        if form == "fp16" and device.type != "cuda":
            continue
        found: dict[tuple[str, bool], list[float]] = {(name, grad): [] for name in works for grad in (False, True)}
        peaks, failed = {}, {}
        for repeat in range(args.repeats + 1):  # the first one warms up
            for (name, grad), times in found.items():
                if name in failed:
                    continue
                try:
                    seconds, peak = _timed(partial(works[name], grad), grad, dtype, device)
                except RuntimeError as error:  # most often memory
                    failed[name] = str(error).splitlines()[0][:60]
                    continue
                peaks[name] = max(peak, peaks.get(name, 0.0))
                if repeat:
                    times.append(1e3 * seconds)
        for name in works:
            if name in failed:
                rows.append((name, form, failed[name], "", ""))
                continue
            forward, both = (statistics.median(found[name, grad]) for grad in (False, True))
            memory = f"{peaks[name] / 2**20:.0f}" if device.type == "cuda" else ""
            rows.append((name, form, f"{forward:.1f}", f"{both:.1f}", memory))
    return rows


def _timed(
    work: Callable[[], None], grad: bool, dtype: torch.dtype | None, device: torch.device
) -> tuple[float, float]:
    """Seconds of a call, and bytes at its peak."""
    on_gpu = device.type == "cuda"
    if on_gpu:
        torch.cuda.synchronize(device)
        torch.cuda.reset_peak_memory_stats(device)
    began = time.perf_counter()
    with torch.set_grad_enabled(grad), torch.autocast(device.type, dtype, enabled=dtype is not None):
        work()
    if on_gpu:
        torch.cuda.synchronize(device)
    return time.perf_counter() - began, torch.cuda.max_memory_allocated(device) if on_gpu else 0.0


if __name__ == "__main__":
    main()
