"""From what a user calls a model to the file that holds its weights."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from difflib import get_close_matches
from importlib import resources
from pathlib import Path

from attseg.errors import UsageError
from attseg.files import FileError, names_in, no_such_path

DEMO = "demo"
HUB_FILE = "model.safetensors"
"""The weights in a repository of the hub, or in a folder that is laid out like one."""

RUN_FILES = ("best.safetensors", "last.safetensors")
"""The weights in a run folder, the preferred ones first."""

WEIGHT_FILES = (*RUN_FILES, HUB_FILE)

_HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*/[\w.-]+")
_SECONDS = 10.0


def find_weights(source: str | Path) -> Path:
    """The file of weights that a source stands for.

    Args:
        source: ``"demo"`` for the small bundled model (a folder of this name is ``./demo``), a run folder (its best weights,
            else its last), a folder that ``save_pretrained`` wrote, a ``.safetensors`` file, an exported file, or ``owner/name``
            of a repository on the Hugging Face hub.

    Raises:
        UsageError: There is nothing of this name, or nothing to use in it.
        FileError: The hub cannot be reached, and the repository is not in the local cache.
    """
    path = Path(source).expanduser()
    if source == DEMO:
        return _bundled()
    if path.is_dir():
        return _in_run_folder(path)
    if path.exists():
        return path
    if isinstance(source, str) and _HUB_ID.fullmatch(source) and not _looks_local(path):
        if near := _near(path):
            raise UsageError(
                f"there is no file or folder {source!r}; did you mean {str(near)!r}? The Hugging Face hub was not asked: for a "
                f"repository {source!r} there, fetch it first (hf download {source} --local-dir DIR) and give DIR"
            )
        return _from_hub(source)
    raise no_such_path(path)


def _bundled() -> Path:
    path = Path(str(resources.files("attseg"))) / "assets" / "demo.safetensors"
    if not path.is_file():
        raise UsageError(
            "this copy of attseg comes without the demo model; train one with 'attseg demo', or give a run folder, "
            "a .safetensors file, or owner/name of a repository on the Hugging Face hub"
        )
    return path


def _in_run_folder(folder: Path) -> Path:
    for name in WEIGHT_FILES:
        if (folder / name).exists():
            return folder / name
    runs = sorted(path.parent.name for path in folder.glob("*/*.safetensors") if path.name in WEIGHT_FILES)
    inside = f" (there are in: {', '.join(dict.fromkeys(runs))})" if runs else ""
    raise UsageError(
        f"the folder {folder} holds no weights: {' or '.join(WEIGHT_FILES)} was expected{inside}; a run writes them when it "
        "first evaluates or stops"
    )


def _near(path: Path) -> Path | None:
    """A file or folder two levels deep whose name is nearly that of a path, both parts compared; None where there is none."""
    for folder in get_close_matches(path.parent.name, names_in(path.parent.parent), n=3):
        inside = path.parent.with_name(folder)
        if inside.is_dir() and (found := get_close_matches(path.name, names_in(inside), n=1)):
            return inside / found[0]
    return None


def _looks_local(path: Path) -> bool:
    """Whether ``a/b`` rather means a file: its folder is here, or it has a suffix of weights."""
    return path.parent.is_dir() or path.suffix in (".safetensors", ".ckpt", ".pt", ".pth", ".onnx", ".xml", ".pt2")


def _from_hub(repository: str) -> Path:
    from huggingface_hub import HfApi, hf_hub_download, try_to_load_from_cache
    from huggingface_hub.errors import HTTPError, RepositoryNotFoundError  # type: ignore[attr-defined] # re-exported

    try:
        with untold():
            there = {file.rfilename for file in HfApi().model_info(repository, timeout=_SECONDS).siblings or ()}
            name = next((name for name in WEIGHT_FILES if name in there), None)
            if name is None:
                raise UsageError(f"the hub repository {repository!r} holds neither {' nor '.join(WEIGHT_FILES)}")
            return Path(hf_hub_download(repository, name))
    except RepositoryNotFoundError:
        raise UsageError(
            f"there is no file or folder {repository!r}, and no such repository on the Hugging Face hub (or it is private: "
            "log in with 'hf auth login')"
        ) from None
    except (OSError, HTTPError) as error:
        cached = (try_to_load_from_cache(repository, name) for name in WEIGHT_FILES)
        path = next((path for path in cached if isinstance(path, str)), None)
        if path is None:
            raise FileError(
                f"there is no file or folder {repository!r}; it could be a repository on the Hugging Face hub, "
                f"but the hub cannot be reached ({error})"
            ) from error
        return Path(path)


@contextmanager
def untold() -> Iterator[None]:
    """Telemetry of ``huggingface_hub`` is off while the block runs, whatever its environment variables say."""
    from huggingface_hub import constants

    before = constants.HF_HUB_DISABLE_TELEMETRY
    constants.HF_HUB_DISABLE_TELEMETRY = True
    try:
        yield
    finally:
        constants.HF_HUB_DISABLE_TELEMETRY = before
