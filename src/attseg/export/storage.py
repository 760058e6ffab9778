"""How an exported file is written: version of operators, and precision of the stored weights."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from attseg.errors import UsageError

Format = Literal["pt2", "onnx", "openvino"]

SUFFIX: dict[Format, str] = {"pt2": ".pt2", "onnx": ".onnx", "openvino": ".xml"}

PHONES = (".tflite", ".mlpackage", ".mlmodel")
"""Ends of names of files for phones, which other tools write."""

OPSET = 18
"""Version of ONNX's operators: old enough for runtimes of the last years, and the oldest that the exporter writes."""

NEWEST_OPSET = 23
"""The newest version that the exporter of the oldest torch that we take writes."""

HALVED = 1024
"""Values from which on a tensor of weights is stored in 16 bits, where that is asked for."""


def format_of(out: Path, asked: Format | None = None) -> Format:
    """The format that the end of a name says.

    Args:
        out: The file.
        asked: The format that is to agree with it, if one is named.

    Raises:
        UsageError: The name has another end.
    """
    found = next((format for format, suffix in SUFFIX.items() if out.suffix.lower() == suffix), None)
    if found is None:
        more = ". docs/use/deploy.md (Telephones) shows how LiteRT and Core ML write such files from a run"
        raise UsageError(
            f"--out is {out}; a name that ends in .pt2, .onnx or .xml was expected, which says the format"
            + more * (out.suffix.lower() in PHONES)
        )
    if asked and asked != found:
        raise UsageError(f"--format is {asked}, but --out is {out}; end its name with {SUFFIX[asked]}")
    return found


@dataclass(frozen=True, kw_only=True)
class Storage:
    """How a file is written.

    Args:
        opset: Version of ONNX's operators, of ``.onnx`` alone.
        half: Store weights as 16-bit floats, of ``.onnx`` and ``.xml``: half as large. Engines compute in 32 bits, or as they
            choose.

    Raises:
        UsageError: The version is not one that the exporter writes.
    """

    opset: int = OPSET
    half: bool = False

    def __post_init__(self) -> None:
        if not OPSET <= self.opset <= NEWEST_OPSET:
            raise UsageError(f"opset is {self.opset}; {OPSET} to {NEWEST_OPSET} was expected")

    def check(self, format: Format) -> None:
        """Refuse what a format does not have.

        Raises:
            UsageError: The message names it.
        """
        if self.opset != OPSET and format != "onnx":
            raise UsageError(f"opset is for files of ONNX, and this one is for {format}; leave it out")
        if self.half and format == "pt2":
            raise UsageError(
                "weights of a .pt2 keep their 32 bits; export to .onnx or .xml, or leave the precision out"
            )


def store_half(graph: Any) -> None:
    """Store large tensors of 32-bit floats in 16 bits, each with a cast back before it is used."""
    import onnx
    from onnx import helper, numpy_helper

    casts = []
    for tensor in graph.initializer:
        values = numpy_helper.to_array(tensor) if tensor.data_type == onnx.TensorProto.FLOAT else None
        if values is None or values.size < HALVED:
            continue
        name = tensor.name
        tensor.CopyFrom(numpy_helper.from_array(values.astype(np.float16), f"{name}.half"))
        casts.append(helper.make_node("Cast", [tensor.name], [name], to=onnx.TensorProto.FLOAT))
    nodes = [*casts, *graph.node]
    del graph.node[:]
    graph.node.extend(nodes)
