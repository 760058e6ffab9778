"""How long the explorer takes from a click to the picture of it, and what 200 clients at once do to it.

The server runs in a process of its own (``attseg explore``), the browser or the clients in others, on the loopback. Models have
random weights, for what a click costs does not depend on them. Clicks are measured in Chromium, which playwright drives.

    python benchmarks/explorer.py clicks
    python benchmarks/explorer.py load --clients 200 --seconds 60
    python benchmarks/explorer.py load --clients 50 --seconds 4 --json
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import tempfile
from pathlib import Path

from explorer_clicks import measure_clicks, print_clicks
from explorer_load import press, print_load
from explorer_server import make_run, served

MODELS = ("PAN", "PSANet", "DFDAM", "AttentionToRefine")


def main() -> int:
    """Measure, and print a table or JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("clicks", "load"))
    parser.add_argument("--clients", type=int, default=200)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--encoder", default="resnet18", help="of the models")
    parser.add_argument("--repeats", type=int, default=3, help="how often the clicks are made")
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        if args.what == "clicks":
            with served([make_run(Path(folder) / name, name, args.encoder) for name in MODELS]) as server:
                clicks = measure_clicks(server, MODELS, args.repeats)
            print(json.dumps(clicks)) if args.json else print_clicks(clicks)
            return 0
        with served(["demo", make_run(Path(folder) / "psanet", "PSANet", args.encoder)]) as server:
            found = asyncio.run(press(server, args.clients, args.seconds))
    print(json.dumps(found)) if args.json else print_load(found)
    return 1 if found["failed"] else 0


if __name__ == "__main__":
    sys.exit(main())
