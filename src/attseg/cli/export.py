"""``attseg export``: a trained model as one file for other programs, checked against the network that it came from."""

from __future__ import annotations

import re
import sys
from argparse import Namespace
from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from attseg.cli.export_output import print_export
from attseg.cli.output import progress_bar
from attseg.cli.parser import Parser
from attseg.cli.run_data import check_classes, data_spec, read_about, recipe_of
from attseg.errors import UsageError
from attseg.recipes.recipe import DataSpec
from attseg.recipes.values import settings

if TYPE_CHECKING:
    from attseg.data.sample import Array, SegmentationData
    from attseg.export.drop import Drop
    from attseg.export.formats import Format
    from attseg.export.parity import Parity
    from attseg.inference.exported.contract import Contract
    from attseg.inference.segmenter import Segmenter

TEXT = """\
Write a trained model as a file that other programs run: FORMAT pt2 is for PyTorch (torch.export), onnx for ONNX Runtime
and all that reads ONNX, openvino for Intel's runtime (an .xml and a .bin). The number and the size of the pictures stay
free. Classes, colours and normalisation travel in the file, and attseg runs it too: `attseg predict model.onnx ..`.

Afterwards the file and the network see the same pictures at three sizes. A table says how far they are apart, and
FILE.report.json keeps it; where too few pixels agree, the file stays, and the exit status is 1. docs/deploy.md leads
from the file to C++, a container and a batch job.

--int8 makes integers of the model, which are faster and smaller: calibrated on pictures, and measured on labelled ones;
where more than --max-drop points of mIoU are lost, nothing is written."""

EXAMPLES = (
    "attseg export runs/pan-camvid --out model.onnx",
    "attseg export runs/pan-camvid --out model.onnx --gives logits       so that several scales can be averaged",
    "attseg export runs/swin --out model.onnx --resize 512x1024          any picture, scaled inside",
    "attseg export runs/pan-camvid --out model.xml --int8                calibrated and measured on the data of the run",
    "attseg export runs/mine --out model.onnx --int8 --calibrate photos/ --data.name folder --data.root labelled/",
    "attseg export demo --out demo.pt2",
)

FORMATS: dict[str, Format] = {".pt2": "pt2", ".onnx": "onnx", ".xml": "openvino"}
FAILED = 1


def run(argv: Sequence[str]) -> int:
    """Export, check, print; 1 if the file falls short of the network."""
    parser = Parser("export", TEXT, EXAMPLES, usage="RUN --out FILE [options]")
    parser.add_argument("run", metavar="RUN", help="a run folder, a .safetensors file, or demo")
    parser.add_argument("--out", type=Path, required=True, metavar="FILE", help="ends with .pt2, .onnx or .xml")
    parser.add_argument("--overwrite", action="store_true", help="replace files that attseg did not write")
    parser.add_argument("--format", choices=FORMATS.values(), help="the format (default: as the name of FILE ends)")
    group = parser.add_argument_group("what goes in and out")
    group.add_argument(
        "--takes",
        choices=("bytes", "floats"),
        default="bytes",
        help="bytes (N, H, W, 3) as picture readers give them (default), or floats (N, 3, H, W), already normalised",
    )
    group.add_argument(
        "--gives",
        choices=("labels", "probabilities", "logits"),
        default="labels",
        help="the class of each pixel and its probability (default), or scores of all classes, larger by far",
    )
    group.add_argument("--resize", metavar="HxW", help="the network sees every picture scaled to this size, inside")
    group.add_argument("--size", metavar="HxW", help="take pictures of this size alone, for runtimes that want that")
    group = parser.add_argument_group("how it is checked")
    group.add_argument(
        "--pictures", nargs="+", default=[], metavar="PICTURE", help="on these (default: generated scenes)"
    )
    group.add_argument(
        "--agreement",
        type=float,
        metavar="SHARE",
        help="least share of pixels with equal classes (default: 0.999; with --int8 0.9)",
    )
    group = parser.add_argument_group("8-bit integers")
    group.add_argument("--int8", action="store_true", help="make an .onnx or .xml of integers (extra openvino)")
    group.add_argument(
        "--calibrate", metavar="DIR", help="pictures to take ranges from (default: the training split of the data)"
    )
    group.add_argument("--calibration-pictures", type=int, metavar="N", help="how many of them (default: 100)")
    group.add_argument("--max-drop", type=float, metavar="POINTS", help="points of mIoU that may be lost (default: 1)")
    group.add_argument("--split", help="the labelled split on which that is measured (default: as the run validated)")
    group.add_argument("--unmeasured", action="store_true", help="where there are no labels: write it all the same")
    parser.add_settings(
        "data (for --int8; default: that of the run)",
        (s for s in settings(DataSpec, "data") if s.key not in ("data.train", "data.val")),
    )
    arguments = parser.parse(argv)
    _check(arguments)
    return _export(arguments)


