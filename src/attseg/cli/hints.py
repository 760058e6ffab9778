"""Hints for options that do not exist: the option that is meant, or how the same is done here."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from difflib import get_close_matches

from attseg.errors import UsageError
from attseg.text import LONGEST_NAME, cut

OTHER_NAMES = {
    **dict.fromkeys(("backbone", "encoder"), "model.args.encoder"),
    **dict.fromkeys(("arch", "architecture", "model", "net", "network"), "model.name"),
    **dict.fromkeys(
        ("img", "imgsz", "img-size", "image-size", "input-size", "crop", "resolution", "size"), "crop_size"
    ),
    **dict.fromkeys(("iters", "iterations", "max-iters", "max-steps"), "steps"),
    **dict.fromkeys(("checkpoint", "ckpt", "finetune", "from", "load-from", "weights"), "init"),
    **dict.fromkeys(("resume-from", "continue"), "resume"),
    **dict.fromkeys(("output", "output-dir", "project", "save-dir"), "out"),
    **dict.fromkeys(("gpus", "n-gpu", "num-gpus", "nproc"), "machine.devices"),
    **dict.fromkeys(("accelerator", "cpu", "cuda", "gpu", "no-cuda"), "device"),
    **dict.fromkeys(("data", "dataset", "data-dir", "data-path", "path"), "data.root"),
    **dict.fromkeys(("learning-rate", "lr0"), "optim.lr"),
    **dict.fromkeys(("amp", "fp16", "bf16", "half"), "machine.precision"),
    **dict.fromkeys(("batch", "batch-size", "bs"), "batch_size"),
    **dict.fromkeys(("epoch", "max-epochs", "num-epochs"), "epochs"),
    **dict.fromkeys(("early-stopping", "early-stop"), "patience"),
    **dict.fromkeys(("logger", "log-dir", "tensorboard", "wandb"), "log"),
    "num-workers": "machine.workers",
    **dict.fromkeys(("criterion", "loss"), "loss.terms"),
    **dict.fromkeys(("conf", "conf-thres"), "threshold"),
    "class-weight": "loss.weights",
    "optimizer": "optim.name",
    "pretrained": "model.args.pretrained",
    "save-period": "machine.save_every",
    "wd": "optim.weight_decay",
}
"""Common names of options in other tools, and arguments of models that are options below ``--model.args``."""

ELSEWHERE = {
    "batch_size": "batch",
    "machine.precision": "precision",
    "machine.device": "device",
    "machine.devices": "device",
}
"""Options of other verbs for the same thing."""

RUN_FIRST = "the model is an argument, not an option: attseg VERB RUN .."
AS_THEY_ARE = (
    "pictures are taken at their own size; --window N sees them in windows, --scales 0.5,1,1.5 at several scales"
)
FROM_DATA = "classes come from the data set: classes.csv in its folder (attseg data check DIR)"
FLIP_AND_SCALES = "--flip and --scales 0.75,1,1.25 average over views of each picture"
WAYS = {
    (
        "train",
        "scheduler",
    ): "the learning rate always falls by a power of what is left of the run: --optim.power, --optim.warmup",
    ("train", "num-classes"): FROM_DATA,
    ("train", "classes"): FROM_DATA,
    ("train", "ignore-index"): "255 in label files is ignored; classes.csv says what the other values mean",
    (
        "train",
        "threads",
    ): "the environment variable OMP_NUM_THREADS sets threads; --machine.workers N processes load data",
    ("train", "val-split"): "--data.options.split 0.8 trains on four fifths of the pictures and validates on the rest",
    ("train", "overwrite"): "a run is never replaced: choose another folder (--out), or go on with it (--resume)",
    ("train", "exist-ok"): "a run is never replaced: choose another folder (--out), or go on with it (--resume)",
    ("predict", "source"): "pictures are arguments: attseg predict RUN PICTURES --out DIR",
    ("predict", "overlay"): "overlays are written unless --no-overlay is given",
    ("evaluate", "metric"): "mIoU, IoU and accuracy are always there; --boundary, --calibration and --sizes add more",
    ("export", "dynamic"): "files take images of any size unless --size HxW is given",
    ("export", "imgsz"): "files take images of any size unless --size HxW is given",
    **{
        (verb, name): RUN_FIRST
        for verb in ("predict", "evaluate", "explain", "explore", "export")
        for name in ("weights", "model", "ckpt", "checkpoint")
    },
    **{
        (verb, name): AS_THEY_ARE
        for verb in ("predict", "evaluate")
        for name in ("img", "imgsz", "img-size", "image-size", "crop", "size")
    },
    **{(verb, name): FLIP_AND_SCALES for verb in ("predict", "evaluate") for name in ("tta", "augment")},
}
"""How a thing is done, by verb and option, where no option is meant."""

CLOSE = 0.7
"""Similarity from which a misspelt name is recognised."""


def unknown_option(given: str, names: Sequence[str], verb: str) -> UsageError:
    """The error for an option that does not exist.

    Args:
        given: As typed.
        names: Those that there are.
        verb: What is typed before, such as ``attseg train``.
    """
    said = f"there is no option {cut(given, LONGEST_NAME)!r}"
    more = f"`{verb} --help` lists them"
    name = _plain(given)
    if way := WAYS.get((verb.split()[1], name)):
        return UsageError(f"{said}: {way.replace('VERB', verb.split()[1])}. {more}")
    near = next(_meant(name, names), None)
    return UsageError(f"{said}; did you mean {near!r}? {more}" if near else f"{said}. {more}")


def _meant(name: str, names: Sequence[str]) -> Iterator[str]:
    """Options that may be meant, the most probable first."""
    part = name.rpartition(".")[2]
    for other in filter(None, (OTHER_NAMES.get(name), OTHER_NAMES.get(part))):
        for known in (f"--{other}", f"--{ELSEWHERE.get(other, '')}"):
            if known in names or (known.startswith("--model.args.") and "--model.args" in names):
                yield known
    last = {_plain(known).rpartition(".")[2]: known for known in names}
    for exact in (name, part):
        if exact in last:
            yield last[exact]
    whole = {_plain(known): known for known in names}
    for table in (whole, last):
        for near in get_close_matches(name[:LONGEST_NAME], table, n=1, cutoff=CLOSE):
            yield table[near]


def _plain(option: str) -> str:
    return option.lstrip("-").replace("_", "-").lower()
