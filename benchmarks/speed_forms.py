"""What ``speed.py`` measures: the networks, the forms in which they run, and what a process does with them."""

from __future__ import annotations

import json
import statistics
import time
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any

CLASSES, PEAK, BATCH = 21, 2048, 4
EXPORTED = ("ONNX Runtime", "OpenVINO", "OpenVINO bf16", "OpenVINO int8")
FORMS = ("peer eager", "peer channels_last", "eager", "channels_last", "compiled", *EXPORTED)
PEERS = {"pan18": "smp.PAN", "pan18-32": "smp.PAN", "pan50": "smp.PAN", "psanet50": "plain pipeline"}
Run = Callable[[Any], Any]


def say(**values: Any) -> None:
    """A line for the process that reads this one."""
    print("@" + json.dumps(values), flush=True)


def network(name: str, size: tuple[int, int], *, peer: bool = False) -> Any:
    """A network in evaluation mode with random weights; the peer of equal encoder, channels and classes."""
    import torch
    from torch import nn

    torch.manual_seed(0)
    encoder = "resnet18" if "18" in name else "resnet50"
    channels = 32 if name.endswith("-32") else 256
    if name.startswith("pan"):
        if not peer:
            from attseg import PAN

            model: nn.Module = PAN(CLASSES, encoder=encoder, channels=channels)
        else:
            import segmentation_models_pytorch as smp

            model = smp.PAN(encoder, encoder_weights=None, classes=CLASSES, decoder_channels=channels)
        return model.eval()
    if name == "dfdam18":
        from attseg import DFDAM

        return DFDAM(CLASSES, encoder=encoder).eval()
    from attseg import PSANet

    crop = tuple(side + 16 for side in size)  # a filter for every offset, so that both sides compute the same
    model = PSANet(CLASSES, encoder="resnet50s", even_dilation=True, crop_size=crop, align_corners=True).eval()
    if peer:
        make_plain(model)
    return model


