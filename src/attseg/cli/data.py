"""``attseg data``: look at a data set before anything is trained on it."""

from __future__ import annotations

import json
from argparse import Namespace
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

from attseg.cli.parser import Parser
from attseg.data.wording import plural
from attseg.errors import UsageError, unknown
from attseg.recipes.nested import put
from attseg.recipes.recipe import DataName, DataSpec
from attseg.recipes.values import settings

if TYPE_CHECKING:
    from attseg.data.checking.findings import Check, SplitSummary

TEXT = """\
check reads every file of a data set and names everything that is wrong with it: splits that are missing,
images without labels, sizes that differ, label values without a class, files that cannot be read. It ends
with what it assumed about the data. show draws samples beside their labels, as check does with --out.
download fetches a public data set (`attseg data download --help`).

A data set is a name (scenes, camvid, voc2012, sbd, ade20k, cityscapes, folder) with --data.root DIR; a folder
alone is one with images/, labels/ and classes.csv. Of a public data set, what is there is checked, and what is
missing of the release is said; that alone is nothing wrong."""

EXAMPLES = (
    "attseg data download camvid --data.root ~/data",
    "attseg data check ~/mine",
    "attseg data check camvid --data.root ~/data/camvid --json",
    "attseg data check voc2012 --data.root ~/data/voc --data.options.sbd ~/data/sbd",
    "attseg data show cityscapes --data.root ~/data/cityscapes --split val --out samples.png",
)

NAMES = get_args(DataName)
MOST_VALUES = 40
"""Values of label files that are printed, the most common ones."""

MOST_SHOWN = 5
"""Findings of one kind that are printed; all are in the JSON."""


def run(argv: Sequence[str]) -> int:
    """Check or show; ``download`` has a file of its own."""
    if argv[:1] == ["download"]:
        from attseg.cli import data_download

        return data_download.run(argv[1:])
    parser = Parser("data", TEXT, EXAMPLES)
    parser.add_argument("action", choices=("check", "show"), help="what to do")
    parser.add_argument("data", metavar="NAME|DIR", help="a data set, or a folder of your own")
    parser.add_argument("--data.root", dest="root", metavar="DIR", help="where the data set lies")
    parser.add_argument("--json", action="store_true", help="check: one JSON object on standard output")
    parser.add_argument("--split", help="show: which split (default: train, or the first that is there)")
    parser.add_argument("--count", type=int, default=4, metavar="N", help="show: how many samples (default: 4)")
    parser.add_argument(
        "--out",
        type=Path,
        metavar="FILE",
        help="where the samples are drawn (check: nowhere by default; show: runs/NAME-samples.png)",
    )
    parser.add_argument("--overwrite", action="store_true", help="replace files that attseg did not write")
    parser.add_settings("data", (setting for setting in settings(DataSpec, "data") if setting.key == "data.options"))
    arguments = parser.parse(argv)
    arguments.options = put({}, arguments.given).get("data", {}).get("options", {})
    if arguments.out is not None and arguments.out.suffix.lower() != ".png":
        raise UsageError(f"--out is {arguments.out}; samples are drawn as PNG: a name that ends in .png was expected")
    _name_data(arguments)
    return _check(arguments) if arguments.action == "check" else _show(arguments)


def _name_data(arguments: Namespace) -> None:
    """Read NAME|DIR as a name, or else as a folder of one's own data."""
    if arguments.data in NAMES:
        return
    if arguments.root is not None:
        raise unknown("data set", arguments.data, NAMES)
    if not Path(arguments.data).is_dir():
        raise UsageError(f"{unknown('data set', arguments.data, NAMES)}; nor is there a folder of this name")
    arguments.data, arguments.root = "folder", arguments.data


def _check(arguments: Namespace) -> int:
    from attseg.cli.output import progress_bar
    from attseg.data.checking.doctor import check

    with progress_bar() as bar:
        task = bar.add_task("reading", total=None)
        result = check(
            arguments.data,
            arguments.root,
            options=arguments.options,
            progress=lambda done, total: bar.update(task, completed=done, total=total),
        )
    if arguments.json:
        print(json.dumps(result.to_dict(), indent=2))
    else:
        _print(result)
    if result.ok and arguments.out:
        if arguments.split not in result.splits:  # not given, or the data set holds only a part
            arguments.split = next(split for split, summary in result.splits.items() if summary.pictures)
        picture = _draw(arguments, arguments.out)
        if not arguments.json:
            print(f"samples are drawn in {picture}")
    return 0 if result.ok else 1


