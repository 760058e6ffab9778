"""Texts of every kind that is read: class tables, lists, recipes and lines of JSON, some of them wrong by themselves."""

import json

from attseg.recipes import RECIPES
from attseg.recipes.files import to_yaml
from attseg.recipes.recipe import Machine


def classes(rng):
    count = int(rng.integers(1, 12))
    numbers = rng.permutation(256)[:count].tolist()
    if rng.random() < 0.1:
        numbers[-1] = numbers[0]  # an index twice
    words = (
        "sky",
        "a road",
        '"a ""quoted"" one, with comma"',
        "void",
        "été",
        "<script>alert(1)</script>",
        "=1+1",
        "[red]",
    )
    lines = ["index,name,r,g,b,ignore"]
    for place, number in enumerate(numbers):
        word = words[rng.integers(len(words))]
        name = f'"{word[1:-1]} {place}"' if word.startswith('"') else f"{word} {place}" if rng.random() < 0.9 else word
        lines.append(f"{number},{name},{rng.integers(256)},{rng.integers(256)},{rng.integers(256)},{rng.integers(2)}")
    end = ("\n", "\r\n", "\r")[rng.integers(3)]
    text = end.join(lines).encode()
    return "classes.csv", (b"\xef\xbb\xbf" if rng.random() < 0.2 else b"") + text, None


def listed(rng):
    names = [f"2007_{number:06}" for number in rng.integers(10**6, size=rng.integers(1, 9))]
    style = ("{}", "/JPEGImages/{}.jpg /SegmentationClassAug/{}.png", "../../etc/{}.jpg", "{}.png")[rng.integers(4)]
    return "train.txt", "\n".join(style.format(name, name) for name in names).encode(), names


def recipe(rng):
    name = list(RECIPES)[rng.integers(len(RECIPES))]
    lines = to_yaml(RECIPES[name](), Machine()).splitlines()
    if rng.random() < 0.5:
        at = int(rng.integers(len(lines) + 1))
        lines.insert(at, HOSTILE[rng.integers(len(HOSTILE))])
    return "recipe.yaml", "\n".join(lines).encode(), None


HOSTILE = (
    "a: &a [1]",
    "source: *a",
    "<<: {steps: 1}",
    "name: !!python/object/apply:os.system ['touch CANARY']",
    "init: !!python/name:os.system",
    "class_path: os.system",
    "  class_path: subprocess.Popen",
    "steps: 99999999999999999999999999999",
    "steps: .inf",
    "loss: 1e999",
    "steps: 1_000",
    "? {a: b}",
    "%TAG ! tag:yaml.org,2002:python/",
    "--- ",
    "stepz: 1",
    "name: " + "x" * 3000,
    "a: " + "[" * 200,
    "crop_size: [1e400, -1]",
)
"""Lines that a recipe does not have: aliases, tags, importable names, unknown keys, numbers without end."""


def counts(rng):
    lines = [json.dumps({"format": 1, "protocol": "single"})]
    for index in range(int(rng.integers(5))):
        counts = {
            "pixels": {"kind": "int64", "shape": [2, 2], "at": [0, 3], "values": rng.integers(9, size=2).tolist()}
        }
        lines.append(json.dumps({"index": index, "name": f"street {index}", "counts": counts}))
    return "pictures.jsonl", "".join(line + "\n" for line in lines).encode(), None


def manifest(rng):
    """The entries of a manifest of predictions, one a line."""
    entries = [
        {"file": f"street {number}.png", "key": rng.bytes(8).hex(), "areas": {"sky": int(rng.integers(99))}}
        for number in range(int(rng.integers(1, 5)))
    ]
    return "manifest.jsonl", "".join(json.dumps(entry) + "\n" for entry in entries).encode(), entries
