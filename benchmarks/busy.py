"""How much slower work becomes when another process takes one of the cores: a training step, and PSA at 30 x 30.

    python benchmarks/busy.py                  about four minutes on two cores that are otherwise free
    python benchmarks/busy.py --threads 2 --rounds 3

One process has one thread, one has ``--threads`` that wait as OpenMP does by default, and one has as many that sleep where they
wait (``OMP_WAIT_POLICY=PASSIVE``, which ``attseg train`` sets). They take turns, first alone and then beside a process that
does nothing but count. PSA is forward and backward of both directions with 512 channels, as in ``psa.py``, also as the plain
pipeline.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median
from typing import Any

WHAT = ("a training step", "PSA, 30 x 30", "PSA as a plain pipeline")
FREE, TAKEN = "free", "one core taken"


def serve(threads: int, folder: Path) -> None:
    """What a started process does: for each line of its input, the seconds of each task."""
    import torch
    from machine import seconds
    from psa import inputs, plain, tiled
    from torch import Tensor
    from training_step import ours

    torch.set_num_threads(threads)
    sides = inputs(30, grad=True)

    def both(call: Any) -> None:
        total: Tensor = sum(  # type: ignore[assignment]
            call(*side, direction).sum() for side, direction in zip(sides, ("collect", "distribute"), strict=True)
        )
        total.backward()

    tasks = (ours(folder, "mix", "resnet18", (256, 352), "32", "none"), lambda: both(tiled), lambda: both(plain))
    for task in tasks:
        task(), task()
    print("ready", flush=True)
    for _ in sys.stdin:
        print(json.dumps([seconds(task) for task in tasks]), flush=True)


def main() -> None:
    """Measure and print one table in Markdown."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--serve", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.serve:
        serve(given.threads, given.serve)
        return
    from machine import describe
    from training_step import make_folder

    print(f"{describe()}\n")
    kinds = {
        "1 thread": (1, {}),
        f"{given.threads} threads": (given.threads, {}),
        f"{given.threads} threads that sleep": (given.threads, {"OMP_WAIT_POLICY": "PASSIVE"}),
    }
    found: dict[tuple[str, str], list[list[float]]] = {}
    with tempfile.TemporaryDirectory() as scratch:
        make_folder(Path(scratch))
        servers = {}
        for name, (threads, more) in kinds.items():
            environment = {**os.environ, **more, "OMP_NUM_THREADS": str(threads)}
            command = [sys.executable, __file__, "--threads", str(threads), "--serve", scratch]
            servers[name] = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
            )
            ask(servers[name], "")
        for state in (FREE, TAKEN):
            other = subprocess.Popen([sys.executable, "-c", "while True: pass"]) if state == TAKEN else None
            for _ in range(given.rounds):
                for name, server in servers.items():
                    found.setdefault((name, state), []).append(json.loads(ask(server, "go\n")))
            if other is not None:
                other.kill()
        for server in servers.values():
            server.kill()
    print(f"| task, threads | {FREE}, s | {TAKEN}, s | share of its speed |\n| --- | ---: | ---: | ---: |")
    for place, what in enumerate(WHAT):
        for name in kinds:
            free, taken = (median(one[place] for one in found[name, state]) for state in (FREE, TAKEN))
            print(f"| {what}, {name} | {free:.2f} | {taken:.2f} | {free / taken:.0%} |")


def ask(server: subprocess.Popen[str], text: str) -> str:
    """Send a line, or nothing, and wait for the answer."""
    assert server.stdin is not None and server.stdout is not None
    server.stdin.write(text)
    server.stdin.flush()
    answer = server.stdout.readline()
    if not answer:
        sys.exit("a process ended early")
    return answer


if __name__ == "__main__":
    main()
