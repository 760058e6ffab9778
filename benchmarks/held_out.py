"""Runs on generated scenes are measured on scenes that nothing was chosen on: the split ``test``.

    python benchmarks/held_out.py RUNS/mix/* RUNS/small/pan-small-pan

Each folder holds ``seed-N``; what is found goes to ``seed-N/reproduced/test.json``, from where ``collect.py`` takes it. The
weights after the last step count, as on val. What is measured already is left alone.
"""

from __future__ import annotations

import argparse
import shlex
import subprocess
import sys
from pathlib import Path

from collect import TEST

from attseg.files import replacing


def main() -> None:
    """Measure what is missing."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("networks", nargs="+", type=Path, metavar="FOLDER")
    parser.add_argument("--precision", default="bf16", choices=("32", "bf16", "fp16"))
    arguments = parser.parse_args()
    for run in (run for folder in arguments.networks for run in sorted(folder.glob("seed-*"))):
        file = run / TEST
        if file.exists() or not file.parent.is_dir():  # without that folder, its training has not ended
            continue
        line = ["evaluate", str(run / "last.safetensors"), "--split", "test", "--json"]
        line += ["--machine.precision", arguments.precision, "--machine.workers", "0", "--out", str(run / "test")]
        print(shlex.join(["attseg", *line]), flush=True)
        done = subprocess.run([sys.executable, "-m", "attseg", *line], check=True, stdout=subprocess.PIPE)
        with replacing(file) as opened:
            opened.write(done.stdout)


if __name__ == "__main__":
    main()
