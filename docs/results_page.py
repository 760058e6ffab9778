"""Write the tables of ``results.md``, ``mix.md`` and the README from the records in ``benchmarks/results``: ``make docs``.

They stand between ``<!-- generated NAME -->`` and ``<!-- end -->``; the sentences around them are written by hand. Plots are
drawn anew where their record is another. With ``--check`` nothing is written, and the exit status says whether anything would
change.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from statistics import mean, stdev
from typing import Any

from results_camvid import classes, gains, scores
from results_causal import lines as causal_lines
from results_claims import STATEMENTS, pairs_of
from results_numbers import Mean, Network, Record, read

DOCS = Path(__file__).parent
README = DOCS.parent / "README.md"
PAGE = DOCS / "papers" / "results.md"
MIX = DOCS / "modules" / "mix.md"

TITLES = {
    "psanet:1": "PSANet, table 1: ways to gather context, at stride 8",
    "pan:1": "PAN, table 1: feature pyramid attention, at stride 16, logits resized",
    "pan:3": "PAN, table 3: the decoder, at stride 16, no context",
    "dfdam:1": "DF-DAM, table 1: what each module adds, at stride 32",
    "a2r:1": "Attention to Refine, table 1: ways to merge two image scales, at stride 8",
    "a2r:2": "Attention to Refine, table 2: what each module adds to attention-to-scale",
}
LATER = {
    "psanet:since": "Modules since, in PSANet's table",
    "psanet:readings": "What PSANet leaves open",
    "pan:readings": "What PAN leaves open",
    "dfdam:readings": "What DF-DAM leaves open",
    "a2r:readings": "What Attention to Refine leaves open",
}
"""Tables that no paper has; the first row of each, or the one named, is the paper's own as read here."""
OWN = {
    "psanet-small-both": "PSANet, both directions",
    "pan-small-pan": "PAN",
    "pan-small-gau": "PAN without FPA",
    "pan-small-gau-1x1": "PAN without FPA and with 1x1 GAU",
    "dfdam-small-dafm": "DF-DAM without 2DPAM",
    "dfdam-small-dafm-2dpam": "DF-DAM",
    "a2r-small-ours": "Attention to Refine",
}
MIXES = {
    "pan-32-scenes": "FPA and wide GAU, PAN's own parts (no mix)",
    "mix-psa-gau-scenes": "PSA and wide GAU",
    "mix-global-gau-scenes": "global pooling and wide GAU",
    "mix-fpa-dafm-scenes": "FPA and DAFM",
}
BEST, CONTROL = "mix-global-gau-scenes", "pan-32-scenes"
"""The mix that was chosen, and the network that differs from it in its context alone."""

WHERE = {
    "none": "no context: `directions []`",
    "global": "global pooling: `context global`",
    "nonlocal": "non-local: `context nonlocal`",
    "both": "PSA: `directions [collect, distribute]`",
}
WHERE_RULES = {
    "place": "rule: the best answer for each column",
    "scene": "rule: the best answer for each scene, the same for both things",
    "mean": "rule: the answer of the pair of scenes with the nearest mean colour",
}
"""Rows of ``where.json``: networks, and rules without one."""

SPLITS = {"miou": "val", "test_miou": "test"}
"""Scores of a run by split. Mixes were chosen on val; nothing was on test."""

SHOWN = (
    ("PSANet: both directions of PSA", "psanet-small-both", "psanet-small-baseline", "psanet:1"),
    ("ParseNet's global pooling in its place", "psanet-small-global", "psanet-small-baseline", "psanet:1"),
    ("PAN: FPA", "pan-small-c357-ave-gp", "pan-small-baseline", "pan:1"),
    ("PAN: GAU", "pan-small-gau", "pan-small-baseline", "pan:3"),
    ("DF-DAM: DAFM", "dfdam-small-dafm", "dfdam-small-sum", "dfdam:1"),
    ("DF-DAM: DAFM and 2DPAM", "dfdam-small-dafm-2dpam", "dfdam-small-sum", "dfdam:1"),
    ("Attention to Refine", "a2r-small-ours", "a2r-small-baseline", "a2r:1"),
)
"""Rows of the README's table: name, network, its baseline, and the table that has the paper's figures."""


def table(headings: Sequence[str], rows: Sequence[Sequence[str]], *, texts: int = 1) -> str:
    """Markdown; the first ``texts`` columns are words, the others numbers."""
    marks = ["---" if place < texts else "---:" for place in range(len(headings))]
    return "\n".join(f"| {' | '.join(row)} |" for row in (headings, marks, *rows))


def grid(record: Record) -> str:
    """Every table of the grid."""
    return tables(record, TITLES)


def later(record: Record) -> str:
    """Readings of the papers, and modules that came after them."""
    return tables(record, LATER, "####")


