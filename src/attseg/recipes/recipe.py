"""The records of a run: everything that decides its result (``Recipe``), and where and how it runs (``Machine``).

Plain values only and no torch, so that a recipe can be printed, edited as YAML and read back, and is never code.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from attseg.data.catalog import DATA_NAMES
from attseg.devices import check_device_name
from attseg.errors import UsageError
from attseg.losses import LossSpec

ModelName = Literal["PAN", "PSANet", "DFDAM", "AttentionToRefine", "FCN"]
if TYPE_CHECKING:
    DataName = str
else:
    DataName = Literal[DATA_NAMES]
Sampling = Literal["shuffled", "class-balanced"]
Freeze = Literal["none", "1", "2", "3", "encoder"]
WithoutWeights = Literal["stop", "scratch"]
Tracker = Literal["tensorboard", "wandb", "mlflow", "trackio", "none"]

LONGEST_NAME = 100
"""Characters that the name of a recipe may have."""
NAME = re.compile(rf"[A-Za-z0-9_](?:[A-Za-z0-9._-]{{0,{LONGEST_NAME - 2}}}[A-Za-z0-9_-])?")
RESERVED = {"CON", "PRN", "AUX", "NUL", *(f"{port}{number}" for port in ("COM", "LPT") for number in range(10))}
"""Names of devices on Windows, with any suffix."""
LONGEST_LABEL = 255
NO_LABEL = re.compile(r'[\\/:*?"<>|]|^[. ]+$')
"""Characters that no name has, not even that of a run of attseg 0.1.0: separators of paths, and patterns."""


@dataclass(frozen=True, kw_only=True)
class ModelSpec:
    """Which model, and with which arguments.

    Args:
        name: The network, a class of ``attseg.models``.
        args: Keyword arguments of its constructor (``attseg models NAME`` lists them), except ``num_classes`` and
            ``in_channels``, which follow from the data set.
    """

    name: ModelName = "PAN"
    args: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class DataSpec:
    """Which data set.

    Args:
        name: A data set that ``attseg data check --help`` lists; ``folder`` is your own (images/, labels/, classes.csv).
        root: Folder of the data set; ``scenes`` has none.
        train: Split to train on, or several with + between them, such as train+val.
        val: Split to evaluate on during and after training.
        options: Further arguments of the data set, such as ``size`` of ``scenes``; ``attseg data check --help`` lists them.
    """

    name: DataName = "scenes"
    root: str | None = None
    train: str = "train"
    val: str = "val"
    options: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class AugmentSpec:
    """Augmentation of an image and its labels, before the crop is cut.

    Args:
        scale: Smallest and largest factor of random scaling, drawn uniformly.
        scales: Factors of random scaling, of which one is drawn; replaces ``scale``.
        cover: Scale each image at least to the size of the crop, so that crops need no padding.
        flip: Flip horizontally with a probability of one half.
        flip_vertical: Flip vertically with a probability of one half, for images without up and down (aerial, microscopy).
        quarter_turns: Rotate by 0, 90, 180 or 270 degrees, each equally often, without resampling.
        rotate: Largest angle of random rotation to either side, in degrees.
        blur: Probability of a Gaussian blur.
        color: Strength of random brightness, contrast and saturation; 0 is none, 0.5 is much.
    """

    scale: tuple[float, float] = (0.5, 2.0)
    scales: tuple[float, ...] = ()
    cover: bool = False
    flip: bool = True
    flip_vertical: bool = False
    quarter_turns: bool = False
    rotate: float = 0.0
    blur: float = 0.0
    color: float = 0.0


@dataclass(frozen=True, kw_only=True)
class OptimSpec:
    """The optimiser and its schedule: a linear warm-up, then ``lr * (1 - step / steps) ** power``, step by step.

    Args:
        name: ``sgd`` or ``adamw``.
        lr: Initial learning rate of the encoder.
        momentum: Momentum of SGD.
        weight_decay: Factor of the L2 penalty on weights.
        power: Exponent of the polynomial decay.
        warmup: Steps of linear warm-up to ``lr``; a value below 1 is a share of the run. At most half of the run.
        new_layers_factor: Factor of the learning rate for everything after the encoder.
        layer_decay: Factor of the learning rate from each stage of the encoder to the one before it (layer-wise decay); 1 gives
            all stages the same rate.
        decay_norm_and_bias: Whether ``weight_decay`` also applies to normalisation layers and biases.
        clip: Largest norm of the gradient; 0 turns clipping off.
    """

    name: Literal["sgd", "adamw"] = "sgd"
    lr: float = 0.01
    momentum: float = 0.9
    weight_decay: float = 1e-4
    power: float = 0.9
    warmup: float = 0
    new_layers_factor: float = 1.0
    layer_decay: float = 1.0
    decay_norm_and_bias: bool = True
    clip: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """Everything that decides the result of a run, and nothing about where it runs.

    Args:
        name: Name of the recipe, and of its run folder below ``runs``: letters, digits, ``.``, ``_`` and ``-``.
        model: The network.
        data: The data set.
        sampling: ``shuffled`` draws each training image once per epoch; ``class-balanced`` first draws a class and then an image
            that contains it, weighted by its pixels, so that rare classes come up as often as common ones.
        augment: Random changes to the training images.
        crop_size: Height and width of the training crops, in pixels, such as 512,512.
        batch_size: Images per optimiser step, over all devices and accumulated parts.
        steps: Length of the run in optimiser steps; 0 if ``epochs`` or ``minutes`` give it.
        epochs: Length of the run in passes over the training images, instead of ``steps``.
        minutes: Length of the run in minutes, instead of ``steps``: a few steps are timed first, to plan as many as fit.
        patience: Early stopping after N evaluations in a row without a better score; 0 turns it off.
        patience_on: Score of early stopping.
        init: Weights to begin with, for fine-tuning: a run folder, a file, demo, or owner/name on the Hugging Face hub. What fits
            is loaded, and classes are matched by their names.
        without_weights: What to do if the pretrained weights of the encoder can neither be found nor downloaded: ``stop``, or
            train from ``scratch`` with a notice.
        freeze: Freeze the encoder, with its batch normalisation in evaluation mode: all of it (encoder), or everything up to its
            first, second or third map (usually strides 4, 8 and 16).
        optim: Optimiser and schedule.
        loss: What is minimised.
        ema: Decay of the moving average of the weights that is evaluated and saved; 0 turns it off.
        val_every: Steps between two evaluations on the validation split; 0 means a tenth of ``steps``, but at least 100.
        seed: Seed of the weights, the order of images, and augmentation.
        source: Paper, table and row that this reproduces; empty for our own.
        expected_miou: What the paper reports for that row, in percent.
        protocol: How that was evaluated: a name for ``attseg evaluate --protocol``.

    Raises:
        UsageError: The name is not one component of a path, or holds control or invisible characters.
    """

    name: str
    model: ModelSpec = field(default_factory=ModelSpec)
    data: DataSpec = field(default_factory=DataSpec)
    sampling: Sampling = "shuffled"
    augment: AugmentSpec = field(default_factory=AugmentSpec)
    crop_size: tuple[int, int] = (512, 512)
    batch_size: int = 16
    steps: int = 30_000
    epochs: float = 0.0
    minutes: float = 0.0
    patience: int = 0
    patience_on: Literal["miou", "val_loss"] = "miou"
    init: str | None = None
    without_weights: WithoutWeights = "stop"
    freeze: Freeze = "none"
    optim: OptimSpec = field(default_factory=OptimSpec)
    loss: LossSpec = field(default_factory=LossSpec)
    ema: float = 0.0
    val_every: int = 0
    seed: int = 0
    source: str = ""
    expected_miou: float | None = None
    protocol: str = "single"

    def __post_init__(self) -> None:
        check_name(self.name)


def check_name(name: str) -> None:
    """Refuse a name that is not one component of a path of characters that can be seen.

    Raises:
        UsageError: The message says what a name may be.

    Example:
        >>> check_name("my run")  # of attseg 0.1.0
        >>> check_name("../elsewhere")
        Traceback (most recent call last):
        attseg.errors.UsageError: name is '../elsewhere'; letters (a-z, A-Z), digits, '.', '_' and '-' were expected, ...
    """
    if (
        not isinstance(name, str)
        or len(name) > LONGEST_LABEL
        or not name.isprintable()
        or NO_LABEL.search(name)
        or not name
    ):
        raise _bad_name(name)


def check_new_name(name: str) -> None:
    """Refuse a name for a new run that is not one plain component of a path on every system.

    Raises:
        UsageError: The message says what a name may be.

    Example:
        >>> check_new_name("pan-camvid_2.1")
        >>> check_new_name("my run")
        Traceback (most recent call last):
        attseg.errors.UsageError: name is 'my run'; letters (a-z, A-Z), digits, '.', '_' and '-' were expected, ...
    """
    if not (isinstance(name, str) and NAME.fullmatch(name)) or name.partition(".")[0].upper() in RESERVED:
        raise _bad_name(name)


def _bad_name(name: str) -> UsageError:
    shown = repr(name) if len(str(name)) <= LONGEST_NAME else f"{str(name)[:LONGEST_NAME]!r} and more"
    return UsageError(
        f"name is {shown}; letters (a-z, A-Z), digits, '.', '_' and '-' were expected, {LONGEST_NAME} at most, the first no "
        "dot or dash and the last no dot, and no device of Windows (con, nul, ..): a run is written to a folder of this name"
    )


@dataclass(frozen=True, kw_only=True)
class Machine:
    """Where and how a run happens; none of it belongs to a recipe.

    Args:
        device: Where it runs: ``auto`` (a GPU if there is one), ``cpu``, ``cuda``, ``cuda:1`` or ``mps``.
        devices: Processes per node, one per device.
        nodes: Number of computers; on each, torchrun starts one process per device.
        precision: Number format; ``bf16`` and ``fp16`` compute in half precision and keep the weights in 32 bits.
        workers: Processes that read and transform images; -1 chooses their number.
        cache: Gigabytes of memory per process for decoded training images; 0 caches none.
        accumulate: Parts into which each process splits its share of a batch, to save memory.
        channels_last: Channels-last memory format; ``auto`` uses it where it is faster.
        compile: Whether the network is compiled with ``torch.compile``.
        sync_bn: Synchronise batch normalisation over all GPUs.
        deterministic: Use only deterministic algorithms on a GPU, so that a run can be repeated bit for bit.
        save_every: Steps between two saved states; 0 means a tenth of ``steps``.
        log: Trackers beside metrics.csv: ``tensorboard``, ``wandb``, ``mlflow``, ``trackio``, or ``none`` (default: TensorBoard
            if it is installed).
        timeout: Seconds to wait for an answer of the other processes; without one, all processes end within a minute more.
    """

    device: str = "auto"
    devices: int = 1
    nodes: int = 1
    precision: Literal["32", "bf16", "fp16"] = "32"
    workers: int = -1
    cache: float = 0.0
    accumulate: int = 1
    channels_last: Literal["auto", "on", "off"] = "auto"
    compile: bool = False
    sync_bn: bool = True
    deterministic: bool = False
    save_every: int = 0
    log: tuple[Tracker, ...] = ()
    timeout: int = 50

    def __post_init__(self) -> None:
        check_device_name(self.device)