def _show(arguments: Namespace) -> int:
    name = Path(arguments.root).resolve().name if arguments.root else arguments.data
    print(_draw(arguments, arguments.out or Path("runs", f"{name}-samples.png")))
    return 0


def _draw(arguments: Namespace, out: Path) -> Path:
    """Draw samples, and return the absolute path of the picture."""
    from attseg.data.checking.sheet import samples_picture
    from attseg.files import replacing
    from attseg.written import outputs

    options: dict[str, Any] = arguments.options
    picture = samples_picture(arguments.data, arguments.root, arguments.split, arguments.count, options=options)
    with outputs(out, overwrite=arguments.overwrite), replacing(out) as file:
        picture.save(file, "PNG")
    return out.absolute()


def _print(result: Check) -> None:
    """What each split holds, how often each class occurs, and what is wrong."""
    print(f"{result.name}{f' in {result.root}' if result.root else ''}")
    if result.splits:
        _print_splits(result.splits)
        _print_histogram(result)
    print()
    shown: Counter[tuple[str, str | None]] = Counter()
    for finding in result.findings:
        sort = finding.kind, finding.split
        shown[sort] += 1
        if shown[sort] <= MOST_SHOWN:
            print(f"{finding.severity}: {finding.message}")
    for (kind, split), count in shown.items():
        if count > MOST_SHOWN:
            print(
                f"and {count - MOST_SHOWN} more of the kind {kind!r}{f' in {split}' if split else ''} (--json lists all)"
            )
    if result.assumed:
        print(("\n" if result.findings else "") + "assumed about the data:")
        for about, text in result.assumed:
            print(f"  {about}: {text}")
    print(_verdict(result))


def _verdict(result: Check) -> str:
    """The last line: whether anything stands against training, and what."""
    errors = Counter(finding.kind for finding in result.findings if finding.severity == "error")
    if errors:
        kinds = ", ".join(f"{kind} ({count})" for kind, count in errors.most_common())
        return f"{plural(errors.total(), 'error')}, to be mended before training: {kinds}"
    if all(finding.severity == "note" for finding in result.findings):
        return "nothing is wrong"
    warnings = Counter(finding.kind for finding in result.findings if finding.severity == "warning")
    kinds = ", ".join(f"{kind} ({count})" for kind, count in warnings.most_common())
    return f"nothing stands against training; warnings: {kinds}"


def _print_splits(splits: dict[str, SplitSummary]) -> None:
    from attseg.cli.output import print_table

    rows = [
        (
            split,
            str(s.pictures) if s.released is None else f"{s.pictures:,} of {s.released:,}",
            _size(s.smallest),
            _size(s.largest),
            _share(s.ignored, s.values),
            _share(s.unknown, s.values),
        )
        for split, s in splits.items()
    ]
    print()
    print_table(("split", "pictures", "smallest", "largest", "ignored %", "unknown %"), rows)


def _print_histogram(result: Check) -> None:
    """Pixels of each class; where values have no class, or there is no table, pixels of each value in the files."""
    from attseg.cli.output import print_table

    splits = result.splits.values()
    if result.classes:
        rows = [
            (name, *(_share(s.pixels[index], s.pixels) for s in splits))
            for index, name in enumerate(result.classes.names)
            if any(s.pixels[index] for s in splits if s.pixels)
        ]
        print()
        print_table(("class", *(f"{split} %" for split in result.splits)), rows)
        if len(rows) < len(result.classes):
            print(f"({len(result.classes) - len(rows)} of {len(result.classes)} classes never occur)")
    if not result.classes or any(s.unknown for s in splits):
        found: Counter[int] = Counter()
        for summary in splits:
            found.update(summary.values)
        values = sorted(value for value, _ in found.most_common(MOST_VALUES))
        rows = [(str(value), *(_share(s.values.get(value, 0), s.values) for s in splits)) for value in values]
        print()
        print_table(("value", *(f"{split} %" for split in result.splits)), rows)
        if len(found) > len(values):
            print(f"(the {len(values)} most common of {len(found)} values; --json lists all)")


def _share(part: int, counts: dict[int, int] | list[int]) -> str:
    total = sum(counts.values() if isinstance(counts, dict) else counts)
    return f"{100 * part / total:.2f}" if total else "-"


def _size(size: tuple[int, int] | None) -> str:
    return f"{size[0]} x {size[1]}" if size else "-"
