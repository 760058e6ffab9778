"""The tables of what ``speed.py`` found, in Markdown."""

from __future__ import annotations

from typing import Any

from speed_forms import BATCH, FORMS, PEAK, PEERS

NETWORKS = {
    "pan18": "PAN, ResNet-18",
    "pan18-32": "PAN, ResNet-18, 32 channels as smp's default",
    "pan50": "PAN, ResNet-50",
    "psanet50": "PSANet, ResNet-50",
    "dfdam18": "DF-DAM, ResNet-18",
}


def as_markdown(results: dict[str, Any]) -> str:
    """A section for each network and size."""
    lines: list[str] = []
    order = [f"{name} " for name in NETWORKS]
    for key in sorted(results, key=lambda key: order.index(key.split()[0] + " ")):
        lines += _group(*key.split(), results[key])
    return "\n".join(lines).strip() + "\n"


def _group(name: str, size: str, found: dict[str, Any]) -> list[str]:
    rows, peer = found["rows"], PEERS.get(name, "peer")
    lines = [f"\n## {NETWORKS[name]}, {size.replace('x', ' x ')}\n"]
    against = [form for form in FORMS[:2] if form in rows]
    heads = ["form", "latency, s", "rounds", *(f"times as fast as {form.replace('peer', peer)}" for form in against)]
    heads += ["share of matmul peak", f"batch of {BATCH}, pictures/s", "peak memory, MB", "differs"]
    lines += [f"| {' | '.join(heads)} |", f"| --- |{' ---: |' * (len(heads) - 1)}"]
    for form in (form for form in FORMS if form in rows):
        row, label = rows[form], form.replace("peer", peer)
        if "latency" not in row:
            lines.append(f"| {label} | {row.get('problem', 'no round was finished')} |{' |' * (len(heads) - 2)}")
            continue
        cells = [f"{row['latency']:.3f}", str(len(row["seconds"]))]
        cells += [f"{row['faster'][form]:.2f}" if form in row["faster"] else "" for form in against]
        known = "matmul" in row and "macs" in found and not form.startswith("peer")
        cells.append(f"{2 * found['macs'] / row['latency'] / row['matmul']:.0%}" if known else "")
        cells.append(f"{BATCH / row['batch']:.1f}" if "batch" in row else "")
        cells.append(f"{row['memory'] / 1e6:.0f}" if "memory" in row else "")
        cells.append(f"{row['differs']:.0e}" if "differs" in row else "")
        lines.append(f"| {label} | {' | '.join(cells)} |")
    peaks = [row["matmul"] / 1e9 for row in rows.values() if "matmul" in row]
    say = f"{found['date']}, {found['threads']} threads"
    if peaks:
        say += f"; a matrix product of {PEAK} x {PEAK} ran at {min(peaks):.0f} to {max(peaks):.0f} GFLOP/s"
    if "macs" in found:
        say += f"; a pass of ours has {found['macs'] / 1e9:.1f} G multiply-adds"
    lines.append(f"\n{say}.")
    if "parts" in found:
        parts = ", ".join(f"{label} {share:.0%}" for label, share in found["parts"].items())
        lines.append(f"Where the time goes (ours, channels_last): {parts}.")
    if "problem" in found:
        lines.append(f"\nThis group was {found['problem']}.")
    return lines
