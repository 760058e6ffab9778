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
        name: A class of ``attseg.models``.
        args: Keyword arguments of its constructor, all but ``num_classes``, which the data set decides, as it does
            ``in_channels``.
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
        scale: Smallest and largest factor, drawn uniformly.
        scales: Factors of which one is drawn; used instead of ``scale`` where given.
        cover: Scale images up to the crop at least, whatever factor was drawn, so that no crop shows the outside.
        flip: Mirror left and right half of the time.
        flip_vertical: Mirror top and bottom half of the time, where up and down mean nothing (aerial images, microscopy).
        quarter_turns: Turn by 0, 90, 180 or 270 degrees, each equally often; exact, without resampling.
        rotate: Largest angle, in degrees, to either side.
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
        lr: Learning rate of the encoder at the start.
        momentum: Momentum of SGD.
        weight_decay: Factor of the L2 penalty on weights.
        power: Exponent of the polynomial decay.
        warmup: Steps over which the learning rate rises to ``lr``; below 1, a share of the run. At most half of the run.
        new_layers_factor: Factor of the learning rate of everything after the encoder.
        layer_decay: Factor of the learning rate from each stage of the encoder to the one before it (layer-wise decay); 1 gives
            all stages the same rate.
        decay_norm_and_bias: Whether ``weight_decay`` also holds for normalisation layers and biases.
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
        name: The name of the recipe, and of the folder of its run below ``runs``. A new run takes letters of a-z, digits, ``.``,
            ``_`` and ``-`` (``check_new_name``); runs and weights of attseg 0.1.0 may have other names of one path component.
        model: The network.
        data: The data set.
        sampling: ``shuffled`` draws every training image once per epoch; ``class-balanced`` draws a class, then one of its
            pixels, and takes the image that holds it, so that rare classes come up as often as common ones.
        augment: Random changes to the training images.
        crop_size: Height and width of the crops for training, in pixels.
        batch_size: Images per optimiser step, over all devices and accumulated parts.
        steps: Number of optimiser steps; 0 where ``epochs`` or ``minutes`` say how long the run is.
        epochs: Length of the run in passes over the training images, instead of ``steps``.
        minutes: Length of the run in minutes, instead of ``steps``: as many steps as fit, measured before the first one.
        patience: Ends the run after so many evaluations in a row without a better score; 0 never does.
        patience_on: The score that ``patience`` looks at.
        init: Weights to begin with, for fine-tuning: a run folder, a file, demo, or owner/name on the Hugging Face hub. What fits
            is loaded, and classes are matched by their names.
        without_weights: What to do where the pretrained weights that ``model`` asks for are neither on this machine nor
            reachable: ``stop``, or train from ``scratch``, which is said.
        freeze: Keeps the encoder from learning, with its batch normalisation in evaluation mode: all of it (encoder), or
            everything up to its first, second or third map (strides 4, 8 and 16 as a rule).
        optim: Optimiser and schedule.
        loss: What is minimised.
        ema: Decay of the moving average of the weights that is evaluated and saved; 0 keeps none.
        val_every: Steps between two evaluations on the validation split; 0 is a tenth of ``steps``, but at least 100.
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
        nodes: Number of computers; start one process per device on each with torchrun.
        precision: Number format; ``bf16`` and ``fp16`` compute in half precision and keep the weights in 32 bits.
        workers: Processes that read and transform images; -1 chooses their number.
        cache: Gigabytes of memory, for each process, in which decoded training images are kept; 0 keeps none.
        accumulate: Parts into which each process splits its share of a batch, to save memory.
        channels_last: Memory layout with channels innermost; ``auto`` where it is faster.
        compile: Whether the network goes through ``torch.compile``.
        sync_bn: Batch statistics over all GPUs, where there are several.
        deterministic: On a GPU, only algorithms that give the same bits again.
        save_every: Steps between two saved states; 0 is a tenth of ``steps``.
        log: Trackers beside metrics.csv: ``tensorboard``, ``wandb``, ``mlflow``, ``trackio``, or ``none``; not given: TensorBoard
            where it is installed.
        timeout: Seconds without an answer after which a process gives up on the others; by itself all end within a minute.
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
