"""``attseg export``: a trained model as one file for other programs, checked against the network that it came from."""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Literal

from cyclopts import Group, Parameter

from attseg.cli.options import Count, Overwrite, Size, Whole, data_settings, unwrapped
from attseg.cli.output import print_parts
from attseg.cli.settings import with_settings
from attseg.console import progress
from attseg.errors import UsageError
from attseg.text import is_utf8

CONTRACT = Parameter(group=Group("Input and output", sort_key=5))
CHECK = Parameter(group=Group("Check against the network", sort_key=6))
INT8 = Group("8-bit integers", sort_key=7)


@unwrapped
@dataclass(frozen=True, kw_only=True)
class Integers:
    """How 8-bit integers are made.

    Args:
        calibrate: Folder of images to calibrate on (default: the training split of the data).
        calibration_pictures: Number of these images (default: 100).
        max_drop: Points of mIoU that may be lost (default: 1).
        split: Labelled split on which the loss is measured (default: the one that the run validated on).
        unmeasured: Write the file without measuring the loss, if there are no labels.
    """

    calibrate: Annotated[str | None, Parameter(metavar="DIR")] = None
    calibration_pictures: Count = None
    max_drop: Annotated[float | None, Parameter(metavar="POINTS")] = None
    split: Annotated[str | None, Parameter(metavar="NAME")] = None
    unmeasured: bool = False


@with_settings(("Settings of the data, for --int8 (default: those of the run)", data_settings()))
def run(
    run: Annotated[str, Parameter(help="A run folder, a .safetensors file, owner/name on the hub, or demo.")],
    /,
    *,
    out: Annotated[Path, Parameter(metavar="FILE")],
    overwrite: Overwrite = False,
    format: Literal["pt2", "onnx", "openvino"] | None = None,
    takes: Annotated[Literal["bytes", "floats"], CONTRACT] = "bytes",
    gives: Annotated[Literal["labels", "probabilities", "logits"], CONTRACT] = "labels",
    resize: Annotated[Size, CONTRACT] = None,
    size: Annotated[Size, CONTRACT] = None,
    opset: Whole = None,
    precision: Literal["32", "fp16"] = "32",
    pictures: Annotated[list[str] | None, Parameter(consume_multiple=True, metavar="PICTURES"), CHECK] = None,
    agreement: Annotated[float | None, Parameter(metavar="SHARE"), CHECK] = None,
    int8: Annotated[bool, Parameter(group=INT8)] = False,
    asked: Annotated[Integers, Parameter(name="*", group=INT8)] = Integers(),
    given: dict[str, Any],
) -> int:
    """Write a trained model as a file that other programs run.

    The end of the name says the format: .pt2 for PyTorch (torch.export), .onnx for ONNX Runtime and everything that reads ONNX,
    .xml for Intel's OpenVINO (an .xml and a .bin). The batch size and the image size stay free. Classes, colours and
    normalisation are stored in the file, and attseg runs it too: attseg predict model.onnx photos/ --out segmented.

    The file is then compared with the network on the same images at three sizes. A table shows how much they differ, and
    FILE.report.json keeps it. If too few pixels agree, the file stays, and the exit status is 1. docs/use/deploy.md leads from
    the file to C++, a container and a batch job.

    --int8 quantises the model to 8-bit integers, which is faster and smaller. It is calibrated on images, and its loss of mIoU
    is measured on labelled ones; if more than --max-drop points are lost, nothing is written.

    Args:
        out: File to write; its name ends in .pt2, .onnx or .xml.
        format: Format of the file (default: the one that the name of --out says).
        takes: Input: bytes (N, H, W, C), as image readers give them; or floats (N, C, H, W), already normalised.
        gives: Output: the class of each pixel and its probability (labels), or scores of all classes, which are much larger.
        resize: Height x width to which the file scales every image before the network.
        size: The only height x width that the file accepts, for runtimes that need a fixed size.
        opset: Version of the ONNX operators, for .onnx only (default: 18).
        precision: 32; or fp16 to store the weights of an .onnx or .xml in 16 bits, half as large. Engines compute in 32 bits, or
            as they choose.
        pictures: Images to compare on (default: generated scenes).
        agreement: Least share of pixels with equal classes (default: 0.999; with --int8 0.9).
        int8: Quantise an .onnx or .xml to 8-bit integers (needs the extra openvino).

    Examples:
        attseg export runs/pan-camvid --out model.onnx
        attseg export runs/pan-camvid --out model.onnx --gives logits       so that several scales can be averaged
        attseg export runs/swin --out model.onnx --resize 512x1024          any image, scaled inside
        attseg export runs/pan-camvid --out model.xml --int8                calibrated and measured on the data of the run
        attseg export runs/mine --out model.onnx --int8 --calibrate photos/ --data.name folder --data.root labelled/
        attseg export runs/pan-camvid --out model.onnx --opset 20 --precision fp16
        attseg export demo --out demo.pt2
    """
    from attseg.export.storage import OPSET, Storage, format_of

    kind = format_of(out, format)
    if not is_utf8(out):
        raise UsageError(f"--out is {out}, whose path is not UTF-8; choose another name: engines open no such file")
    if agreement is not None and not 0 <= agreement <= 1:
        raise UsageError(f"--agreement is {agreement:g}; a share from 0 to 1 was expected")
    _check_integers(kind, precision, int8, given, asked)

    from attseg.evaluation.run_data import own_spec
    from attseg.export.job import export_file, find_integers
    from attseg.export.report import files_of, report_path
    from attseg.export.samples import read_some
    from attseg.export.shown import export_parts
    from attseg.hub.sources import find_weights
    from attseg.inference.exported.contract import Contract
    from attseg.inference.segmenter import load, read_about
    from attseg.written import outputs

    with outputs(*files_of(out), report_path(out), overwrite=overwrite):  # refused before any work is done
        file = find_weights(run)
        info = read_about(file).info
        storage = Storage(opset=opset or OPSET, half=precision == "fp16")
        storage.check(kind)
        contract = Contract(takes=takes, gives=gives, size=size, resize=resize)
        model = load(file, device="cpu")
        images = [read() for read in read_some(pictures, 2, model.preprocessing)] if pictures else []
        integers = find_integers(model, run, partial(own_spec, info, file, given), **vars(asked)) if int8 else None
        with progress("exporting") as bar:
            made = export_file(
                model,
                out,
                kind,
                contract,
                storage=storage,
                info=info,
                integers=integers,
                pictures=images,
                limit=agreement,
                on_step=bar.step,
            )
        print_parts(export_parts(out, made.report, made.values))
        made.parity.check(out)
    return 0


def _check_integers(kind: str, precision: str, int8: bool, given: dict[str, Any], asked: Integers) -> None:
    """Refuse what does not go together with ``--int8``, or without it."""
    if not int8:
        changed = [
            field.name.replace("_", "-") for field in fields(asked) if getattr(asked, field.name) != field.default
        ]
        if alone := [*changed, *given]:
            raise UsageError(f"--{alone[0]} is for --int8; add that, or leave it out")
        return
    if precision != "32":
        raise UsageError("--int8 makes integers of the weights; leave out --precision")
    if kind == "pt2":
        raise UsageError("--int8 makes integers of .onnx and .xml; end the name of --out with one of these")
    if asked.unmeasured and (asked.max_drop is not None or asked.split):
        raise UsageError("--unmeasured measures nothing; leave out --max-drop and --split")