def _check(arguments: Namespace) -> None:
    """Refuse what does not go together, before anything is loaded."""
    suffix = arguments.out.suffix.lower()
    if suffix not in FORMATS:
        raise UsageError(
            f"--out is {arguments.out}; a name that ends with .pt2, .onnx or .xml was expected, which says the format"
        )
    if arguments.format and arguments.format != FORMATS[suffix]:
        wanted = next(end for end, name in FORMATS.items() if name == arguments.format)
        raise UsageError(f"--format is {arguments.format}, but --out is {arguments.out}; end its name with {wanted}")
    if arguments.agreement is not None and not 0 <= arguments.agreement <= 1:
        raise UsageError(f"--agreement is {arguments.agreement:g}; a share from 0 to 1 was expected")
    if arguments.int8:
        if suffix == ".pt2":
            raise UsageError("--int8 makes integers of .onnx and .xml; end the name of --out with one of these")
        if arguments.calibration_pictures is not None and arguments.calibration_pictures < 1:
            raise UsageError(f"--calibration-pictures is {arguments.calibration_pictures}; at least 1 was expected")
        if arguments.unmeasured and (arguments.max_drop is not None or arguments.split):
            raise UsageError("--unmeasured measures nothing; leave out --max-drop and --split")
        return
    given = ("calibrate", "calibration_pictures", "max_drop", "split", "unmeasured")
    alone = [f"--{name.replace('_', '-')}" for name in given if getattr(arguments, name)]
    alone += [f"--{key}" for key in arguments.given]
    if alone:
        raise UsageError(f"{alone[0]} is for --int8; add that, or leave it out")


def _export(arguments: Namespace) -> int:
    """Refuse to replace files of others before any work is done."""
    from attseg.export.report import files_of, report_path
    from attseg.written import outputs

    with outputs(*files_of(arguments.out), report_path(arguments.out), overwrite=arguments.overwrite):
        return _write(arguments)


def _write(arguments: Namespace) -> int:
    from attseg.export.formats import export_model
    from attseg.export.parity import check_parity
    from attseg.export.pictures import read_some
    from attseg.export.report import describe_file, write_report
    from attseg.hub.sources import find_weights
    from attseg.inference.segmenter import load

    file = find_weights(arguments.run)
    info = read_about(file).info
    contract = _contract(arguments)
    segmenter = load(file, device="cpu")
    stated = segmenter.preprocessing.value_range
    pictures = [read() for read in read_some(arguments.pictures, 2, stated)] if arguments.pictures else []
    integers = _Integers(arguments, segmenter, file) if arguments.int8 else None
    drop = None
    with progress_bar() as bar, TemporaryDirectory(prefix="attseg-") as scratch:
        task = bar.add_task("exporting", total=None)

        def step(text: str) -> None:
            bar.update(task, description=text, completed=0, total=None)

        def count(text: str) -> Callable[[int, int], None]:
            return lambda done, total: bar.update(task, description=text, completed=done, total=total)

        path = Path(scratch) / f"floats{arguments.out.suffix}" if integers else arguments.out
        format = FORMATS[arguments.out.suffix.lower()]
        export_model(segmenter, path, format, contract, info=info, on_step=step)
        if integers:
            drop = integers.make(path, Path(scratch) / f"integers{path.suffix}", count)
            if drop and drop.points > integers.most:
                return _refuse(arguments, drop, integers.most)
            integers.keep(Path(scratch) / f"integers{path.suffix}", arguments.out)
        parity = check_parity(
            segmenter,
            arguments.out,
            pictures=pictures,
            limit=arguments.agreement,
            on_size=count("comparing with the network"),
        )
    values = describe_file(arguments.out, parity, drop=drop, calibrated=len(integers.pictures) if integers else 0)
    report = write_report(arguments.out, values)
    print_export(arguments.out, report, values)
    return 0 if _agrees(parity, arguments.out) else FAILED


