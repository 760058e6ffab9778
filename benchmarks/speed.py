"""How fast the networks are, against segmentation_models_pytorch and the released pipeline, in every form in which they run.

    python benchmarks/speed.py --threads 2                        the default set, about ten minutes on two cores
    python benchmarks/speed.py --only pan18 --size 512x512        one network, one size
    python benchmarks/speed.py --only train                       a training step, data loading included

Each network and size is a process of its own, which is ended when its time is up; what it said until then is kept. In it
all forms take turns: a round runs each once, with a matrix product of 2048 x 2048 between them, and the medians of the rounds
(at least 5) are compared. Peak memory is that of one pass in a fresh process, beyond what it held before. Exported forms
hold for one size here; their graphs end in logits, as the eager ones do. Weights are random, the picture is normalised noise.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

from speed_forms import BATCH, FORMS, PEAK, PEERS, make_folder, work

HERE = Path(__file__).resolve()
ROUNDS = 5
SMALL, LARGE = "512x512", "1024x2048"
NETWORKS = {
    "pan18": "PAN, ResNet-18",
    "pan18-32": "PAN, ResNet-18, 32 channels as smp's default",
    "pan50": "PAN, ResNet-50",
    "psanet50": "PSANet, ResNet-50",
    "dfdam18": "DF-DAM, ResNet-18",
}
DEFAULT = (
    ("pan18", SMALL),
    ("pan18-32", SMALL),
    ("pan50", SMALL),
    ("psanet50", SMALL),
    ("dfdam18", SMALL),
    ("pan18", LARGE),
)


def start(task: dict[str, Any], seconds: float) -> Iterator[dict[str, Any]]:
    """What a fresh process says, line by line, until it ends or its time is up."""
    environment = {**os.environ, "OMP_NUM_THREADS": str(task["threads"]), "CUDA_VISIBLE_DEVICES": ""}
    environment |= {"OPENVINO_TELEMETRY_OPT_OUT": "1", "NNCF_TELEMETRY_OPT_OUT": "1", "HF_HUB_OFFLINE": "1"}
    command = ["timeout", str(round(seconds)), sys.executable, str(HERE), "--task", json.dumps(task)]
    with tempfile.TemporaryFile("w+") as errors:
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, text=True, env=environment) as process:
            for line in process.stdout or ():
                if line.startswith("@"):
                    yield json.loads(line[1:])
        errors.seek(0)
        last = (errors.read().strip().splitlines() or ["without a word"])[-1]
    if process.returncode == 124:
        yield {"problem": f"not finished after {seconds:.0f} s"}
    elif process.returncode:
        yield {"problem": f"ended with {process.returncode}: {last[:160]}"}


def group(name: str, text: str, options: argparse.Namespace, folder: Path) -> list[str]:
    """The rows of one network at one size."""
    common = {"name": name, "size": text, "folder": str(folder), "threads": options.threads}
    found: dict[str, dict[str, Any]] = {}
    told: dict[str, Any] = {}
    for said in start({"what": "group", "rounds": options.rounds, **common}, options.limit):
        row = found.setdefault(said.pop("form"), {"seconds": []}) if "form" in said else told
        for key, value in said.items():
            row["seconds"].append(value) if key == "seconds" else row.__setitem__(key, value)
    for form in [] if options.no_memory else [form for form in found if form in FORMS and "problem" not in found[form]]:
        for said in start({"what": "memory", "form": form, **common}, options.limit):
            found[form] |= {"memory": said["memory"]} if said.get("memory") else {}
    peak = (
        2 * PEAK**3 / statistics.median(found["matmul"]["seconds"]) if found.get("matmul", {}).get("seconds") else None
    )
    lines = [f"\n## {NETWORKS[name]}, {text.replace('x', ' x ')}\n"]
    lines += [
        "| form | latency, s | rounds | times as fast as the peer's channels_last | share of matmul peak |"
        " batch of 4, pictures/s | peak memory, MB | differs |"
    ]
    lines.append("| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |")
    latency = {form: statistics.median(row["seconds"]) for form, row in found.items() if row["seconds"]}
    for form in FORMS:
        if form not in found:
            continue
        row, label = found[form], form.replace("peer", PEERS.get(name, "peer"))
        if form not in latency:
            lines.append(f"| {label} | {row.get('problem', 'no round was finished')} | | | | | | |")
            continue
        against = latency.get("peer channels_last")
        cells = [
            f"{latency[form]:.3f}",
            str(len(row["seconds"])),
            f"{against / latency[form]:.2f}" if against else "",
            f"{2 * told['macs'] / latency[form] / peak:.0%}"
            if peak and told.get("macs") and not form.startswith("peer")
            else "",
            f"{BATCH / row['batch']:.1f}" if "batch" in row else "",
            f"{row['memory'] / 1e6:.0f}" if "memory" in row else "",
            f"{row['differs']:.0e}" if "differs" in row else "",
        ]
        lines.append(f"| {label} | {' | '.join(cells)} |")
    if peak:
        lines.append(f"\nMatrix product of {PEAK} x {PEAK}: {peak / 1e9:.0f} GFLOP/s.")
    if "parts" in told:
        lines.append(
            "Where the time goes (ours, channels_last): " + ", ".join(f"{k} {v:.0%}" for k, v in told["parts"].items())
        )
    if "problem" in told:
        lines.append(f"\nThis group was {told['problem']}.")
    return lines


def training(options: argparse.Namespace, folder: Path) -> list[str]:
    """The rows of the training step; the sides take turns, twice."""
    data = folder / "pictures"
    make_folder(data)
    found: dict[str, list[float]] = {"ours": [], "theirs": []}
    problems = []
    for side in ("ours", "theirs") * 2:
        task = {"what": "train", "side": side, "folder": str(data), "threads": options.threads, "steps": options.steps}
        for said in start(task, options.limit):
            found[side].append(said["seconds"]) if "seconds" in said else problems.append(f"{side}: {said['problem']}")
    lines = ["\n## A training step, ResNet-18, 32 channels, 4 crops of 256 x 352, loading included\n"]
    lines += ["| side | seconds a step | ratio |", "| --- | ---: | ---: |"]
    best = {side: min(times) for side, times in found.items() if times}
    for side, label in (("theirs", "plain loop around smp.PAN"), ("ours", "attseg train")):
        ratio = f"{best['theirs'] / best[side]:.2f}" if "theirs" in best and side in best else ""
        lines.append(f"| {label} | {' and '.join(f'{t:.2f}' for t in found[side])} | {ratio} |")
    return lines + [f"\n{problem}" for problem in problems]


def main() -> None:
    """Start what was asked for, one after another, and write the table after each."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument(
        "--only", nargs="+", choices=[*NETWORKS, "train"], help="which networks, or train (default: a set)"
    )
    parser.add_argument("--size", nargs="+", help=f"HEIGHTxWIDTH (default: {SMALL}; PAN with ResNet-18 also {LARGE})")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--steps", type=int, default=16, help="of training")
    parser.add_argument("--limit", type=float, default=180, help="seconds for each process")
    parser.add_argument("--no-memory", action="store_true", help="leave peak memory out")
    parser.add_argument("--out", type=Path, help="Markdown file, written anew after each part")
    parser.add_argument("--task", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.task:
        work(json.loads(options.task))
        return
    chosen = [(name, size) for name, size in DEFAULT if (not options.only or name in options.only) and not options.size]
    if options.size:
        chosen = [(name, size) for name in options.only or NETWORKS if name != "train" for size in options.size]
    lines = [
        f"`python benchmarks/{HERE.name} {' '.join(sys.argv[1:])}`, {time.strftime('%Y-%m-%d')}, {options.threads} threads"
    ]
    with tempfile.TemporaryDirectory() as scratch:
        parts: list[Callable[[], list[str]]] = [
            partial(group, name, size, options, Path(scratch)) for name, size in chosen
        ]
        if not options.only or "train" in options.only:
            parts.append(partial(training, options, Path(scratch)))
        for part in parts:
            new = part()
            print("\n".join(new), flush=True)
            lines += new
            if options.out:
                options.out.write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
