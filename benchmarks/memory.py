"""Peak memory of every model and of every protocol at 1024 x 2048, each in a process of its own, beyond what it held before.

    OMP_NUM_THREADS=1 python benchmarks/memory.py models          eager, and exported for ONNX Runtime
    OMP_NUM_THREADS=1 python benchmarks/memory.py protocols       of PAN with 19 and 150 classes, picture to labels
    OMP_NUM_THREADS=1 python benchmarks/memory.py psanet          PSANet by the size of the picture

Weights are random, encoders ResNet-18 unless another is given. Linux alone: it reads VmHWM.
"""

from __future__ import annotations

import argparse
import ctypes
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

SIZE = (1024, 2048)
MODELS = ("FCN", "PAN", "DFDAM", "PSANet", "AttentionToRefine")
PROTOCOLS = ("single", "single-flip", "pan-multiscale", "dfdam-multiscale", "csail-5scale", "psanet-sliding")
PROTOCOLS += ("psanet-multiscale",)
SIDES = (512, 713, 1024, 1449, 2048, 2897)


def network(name: str, encoder: str, classes: int) -> Any:
    """A network with random weights, channels innermost as ``attseg.load`` has it."""
    import torch

    from attseg.models import build_model

    torch.manual_seed(0)
    args = {"base_args": {"encoder": encoder}} if name == "AttentionToRefine" else {"encoder": encoder}
    return build_model(name, args, classes).eval().to(memory_format=torch.channels_last)


def eager(model: str, encoder: str, size: tuple[int, int]) -> Callable[[], object]:
    """A forward pass in PyTorch."""
    import torch

    net, images = network(model, encoder, 19), torch.randn(1, 3, *size)
    images = images.to(memory_format=torch.channels_last)

    def run() -> object:
        with torch.inference_mode():
            return net(images)

    with torch.inference_mode():
        net(images[..., :64, :64].contiguous(memory_format=torch.channels_last))
    return run


def exported(model: str, encoder: str, size: tuple[int, int]) -> Callable[[], object]:
    """A forward pass in ONNX Runtime of a file that takes any size."""
    import numpy as np
    import onnxruntime

    from attseg.data.classes import ClassTable, distinct_colors
    from attseg.data.preprocessing import Preprocessing
    from attseg.export.formats import export_onnx
    from attseg.inference.exported.contract import Contract
    from attseg.inference.segmenter import Segmenter

    classes = ClassTable(tuple(map(str, range(19))), distinct_colors(19))
    segmenter = Segmenter(network(model, encoder, 19), classes, Preprocessing(), device="cpu")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "model.onnx")
        export_onnx(segmenter, file, Contract(takes="floats", gives="logits"))
        session = onnxruntime.InferenceSession(str(file), options, providers=["CPUExecutionProvider"])
    images = np.random.default_rng(0).normal(size=(1, 3, *size)).astype(np.float32)
    return lambda: session.run(None, {"images": images})


def protocol(name: str, classes: int, size: tuple[int, int]) -> Callable[[], object]:
    """A picture to its labels, band by band."""
    import numpy as np
    import torch

    from attseg.data.preprocessing import Preprocessing
    from attseg.prediction.folded import fold_batch_norm
    from attseg.prediction.protocols import find_protocol
    from attseg.prediction.stream import Predictor

    net = fold_batch_norm(network("PAN", "resnet18", classes))
    found = find_protocol(name, data="cityscapes")
    predictor = Predictor(net, classes, Preprocessing(), torch.device("cpu"), found)
    image = np.random.default_rng(0).integers(0, 256, (*size, 3), np.uint8)
    predictor.labels(image[:64, :64])
    return lambda: predictor.labels(image)


def work(task: dict[str, Any]) -> None:
    """What a started process does: the peak beyond what was there, and the seconds."""
    from attseg.profiling.memory import growth

    kind, size = task.pop("kind"), tuple(task.pop("size"))
    run = {"eager": eager, "exported": exported, "protocol": protocol}[kind](**task, size=size)  # type: ignore[operator]
    ctypes.CDLL(None).malloc_trim(0)
    begin = time.process_time()
    print(json.dumps({"bytes": growth(run), "seconds": time.process_time() - begin}))


def measure(seconds: int, **task: Any) -> str:
    """A cell of a table: MB, or why there is none."""
    try:
        done = subprocess.run(
            [sys.executable, __file__, "--task", json.dumps(task)],
            capture_output=True,
            text=True,
            check=True,
            timeout=seconds,
        )
    except subprocess.TimeoutExpired:
        return f"not within {seconds} s"
    except subprocess.CalledProcessError as error:
        return (error.stderr.strip().splitlines() or [f"ended with {error.returncode}"])[-1][:100]
    return f"{json.loads(done.stdout.splitlines()[-1])['bytes'] / 1e6:.0f}"


def main() -> None:
    """Measure and print one table in Markdown."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("table", nargs="?", choices=("models", "protocols", "psanet"), default="models")
    parser.add_argument("--encoder", default="resnet18")
    parser.add_argument("--seconds", type=int, default=300, help="a process may take")
    parser.add_argument("--only", nargs="+", help="rows")
    parser.add_argument("--task", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.task:
        work(json.loads(given.task))
    elif given.table == "models":
        print("| model | eager, MB | ONNX Runtime, MB |\n| --- | ---: | ---: |")
        for name in given.only or MODELS:
            task = {"model": name, "encoder": given.encoder, "size": SIZE}
            cells = (measure(given.seconds, kind=kind, **task) for kind in ("eager", "exported"))
            print(f"| {name} | {' | '.join(cells)} |", flush=True)
    elif given.table == "protocols":
        print("| protocol | 19 classes, MB | 150 classes, MB |\n| --- | ---: | ---: |")
        for name in given.only or PROTOCOLS:
            cells = (measure(given.seconds, kind="protocol", name=name, classes=k, size=SIZE) for k in (19, 150))
            print(f"| `{name}` | {' | '.join(cells)} |", flush=True)
    else:
        print("| picture | MB |\n| --- | ---: |")
        for side in given.only or SIDES:
            cell = measure(given.seconds, kind="eager", model="PSANet", encoder=given.encoder, size=[int(side)] * 2)
            print(f"| {side} x {side} | {cell} |", flush=True)


if __name__ == "__main__":
    main()
