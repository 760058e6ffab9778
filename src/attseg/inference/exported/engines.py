"""Engines that run exported files: ONNX Runtime, OpenVINO or PyTorch, each from a file to a function of arrays."""

from __future__ import annotations

import warnings
import zipfile
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import torch

from attseg.files import require_file
from attseg.inference.exported.contract import INPUT
from attseg.inference.exported.description import KEY, Description, ExportedError
from attseg.inference.exported.packages import need
from attseg.text import is_utf8, short

Numbers = npt.NDArray[Any]
Compute = Callable[[Numbers], Mapping[str, Numbers]]

SUFFIXES = (".onnx", ".xml", ".pt2")
"""Endings of the files that ``attseg export`` writes, by which they are told from files of weights."""


class Engine(NamedTuple):
    """An exported file that is ready to run.

    Args:
        name: What computes, such as ``ONNX Runtime``.
        compute: From the input to all outputs by name.
    """

    name: str
    compute: Compute


def is_exported(path: str | Path) -> bool:
    """Whether a path ends as exported files do."""
    return Path(path).suffix.lower() in SUFFIXES


def read_description(path: Path) -> Description:
    """The description in a file; nothing in the file is run.

    Raises:
        UsageError: There is no such file, or a package is missing.
        ExportedError: The file is damaged, or not attseg's.
    """
    require_file(path)
    if not is_utf8(path):
        raise ExportedError(
            f"{path} cannot be read: its path is not UTF-8, and the engines open no other; rename the file or the folder"
        )
    readers = {".onnx": _onnx_text, ".xml": _openvino_text, ".pt2": _pt2_text}
    return Description.from_json(readers[path.suffix.lower()](path), path)


def start(path: Path, outputs: tuple[str, ...], *, threads: int | None = None) -> Engine:
    """Make a file ready to run on the processor.

    A .pt2 is opened by PyTorch, which may run code that somebody put into it; .onnx and .xml are data.

    Args:
        path: The file.
        outputs: Names of what it is to give.
        threads: To compute with; None takes as many as PyTorch does.

    Raises:
        UsageError: A package is missing.
        ExportedError: The file is damaged, or has other inputs or outputs than it says.
    """
    starters = {".onnx": _start_onnx, ".xml": _start_openvino, ".pt2": _start_pt2}
    return starters[path.suffix.lower()](path, outputs, threads or torch.get_num_threads())


def _onnx_text(path: Path) -> str | None:
    onnx = need("onnx", f"reading {path}")
    try:
        model = onnx.load(require_file(path), load_external_data=False)
    except Exception as error:  # whatever a parser says of bytes that are none
        raise _damaged(path, "an ONNX file", error) from error
    constants = [(each.name, each) for each in model.graph.initializer]
    constants += [
        (node.name, attribute.t) for node in model.graph.node for attribute in node.attribute if attribute.HasField("t")
    ]
    floats = [onnx.TensorProto.FLOAT, onnx.TensorProto.FLOAT16, onnx.TensorProto.DOUBLE]
    kept = [(name, each) for name, each in constants if each.data_type in floats and not each.external_data]
    _check_finite(path, ((name, onnx.numpy_helper.to_array(each)) for name, each in kept))
    return next((entry.value for entry in model.metadata_props if entry.key == KEY), None)


def _openvino_text(path: Path) -> str | None:
    model = _read_openvino(path)
    return str(model.get_rt_info([KEY]).value) if model.has_rt_info([KEY]) else None


def _pt2_text(path: Path) -> str | None:
    try:
        with zipfile.ZipFile(require_file(path)) as archive:
            name = next((name for name in archive.namelist() if Path(name).name == f"{KEY}.json"), None)
            return archive.read(name).decode() if name else None
    except (zipfile.BadZipFile, UnicodeDecodeError) as error:
        raise _damaged(path, "an archive of torch.export", error) from error


