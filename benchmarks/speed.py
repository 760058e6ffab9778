"""How fast the networks are, against segmentation_models_pytorch and the released pipeline, in every form in which they run.

    python benchmarks/speed.py --threads 2                        the default set, about ten minutes on two cores
    python benchmarks/speed.py --only pan18 --size 512x512        one network, one size
    python benchmarks/speed.py --only pan50 --size 1024x2048 --forms eager channels_last --results speed.json
    python benchmarks/speed.py --only none --results speed.json   the table of all that was collected in it

Each network and size is a process of its own, which is ended when its time is up; what it said until then is kept. In it
all forms take turns: a round runs each once, with a matrix product of 2048 x 2048 between them, and the medians of the rounds
(at least 5) are compared. Peak memory is that of one pass in a fresh process, beyond what it held before. Exported forms are
what ``attseg export --size --takes floats --gives logits`` writes. Weights are random, the picture is normalised noise.

``--results`` collects rows in a file, so that a long table can be measured in pieces. The peers run in every piece, and a row is
compared with those of its own.
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

from speed_forms import FORMS, PEAK, work
from speed_table import NETWORKS, as_markdown

HERE = Path(__file__).resolve()
ROUNDS = 5
SMALL, LARGE = "512x512", "1024x2048"
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


def group(name: str, text: str, options: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """What was found of one network at one size: rows by form, and what holds for all."""
    common = {"name": name, "size": text, "folder": str(folder), "threads": options.threads}
    forms = [form for form in FORMS if not options.forms or form in options.forms or form.startswith("peer")]
    rows: dict[str, dict[str, Any]] = {}
    told: dict[str, Any] = {}
    task = {"what": "group", "rounds": options.rounds, "forms": forms, "parts": not options.forms, **common}
    for said in start(task, options.limit):
        row = rows.setdefault(said.pop("form"), {"seconds": []}) if "form" in said else told
        for key, value in said.items():
            row["seconds"].append(value) if key == "seconds" else row.__setitem__(key, value)
    product = rows.pop("matmul", {"seconds": []})["seconds"]
    for form in [] if options.no_memory else [form for form in rows if "problem" not in rows[form]]:
        for said in start({"what": "memory", "form": form, **common}, options.limit):
            rows[form] |= {"memory": said["memory"]} if said.get("memory") else {}
    latency = {form: statistics.median(row["seconds"]) for form, row in rows.items() if row["seconds"]}
    for form, seconds in latency.items():
        rows[form]["latency"] = seconds
        rows[form]["faster"] = {peer: latency[peer] / seconds for peer in FORMS[:2] if peer in latency}
        if product:
            rows[form]["matmul"] = 2 * PEAK**3 / statistics.median(product)
    return {"rows": rows, "threads": options.threads, "date": time.strftime("%Y-%m-%d"), **told}


def collect(results: dict[str, Any], key: str, new: dict[str, Any]) -> None:
    """Put what was found where it belongs; rows of other forms, measured before, stay."""
    old = results.get(key, {})
    if "rows" in new:
        rows = {form: row for form, row in new["rows"].items() if "latency" in row or form not in old.get("rows", {})}
        new = {**old, **new, "rows": {**old.get("rows", {}), **rows}}
        if "problem" not in new or all("latency" in row or "problem" in row for row in new["rows"].values()):
            new.pop("problem", None)
    results[key] = new


def main() -> None:
    """Start what was asked for, one after another, and write the table after each."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--only", nargs="+", choices=[*NETWORKS, "none"], help="which networks (default: a set)")
    parser.add_argument("--size", nargs="+", help=f"HEIGHTxWIDTH (default: {SMALL}; PAN with ResNet-18 also {LARGE})")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--limit", type=float, default=180, help="seconds for each process")
    parser.add_argument("--no-memory", action="store_true", help="leave peak memory out")
    parser.add_argument(
        "--forms", nargs="+", choices=FORMS, metavar="FORM", help="these and the peers alone (default: all)"
    )
    parser.add_argument("--results", type=Path, help="JSON file to which rows are added; what it holds is shown again")
    parser.add_argument("--files", type=Path, help="where exported files are kept for the next call (default: nowhere)")
    parser.add_argument("--out", type=Path, help="Markdown file, written anew after each part")
    parser.add_argument("--task", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.task:
        work(json.loads(options.task))
        return
    only = options.only or [*NETWORKS]
    chosen = [(name, size) for name, size in DEFAULT if name in only and not options.size]
    if options.size:
        chosen = [(name, size) for name in only if name in NETWORKS for size in options.size]
    results: dict[str, Any] = {}
    if options.results and options.results.exists():
        results = json.loads(options.results.read_text())
    with tempfile.TemporaryDirectory() as scratch:
        folder = options.files or Path(scratch)
        folder.mkdir(parents=True, exist_ok=True)
        parts: list[tuple[str, Callable[[], dict[str, Any]]]] = [
            (f"{name} {size}", partial(group, name, size, options, folder)) for name, size in chosen
        ]
        for key, part in parts:
            collect(results, key, part())
            print(f"{key} is done", file=sys.stderr, flush=True)
            if options.results:
                options.results.write_text(json.dumps(results, indent=1))
            if options.out:
                options.out.write_text(as_markdown(results))
    print(as_markdown(results))


if __name__ == "__main__":
    main()
