"""States of a run: everything that it needs to go on as if it had never stopped."""

from __future__ import annotations

import io
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import Any

import torch

from attseg.files import read_bytes, replacing
from attseg.runs.errors import RunError
from attseg.tensors import load_tensors

KEPT = 2
"""States in the folder: the newest, and one before it should the newest be damaged."""

State = dict[str, Any]


def save_state(folder: Path, step: int, state: State) -> None:
    """Write the state after ``step``, at once or not at all, and remove those that are no longer needed.

    The file begins with a digest of the rest: ``torch.load`` by itself does not notice a wrong byte in a tensor.

    Args:
        folder: The folder of states.
        step: Steps done.
        state: Tensors, numbers and texts in dicts and lists.

    Raises:
        FileError: The file cannot be written; the states before it are still there.
    """
    newest = folder / f"{step:08}.pt"
    content = io.BytesIO()
    torch.save(state, content)
    with replacing(newest) as file:
        file.write(sha256(content.getbuffer()).digest())
        file.write(content.getbuffer())
    older = [path for path in _states(folder) if path < newest]
    for path in _states(folder):
        if path not in (newest, *older[1 - KEPT :]):
            path.unlink()


def load_state(folder: Path) -> tuple[State | None, list[Path]]:
    """The newest state that is whole, or None if none was ever saved; and the newer ones, which are damaged.

    Files are read as data; no code in them is ever run.

    Raises:
        RunError: There are states, but none is whole.
    """
    damaged: list[Path] = []
    for path in reversed(_states(folder)):
        content = memoryview(read_bytes(path))
        digest, body = content[:32], content[32:]
        if sha256(body).digest() == digest:
            with suppress(
                Exception
            ):  # where somebody else wrote it, with more in it than data, torch raises what it likes
                state = load_tensors(io.BytesIO(body))
                if state["step"] == int(path.stem):
                    return state, damaged
        damaged.append(path)
    if damaged:
        raise RunError(
            f"no state in {folder} is whole ({', '.join(path.name for path in damaged)}), so that the run cannot go on; "
            "start it again in another folder"
        )
    return None, []


def _states(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.pt"))
