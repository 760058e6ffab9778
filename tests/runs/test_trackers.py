"""The clients of trackers, against modules that note what they are asked; the real ones where they are installed."""

import sys
from dataclasses import replace
from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest

from attseg.errors import UsageError
from attseg.recipes.recipe import Machine
from attseg.runs.folder import RunFolder
from attseg.runs.trackers import check_trackers, open_trackers
from attseg.training.run import train
from fitting import HERE

PICTURE = np.zeros((4, 5, 3), np.uint8)


@pytest.fixture
def folder(tmp_path):
    found = RunFolder(tmp_path / "run")
    found.state.mkdir(parents=True)
    return found


def install(monkeypatch, name, **members):
    module = ModuleType(name)
    module.__spec__ = ModuleSpec(name, None, origin="fake")
    vars(module).update(members)
    monkeypatch.setitem(sys.modules, name, module)
    return module


def use(name, folder, recipe, step=0):
    """What a run does with a tracker; and what it says."""
    said = []
    (tracker,) = open_trackers((name,), folder, recipe, step, said.append)
    tracker.add(1, {"loss": 0.5, "iou/road & rail": 0.25})
    tracker.picture(1, "samples", PICTURE)
    tracker.close()
    return said


class Asked(list):
    def __getattr__(self, name):
        return lambda *args, **kwargs: self.append((name, args, kwargs))


def test_one_that_is_not_installed_is_refused_before_anything_is_written(tiny, tmp_path, monkeypatch):
    monkeypatch.setattr("attseg.runs.trackers.find_spec", lambda name: None)
    with pytest.raises(
        UsageError, match="machine.log names mlflow, which is not installed; pip install.*or leave it out"
    ):
        train(tiny(), replace(HERE, log=("mlflow",)), out=tmp_path / "run")
    assert not (tmp_path / "run").exists()
    check_trackers(())


def test_a_folder_of_its_name_is_no_tracker(tmp_path, monkeypatch):
    (tmp_path / "trackio").mkdir()
    monkeypatch.syspath_prepend(tmp_path)
    if find_spec("trackio").origin is None:
        with pytest.raises(UsageError, match="trackio, which is not installed"):
            check_trackers(("trackio",))


def test_without_a_wish_tensorboard_is_used_where_it_is_installed(folder, tiny, monkeypatch):
    assert len(open_trackers((), folder, tiny(), 0, print)) == 1
    assert open_trackers(("none",), folder, tiny(), 0, print) == []
    monkeypatch.setattr("attseg.runs.trackers.find_spec", lambda name: None)
    assert open_trackers((), folder, tiny(), 0, print) == []


def test_tensorboard_gets_numbers_and_pictures(folder, tiny):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    use("tensorboard", folder, tiny())
    found = EventAccumulator(str(folder.tensorboard))
    found.Reload()
    assert [(event.step, event.value) for event in found.Scalars("loss")] == [(1, 0.5)]
    assert [event.step for event in found.Images("samples")] == [1]


@pytest.fixture
def wandb(monkeypatch):
    """A W&B whose server does not answer."""
    monkeypatch.delenv("WANDB_MODE", raising=False)
    asked = Asked()

    class Error(Exception):
        pass

    def init(**options):
        asked.append(("init", (), options))
        if options["mode"] == "online":
            raise Error("no network")
        return SimpleNamespace(dir="wandb/offline-run-1/files", log=asked.log, finish=asked.finish)

    module = install(monkeypatch, "wandb", Error=Error, init=init, Image=lambda image: ("image", image.shape))
    module.Settings = lambda **options: options
    module.login = lambda prompt: False
    return module, asked


def test_wandb_is_offline_without_credentials_and_says_how_to_send_the_run(wandb, folder, tiny):
    said = use("wandb", folder, tiny(seed=7))
    (_, _, init), *logged, (end, *_) = wandb[1]
    assert (init["mode"], init["config"]["seed"], init["dir"]) == ("offline", 7, str(folder.path))
    assert [call[1:] for call in logged] == [
        (({"loss": 0.5, "iou/road & rail": 0.25},), {"step": 1}),
        (({"samples": ("image", (4, 5, 3))},), {"step": 1}),
    ]
    assert end == "finish" and said == ["wandb: offline; send it with: wandb sync wandb/offline-run-1"]


