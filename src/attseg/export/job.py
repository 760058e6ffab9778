"""One export from start to end: the file, its integers if asked for, the check against the network, and the report."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from attseg.data.catalog import open_data
from attseg.data.sample import Array, SegmentationData
from attseg.errors import UsageError
from attseg.evaluation.run_data import check_classes
from attseg.export.drop import MOST, Drop, measure_drop
from attseg.export.formats import export_model
from attseg.export.parity import Parity, check_parity
from attseg.export.program import ExportError
from attseg.export.quantise import CALIBRATION, quantise
from attseg.export.report import describe_file, files_of, write_report
from attseg.export.samples import draw_some, read_some
from attseg.export.storage import Format, Storage
from attseg.files import read_bytes, write_file
from attseg.inference.exported.contract import Contract
from attseg.inference.exported.packages import need
from attseg.inference.segmenter import Segmenter
from attseg.recipes.recipe import DataSpec

OnStep = Callable[[str, int, int | None], None]
"""Called with what is being done, how much of it is done, and of how much (None where that is not known)."""


@dataclass(frozen=True, eq=False)
class Integers:
    """How a file of 8-bit integers is made.

    Args:
        pictures: Reads each image to calibrate with.
        data: Labelled split on which the loss of mIoU is measured; None does not measure it.
        most: Points of mIoU that may be lost.
    """

    pictures: Sequence[Callable[[], Array]]
    data: SegmentationData | None
    most: float


@dataclass(frozen=True, eq=False)
class Exported:
    """A file that was written.

    Args:
        values: All about it, as in its report.
        report: Where the report is.
        parity: How near it is to its network.
    """

    values: dict[str, Any]
    report: Path
    parity: Parity


def find_integers(
    segmenter: Segmenter,
    run: str,
    find_spec: Callable[[], DataSpec],
    *,
    calibrate: str | None = None,
    calibration_pictures: int | None = None,
    max_drop: float | None = None,
    split: str | None = None,
    unmeasured: bool = False,
) -> Integers:
    """The images and labels for 8-bit integers.

    Args:
        segmenter: The model.
        run: What it is called.
        find_spec: Gives the data set, where it is needed.
        calibrate: Folder of images to calibrate with, in place of the training split.
        calibration_pictures: How many images (default: 100).
        max_drop: Points of mIoU that may be lost (default: 1).
        split: Labelled split, in place of the one that the run validated on.
        unmeasured: Whether the loss of mIoU is not measured.

    Raises:
        UsageError: A package is missing, or the data are not there or have other classes.
    """
    need("nncf", "--int8")
    wanted = calibration_pictures or CALIBRATION

    def opened(split: str | None, purpose: str, other: str) -> SegmentationData:
        spec = find_spec()
        try:
            return open_data(spec.name, split or spec.val, root=spec.root, **spec.options)
        except (UsageError, OSError, ValueError) as error:
            raise UsageError(f"--int8 {purpose}, and {error}. Or {other}") from error

    if calibrate:
        pictures = read_some([calibrate], wanted, segmenter.preprocessing)
    else:
        other = "calibrate with pictures of your own (--calibrate DIR)"
        pictures = draw_some(opened(find_spec().train, "calibrates on the training split", other), wanted)
    data = None
    if not unmeasured:
        data = opened(split, "measures mIoU", "leave it out (--unmeasured)")
        check_classes(segmenter.classes, data.classes, run)
    return Integers(pictures, data, MOST if max_drop is None else max_drop)


def export_file(
    segmenter: Segmenter,
    out: Path,
    format: Format,
    contract: Contract,
    *,
    storage: Storage | None = None,
    info: Mapping[str, Any] | None = None,
    integers: Integers | None = None,
    pictures: Sequence[Array] = (),
    limit: float | None = None,
    on_step: OnStep,
) -> Exported:
    """Write a file, compare it with its network, and write its report.

    Args:
        segmenter: The model.
        out: The file.
        format: Its format.
        contract: What goes in and out.
        storage: How it is written: opset, and precision of weights.
        info: What the weights say about where they come from.
        integers: How integers are made of it, if they are.
        pictures: Images to compare on (default: generated scenes).
        limit: Least share of pixels with equal classes.
        on_step: Told how far it is.

    Raises:
        ExportError: Integers lose more points of mIoU than they may; nothing is written.
    """
    drop = None
    with TemporaryDirectory(prefix="attseg-") as scratch:
        path = Path(scratch) / f"floats{out.suffix}" if integers else out
        tell: Callable[[str], None] = lambda text: on_step(text, 0, None)  # noqa: E731
        export_model(segmenter, path, format, contract, storage=storage, info=info, on_step=tell)
        if integers:
            made = Path(scratch) / f"integers{out.suffix}"
            drop = _make_integers(segmenter, path, made, integers, on_step)
            if drop and drop.points > integers.most:
                raise ExportError(
                    f"integers lose {drop.points:.2f} points of mIoU ({100 * drop.before:.2f} to {100 * drop.after:.2f} on "
                    f"{drop.pictures} pictures of {drop.split}), more than --max-drop {integers.most:g}: {out} is not written. "
                    "More pictures to calibrate with may help (--calibration-pictures), or pictures that are more like those "
                    "it is for"
                )
            for source, place in reversed(list(zip(files_of(made), files_of(out), strict=True))):
                write_file(place, read_bytes(source))
        parity = check_parity(
            segmenter,
            out,
            pictures=list(pictures),
            limit=limit,
            on_size=lambda done, total: on_step("comparing with the network", done, total),
        )
    values = describe_file(out, parity, drop=drop, calibrated=len(integers.pictures) if integers else 0)
    return Exported(values, write_report(out, values), parity)


def _make_integers(segmenter: Segmenter, floats: Path, made: Path, integers: Integers, on_step: OnStep) -> Drop | None:
    """Quantise, and measure what it costs."""
    quantise(floats, made, integers.pictures, on_picture=lambda done, total: on_step("calibrating", done, total))
    if integers.data is None:
        return None
    return measure_drop(
        segmenter, made, integers.data, on_picture=lambda done, total: on_step("measuring mIoU of both", done, total)
    )