def tables(record: Record, titles: Mapping[str, str], mark: str = "###") -> str:
    """Every table that is named, under its title."""
    return "\n\n".join(f"{mark} {title}\n\n{rows_of(record, name)}" for name, title in titles.items())


def rows_of(record: Record, name: str) -> str:
    """A table of the grid."""
    lines = []
    for row in record.tables[name]:
        network = record.networks[row["network"]]
        base = record.networks.get(row["baseline"]) if row["baseline"] else None
        paper = (
            ""
            if base is None or None in (row["paper"], row["paper_baseline"])
            else f"{row['paper'] - row['paper_baseline']:+.1f}"
        )
        gain = network.minus(base) if base else None
        lines.append(
            [
                f"`{row['row']}`",
                row["printed"],
                paper,
                _text(network.score()),
                _text(gain, sign=True),
                record.pictures(network.name, base.name) if base else "",
                gain.verdict if gain else "",
                *(_text(network.score(probe), plain=True) for probe in ("context", "scale", "boundary")),
                *_costs(network),
                _seeds(network, record),
            ]
        )
    headings = ["row", "in the paper", "paper +/-", "mIoU", "+/-", "over pictures", "", "context", "scale", "boundary"]
    return table([*headings, "M", "G", "s", "seeds"], lines, texts=2)


def further(record: Record) -> str:
    """Differences between rows of a table neither of which is its baseline."""
    lines = []
    for title, one, other in record.further:
        rows = next(rows for rows in map(_by_network, record.tables.values()) if one in rows and other in rows)
        gain = record.networks[one].minus(record.networks[other])
        lines.append(
            [
                title,
                f"{rows[one]['paper'] - rows[other]['paper']:+.1f}",
                _text(gain, sign=True),
                record.pictures(one, other),
                gain.verdict if gain else "",
                str(gain.count) if gain else "0",
            ]
        )
    return table(["difference", "paper +/-", "+/-", "over pictures", "", "seeds"], lines)


def mixes(record: Record) -> str:
    """The mixes beside the papers' own networks, and every difference between the two, on val and on test."""
    lines = []
    for name, title in {**OWN, **MIXES}.items():
        network = record.networks[name]
        probes = (_text(network.score(probe), plain=True) for probe in ("context", "scale", "boundary"))
        scores = (_text(network.score(key)) for key in SPLITS)
        lines.append([title, _recipe(name), *scores, *probes, *_costs(network), _seeds(network, record)])
    headings = ["network", "recipe", "mIoU", "on test", "context", "scale", "boundary", "M", "G", "s", "seeds"]
    parts = [table(headings, lines, texts=2)]
    for key, split in SPLITS.items():
        parts += [f"On {split}:", differences(record, key), standing(record, key)]
    return "\n\n".join(parts)


def chosen(record: Record) -> str:
    """The best mix beside each of the papers' own: cost, and by how much it is above, on val and on test."""
    best = record.networks[BEST]
    lines = []
    for name, title in {**OWN, CONTROL: MIXES[CONTROL]}.items():
        other = record.networks[name]
        gains = [best.minus(other, key) for key in SPLITS]
        cells = [f"{gain.text(sign=True)} {gain.verdict}".strip() if gain else "" for gain in gains]
        seeds = str(gains[0].count) if gains[0] else "0"
        share = f"{best.multiply_adds / other.multiply_adds - 1:+.0%}"
        lines.append([title, *cells, seeds, f"{other.multiply_adds:.2f}", share])
    headings = ["mIoU above that of", "on val", "on test", "seeds", "its multiply-adds, G", "the mix takes"]
    scores = [_text(best.score(key)) for key in SPLITS]
    first = (
        f"The mix has {scores[0]} % mIoU on val and {scores[1]} % on test ({best.seeds} seeds), with "
        f"{best.multiply_adds:.2f} G multiply-adds a scene and {best.record['parameters'] / 1e6:.2f} M parameters."
    )
    return f"{first}\n\n{table(headings, lines)}"


def differences(record: Record, key: str) -> str:
    """By how much each mix is above each of the papers' own."""
    lines = []
    for name, title in MIXES.items():
        cells = []
        for own in OWN:
            gain = record.networks[name].minus(record.networks[own], key)
            pictures = f" ({record.pictures(name, own)})" if key == "miou" else ""
            cells.append(f"{gain.text(sign=True)}{pictures} {gain.verdict}".strip() if gain else "")
        lines.append([title, *cells])
    return table(["mIoU above that of", *OWN.values()], lines)


