"""``attseg data``: look at a data set before anything is trained on it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from cyclopts import Group, Parameter

from attseg.cli.data_download import download
from attseg.cli.data_import import import_
from attseg.cli.options import WHOLE, File, Json, Overwrite, check_ending, data_settings, described
from attseg.cli.settings import with_settings
from attseg.data.catalog import CATALOG, find_named, own_folder
from attseg.recipes.nested import section


def _data_sets() -> str:
    """The data sets, one a line, and the options of each."""
    lines = [
        "A name, with --data.root DIR if it lies in a folder; or a folder of your own. Sizes are height x width.",
        "",
    ]
    lines += [f"{name:<11} {record.about}" for name, record in CATALOG.items()]
    for name, record in CATALOG.items():
        if record.options:
            lines += ["", f"Options of {name}:", *described(record.options.items(), "--data.options.{}", 27)]
    return "\n".join(lines)


DATA_SETS = Group("Data set", help=_data_sets(), sort_key=4)
DataArgument = Annotated[str, Parameter(name="NAME|DIR", group=DATA_SETS, help="A data set, or a folder of your own.")]
Root = Annotated[str | None, Parameter(name="--data.root", metavar="DIR", help="Where the data set lies.")]
Split = Annotated[str | None, Parameter(help="Split to draw samples of (default: train, or the first that is there).")]
Count = Annotated[int, WHOLE, Parameter(help="How many samples are drawn.", show_default=True)]
OPTIONS = ("Settings of the data set", [*data_settings("options")])


def run(action: Literal["check", "show", "split", "download", "import"], /, *arguments: str) -> int:
    """Check, show, split, download or import a data set.

    check reads every file of a data set and names everything that is wrong with it. show draws samples beside their labels.
    split divides pictures into train and val, and writes the split of each to a file. download fetches a public data set.
    import converts the export of a labelling tool. Each action has its own help, such as attseg data check --help.

    Args:
        action: What to do.
        arguments: Of the action.

    Examples:
        attseg data download camvid --data.root ~/data
        attseg data import roboflow.zip --out ~/mine
        attseg data check ~/mine
        attseg data check camvid --data.root ~/data/camvid --json
        attseg data check voc2012 --data.root ~/data/voc --data.options.sbd ~/data/sbd
        attseg data show cityscapes --data.root ~/data/cityscapes --split val --out samples.png
    """
    raise AssertionError(action)  # each action is called by itself


@with_settings(OPTIONS)
def check(
    data: DataArgument,
    /,
    *,
    root: Root = None,
    json: Json = False,
    out: File = None,
    split: Split = None,
    count: Count = 4,
    propose: File = None,
    overwrite: Overwrite = False,
    given: dict[str, Any],
) -> int:
    """Read every file of a data set and name everything that is wrong with it.

    It finds missing splits, images without labels, sizes that differ, label values without a class, and files that cannot be
    read. The last lines say what was assumed about the data. The exit status is 1 if there are errors.

    If your files are arranged in another way, if masks are colours, or if nothing says what train and val are, the check ends
    with the command line that reads your files as they are. Parts of a public data set that are missing are reported, and are no
    error.

    Args:
        out: Draw samples to this file, a .png (default: none are drawn).
        propose: Write a classes.csv with the values or colours that occur in the label files to this file; check nothing.

    Examples:
        attseg data check ~/mine
        attseg data check ~/mine --propose ~/mine/classes.csv
        attseg data check ~/mine --data.options.labels "{stem}_mask.png" --data.options.split 0.8
        attseg data check camvid --data.root ~/data/camvid --json
        attseg data check voc2012 --data.root ~/data/voc --data.options.sbd ~/data/sbd
    """
    from attseg.cli.output import print_result
    from attseg.console import progress
    from attseg.data.checking.check import check as check_data
    from attseg.data.checking.sheet import write_samples
    from attseg.data.checking.shown import check_parts

    name, root, options = _named(data, root, given, out)
    if propose:
        from attseg.data.checking.propose import write_proposal
        from attseg.written import outputs

        with outputs(propose, overwrite=overwrite):
            print(write_proposal(own_folder(name, root, **options), propose))
        return 0
    with progress("reading") as bar:
        result = check_data(name, root, options=options, progress=bar)
    print_result(result.to_dict(), check_parts(result), json=json)
    if result.ok and out:
        if split not in result.splits:  # not given, or the data set holds only a part
            split = next(split for split, summary in result.splits.items() if summary.pictures)
        picture = write_samples(out, name, root, split, count, options=options, overwrite=overwrite)
        if not json:
            print(f"samples are drawn in {picture}")
    return 0 if result.ok else 1


@with_settings(OPTIONS)
def show(
    data: DataArgument,
    /,
    *,
    root: Root = None,
    out: File = None,
    split: Split = None,
    count: Count = 4,
    overwrite: Overwrite = False,
    given: dict[str, Any],
) -> int:
    """Draw samples of a data set beside their labels.

    Args:
        out: File to draw them to, a .png (default: runs/NAME-samples.png).

    Examples:
        attseg data show ~/mine
        attseg data show cityscapes --data.root ~/data/cityscapes --split val --out samples.png
    """
    from attseg.data.checking.sheet import write_samples

    name, root, options = _named(data, root, given, out)
    title = Path(root).resolve().name if root else name
    out = out or Path("runs", f"{title}-samples.png")
    print(write_samples(out, name, root, split, count, options=options, overwrite=overwrite))
    return 0


@with_settings(OPTIONS)
def split(
    data: DataArgument,
    /,
    *,
    out: Annotated[Path, Parameter(metavar="FILE")],
    overwrite: Overwrite = False,
    given: dict[str, Any],
) -> int:
    """Split the pictures of your own folder, stratified by class, and write the split of each picture to a file.

    If the file exists, its pictures keep their split, and only new pictures are added. Train with this split by
    --data.options.split FILE.

    Args:
        out: The file, whose name ends in .csv.

    Examples:
        attseg data split ~/mine --data.options.split 0.8 --out ~/mine/splits.csv
        attseg data split ~/mine --data.options.split 0.7,0.15,0.15 --data.options.group folder --out splits.csv
    """
    from attseg.data.sets.kept_splits import extend_splits
    from attseg.written import outputs

    check_ending(out, ".csv")
    name, root, options = _named(data, None, given, None)
    files = own_folder(name, root, **options)
    with outputs(out, overwrite=overwrite):
        print(extend_splits(files, out))
    return 0


ACTIONS = {"check": check, "show": show, "split": split, "download": download, "import": import_}


def _named(
    data: str, root: str | None, given: dict[str, Any], out: Path | None
) -> tuple[str, str | None, dict[str, Any]]:
    """Name, root and options of the data set; NAME|DIR is a name, or else a folder of one's own data."""
    if out is not None:
        check_ending(out, ".png")
    return *find_named(data, root), section(given, "data.options")