def _start_onnx(path: Path, outputs: tuple[str, ...], threads: int) -> Engine:
    runtime = need("onnxruntime", f"running {path}")
    options = runtime.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = (
        4  # its log goes past our filter with names from the file; errors are raised all the same
    )
    try:
        session = runtime.InferenceSession(str(require_file(path)), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # its errors have no common class
        raise _damaged(path, "an ONNX file that ONNX Runtime can run", error) from error
    _check_names(
        path, [each.name for each in session.get_inputs()], [each.name for each in session.get_outputs()], outputs
    )

    def compute(images: Numbers) -> Mapping[str, Numbers]:
        return dict(zip(outputs, session.run(list(outputs), {INPUT: images}), strict=True))

    return Engine("ONNX Runtime", compute)


def _start_openvino(path: Path, outputs: tuple[str, ...], threads: int) -> Engine:
    openvino = need("openvino", f"running {path}")
    model = _read_openvino(path)
    constants = (
        each for each in model.get_ops() if each.get_type_name() == "Constant" and each.get_element_type().is_real()
    )
    _check_finite(path, ((each.get_friendly_name(), each.data) for each in constants))
    _check_names(path, [each.any_name for each in model.inputs], [each.any_name for each in model.outputs], outputs)
    exact = {"INFERENCE_NUM_THREADS": threads, "PERFORMANCE_HINT": "LATENCY", "INFERENCE_PRECISION_HINT": "f32"}
    try:
        compiled = openvino.Core().compile_model(model, "CPU", exact)
    except RuntimeError as error:
        raise _damaged(path, "a model that OpenVINO can run", error) from error

    def compute(images: Numbers) -> Mapping[str, Numbers]:
        found = compiled(images)
        return {name: found[name] for name in outputs}

    return Engine("OpenVINO", compute)


def _read_openvino(path: Path) -> Any:
    openvino = need("openvino", f"reading {path}")
    weights = path.with_suffix(".bin")
    if not weights.exists():
        raise ExportedError(f"{path} has its weights in {weights}, which is not there; keep both files side by side")
    try:
        return openvino.Core().read_model(require_file(path), require_file(weights))
    except RuntimeError as error:
        raise _damaged(path, "a model of OpenVINO", error) from error


def _start_pt2(path: Path, outputs: tuple[str, ...], _threads: int) -> Engine:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about formats within torch, which a reader can do nothing about
            exported = torch.export.load(require_file(path))
            program: Any = exported.module()
    except Exception as error:  # whatever torch says of parts that are missing
        raise _damaged(path, "an archive that this PyTorch can run", error) from error
    floats = ((name, each) for name, each in exported.state_dict.items() if each.is_floating_point())
    _check_finite(path, ((name, each.detach().float().numpy()) for name, each in floats))

    def compute(images: Numbers) -> Mapping[str, Numbers]:
        with torch.inference_mode():
            found = program(torch.from_numpy(images))
        return {name: each.numpy() for name, each in zip(outputs, found, strict=True)}

    return Engine("PyTorch", compute)


def _check_names(path: Path, inputs: list[str], given: list[str], outputs: tuple[str, ...]) -> None:
    if inputs != [INPUT] or not set(outputs) <= set(given):
        raise ExportedError(
            f"{path} takes {', '.join(inputs)} and gives {', '.join(given)}, but says that it takes {INPUT} and gives "
            f"{', '.join(outputs)}; export it anew"
        )


def _check_finite(path: Path, constants: Iterable[tuple[str, Numbers]]) -> None:
    """Refuse NaN in any constant, and infinity in weights of convolutions; elsewhere it may be a mask.

    The output would not show all of it: OpenVINO's ReLU makes 0 of NaN.
    """
    for name, values in constants:
        if values.dtype.kind == "f" and not (
            np.isfinite(values).all() if values.ndim == 4 else not np.isnan(values).any()
        ):
            raise ExportedError(
                f"{path} has NaN or infinite values in its weights ({short(name)}); export it anew from a sound run"
            )


def _damaged(path: Path, what: str, error: Exception) -> ExportedError:
    first = next(iter(str(error).strip().splitlines()), type(error).__name__)
    return ExportedError(f"{path} is damaged, or not {what} ({first[:200]}); export it anew")
