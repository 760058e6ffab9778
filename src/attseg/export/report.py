"""The report beside an exported file: its contents, how it was checked, where and when."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import torch

from attseg.export.drop import Drop
from attseg.export.parity import Parity
from attseg.files import write_file
from attseg.inference.exported.engines import read_description
from attseg.profiling.speed import device_name

PACKAGES = ("attseg", "torch", "onnx", "onnxscript", "onnxruntime", "openvino", "nncf")


def report_path(path: Path) -> Path:
    """Where the report of a file lies: beside it, under its name with ``.report.json``.

    Example:
        >>> report_path(Path("out/model.onnx")).name
        'model.onnx.report.json'
    """
    return path.with_name(f"{path.name}.report.json")


def describe_file(path: Path, parity: Parity, *, drop: Drop | None = None, calibrated: int = 0) -> dict[str, Any]:
    """All about an exported file as plain values.

    Args:
        path: The file.
        parity: How near it is to its network.
        drop: What integers cost, if that was measured.
        calibrated: Pictures that it was calibrated with.
    """
    about = read_description(path)
    return {
        "file": path.name,
        "bytes": sum(part.stat().st_size for part in files_of(path)),
        "model": about.model,
        "contract": about.contract.to_dict(),
        "input": about.contract.describe_input(),
        "scaling": about.preprocessing.scaling or None,
        "output": about.contract.describe_output(),
        "parity": parity.to_dict(),
        "int8": {"calibrated_with": calibrated, "drop": drop and drop.to_dict()} if about.quantised else None,
        "written": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": device_name(torch.device("cpu")),
        "packages": {name: found for name in PACKAGES if (found := _version(name))},
    }


def write_report(path: Path, values: dict[str, Any]) -> Path:
    """Write the report of a file beside it."""
    place = report_path(path)
    write_file(place, f"{json.dumps(values, indent=2)}\n")
    return place


def files_of(path: Path) -> Sequence[Path]:
    """The files that belong together: OpenVINO's weights lie in a second one."""
    return (path, path.with_suffix(".bin")) if path.suffix.lower() == ".xml" else (path,)


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None