def standing(record: Record, key: str = "miou") -> str:
    """Of each mix, which networks it is above, which it is not known to be above, and which it is below."""
    lines = []
    for name, title in MIXES.items():
        network = record.networks[name]
        found: dict[str, list[str]] = {"more": [], "open": [], "less": [], "": []}
        for own, printed in OWN.items():
            gain = network.minus(record.networks[own], key)
            if gain is not None:
                found[gain.verdict].append(printed)
        words = {
            "more": "above",
            "open": "open against",
            "less": "below",
            "": "fewer than three seeds, no verdict, against",
        }
        parts = [f"{words[verdict]} {', '.join(names)}" for verdict, names in found.items() if names]
        lines.append(f"- **{title}**: {'; '.join(parts) or 'not run yet'}.")
    return "\n".join(lines)


def plan(record: Record) -> str:
    """What a step costs, and what follows for the grid."""
    grid_names = {row["network"] for name in TITLES for row in record.tables[name]}
    steps = {name: seconds for name in grid_names if (seconds := record.networks[name].step()) is not None}
    if not steps:
        return "No run is there yet."
    quick, slow = min(steps, key=lambda name: steps[name]), max(steps, key=lambda name: steps[name])
    about = record.about
    hours = sum(steps.values()) * about["steps"] * about["seeds"] / 3600
    done = sum(record.networks[name].seeds for name in grid_names)
    taken = sum(run["seconds"] for name in grid_names for run in record.networks[name].record["runs"]) / 3600
    return (
        f"A step of 8 scenes takes between {steps[quick]:.2f} s (`{quick}`) and {steps[slow]:.2f} s (`{slow}`) on one core in "
        f"bfloat16, in the fastest stretch of its logs. The grid is {len(grid_names)} networks: {about['seeds']} seeds of "
        f"{about['steps']} steps each would be {hours:.1f} hours of one core by those figures, half of that on two. "
        f"{done} of its {len(grid_names) * about['seeds']} runs are in the tables; they took {taken:.1f} hours of training, "
        "because the cores were shared."
    )


def claims(record: dict[str, Any]) -> str:
    """Every statement with its two numbers and its verdicts."""
    lines = []
    for statement in STATEMENTS:
        trained, untrained = (pairs_of(record, statement, kind) for kind in ("trained", "untrained"))
        verdicts, without = ([statement.verdict(pair) for pair in pairs.values()] for pairs in (trained, untrained))
        lines.append(
            [
                statement.text,
                f"`{statement.network}`",
                statement.measured,
                _each([pair.value for pair in trained.values()], statement.percent),
                statement.beside,
                _each([pair.other for pair in trained.values()], statement.percent),
                _count(verdicts),
                _count(without),
            ]
        )
    headings = ["a paper says", "network", "measured", "by seed", "beside it", "by seed", "trained", "untrained"]
    return table(headings, lines, texts=8)


def causal(records: dict[str, Any]) -> str:
    """Every explanation that was put to the test, with its two numbers."""
    headings = ["an explanation, and what follows", "measured", "by seed", "beside it", "by seed", "before training"]
    return table(headings, causal_lines(records), texts=6)


def where(record: dict[str, Any]) -> str:
    """The where probe: networks, and rules that know no place."""
    about, rules = record["about"], record["rules"]
    height, width = about["options"]["size"]
    lines = []
    for name, printed in WHERE.items():
        for steps in sorted({run["steps"] for run in record["networks"][name]}):
            runs = sorted(
                (run for run in record["networks"][name] if run["steps"] == steps), key=lambda run: run["seed"]
            )
            cells = [_spread([run[key] for run in runs]) for key in ("miou", "where_right", "car_or_boat")]
            by_seed = ", ".join(f"{run['car_or_boat']:.1f} (seed {run['seed']})" for run in runs)
            lines.append([printed, str(steps), *cells, by_seed])
    for name, printed in WHERE_RULES.items():
        lines.append([printed, "", "", "", f"{rules[name]:.1f}", ""])
    headings = ["network or rule", "steps", "mIoU", "probe, pixels right", "probe, car or boat", "by seed"]
    return (
        f"{about['pictures']} val scenes of {height} x {width}, {about['layout']}; batches of {about['batch_size']}, bfloat16; "
        f"{about['machine']}, commit {about['commit']}, {about['collected']}. Percent, mean ± standard deviation over seeds.\n\n"
        f"{table(headings, lines)}"
    )


def camvid(record: dict[str, Any]) -> str:
    """CamVid at equal wall time."""
    if not record["networks"]:
        return "None of these runs is done yet."
    about = record["about"]
    first = (
        f"{about['minutes']:g} minutes each by the timing of a few steps; {about['machine']}; commit {about['commit']}."
    )
    parts = [first, table(*scores(record)), "Differences on the same encoder, seen once:", table(*gains(record))]
    return "\n\n".join([*parts, "IoU of each class, seen once:", table(*classes(record))])


