"""Where an encoder's first weights come from; whether they can be had is found out at once, not after a minute of retries."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import timm
import torch.hub
from huggingface_hub import constants, try_to_load_from_cache

from attseg.errors import UsageError
from attseg.files import require_file

SECONDS = 3.0
WEIGHT_FILES = ("model.safetensors", "pytorch_model.bin")


def weight_options(name: str, *, pretrained: bool, file: str | Path | None) -> dict[str, Any]:
    """What ``timm.create_model`` is to be told about first weights.

    Args:
        name: Name in timm.
        pretrained: Whether to take timm's weights, from the local cache or the network.
        file: File with weights of the whole network, instead of ``pretrained``.

    Raises:
        UsageError: The file holds something else than weights.
        FileNotFoundError: There is no such file, or pretrained weights are neither here nor reachable.
    """
    if file is not None:
        if not Path(file).exists():
            raise FileNotFoundError(f"no file of encoder weights at {file}; it should hold timm's {name}")
        _require_weights(Path(file))
        return {"pretrained": True, "pretrained_cfg_overlay": {"file": str(file)}}
    if pretrained:
        require_pretrained(name)
        return {"pretrained": True}
    return {}


def require_pretrained(name: str) -> None:
    """Return if timm's weights of ``name`` are in the local cache or their host answers.

    Raises:
        FileNotFoundError: timm has no weights of this network, or they are neither here nor reachable; the message says
            which file to fetch, and where to put it.
    """
    config = timm.get_pretrained_cfg(name)
    if config is None or not config.has_weights:
        raise FileNotFoundError(
            f"timm has no pretrained weights for the encoder {name!r}; train it from scratch (pretrained=False), or give a file "
            "(encoder_weights=FILE)"
        )
    if config.hf_hub_id:
        cached = (try_to_load_from_cache(config.hf_hub_id, file) for file in WEIGHT_FILES)
        here = any(isinstance(path, str) for path in cached)
        host, source = (
            urlsplit(constants.ENDPOINT).hostname,
            f"{WEIGHT_FILES[0]} of {config.hf_hub_id} on the Hugging Face hub",
        )
        offline = constants.HF_HUB_OFFLINE
    else:
        source, offline = str(config.url), False
        here = (Path(torch.hub.get_dir()) / "checkpoints" / Path(source).name).is_file()
        host = urlsplit(source).hostname
    if not here and (offline or not _answers(host)):
        raise FileNotFoundError(
            f"the pretrained weights of the encoder {name!r} are not on this machine, and the network cannot be reached. "
            f"Fetch {source} elsewhere, bring the file here and give it as encoder_weights=FILE, "
            "or train from scratch (pretrained=False)"
        )


def _require_weights(file: Path) -> None:
    """Refuse a file that holds code, before timm opens it: whether timm would run it is a matter of its version."""
    if file.suffix == ".npz":
        return  # NumPy reads no objects unless told to
    require_file(file)
    try:
        timm.models.load_state_dict(str(require_file(file)), weights_only=True)
    except Exception as error:  # a pickle fails in any way it likes
        reason = (str(error) or type(error).__name__).partition("\n")[0]
        raise UsageError(
            f"{file} cannot be read as weights of an encoder and nothing else ({reason}); give a .safetensors file, or a .pth "
            "file that holds tensors alone"
        ) from error


def _answers(host: str | None) -> bool:
    try:
        with socket.create_connection((host or "", 443), timeout=SECONDS):
            return True
    except OSError:
        return False
