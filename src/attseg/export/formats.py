"""A file a format: for torch.export, for ONNX Runtime and all that reads ONNX, and for OpenVINO."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping
from functools import partial
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch
from torch.export import ExportedProgram

from attseg.checkpoint import WeightsError
from attseg.errors import UsageError
from attseg.export.program import ExportError, quiet, trace
from attseg.export.storage import SUFFIX, Format, Storage, store_half
from attseg.files import FileError, open_file, read_bytes, write_file
from attseg.inference.exported.contract import INPUT, Contract
from attseg.inference.exported.description import KEY, Description
from attseg.inference.exported.packages import need
from attseg.inference.segmenter import Segmenter
from attseg.tensors import explain_state, listed

OnStep = Callable[[str], None]

"""How the files of a format end."""


def export_model(
    segmenter: Segmenter,
    path: Path,
    format: Format,
    contract: Contract | None = None,
    *,
    storage: Storage | None = None,
    info: Mapping[str, Any] | None = None,
    on_step: OnStep | None = None,
) -> Contract:
    """Export a model to a file of any format; ``export_pt2``, ``export_onnx`` and ``export_openvino`` say more.

    Returns:
        The contract that the file keeps, with the least size that it really takes.
    """
    storage = storage or Storage()
    storage.check(format)
    exporters: dict[Format, Callable[..., Contract]] = {
        "pt2": export_pt2,
        "onnx": partial(export_onnx, storage=storage),
        "openvino": partial(export_openvino, storage=storage),
    }
    return exporters[format](segmenter, path, contract, info=info, on_step=on_step)


def export_pt2(
    segmenter: Segmenter,
    path: Path,
    contract: Contract | None = None,
    *,
    info: Mapping[str, Any] | None = None,
    on_step: OnStep | None = None,
) -> Contract:
    """Export a model to an archive of torch.export, at once or not at all; ``torch.export.load`` opens it without attseg.

    Args:
        segmenter: The model with its classes.
        path: The file, which ends with ``.pt2``; an existing one is replaced.
        contract: What goes in and out; None takes bytes of pictures of any size, and gives labels.
        info: Where the weights come from, as plain values.
        on_step: Called with what is done next, in a few words.

    Raises:
        UsageError: The path ends otherwise, or the model is itself an exported file.
        ExportError: torch cannot make a graph of the network as asked.
        FileError: The file cannot be written.
    """
    step = on_step or _silent
    program, kept = _traced(segmenter, path, "pt2", contract, step)
    step("writing the file")
    content = BytesIO()
    try:
        with quiet():
            torch.export.save(program, content, extra_files={f"{KEY}.json": _text(segmenter, kept, info)})
    except Exception as error:  # of whatever in the graph the archive has no form for
        first = next(iter(str(error).strip().splitlines()), type(error).__name__)
        raise ExportError(f"torch cannot save the graph of this network: {first}; try --format onnx") from error
    write_file(path, content.getbuffer())
    return kept


def export_onnx(
    segmenter: Segmenter,
    path: Path,
    contract: Contract | None = None,
    *,
    storage: Storage = Storage(),
    info: Mapping[str, Any] | None = None,
    on_step: OnStep | None = None,
) -> Contract:
    """Export a model to one ONNX file. Arguments, result and errors as of ``export_pt2``; the path ends with ``.onnx``."""
    step = on_step or _silent
    need("onnxscript", "exporting to ONNX")
    program, kept = _traced(segmenter, path, "onnx", contract, step)
    content = _to_onnx(program, kept, _text(segmenter, kept, info), step, storage)
    write_file(path, content)
    return kept


def export_openvino(
    segmenter: Segmenter,
    path: Path,
    contract: Contract | None = None,
    *,
    storage: Storage = Storage(),
    info: Mapping[str, Any] | None = None,
    on_step: OnStep | None = None,
) -> Contract:
    """Export a model to OpenVINO's two files, ``.xml`` and ``.bin``, by way of ONNX; weights stay 32-bit floats.

    Arguments, result and errors as of ``export_pt2``; the path ends with ``.xml``.
    """
    step = on_step or _silent
    openvino = need("openvino", "exporting to OpenVINO")
    need("onnxscript", "exporting to OpenVINO goes through ONNX and")
    program, kept = _traced(segmenter, path, "openvino", contract, step)
    content = _to_onnx(program, kept, _text(segmenter, kept, info), step, Storage())
    step("translating to OpenVINO")
    save_openvino(openvino.Core().read_model(content, b""), path, _text(segmenter, kept, info), half=storage.half)
    return kept


def save_openvino(model: Any, path: Path, description: str, *, half: bool = False) -> None:
    """Write a model of OpenVINO with its description; each of the two files is replaced at once."""
    openvino = need("openvino", "writing for OpenVINO")
    model.set_rt_info(description, [KEY])
    with TemporaryDirectory(prefix="attseg-") as scratch:
        written = Path(scratch) / "model.xml"
        _write_openvino(openvino, model, written, path, half)
        with open_file(written.with_suffix(".bin")) as weights:  # so that the .xml alone tells one model from another
            model.set_rt_info(hashlib.file_digest(weights, "sha256").hexdigest(), [f"{KEY}_weights"])
        _write_openvino(openvino, model, written, path, half)
        for suffix in (".bin", ".xml"):  # the weights first: who finds the .xml finds both
            write_file(path.with_suffix(suffix), read_bytes(written.with_suffix(suffix)))


def _write_openvino(openvino: Any, model: Any, scratch: Path, path: Path, half: bool) -> None:
    """Let OpenVINO write its two files, which ends in an error of its own where they do not fit."""
    try:
        openvino.save_model(model, scratch, compress_to_fp16=half)
    except RuntimeError as error:
        first = next(iter(str(error).strip().splitlines()), type(error).__name__)
        raise FileError(
            f"cannot write {path}: OpenVINO could not write to the folder for temporary files {scratch.parent.parent} "
            f"({first[:200]}); free space or raise the limit on the size of files there, or choose another folder by TMPDIR"
        ) from error


def _traced(
    segmenter: Segmenter, path: Path, format: Format, contract: Contract | None, step: OnStep
) -> tuple[ExportedProgram, Contract]:
    if path.suffix.lower() != SUFFIX[format]:
        raise UsageError(f"{path} is to hold a model for {format}; a name that ends with {SUFFIX[format]} was expected")
    if segmenter.exported:
        raise UsageError("an exported file cannot be exported again; give the run that it came from")
    if problems := explain_state(segmenter.model.state_dict()):
        raise WeightsError(
            f"the weights of this {type(segmenter.model).__name__} cannot be exported:{listed(problems)}"
        )
    step("tracing the network")
    return trace(segmenter, contract or Contract())


def _to_onnx(program: ExportedProgram, contract: Contract, description: str, step: OnStep, storage: Storage) -> bytes:
    step("translating to ONNX")
    try:
        with quiet():
            translated: Any = torch.onnx.export(
                program,
                input_names=[INPUT],
                output_names=list(contract.outputs),
                opset_version=storage.opset,
                dynamo=True,
                external_data=False,
                verbose=False,
            )
    except Exception as error:  # the exporter has no common class for operators that it lacks
        first = next(iter(str(error).strip().splitlines()), type(error).__name__)
        raise ExportError(f"torch cannot translate this network to ONNX: {first}; try --format pt2") from error
    model = translated.model_proto
    names = _free_names(model, contract)
    for value in (*model.graph.input, *model.graph.output, *model.graph.value_info):
        _rename(value, names)
    for node in (*model.graph.node, *(node for function in model.functions for node in function.node)):
        node.ClearField("metadata_props")  # where in which file it was called
        node.ClearField("doc_string")
    model.ClearField("metadata_props")
    entry = model.metadata_props.add()
    entry.key, entry.value = KEY, description
    if storage.half:
        store_half(model.graph)
    model.producer_name = "attseg"
    model.doc_string = f"{contract.describe_input()} -> {contract.describe_output()}; {contract.describe_sizes()}"
    try:
        return model.SerializeToString()
    except Exception as error:  # protobuf has its own, and its name changed with versions
        raise ExportError(
            f"the network does not fit into one ONNX file, which ends at 2 GB ({type(error).__name__}: {error}); try --format pt2"
        ) from error


def _free_names(model: Any, contract: Contract) -> dict[str, str]:
    """Names and values of the input's dynamic sizes in the exporter."""
    wanted = ("batch", "height", "width", "") if contract.takes == "bytes" else ("batch", "", "height", "width")
    sizes = model.graph.input[0].type.tensor_type.shape.dim
    return {size.dim_param: name for size, name in zip(sizes, wanted, strict=True) if size.dim_param and name}


def _rename(value: Any, names: Mapping[str, str]) -> None:
    for size in value.type.tensor_type.shape.dim:
        if size.dim_param:
            size.dim_param = re.sub(r"\w+", lambda word: names.get(word[0], word[0]), size.dim_param)


def _text(segmenter: Segmenter, contract: Contract, info: Mapping[str, Any] | None) -> str:
    kind = type(segmenter.model).__name__
    return Description(contract, segmenter.classes, segmenter.preprocessing, kind, info=info or {}).to_json()


def _silent(_step: str) -> None:
    pass