def test_wandb_goes_on_offline_where_its_server_does_not_answer(wandb, folder, tiny):
    wandb[0].login = lambda prompt: True
    said = use("wandb", folder, tiny())
    assert [call[2]["mode"] for call in wandb[1] if call[0] == "init"] == ["online", "offline"]
    assert said[0] == "wandb: no network; going on offline"


def test_a_resumed_run_is_the_same_one(wandb, folder, tiny):
    use("wandb", folder, tiny())
    use("wandb", folder, tiny(), step=1)
    first, second = (call[2]["id"] for call in wandb[1] if call[0] == "init")
    assert first == second


def test_mlflow_gets_names_that_it_takes_and_goes_on_with_its_run(folder, tiny, monkeypatch):
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    asked, runs = Asked(), []

    class Client:
        def __init__(self, tracking_uri):
            asked.append(("client", tracking_uri))
            self.log_param, self.log_metric, self.log_image = asked.param, asked.metric, asked.image
            self.set_terminated = asked.end

        def get_experiment_by_name(self, name):
            return SimpleNamespace(experiment_id="1") if runs else None

        def create_experiment(self, name, artifact_location):
            return "1"

        def search_runs(self, experiments, filter_string, max_results):
            return [run for run in runs if f"'{run.tag}'" in filter_string]

        def create_run(self, experiment, tags):
            runs.append(SimpleNamespace(info=SimpleNamespace(run_id="r"), tag=tags["attseg"]))
            return runs[-1]

    install(monkeypatch, "mlflow", MlflowClient=Client)
    said = use("mlflow", folder, tiny(seed=7))
    use("mlflow", folder, tiny(seed=7))
    assert len(runs) == 1
    assert asked[0] == ("client", f"sqlite:///{folder.path}/mlflow.db")
    assert ("param", ("r", "seed", "7"), {}) in asked
    assert ("metric", ("r", "iou/road _ rail", 0.25), {"step": 1}) in asked
    assert said == [f"mlflow: look with: mlflow ui --backend-store-uri sqlite:///{folder.path}/mlflow.db"]


def test_trackio_gets_numbers_and_pictures(folder, tiny, monkeypatch):
    asked = Asked()
    members = {"init": asked.init, "log": asked.log, "finish": asked.finish, "Image": lambda image: image.shape}
    install(monkeypatch, "trackio", **members)
    use("trackio", folder, tiny(seed=7))
    assert [name for name, *_ in asked] == ["init", "log", "log", "finish"]
    assert asked[0][2]["config"]["seed"] == 7
    assert asked[2][1:] == (({"samples": (4, 5, 3)},), {"step": 1})


@pytest.mark.slow
@pytest.mark.parametrize("name", ["wandb", "mlflow", "trackio"])
def test_the_real_ones_take_a_run_without_a_network(name, folder, tiny, monkeypatch, tmp_path):
    pytest.importorskip(name)
    monkeypatch.setenv("WANDB_MODE", "offline")
    monkeypatch.setenv("TRACKIO_DIR", str(tmp_path / "trackio"))
    use(name, folder, tiny())


@pytest.mark.slow
def test_a_run_logs_losses_scores_of_classes_and_samples(tiny, tmp_path):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    train(tiny(), replace(Machine(device="cpu", workers=0, save_every=2), log=("tensorboard",)), out=tmp_path / "run")
    found = EventAccumulator(str(tmp_path / "run" / "tensorboard"))
    found.Reload()
    assert [event.step for event in found.Scalars("loss")] == [1, 2, 3, 4, 5, 6]
    assert [event.step for event in found.Scalars("val_loss")] == [2, 4, 6]
    assert "iou/sky" in found.Tags()["scalars"]
    assert [event.step for event in found.Images("samples")] == [2, 4, 6]
