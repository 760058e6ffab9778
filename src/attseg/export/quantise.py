"""Eight-bit integers: a file of floats becomes one that computes in integers, whose ranges come from pictures (NNCF)."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Any

from attseg.data.sample import Array
from attseg.errors import UsageError
from attseg.export.formats import save_openvino
from attseg.export.program import ExportError, quiet
from attseg.export.samples import as_input, sample_pictures
from attseg.files import require_file, write_file
from attseg.inference.exported.contract import INPUT
from attseg.inference.exported.description import KEY, Description
from attseg.inference.exported.engines import Numbers, read_description
from attseg.inference.exported.packages import need

CALIBRATION = 100
"""Pictures from which the ranges of values are taken."""


def quantise(
    source: Path,
    path: Path,
    pictures: Sequence[Callable[[], Array]],
    *,
    on_picture: Callable[[int, int], None] | None = None,
) -> Description:
    """Make a file that computes in 8-bit integers out of one that computes in floats.

    Weights are symmetric, activations asymmetric, and biases are corrected for what rounding shifts. Normalisation and the
    decision behind the logits stay as they are.

    Args:
        source: An ``.onnx`` or ``.xml`` that ``attseg export`` wrote.
        path: The new file, of the same kind; an existing one is replaced.
        pictures: Readers of the pictures to calibrate with, (H, W, 3) bytes of any size, like those that the file is for.
        on_picture: Called before each picture with how many are done, and how many there are.

    Returns:
        What the new file says about itself.

    Raises:
        UsageError: The file is of another kind, or integers already; there is no picture; a package is missing.
        ExportError: NNCF cannot quantise it.
        FileError: The file cannot be written.
    """
    if source.suffix.lower() not in (".onnx", ".xml") or path.suffix.lower() != source.suffix.lower():
        raise UsageError(
            f"8-bit integers are made of .onnx and .xml, each of its own kind, and {source} was to become {path}; export with "
            "--format onnx or openvino"
        )
    if not pictures:
        raise UsageError("there is no picture to calibrate with; give some that are like those that the model is for")
    about = read_description(source)
    if about.quantised:
        raise UsageError(f"{source} computes in 8-bit integers already; give the file of floats")
    nncf = need("nncf", "quantising")
    after = replace(about, quantised=True)
    inputs = _Inputs(about, pictures, on_picture)
    if path.suffix.lower() == ".xml":
        openvino = need("openvino", "quantising")
        model = openvino.Core().read_model(require_file(source), require_file(source.with_suffix(".bin")))
        _fold(model)
        save_openvino(_quantised(nncf, model, inputs), path, after.to_json())
    else:
        onnx = need("onnx", "quantising")
        model = _quantised(nncf, onnx.load(require_file(source), load_external_data=False), inputs, name=INPUT)
        for entry in model.metadata_props:
            if entry.key == KEY:
                entry.value = after.to_json()
        write_file(path, model.SerializeToString())
    return after


def _fold(model: Any) -> None:
    """Compute what depends on no picture, such as the filters of PSA at one size: NNCF stumbles over a choice among constants."""
    passes: Any = import_module("openvino.passes")
    manager = passes.Manager()
    manager.register_pass(passes.ConstantFolding())
    manager.run_passes(model)


class _Inputs:
    """Pictures as the file takes them, each read when it is wanted; it can be gone through more than once."""

    def __init__(
        self,
        about: Description,
        pictures: Sequence[Callable[[], Array]],
        on_picture: Callable[[int, int], None] | None,
    ) -> None:
        self.about = about
        self.pictures = pictures
        self.on_picture = on_picture

    def __len__(self) -> int:
        return len(self.pictures)

    def __iter__(self) -> Iterator[Numbers]:
        least = self.about.contract.smallest
        for done, read in enumerate(self.pictures):
            if self.on_picture is not None:
                self.on_picture(done, len(self))
            picture = read()
            height, width = picture.shape[:2]
            size = self.about.contract.size or (max(height, least), max(width, least))
            yield as_input(sample_pictures(size, [picture], 1), self.about.contract, self.about.preprocessing)


def _quantised(nncf: Any, model: Any, inputs: _Inputs, *, name: str | None = None) -> Any:
    """The model in integers; NNCF prints bars of its own, which are in the way of ours."""
    transform = None if name is None else lambda images: {name: images}
    try:
        with quiet(), contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            return nncf.quantize(
                model, nncf.Dataset(inputs, transform), preset=nncf.QuantizationPreset.MIXED, subset_size=len(inputs)
            )
    except Exception as error:  # NNCF raises what comes from the libraries below it
        first = next(iter(str(error).strip().splitlines()), type(error).__name__)
        raise ExportError(f"NNCF cannot quantise this model: {first}") from error
