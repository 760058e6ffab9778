"""Many clients at once, from a second process: what they may be told, and what it costs the server."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "explorer.py"


def press(clients, seconds):
    command = [sys.executable, str(SCRIPT), "load", "--json", "--encoder", "test_resnet"]
    numbers = ["--clients", str(clients), "--seconds", str(seconds)]
    done = subprocess.run(command + numbers, capture_output=True, text=True, timeout=600)
    assert done.stdout, done.stderr
    return json.loads(done.stdout), done.stderr


def check(found, said):
    assert found["failed"] == {}
    assert found["alive"]
    assert "Traceback" not in said
    statuses = {int(status) for kind in found["kinds"].values() for status in kind["statuses"]}
    assert statuses <= {200, 201, 204, 401, 403, 404, 422, 429, 503}
    assert {"click", "view", "upload", "refused", "look", "page"} <= set(found["kinds"])
    assert found["files"][1] < 2 * found["clients"] + 50
    assert found["threads"][1] <= found["threads"][0] + 2


@pytest.mark.slow
def test_fifty_clients_at_once():
    found, said = press(50, 4)
    check(found, said)
    assert found["rss_mib"]["most"] < found["rss_mib"]["first"] + 300


@pytest.mark.soak
def test_two_hundred_clients_for_a_minute():
    found, said = press(200, 60)
    print(json.dumps(found, indent=1))
    check(found, said)
    memory = found["rss_mib"]
    assert memory["last third"] < memory["second third"] * 1.05 + 10
