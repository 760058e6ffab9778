"""``attseg export``: a trained model as one file for other programs, checked against the network that it came from."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from cyclopts import Group, Parameter

from attseg.cli.options import Overwrite, Size, Whole, data_settings
from attseg.cli.output import print_parts, progress_bar
from attseg.cli.settings import with_settings
from attseg.errors import UsageError
from attseg.text import is_utf8

if TYPE_CHECKING:
    from attseg.export.storage import Format

FORMATS: dict[str, Format] = {".pt2": "pt2", ".onnx": "onnx", ".xml": "openvino"}

TELEPHONES = (".tflite", ".mlpackage", ".mlmodel")

ELSEWHERE = ". docs/use/deploy.md (Telephones) shows how LiteRT and Core ML write such files from a run"

CONTRACT = Parameter(group=Group("Input and output", sort_key=5))
CHECK = Parameter(group=Group("Check against the network", sort_key=6))
INT8 = Parameter(group=Group("8-bit integers", sort_key=7))


@with_settings(("Settings of the data, for --int8 (default: those of the run)", data_settings()))
def run(
    run: Annotated[str, Parameter(help="A run folder, a .safetensors file, owner/name on the hub, or demo.")],
    /,
    *,
    out: Path,
    overwrite: Overwrite = False,
    format: Literal["pt2", "onnx", "openvino"] | None = None,
    takes: Annotated[Literal["bytes", "floats"], CONTRACT] = "bytes",
    gives: Annotated[Literal["labels", "probabilities", "logits"], CONTRACT] = "labels",
    resize: Annotated[Size, CONTRACT] = None,
    size: Annotated[Size, CONTRACT] = None,
    opset: Whole = None,
    precision: Literal["32", "fp16"] = "32",
    pictures: Annotated[list[str] | None, Parameter(consume_multiple=True), CHECK] = None,
    agreement: Annotated[float | None, CHECK] = None,
    int8: Annotated[bool, INT8] = False,
    calibrate: Annotated[str | None, INT8] = None,
    calibration_pictures: Annotated[Whole, INT8] = None,
    max_drop: Annotated[float | None, Parameter(metavar="POINTS"), INT8] = None,
    split: Annotated[str | None, INT8] = None,
    unmeasured: Annotated[bool, INT8] = False,
    given: dict[str, Any],
) -> int:
    """Write a trained model as a file that other programs run.

    The format follows from the end of its name: .pt2 for PyTorch (torch.export), .onnx for ONNX Runtime and everything that
    reads ONNX, .xml for Intel's OpenVINO (an .xml and a .bin). The number and the size of the images stay free. Classes,
    colours and normalisation travel in the file, and attseg runs it too: attseg predict model.onnx photos/ --out segmented.

    Afterwards the file and the network get the same images at three sizes. A table shows how much they differ, and
    FILE.report.json keeps it; where too few pixels agree, the file stays, and the exit status is 1. docs/use/deploy.md leads
    from the file to C++, a container and a batch job.

    --int8 makes integers of the model, which are faster and smaller: calibrated on images, and measured on labelled ones;
    where more than --max-drop points of mIoU are lost, nothing is written.

    Args:
        out: File to write; its name ends with .pt2, .onnx or .xml.
        format: The format (default: as the name of --out ends).
        takes: bytes (N, H, W, C) as image readers give them, or floats (N, C, H, W), already normalised.
        gives: The class of each pixel and its probability, or scores of all classes, which are larger by far.
        resize: Scale every image to this size before the network, inside the file.
        size: Accept images of this size alone, for runtimes that need it.
        opset: Version of ONNX's operators, of .onnx alone (default: 18).
        precision: 32, or fp16 to store the weights of an .onnx or .xml in 16 bits: half as large. Engines compute in 32 bits, or
            as they choose.
        pictures: Images to compare on (default: generated scenes).
        agreement: Least share of pixels with equal classes (default: 0.999; with --int8 0.9).
        int8: Make an .onnx or .xml of integers (extra openvino).
        calibrate: Folder of images to take ranges from (default: the training split of the data).
        calibration_pictures: How many of them (default: 100).
        max_drop: Points of mIoU that may be lost (default: 1).
        split: Labelled split on which the loss is measured (default: the one that the run validated on).
        unmeasured: Write the file without measuring the loss, where there are no labels.

    Examples:
        attseg export runs/pan-camvid --out model.onnx
        attseg export runs/pan-camvid --out model.onnx --gives logits       so that several scales can be averaged
        attseg export runs/swin --out model.onnx --resize 512x1024          any image, scaled inside
        attseg export runs/pan-camvid --out model.xml --int8                calibrated and measured on the data of the run
        attseg export runs/mine --out model.onnx --int8 --calibrate photos/ --data.name folder --data.root labelled/
        attseg export runs/pan-camvid --out model.onnx --opset 20 --precision fp16
        attseg export demo --out demo.pt2
    """
    suffix = out.suffix.lower()
    if suffix not in FORMATS:
        raise UsageError(
            f"--out is {out}; a name that ends with .pt2, .onnx or .xml was expected, which says the format"
            + (ELSEWHERE if suffix in TELEPHONES else "")
        )
    if format and format != FORMATS[suffix]:
        wanted = next(end for end, name in FORMATS.items() if name == format)
        raise UsageError(f"--format is {format}, but --out is {out}; end its name with {wanted}")
    if not is_utf8(out):
        raise UsageError(f"--out is {out}, whose path is not UTF-8; choose another name: engines open no such file")
    if int8 and precision != "32":
        raise UsageError("--int8 makes integers of the weights; leave out --precision")
    if agreement is not None and not 0 <= agreement <= 1:
        raise UsageError(f"--agreement is {agreement:g}; a share from 0 to 1 was expected")
    if int8:
        if suffix == ".pt2":
            raise UsageError("--int8 makes integers of .onnx and .xml; end the name of --out with one of these")
        if calibration_pictures is not None and calibration_pictures < 1:
            raise UsageError(f"--calibration-pictures is {calibration_pictures}; at least 1 was expected")
        if unmeasured and (max_drop is not None or split):
            raise UsageError("--unmeasured measures nothing; leave out --max-drop and --split")
    else:
        of_int8 = {
            "calibrate": calibrate,
            "calibration-pictures": calibration_pictures,
            "max-drop": max_drop,
            "split": split,
            "unmeasured": unmeasured,
        }
        if alone := [name for name, value in (of_int8 | given).items() if value not in (None, False)]:
            raise UsageError(f"--{alone[0]} is for --int8; add that, or leave it out")

    from attseg.evaluation.run_data import data_spec, kept_spec, recipe_of
    from attseg.export.job import export_file, find_integers
    from attseg.export.report import files_of, report_path
    from attseg.export.samples import read_some
    from attseg.export.shown import export_parts
    from attseg.export.storage import OPSET, Storage
    from attseg.hub.sources import find_weights
    from attseg.inference.exported.contract import Contract
    from attseg.inference.segmenter import load, read_about
    from attseg.written import outputs

    with outputs(*files_of(out), report_path(out), overwrite=overwrite):  # refused before any work is done
        file = find_weights(run)
        info = read_about(file).info
        storage = Storage(opset=OPSET if opset is None else opset, half=precision == "fp16")
        storage.check(FORMATS[suffix])
        contract = Contract(takes=takes, gives=gives, size=size, resize=resize)
        segmenter = load(file, device="cpu")
        images = [read() for read in read_some(pictures, 2, segmenter.preprocessing)] if pictures else []
        integers = None
        if int8:
            integers = find_integers(
                segmenter,
                run,
                lambda: kept_spec(data_spec(given, recipe_of(info), file), given, file),
                calibrate=calibrate,
                count=calibration_pictures,
                split=split,
                measured=not unmeasured,
                most=max_drop,
            )
        with progress_bar() as bar:
            task = bar.add_task("exporting", total=None)
            made = export_file(
                segmenter,
                out,
                FORMATS[suffix],
                contract,
                storage=storage,
                info=info,
                integers=integers,
                pictures=images,
                limit=agreement,
                on_step=lambda text, done, total: bar.update(task, description=text, completed=done, total=total),
            )
        print_parts(export_parts(out, made.report, made.values))
        made.parity.check(out)
    return 0