def single(record: list[dict[str, Any]]) -> str:
    """Runs that were done once."""
    rows = [
        [
            run["name"],
            f"`{run['recipe']}`" if run["recipe"] else run["what"],
            f"{run['miou']:.1f} %",
            f"{run['steps']}, {run['minutes']} min",
            str(run["seed"]),
            run["date"],
        ]
        for run in record
    ]
    return table(["what", "recipe", "mIoU", "steps, time on one core", "seed", "date"], rows, texts=2)


def shown(record: Record) -> str:
    """The README's table of mechanisms."""
    lines = []
    for title, name, base, where in SHOWN:
        row = next(row for row in record.tables[where] if row["network"] == name)
        one, other = record.networks[name], record.networks[base]
        gain = one.minus(other)
        paper = f"{row['paper'] - row['paper_baseline']:+.1f}"
        cost = f"{one.multiply_adds / other.multiply_adds - 1:+.0%}"
        lines.append([title, paper, _text(gain, sign=True), str(gain.count) if gain else "0", cost])
    return table(["mechanism", "paper, points", "here, points", "seeds", "multiply-adds"], lines)


def fill(file: Path, text: str, parts: dict[str, Callable[[], str]]) -> str:
    """A page with its generated parts as they should be."""
    for name, make in parts.items():
        pattern = re.compile(rf"(<!-- generated {name} -->\n).*?(<!-- end -->)", re.DOTALL)
        if not pattern.search(text):
            raise SystemExit(f"{file.name} has no place for {name}: <!-- generated {name} --> and <!-- end --> mark it")
        text = pattern.sub(lambda match, make=make: f"{match[1]}\n{make()}\n\n{match[2]}", text)
    return text


def pages() -> dict[Path, str]:
    """The pages as they should be."""
    scenes, measured, streets, runs = Record(read("scenes")), read("claims"), read("camvid"), read("runs")
    parts: dict[Path, dict[str, Callable[[], str]]] = {
        PAGE: {
            "plan": lambda: plan(scenes),
            "grid": lambda: grid(scenes),
            "later": lambda: later(scenes),
            "further": lambda: further(scenes),
            "mixes": lambda: mixes(scenes),
            "claims": lambda: claims(measured),
            "where": lambda: where(read("where")),
            "causal": lambda: causal({"causal": read("causal"), "claims": measured}),
            "camvid": lambda: camvid(streets),
            "single": lambda: single(runs),
        },
        MIX: {"chosen": lambda: chosen(scenes)},
        README: {"mechanisms": lambda: shown(scenes), "single": lambda: single(runs)},
    }
    return {file: fill(file, file.read_text(), named) for file, named in parts.items()}


def _by_network(rows: Sequence[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {row["network"]: row for row in rows}


def _text(value: Mean | None, *, sign: bool = False, plain: bool = False) -> str:
    if value is None:
        return ""
    return f"{value.value:.1f}" if plain else value.text(sign=sign)


def _spread(values: Sequence[float]) -> str:
    return f"{mean(values):.1f}" + (f" ± {stdev(values):.1f}" if len(values) > 1 else "")


def _each(values: Sequence[float], percent: bool) -> str:
    """The figures of the seeds, one after the other; once where they are alike."""
    texts = [f"{100 * value:.2f}" if percent else f"{value:.2f}" for value in values]
    return ", ".join(dict.fromkeys(texts) if len(set(texts)) == 1 else texts) + (" %" if percent and texts else "")


def _costs(network: Network) -> list[str]:
    step = network.step()
    return [
        f"{network.record['parameters'] / 1e6:.2f}",
        f"{network.multiply_adds:.2f}",
        "" if step is None else f"{step:.2f}",
    ]


def _seeds(network: Network, record: Record) -> str:
    wanted = record.about["seeds"]
    return str(network.seeds) if network.seeds >= wanted else f"{network.seeds} of {wanted}"


def _recipe(name: str) -> str:
    return f"`{name}`" if name in MIXES else ""


def _count(verdicts: Sequence[str]) -> str:
    found = [f"{verdicts.count(one)} {one}" for one in ("as said", "open", "opposite") if one in verdicts]
    return ", ".join(found)


def main() -> int:
    """Write the pages and the plots, or check them."""
    from results_plots import behind, draw

    check = "--check" in sys.argv
    stale = [file for file, text in pages().items() if text != file.read_text()]
    plots = behind()
    if not check:
        for file, text in pages().items():
            file.write_text(text)
        if plots:
            draw()
    print(f"changed: {', '.join([*(file.name for file in stale), *plots]) or 'nothing'}")
    return 1 if check and (stale or plots) else 0


if __name__ == "__main__":
    raise SystemExit(main())
