"""Trackers: where a run is logged beside metrics.csv. Each is imported when it is asked for, and sends nothing by itself."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Protocol, get_args
from uuid import uuid4

from attseg.data.sample import Array
from attseg.errors import UsageError
from attseg.extras import install_command
from attseg.files import read_text, write_file
from attseg.recipes.nested import flat
from attseg.recipes.recipe import Recipe
from attseg.recipes.recipe import Tracker as TrackerName
from attseg.recipes.values import to_values
from attseg.runs.folder import RunFolder

PROJECT = "attseg"
"""Project or experiment at a tracker; ``WANDB_PROJECT``, ``MLFLOW_EXPERIMENT_NAME`` and ``TRACKIO_PROJECT`` give another."""

SECONDS = 30
"""Seconds that W&B waits for its server before the run goes on offline."""

LONGEST = 500
"""Characters of a parameter of MLflow."""

_FOREIGN = re.compile(r"[^\w. /-]")


class Tracker(Protocol):
    """Takes numbers and pictures of a run."""

    def add(self, step: int, values: Mapping[str, float]) -> None:
        """Log values after a step."""
        ...

    def picture(self, step: int, name: str, image: Array) -> None:
        """Log a picture (H, W, 3) after a step."""
        ...

    def close(self) -> None:
        """Write what is still under way."""
        ...


def check_trackers(names: Sequence[TrackerName]) -> None:
    """Refuse trackers that are not installed.

    Raises:
        UsageError: The message says how to install them.
    """
    if "none" in names and len(names) > 1:
        raise UsageError(f"machine.log is {', '.join(names)}; give none alone, or trackers")
    for name in names:
        if name != "none" and not _is_installed(name):
            raise UsageError(
                f"machine.log names {name}, which is not installed; {install_command(name)}, or leave it out"
            )


def _is_installed(name: str) -> bool:
    """Whether there is such a package; a folder of this name in the current one is none."""
    found = find_spec(name)
    return found is not None and found.origin is not None


def open_trackers(
    names: Sequence[TrackerName], folder: RunFolder, recipe: Recipe, step: int, say: Callable[[str], None]
) -> list[Tracker]:
    """The trackers of a run.

    Args:
        names: Those asked for; none given: TensorBoard where it is installed.
        folder: Of the run; trackers that write files write below it.
        recipe: Its settings are logged.
        step: Steps that the run has done.
        say: Is told where the trackers write.
    """
    if not names:
        names = ("tensorboard",) if _is_installed("tensorboard") else ("none",)
    made: dict[str, Callable[[], Tracker]] = {
        "tensorboard": lambda: TensorBoard(folder.tensorboard, step, say),
        "wandb": lambda: WandB(folder, recipe, say),
        "mlflow": lambda: MLflow(folder, recipe, say),
        "trackio": lambda: Trackio(folder, recipe, say),
    }
    assert set(made) == set(get_args(TrackerName)) - {"none"}
    return [made[name]() for name in names if name != "none"]


class TensorBoard:
    """Files for ``tensorboard --logdir``. Where they cannot be written, the run goes on without them."""

    def __init__(self, folder: Path, step: int, say: Callable[[str], None]) -> None:
        from torch.utils.tensorboard import SummaryWriter

        self.board = SummaryWriter(str(folder), purge_step=step + 1)
        self.folder, self.say, self.lost = folder, say, False

    def add(self, step: int, values: Mapping[str, float]) -> None:
        """Log values after a step."""
        for name, value in values.items():
            self._write(partial(self.board.add_scalar, name, value, step))

    def picture(self, step: int, name: str, image: Array) -> None:
        """Log a picture (H, W, 3) after a step."""
        self._write(lambda: self.board.add_image(name, image, step, dataformats="HWC"))

    def close(self) -> None:
        """Write what is still under way."""
        self._write(self.board.close)

    def _write(self, write: Callable[[], Any]) -> None:
        if self.lost:
            return
        try:
            write()
        except OSError as error:  # of the thread that writes
            self.lost = True
            self.say(
                f"TensorBoard's files in {self.folder} cannot be written ({error.strerror}); the run goes on without"
            )


class WandB:
    """A run of Weights & Biases. Without credentials or a network it is kept in the run folder, for ``wandb sync``."""

    def __init__(self, folder: RunFolder, recipe: Recipe, say: Callable[[str], None]) -> None:
        import wandb

        mode = os.environ.get("WANDB_MODE") or ("online" if wandb.login(prompt=False) else "offline")
        given: dict[str, Any] = {
            "project": os.environ.get("WANDB_PROJECT", PROJECT),
            "name": folder.path.absolute().name,
            "id": _run_id(folder),
            "resume": "allow" if mode == "online" else None,
            "dir": str(folder.path),
            "config": to_values(recipe),
            "settings": wandb.Settings(init_timeout=SECONDS, console="off", silent=True),
        }
        try:
            self.run = wandb.init(mode=mode, **given)
        except wandb.Error as error:
            say(f"wandb: {error}; going on offline")
            mode = "offline"
            self.run = wandb.init(mode=mode, **given | {"resume": None})
        self.image = wandb.Image
        if mode == "offline":
            say(f"wandb: offline; send it with: wandb sync {Path(self.run.dir).parent}")

    def add(self, step: int, values: Mapping[str, float]) -> None:
        """Log values after a step."""
        self.run.log(dict(values), step=step)

    def picture(self, step: int, name: str, image: Array) -> None:
        """Log a picture (H, W, 3) after a step."""
        self.run.log({name: self.image(image)}, step=step)

    def close(self) -> None:
        """Write what is still under way."""
        self.run.finish()


class MLflow:
    """A run of MLflow, at ``MLFLOW_TRACKING_URI`` or in the run folder."""

    def __init__(self, folder: RunFolder, recipe: Recipe, say: Callable[[str], None]) -> None:
        from mlflow import MlflowClient

        own = f"sqlite:///{(folder.path / 'mlflow.db').absolute()}"
        where = os.environ.get("MLFLOW_TRACKING_URI", own)
        self.client = MlflowClient(tracking_uri=where)
        name = os.environ.get("MLFLOW_EXPERIMENT_NAME", PROJECT)
        found = self.client.get_experiment_by_name(name)
        artifacts = (folder.path / "mlflow").absolute().as_uri() if where == own else None
        experiment = found.experiment_id if found else self.client.create_experiment(name, artifact_location=artifacts)
        kept = f"tags.attseg = '{_run_id(folder)}'"
        before = self.client.search_runs([experiment], filter_string=kept, max_results=1)
        if before:
            self.run = before[0].info.run_id
        else:
            tags = {"attseg": _run_id(folder), "mlflow.runName": folder.path.absolute().name}
            self.run = self.client.create_run(experiment, tags=tags).info.run_id
            for key, value in flat(to_values(recipe)).items():
                self.client.log_param(self.run, key, str(value)[:LONGEST])
        if where == own:
            say(f"mlflow: look with: mlflow ui --backend-store-uri {own}")

    def add(self, step: int, values: Mapping[str, float]) -> None:
        """Log values after a step."""
        for name, value in values.items():
            self.client.log_metric(self.run, _FOREIGN.sub("_", name), value, step=step)

    def picture(self, step: int, name: str, image: Array) -> None:
        """Log a picture (H, W, 3) after a step."""
        self.client.log_image(self.run, image, key=name, step=step)

    def close(self) -> None:
        """Write what is still under way."""
        self.client.set_terminated(self.run)


class Trackio:
    """A run of Trackio, kept on this computer unless ``TRACKIO_SPACE_ID`` names a Space."""

    def __init__(self, folder: RunFolder, recipe: Recipe, say: Callable[[str], None]) -> None:
        import trackio

        project = os.environ.get("TRACKIO_PROJECT", PROJECT)
        self.trackio = trackio
        self.run = trackio.init(
            project=project,
            name=f"{folder.path.absolute().name}-{_run_id(folder)}",
            resume="allow",
            config=to_values(recipe),
        )
        say(f"trackio: look with: trackio show --project {project}")

    def add(self, step: int, values: Mapping[str, float]) -> None:
        """Log values after a step."""
        self.trackio.log(dict(values), step=step)

    def picture(self, step: int, name: str, image: Array) -> None:
        """Log a picture (H, W, 3) after a step."""
        self.trackio.log({name: self.trackio.Image(image)}, step=step)

    def close(self) -> None:
        """Write what is still under way."""
        self.trackio.finish()


def _run_id(folder: RunFolder) -> str:
    """A name that a resumed run finds again at a tracker."""
    if not folder.tracked.exists():
        write_file(folder.tracked, uuid4().hex[:12])
    return read_text(folder.tracked)