def make_plain(model: Any) -> None:
    """Let PSA compute the scores of all offsets by a convolution, cut out each position's by a gather, and multiply."""
    from psa import plain

    def forward(self: Any, values: Any) -> Any:
        h, w = values.shape[2:]
        rows, columns = ((side - 1) // 2 for side in self.filters.shape[1:])
        inside = self.filters[:, rows - h + 1 : rows + h, columns - w + 1 : columns + w]
        return plain(values.contiguous(), self.adapt(values).contiguous(), inside, self.direction)

    for branch in model.context.psa.branches.values():
        branch.forward = types.MethodType(forward, branch)


def pictures(size: tuple[int, int], count: int = 1) -> Any:
    """Normalised noise."""
    import torch

    return torch.randn(count, 3, *size, generator=torch.Generator().manual_seed(1))


# The forms.


def build(form: str, name: str, size: tuple[int, int], folder: Path, threads: int) -> Run:
    """A form of a network, ready to be called with a batch."""
    import torch

    if form in EXPORTED:
        return exported(form, name, size, folder, threads)
    model = network(name, size, peer=form.startswith("peer"))
    last = form not in ("peer eager", "eager")
    if last:
        model = model.to(memory_format=torch.channels_last)
    call = torch.compile(model) if form == "compiled" else model

    def run(images: Any) -> Any:
        with torch.inference_mode():
            out = call(images.to(memory_format=torch.channels_last) if last else images)
        return out if form.startswith("peer") and name != "psanet50" else out.logits

    return run


def exported(form: str, name: str, size: tuple[int, int], folder: Path, threads: int) -> Run:
    """A form that another runtime computes; the file is made where it is not there yet."""
    file = folder / f"{name}-{size[0]}x{size[1]}.onnx"
    if not file.exists():
        export(name, size, file)
    if form == "ONNX Runtime":
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        session = onnxruntime.InferenceSession(str(file), options, providers=["CPUExecutionProvider"])
        return lambda images: session.run(None, {"images": images.numpy()})[0]
    import openvino

    core = openvino.Core()
    ready = file.with_suffix(".int8.xml" if form.endswith("int8") else ".onnx")
    if not ready.exists():
        quantise_file(file, ready, size)
    precision = "bf16" if form.endswith("bf16") else "f32"
    settings = {"INFERENCE_NUM_THREADS": threads, "INFERENCE_PRECISION_HINT": precision, "PERFORMANCE_HINT": "LATENCY"}
    compiled = core.compile_model(core.read_model(ready), "CPU", settings)
    return lambda images: compiled([images.numpy()])[0]


def export(name: str, size: tuple[int, int], file: Path) -> None:
    """As ``attseg export`` does it, for pictures of one size and any number."""
    from attseg.data.classes import ClassTable, distinct_colors
    from attseg.data.preprocessing import Preprocessing
    from attseg.export.formats import export_onnx
    from attseg.inference.exported.contract import Contract
    from attseg.inference.segmenter import Segmenter

    classes = ClassTable(tuple(map(str, range(CLASSES))), distinct_colors(CLASSES))
    segmenter = Segmenter(network(name, size), classes, Preprocessing(), device="cpu")
    export_onnx(segmenter, file, Contract(takes="floats", gives="logits", size=size))


def quantise_file(file: Path, ready: Path, size: tuple[int, int]) -> None:
    """As ``attseg export --int8`` does it, calibrated on noise."""
    import numpy as np
    import openvino

    from attseg.export.formats import save_openvino
    from attseg.export.quantise import quantise
    from attseg.inference.exported.engines import read_description

    floats = file.with_suffix(".xml")
    save_openvino(openvino.Core().read_model(file), floats, read_description(file).to_json())
    noise = [np.random.default_rng(seed).integers(0, 256, (*size, 3), np.uint8) for seed in range(4)]
    quantise(floats, ready, [lambda each=each: each for each in noise])  # type: ignore[misc]


# What a process does.


def measure_group(name: str, size: tuple[int, int], folder: Path, task: dict[str, Any]) -> None:
    """All forms of a network in turns."""
    import torch

    from attseg.profiling.count import profile

    threads = task["threads"]
    torch.set_num_threads(threads)
    say(macs=profile(network(name, size), size).total.multiply_adds)
    images, runs, seen = pictures(size), {}, {}
    for form in task["forms"]:
        if form.startswith("peer") and name not in PEERS:
            continue
        begin = time.perf_counter()
        try:
            runs[form] = build(form, name, size, folder, threads)
            for _ in range(2):
                seen[form] = torch.as_tensor(runs[form](images)).float()
        except Exception as error:
            runs.pop(form, None)
            say(form=form, problem=f"{type(error).__name__}: {str(error).strip().splitlines()[0][:160]}")
            continue
        say(form=form, setup=time.perf_counter() - begin)
        like = seen.get("peer eager") if name == "psanet50" else seen.get("eager")
        if like is not None and not (form.startswith("peer") and name != "psanet50"):
            say(form=form, differs=float((seen[form] - like).abs().max() / like.abs().max()))
    left, right = torch.randn(PEAK, PEAK), torch.randn(PEAK, PEAK)
    left @ right
    for _ in range(task["rounds"]):
        for form, run in runs.items():
            say(form="matmul", seconds=timed(lambda: left @ right))
            say(form=form, seconds=timed(lambda run=run: run(images)))
    if size[0] * size[1] <= 512 * 512:
        batch = pictures(size, BATCH)
        for form in (form for form in runs if form != "compiled"):
            say(form=form, batch=min(timed(lambda form=form: runs[form](batch)) for _ in range(2)))
    if task["parts"]:
        measure_parts(network(name, size).to(memory_format=torch.channels_last), images)


def timed(work: Callable[[], Any]) -> float:
    """Seconds."""
    begin = time.perf_counter()
    work()
    return time.perf_counter() - begin


def measure_parts(model: Any, images: Any) -> None:
    """Where the time of a pass goes, part by part; the rest is resizing the logits."""
    import torch

    spent: dict[str, list[float]] = {}
    begun: dict[str, float] = {}

    def watch(label: str, part: Any) -> None:
        part.register_forward_pre_hook(lambda *_: begun.__setitem__(label, time.perf_counter()))
        part.register_forward_hook(lambda *_: spent.setdefault(label, []).append(time.perf_counter() - begun[label]))

    for label in ("encoder", "context", "decoder", "head"):
        watch(label, getattr(model, label))
    watch("whole", model)
    with torch.inference_mode():
        for _ in range(4):
            model(images.to(memory_format=torch.channels_last))
    medians = {label: statistics.median(times[1:]) for label, times in spent.items()}
    whole = medians.pop("whole")
    say(parts={**{label: part / whole for label, part in medians.items()}, "rest": 1 - sum(medians.values()) / whole})


def measure_memory(form: str, name: str, size: tuple[int, int], folder: Path, threads: int) -> None:
    """Peak memory of the first pass; what was freed before is given back first, so that it is not taken for free."""
    import ctypes

    import torch

    from attseg.profiling.memory import growth

    torch.set_num_threads(threads)
    run, images = build(form, name, size, folder, threads), pictures(size)
    ctypes.CDLL(None).malloc_trim(0)
    say(form=form, memory=growth(lambda: run(images)))


def work(task: dict[str, Any]) -> None:
    """What a started process does."""
    folder, threads = Path(task["folder"]), task["threads"]
    height, width = (int(side) for side in task["size"].split("x"))
    if task["what"] == "memory":
        measure_memory(task["form"], task["name"], (height, width), folder, threads)
    else:
        measure_group(task["name"], (height, width), folder, task)
