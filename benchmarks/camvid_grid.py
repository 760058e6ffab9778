"""CamVid from scratch at equal wall time: every model and the mixes, on ResNet-18 and on a modern encoder.

    python benchmarks/camvid_grid.py --root CAMVID --minutes 60 --seeds 2 --out RUNS
    python benchmarks/camvid_grid.py --root CAMVID --minutes 60 --only pan/resnet18,fcn/resnet18 --out RUNS
    python benchmarks/camvid_grid.py --root CAMVID --minutes 60 --out RUNS --dry-run

A few steps of each network are timed first, and each then gets as many steps as fit into the minutes, with its whole schedule:
so all take as long, and nobody is cut off. That holds on a machine which does nothing else meanwhile, above all while steps are
timed. Timings are kept in ``RUNS/rates.json``; on another machine, take another folder. Then each is trained
(``RUNS/NAME/seed-N``) and measured once, mirrored, and at five scales, with boundaries and intervals over pictures, and once on
the training pictures (``single.json`` and so on beside its weights). It is all done by ``attseg train`` and ``attseg evaluate``,
whose command lines are printed; what was broken off goes on, and what is done is not done again.
"""

from __future__ import annotations

import argparse
import csv
import json
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

ENCODERS = ("resnet18", "convnextv2_atto")
WIDE = {"output_stride": "32", "gau_kernel": "1", "channels": "256"}
NETWORKS: dict[str, tuple[str, str, dict[str, str]]] = {
    "fcn": ("fcn-camvid", "encoder", {}),
    "pan": ("pan-camvid", "encoder", {}),
    "psanet": ("psanet-camvid", "encoder", {}),
    "dfdam": ("dfdam-camvid", "encoder", {}),
    "a2r": ("a2r-camvid", "base_args.encoder", {}),
    "pan-32": ("pan-camvid", "encoder", WIDE),
    "mix-global-gau": ("pan-camvid", "encoder", {**WIDE, "context": "global"}),
    "mix-psa-gau": ("pan-camvid", "encoder", {**WIDE, "context": "psa"}),
    "mix-fpa-dafm": ("dfdam-camvid", "encoder", {"context": "fpa", "confidence": "none"}),
}
"""By name: a recipe, where its encoder is named, and what is changed of its network."""

PROTOCOLS = ("single", "single-flip", "csail-5scale")
ON_TRAIN = "train"
"""The pictures that it was trained on, seen once: what other light and other streets cost is between this and val."""

FROM_SCRATCH = ("--optim.lr", "1e-3")
"""What the recipes had before they began with pretrained encoders."""

BATCH = 8
TIMED = 10


def main() -> None:
    """Time, train and measure what is missing."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--root", type=Path, required=True, help="folder of CamVid")
    parser.add_argument("--minutes", type=float, required=True, help="of training, for each network")
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--only", help="as pan/resnet18,fcn/resnet18 (default: all)")
    parser.add_argument("--precision", default="bf16", choices=("32", "bf16", "fp16"))
    parser.add_argument("--workers", default="0")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument(
        "--dry-run", action="store_true", help="print the command lines alone, with STEPS for what is not timed"
    )
    arguments = parser.parse_args()
    known = [f"{network}/{encoder}" for encoder in ENCODERS for network in NETWORKS]
    names = arguments.only.split(",") if arguments.only else known
    if unknown := [name for name in names if name not in known]:
        raise SystemExit(f"there is no {', '.join(unknown)}; there are {', '.join(known)}")
    for seed in range(arguments.seeds):
        for name in names:
            _run(name, seed, arguments)


def _run(name: str, seed: int, arguments: argparse.Namespace) -> None:
    folder = arguments.out / name.replace("/", "-") / f"seed-{seed}"
    rate = _rate(name, arguments)
    steps = "STEPS" if rate is None else str(max(1, round(rate * 60 * arguments.minutes / BATCH)))
    if not (folder / "report.json").exists():
        line = [
            *_train(name, arguments),
            "--seed",
            str(seed),
            "--steps",
            steps,
            "--val_every",
            steps,
            "--out",
            str(folder),
        ]
        _call([*line, *_go_on(folder, "recipe.yaml")], arguments)
    for protocol in PROTOCOLS:
        _evaluate(folder, protocol, ["--protocol", protocol, "--boundary", "--interval"], arguments)
    _evaluate(folder, ON_TRAIN, ["--split", "train"], arguments)


def _evaluate(folder: Path, name: str, options: list[str], arguments: argparse.Namespace) -> None:
    """The report of an evaluation beside the weights, where there is none."""
    file, out = folder / f"{name}.json", folder / name
    if file.exists():
        return
    line = ["evaluate", str(folder / "last.safetensors"), *options, "--json", "--data.name", "camvid"]
    line += ["--data.root", str(arguments.root), "--machine.precision", arguments.precision]
    text = _call([*line, *_go_on(out, "pictures.jsonl"), "--out", str(out)], arguments)
    if text:
        file.write_text(text)


def _go_on(folder: Path, begun: str) -> list[str]:
    """What lets a command go on in a folder, where a file says that it was begun there."""
    return ["--resume"] if (folder / begun).exists() else []


def _rate(name: str, arguments: argparse.Namespace) -> float | None:
    """Pictures a second, of the fastest stretch of a few steps; None where it is not known and nothing is to be run."""
    file = arguments.out / "rates.json"
    rates: dict[str, float] = json.loads(file.read_text()) if file.exists() else {}
    if name not in rates:
        if arguments.dry_run:
            return None
        folder = arguments.out / "timing"
        shutil.rmtree(folder, ignore_errors=True)
        line = [*_train(name, arguments), "--steps", str(TIMED), "--val_every", str(TIMED), "--out", str(folder)]
        _call([*line, "--optim.warmup", "0"], arguments)
        with (folder / "metrics.csv").open() as opened:
            rates[name] = max(float(row["images_per_second"]) for row in csv.DictReader(opened))
        shutil.rmtree(folder)
        file.write_text(json.dumps(rates, indent=1) + "\n")
    return rates[name]


def _train(name: str, arguments: argparse.Namespace) -> list[str]:
    network, _, encoder = name.partition("/")
    recipe, where, changes = NETWORKS[network]
    line = ["train", recipe, "--data.root", str(arguments.root), f"--model.args.{where}", encoder]
    line += [f"--model.args.{where.replace('encoder', 'pretrained')}", "false", *FROM_SCRATCH]
    for key, value in changes.items():
        line += [f"--model.args.{key}", value]
    return [*line, "--machine.precision", arguments.precision, "--machine.workers", arguments.workers]


def _call(line: list[str], arguments: argparse.Namespace) -> str:
    """Run a command line of attseg and give what it prints; ends where it fails."""
    print(shlex.join(["attseg", *line]), flush=True)
    if arguments.dry_run:
        return ""
    return subprocess.run([sys.executable, "-m", "attseg", *line], check=True, stdout=subprocess.PIPE, text=True).stdout


if __name__ == "__main__":
    main()
