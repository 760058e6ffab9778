"""Using a trained model: ``load`` it, call it with pictures, get results."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypedDict, Unpack, overload

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from attseg.checkpoint import Weights, check_fit, load_into, read_weights, trained_on
from attseg.data.classes import ClassTable
from attseg.data.preprocessing import Preprocessing
from attseg.data.reading.bands import check_show, visible
from attseg.data.reading.inputs import find_pictures
from attseg.data.sample import Array
from attseg.devices import find_device
from attseg.errors import UsageError
from attseg.hub.repository import NetworkOrigin, OnHub, fetch
from attseg.hub.sources import find_weights
from attseg.inference.exported.description import Description
from attseg.inference.exported.engines import is_exported, read_description
from attseg.inference.exported.model import ExportedDecidingModel, ExportedModel, open_exported
from attseg.inference.result import Result
from attseg.inference.several import Picture, means_several, read_all, read_picture
from attseg.models.frame import smallest_side
from attseg.prediction.decision import ARGMAX, Decision
from attseg.prediction.protocol import Protocol
from attseg.prediction.protocols import SINGLE, find_protocol
from attseg.prediction.stream import OnViews, Predictor
from attseg.prediction.whole import as_batch

if TYPE_CHECKING:
    from attseg.explain.looked import Looked

_ASKED_OF_THE_HUB = {"revision", "cache_dir", "force_download", "local_files_only", "token"}


def load(source: str | Path, *, device: str = "auto") -> Segmenter:
    """Load a trained model, ready to use.

    Args:
        source: A run folder, a ``.safetensors`` file, ``owner/name`` on the Hugging Face hub, ``"demo"``, or a file that
            ``attseg export`` wrote: ``.onnx``, ``.xml`` or ``.pt2``. A ``.pt2`` may hold code that runs when it is loaded: take
            none from strangers. All others are data.
        device: Where it computes, such as ``cpu`` or ``cuda:1``; ``auto`` takes a GPU if there is one. Exported files are
            computed by the processor.

    Raises:
        UsageError: There is no such source or device, or a package is missing.
        WeightsError: The file is not attseg's, is damaged, or was written by a newer attseg.
        ExportedError: Likewise, of an exported file.
        FileError: The hub cannot be reached.
    """
    path = find_weights(source)
    if is_exported(path):
        return _load_exported(path, device)
    from attseg.converters.networks import build_network  # exported files need no networks

    weights = read_weights(path)
    build = partial(build_network, weights.model.name, weights.model.args, len(weights.classes), stored=True)
    with torch.device("meta"):  # a file may ask for a network of any size: it is compared before there is one
        check_fit(build(), weights.state)
    model = build()
    load_into(model, weights.state)
    data, origin = trained_on(weights.info), NetworkOrigin(weights.model, weights.info, path)
    return Segmenter(model, weights.classes, weights.preprocessing, device=device, data=data, origin=origin)


def read_about(file: Path) -> Weights | Description:
    """The description in a file of weights or an exported file: its classes, and ``info`` about its origin."""
    return read_description(file) if is_exported(file) else read_weights(file)


def _load_exported(path: Path, device: str) -> Segmenter:
    if find_device("cpu" if device == "auto" else device).type != "cpu":
        raise UsageError(f"{path} is an exported file, which the processor computes; use the device cpu or auto")
    model, about = open_exported(path)
    return Segmenter(model, about.classes, about.preprocessing, device="cpu", data=trained_on(about.info))


class _How(TypedDict, total=False):
    protocol: str | Protocol
    memory: int | None
    decision: Decision
    probabilities: bool


class Segmenter(OnHub, library_name="attseg"):
    """A model with what is needed to use it on pictures as they come.

    Args:
        model: The network; it is moved to ``device`` and put into evaluation mode.
        classes: What its outputs mean.
        preprocessing: What its inputs go through.
        device: Where it computes; ``auto`` takes a GPU if there is one.
        data: Name of the data set that it was trained on, from which some protocols take their sizes.
        origin: Which network this is, and where its weights come from: what ``save_pretrained`` and ``push_to_hub`` need.

    Raises:
        UsageError: There is no such device.

    Example:
        >>> from attseg.models import FCN
        >>> classes = ClassTable(("sky", "road"), ((70, 130, 180), (128, 64, 128)))
        >>> segmenter = Segmenter(FCN(2, encoder="resnet18"), classes, Preprocessing(), device="cpu")
        >>> result = segmenter(np.zeros((48, 64, 3), np.uint8))
        >>> result.labels.shape, result.scores.shape
        ((48, 64), (48, 64))
    """

    def __init__(
        self,
        model: nn.Module,
        classes: ClassTable,
        preprocessing: Preprocessing,
        *,
        device: str = "auto",
        data: str | None = None,
        origin: NetworkOrigin | None = None,
    ) -> None:
        self.device = find_device(device)
        self.model = model.to(self.device).to(memory_format=torch.channels_last).eval()
        self.classes = classes
        self.preprocessing = preprocessing
        self.data = data
        self.origin = origin
        self._show: Sequence[int] | None = None

    def __repr__(self) -> str:
        name = self.origin.model.name if self.origin else type(self.model).__name__
        trained = f", trained on {self.data}" if self.data else ""
        return f"Segmenter({name}, {len(self.classes)} classes{trained}, {self.device})"

    @classmethod
    def _from_pretrained(cls, *, model_id: str, device: str = "auto", **asked: Any) -> Segmenter:
        """The hook that ``from_pretrained`` of huggingface_hub calls."""
        if others := asked.keys() - _ASKED_OF_THE_HUB:
            raise UsageError(
                f"from_pretrained does not know {', '.join(sorted(others))}; besides what it documents it takes device"
            )
        return load(fetch(model_id, **asked), device=device)

    @property
    def exported(self) -> bool:
        """Whether the model is an exported file, which has neither attention to look at nor weights to change."""
        return isinstance(self.model, ExportedModel | ExportedDecidingModel)

    @overload
    def __call__(self, source: Picture, **how: Unpack[_How]) -> Result: ...

    @overload
    def __call__(self, source: Sequence[str | Path | Picture], **how: Unpack[_How]) -> list[Result]: ...

    @overload
    def __call__(self, source: str | Path, **how: Unpack[_How]) -> Any: ...

    def __call__(
        self,
        source: Any,
        *,
        protocol: str | Protocol = SINGLE,
        memory: int | None = None,
        decision: Decision = ARGMAX,
        probabilities: bool = False,
    ) -> Any:
        """Segment one picture or several, of any size.

        Args:
            source: A file, a picture of Pillow, an array (H, W, 3) or (H, W), or a tensor (3, H, W): one ``Result``. A folder, a
                pattern such as ``"photos/*.jpg"``, or a sequence of all these: a list of them, all in memory, a picture of
                1000 x 1000 taking 8 MB. For many pictures, call it in a loop, or use ``attseg predict``.
            protocol: How each picture is seen: a name, such as ``pan-multiscale``, or values, such as
                ``Protocol(window=512, flip=True)``. Huge pictures need a window.
            memory: MiB for a batch of windows; ``attseg.prediction.stream.Predictor`` says which.
            decision: How classes are made of probabilities, such as ``Decision(thresholds={"crack": 0.3}, min_region=50)``.
            probabilities: Whether results have ``probabilities`` (K, H, W), 4 bytes each.

        Raises:
            UsageError: There is no such file, protocol or class, the array is no picture, or the memory runs out.
            DataError: A file cannot be read as a picture.
        """
        segment = partial(
            self.segment, protocol=protocol, memory=memory, decision=decision, probabilities=probabilities
        )
        if isinstance(source, str | Path):
            results = [segment(self.read(file.path), name=file.name) for file in find_pictures([source])]
            return results if means_several(source) else results[0]
        if isinstance(source, Sequence) and not isinstance(source, bytes):
            return [segment(image, name=name) for image, name in read_all(source, self.read)]
        return segment(self.read(source))

    def read(self, source: str | Path | Picture) -> Array:
        """Read one image by the value range and the bands of the model: (H, W, C) in 0..255.

        Args:
            source: A file, or an image in memory, as of a call.

        Raises:
            UsageError: An array or tensor that is no image.
            DataError: A file that cannot be read, or that holds values beyond the range.
        """
        return read_picture(source, self.preprocessing)

    def segment(
        self,
        image: Array,
        *,
        name: str = "picture",
        protocol: str | Protocol = SINGLE,
        memory: int | None = None,
        on_views: OnViews | None = None,
        decision: Decision = ARGMAX,
        probabilities: bool = False,
    ) -> Result:
        """Segment one picture that is read already: (H, W, C) in 0..255, red, green, blue or the bands of the model.

        Args:
            image: The picture.
            name: What the result is called.
            protocol: As of a call.
            memory: As of a call.
            on_views: Called on the way through the picture with how many views are done, and how many there are.
            decision: As of a call.
            probabilities: As of a call.

        Raises:
            UsageError: There is no such protocol or class, or the memory runs out.
        """
        decision.check(self.classes)
        shape = image.shape[:2]
        labels, scores = np.empty(shape, np.uint8), np.empty(shape, np.float32)
        probs = np.empty((len(self.classes), *shape), np.float32) if probabilities else None
        for band in self.predictor(protocol, memory).bands(image, on_views):
            rows = slice(band.top, band.top + band.height)
            labels[rows], scores[rows] = band.decide()
            if probs is not None or decision.needs_probabilities:
                found = band.probabilities()
                if probs is not None:
                    probs[:, rows] = found.cpu().numpy()
                if decision.needs_probabilities:
                    labels[rows], scores[rows] = decision.choose(found, self.classes)
        return self.result(image, decision.clean(labels), scores, name=name, probabilities=probs)

    def predictor(self, protocol: str | Protocol = SINGLE, memory: int | None = None) -> Predictor:
        """The predictor; arguments and errors as of a call."""
        if isinstance(protocol, str):
            protocol = find_protocol(protocol, data=self.data)
        return Predictor(self.model, len(self.classes), self.preprocessing, self.device, protocol, memory=memory)

    def result(
        self,
        image: Array,
        labels: Array,
        scores: npt.NDArray[np.float32],
        *,
        name: str = "picture",
        probabilities: npt.NDArray[np.float32] | None = None,
    ) -> Result:
        """A result of classes and probabilities (H, W) that are there already, such as those that a CRF refined."""
        return Result(self.visible(image), labels, scores, self.classes, name, partial(self.look, image), probabilities)

    def show_bands(self, show: Sequence[int] | None) -> None:
        """Choose the bands that pictures show as red, green and blue, of a model of chosen bands.

        Args:
            show: Three of the numbers in ``preprocessing.bands``; None takes the first three, and of fewer the first as gray.

        Raises:
            UsageError: The model sees red, green and blue, or does not see one of these.
        """
        if show is not None and self.preprocessing.bands is None:
            raise UsageError(
                "--show-bands is for a model of chosen bands; this one sees red, green and blue: leave it out"
            )
        check_show(self.preprocessing.channels, self.preprocessing.bands, show)
        self._show = show

    def visible(self, image: Array) -> Array:
        """(H, W, 3) An image (H, W, C) of the model as a picture for people."""
        return visible(image, self.preprocessing.bands, self._show)

    def look(self, image: Array) -> Looked:
        """See one picture (H, W, C) whole, once, and keep what is needed to read the network's attention at any pixel.

        A side below ``smallest_side`` of the model (32 or 33 pixels) is continued to it, as always.

        Raises:
            UsageError: The model is an exported file, which has no attention any more.
        """
        if self.exported:
            raise UsageError("an exported file shows no attention maps; load the run that it was exported from")
        from attseg.explain.looked import look

        return look(self.model, as_batch(image, self.preprocessing, self.device, least=smallest_side(self.model)))
