"""``attseg data``: look at a data set before anything is trained on it."""

from __future__ import annotations

import shlex
from json import dumps
from pathlib import Path
from typing import Annotated, Any, Literal

from cyclopts import Group, Parameter

from attseg.cli.data_download import download
from attseg.cli.data_import import import_
from attseg.cli.options import WHOLE, Json, Overwrite, data_settings, described
from attseg.cli.settings import with_settings
from attseg.data.catalog import CATALOG
from attseg.errors import UsageError, unknown
from attseg.recipes.nested import put


def _data_sets() -> str:
    """The data sets, one a line, and the options of each."""
    lines = ["A name, with --data.root DIR where it lies in a folder; or a folder of your own.", ""]
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
    """Check a data set before anything is trained on it, show samples of it, split it, download or import one.

    check reads every file of a data set and names everything that is wrong with it. show draws samples beside their labels.
    split divides pictures into train and val, and writes the split of each to a file. download fetches a public data set.
    import makes one of the export of a labelling tool. Each has a help of its own, such as attseg data check --help.

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
    out: Path | None = None,
    split: Split = None,
    count: Count = 4,
    propose: Path | None = None,
    overwrite: Overwrite = False,
    given: dict[str, Any],
) -> int:
    """Read every file of a data set and name everything that is wrong with it.

    Found are splits that are missing, images without labels, sizes that differ, label values without a class, and files
    that cannot be read. The last lines are what was assumed about the data. The exit status is 1 if there are errors.

    Where files of your own are arranged in another way, masks are colours or nothing says what train and val are, the check
    ends with the command line that reads them as they are. Of a public data set, what is there is checked, and what is
    missing of the release is reported; that alone is not an error.

    Args:
        out: File to draw samples in (default: none are drawn).
        propose: Write a table of classes of what occurs in label files to this file, and check nothing.

    Examples:
        attseg data check ~/mine
        attseg data check ~/mine --propose ~/mine/classes.csv
        attseg data check ~/mine --data.options.labels "{stem}_mask.png" --data.options.split 0.8
        attseg data check camvid --data.root ~/data/camvid --json
        attseg data check voc2012 --data.root ~/data/voc --data.options.sbd ~/data/sbd
    """
    from attseg.cli.output import print_parts, progress_bar
    from attseg.data.checking.check import check as check_data
    from attseg.data.checking.shown import check_parts

    name, root, options = _named(data, root, given, out)
    if propose:
        print(_propose(name, root, options, propose, overwrite=overwrite))
        return 0
    with progress_bar() as bar:
        task = bar.add_task("reading", total=None)
        result = check_data(
            name, root, options=options, progress=lambda done, total: bar.update(task, completed=done, total=total)
        )
    if json:
        print(dumps(result.to_dict(), indent=2))
    else:
        print_parts(check_parts(result))
    if result.ok and out:
        if split not in result.splits:  # not given, or the data set holds only a part
            split = next(split for split, summary in result.splits.items() if summary.pictures)
        picture = _draw(name, root, options, split, count, out, overwrite=overwrite)
        if not json:
            print(f"samples are drawn in {picture}")
    return 0 if result.ok else 1


@with_settings(OPTIONS)
def show(
    data: DataArgument,
    /,
    *,
    root: Root = None,
    out: Path | None = None,
    split: Split = None,
    count: Count = 4,
    overwrite: Overwrite = False,
    given: dict[str, Any],
) -> int:
    """Draw samples of a data set beside their labels.

    Args:
        out: File to draw them in (default: runs/NAME-samples.png).

    Examples:
        attseg data show ~/mine
        attseg data show cityscapes --data.root ~/data/cityscapes --split val --out samples.png
    """
    name, root, options = _named(data, root, given, out)
    title = Path(root).resolve().name if root else name
    out = out or Path("runs", f"{title}-samples.png")
    print(_draw(name, root, options, split, count, out, overwrite=overwrite))
    return 0


@with_settings(OPTIONS)
def split(data: DataArgument, /, *, out: Path, overwrite: Overwrite = False, given: dict[str, Any]) -> int:
    """Divide the pictures of your own folder into splits, stratified by class, and write the split of each to a file.

    Where the file is there already, its pictures keep their split, and pictures that were added since join one. The file is
    then an option for training: --data.options.split FILE.

    Args:
        out: The file, whose name ends in .csv.

    Examples:
        attseg data split ~/mine --data.options.split 0.8 --out ~/mine/splits.csv
        attseg data split ~/mine --data.options.split 0.7,0.15,0.15 --data.options.group folder --out splits.csv
    """
    from attseg.data.catalog import open_files
    from attseg.data.sets.folder import FolderFiles
    from attseg.data.sets.kept_splits import extend_splits
    from attseg.written import outputs

    if out.suffix.lower() != ".csv":
        raise UsageError(f"--out is {out}; a name that ends in .csv was expected")
    name, root, options = _named(data, None, given, None)
    files = open_files(name, root, **options) if root else None
    if not isinstance(files, FolderFiles):
        raise UsageError(f"{data} has its own splits; a folder of your own was expected")
    with outputs(out, overwrite=overwrite):
        print(extend_splits(files, out))
    return 0


ACTIONS = {"check": check, "show": show, "split": split, "download": download, "import": import_}


def _named(
    data: str, root: str | None, given: dict[str, Any], out: Path | None
) -> tuple[str, str | None, dict[str, Any]]:
    """Name, root and options of the data set; NAME|DIR is a name, or else a folder of one's own data."""
    if out is not None and out.suffix.lower() != ".png":
        raise UsageError(f"--out is {out}; samples are drawn as PNG: a name that ends in .png was expected")
    options = put({}, given).get("data", {}).get("options", {})
    if data in CATALOG:
        return data, root, options
    if root is not None:
        raise unknown("data set", data, CATALOG)
    if Path(data).is_file():
        raise UsageError(
            f"{data} is a file; a data set or a folder was expected. If a labelling tool exported it, import it: "
            f"attseg data import {shlex.quote(data)} --out DIR"
        )
    if not Path(data).is_dir():
        raise UsageError(f"{unknown('data set', data, CATALOG)}; nor is there a folder of this name")
    return "folder", data, options


def _propose(name: str, root: str | None, options: dict[str, Any], path: Path, *, overwrite: bool) -> str:
    """Write a table of classes, and say what it holds."""
    from attseg.data.catalog import open_files
    from attseg.data.checking.propose import write_proposal
    from attseg.data.sets.folder import FolderFiles
    from attseg.written import outputs

    files = open_files(name, root, **options)
    if not isinstance(files, FolderFiles):
        raise UsageError(f"{name} has its own classes; --propose is for a folder of your own")
    with outputs(path, overwrite=overwrite):
        return write_proposal(files, path)


def _draw(
    name: str, root: str | None, options: dict[str, Any], split: str | None, count: int, out: Path, *, overwrite: bool
) -> Path:
    """Draw samples, and return the absolute path of the picture."""
    from attseg.data.checking.sheet import samples_picture
    from attseg.files import replacing
    from attseg.written import outputs

    picture = samples_picture(name, root, split, count, options=options)
    with outputs(out, overwrite=overwrite), replacing(out) as file:
        picture.save(file, "PNG")
    return out.absolute()