class _Integers:
    """The way from floats to integers: which pictures, which labels, how much may be lost."""

    def __init__(self, arguments: Namespace, segmenter: Segmenter, file: Path) -> None:
        from attseg.export.drop import MOST
        from attseg.export.pictures import draw_some, read_some
        from attseg.export.quantise import CALIBRATION
        from attseg.inference.exported.packages import need

        need("nncf", "--int8")
        self.segmenter = segmenter
        self.most = MOST if arguments.max_drop is None else arguments.max_drop
        self.data: SegmentationData | None = None
        wanted = arguments.calibration_pictures or CALIBRATION
        if arguments.calibrate:
            self.pictures: Sequence[Callable[[], Array]] = read_some(
                [arguments.calibrate], wanted, segmenter.preprocessing.value_range
            )
        else:
            self.pictures = draw_some(self._open(arguments, file, calibrating=True), wanted)
        if not arguments.unmeasured:
            self.data = self._open(arguments, file, calibrating=False)
            check_classes(segmenter.classes, self.data.classes, arguments.run)

    def make(self, floats: Path, integers: Path, count: Callable[[str], Callable[[int, int], None]]) -> Drop | None:
        """Quantise, and measure what it costs."""
        from attseg.export.drop import measure_drop
        from attseg.export.quantise import quantise

        quantise(floats, integers, self.pictures, on_picture=count("calibrating"))
        if self.data is None:
            return None
        return measure_drop(self.segmenter, integers, self.data, on_picture=count("measuring mIoU of both"))

    @staticmethod
    def keep(made: Path, out: Path) -> None:
        """Put the file where it was wanted, at once."""
        from attseg.export.report import files_of
        from attseg.files import read_bytes, replacing

        for source, place in reversed(list(zip(files_of(made), files_of(out), strict=True))):
            with replacing(place) as file:
                file.write(read_bytes(source))

    @staticmethod
    def _open(arguments: Namespace, file: Path, *, calibrating: bool) -> SegmentationData:
        from attseg.data.catalog import open_data

        info = read_about(file).info
        spec = data_spec(arguments, file, recipe_of(info))
        split = spec.train if calibrating else arguments.split or spec.val
        try:
            return open_data(spec.name, split, root=spec.root, **spec.options)
        except (UsageError, OSError, ValueError) as error:
            other = (
                "calibrate with pictures of your own (--calibrate DIR)"
                if calibrating
                else "leave it out (--unmeasured)"
            )
            purpose = "calibrates on the training split" if calibrating else "measures mIoU"
            raise UsageError(f"--int8 {purpose}, and {error}. Or {other}") from error


def _refuse(arguments: Namespace, drop: Drop, most: float) -> int:
    print(
        f"attseg: integers lose {drop.points:.2f} points of mIoU ({100 * drop.before:.2f} to {100 * drop.after:.2f} on "
        f"{drop.pictures} pictures of {drop.split}), more than --max-drop {most:g}: {arguments.out} is not written. More "
        "pictures to calibrate with may help (--calibration-pictures), or pictures that are more like those it is for",
        file=sys.stderr,
    )
    return FAILED


def _agrees(parity: Parity, out: Path) -> bool:
    if parity.passed:
        return True
    least = min(parity.rows, key=lambda row: row.agreement)
    print(
        f"attseg: {out} is written, but falls short of its network: at {least.size[0]} x {least.size[1]} only "
        f"{100 * least.agreement:.2f} % of the pixels get the same class, and {100 * parity.limit:g} % were expected "
        "(--agreement)",
        file=sys.stderr,
    )
    return False


def _contract(arguments: Namespace) -> Contract:
    from attseg.inference.exported.contract import Contract

    sizes: dict[str, Any] = {}
    for name in ("size", "resize"):
        text = getattr(arguments, name)
        if text is not None:
            found = re.fullmatch(r"(\d+)[x×,](\d+)", text.strip())
            if not found:
                raise UsageError(f"--{name} is {text!r}; HEIGHTxWIDTH in pixels was expected, such as 512x1024")
            sizes[name] = (int(found[1]), int(found[2]))
    return Contract(takes=arguments.takes, gives=arguments.gives, **sizes)
