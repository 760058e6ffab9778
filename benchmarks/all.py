"""All speed tables, one after another, each with the machine as it was then.

    python benchmarks/all.py --quick                 small sizes, one thread
    python benchmarks/all.py --quick --only sliding predict

Each table is that of the script of its name, which also has the full size. A ratio that fell is a regression; seconds say
little on a machine that others use.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).parent

QUICK = {
    "confusion": "--rounds 5",
    "transforms": "--rounds 5 --crops 2",
    "predict": "--threads 1 --rounds 3 --sizes",
    "sliding": "--threads 1 --rounds 3 --only pan-multiscale",
    "evaluation": "--threads 1 --rounds 5 --pictures 1 --size 240 320 --window 225",
    "psa": "time --threads 1 --maps 30",
    "training_step": "--threads 1 --rounds 3 --networks mix --encoders resnet18 --crops 256x352",
    "speed": "--threads 1 --only pan18 --size 256x256 --no-memory --forms",
}
"""Arguments of each script at small size."""

LISTS = {"predict": ["64 x 64", "128 x 128"], "speed": ["peer eager", "peer channels_last", "eager", "channels_last"]}
"""Names with spaces that follow them."""


def main() -> None:
    """Run the scripts."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--quick", action="store_true", help="small sizes; without it each script runs as it is by default"
    )
    parser.add_argument("--only", nargs="+", choices=QUICK, default=list(QUICK))
    given = parser.parse_args()
    environment = os.environ | ({"OMP_NUM_THREADS": "1"} if given.quick else {})
    failed = []
    for name in given.only:
        arguments = QUICK[name].split() + LISTS.get(name, []) if given.quick else ["time"] * (name == "psa")
        print(f"## {name}.py {' '.join(arguments)}\n", flush=True)
        start = time.monotonic()
        done = subprocess.run([sys.executable, str(HERE / f"{name}.py"), *arguments], check=False, env=environment)
        print(f"\n{time.monotonic() - start:.0f} s\n", flush=True)
        failed += [name] * (done.returncode != 0)
    if failed:
        sys.exit(f"failed: {', '.join(failed)}")


if __name__ == "__main__":
    main()
