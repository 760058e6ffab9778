"""States that somebody wrote with a valid digest, but with tensors that no run may go on from."""

import io
import shutil
import zipfile
from hashlib import sha256

import pytest
import torch

from attseg.cli import main
from attseg.encoders.checkpoint_files import load_plain
from attseg.errors import UsageError
from attseg.recipes.recipe import OptimSpec
from attseg.runs.errors import RunError
from attseg.runs.state import load_state, save_state
from attseg.training.run import train
from fitting import HERE

OTHER_KINDS = (torch.int32, torch.bool, torch.complex64)


@pytest.fixture(scope="module", params=["sgd", "adamw"])
def run(request, tiny, tmp_path_factory):
    """A run with everything on that stopped after 4 of 6 steps, by its state, and its own last state."""
    folder = tmp_path_factory.mktemp("runs") / request.param
    train(tiny(ema=0.9, optim=OptimSpec(name=request.param)), HERE, out=folder)
    (folder / "state" / "00000006.pt").unlink()
    state, _ = load_state(folder / "state")
    assert state["step"] == 4
    return folder, state


def tensors(state):
    """Every floating tensor of a state, each with where it stands: the dict, and its key."""
    optimizer = ((values, key) for values in state["optimizer"]["state"].values() for key in values)
    places = [(part, key) for part in (state["model"], state["average"]["model"]) for key in part]
    return [place for place in (*places, *optimizer) if place[0][place[1]].is_floating_point()]


def resumed(folder, state, capsys):
    """Save a state and go on from it by the command line: exit status and what was said."""
    save_state(folder / "state", state["step"], state)
    before = {path.name: path.read_bytes() for path in folder.glob("*.safetensors")}
    status = main(["train", "--resume", "--out", str(folder)])
    assert before == {path.name: path.read_bytes() for path in folder.glob("*.safetensors")}
    return status, " ".join(capsys.readouterr().err.split())


@pytest.mark.slow
@pytest.mark.parametrize("damage", ["nan", "inf", *OTHER_KINDS], ids=str)
@pytest.mark.parametrize("part", ["model", "average", "optimizer"])
def test_numbers_that_are_none_and_other_kinds_are_refused(run, capsys, part, damage):
    folder, original = run
    state = torch.load(io.BytesIO(_bytes(original)), weights_only=True)
    place, key = next(
        (place, key)
        for place, key in reversed(tensors(state))
        if any(place is each for each in _of(state, part)) and place[key].ndim
    )
    if isinstance(damage, str):
        place[key].view(-1)[-1] = float(damage)
    else:
        place[key] = place[key].to(damage)
    status, said = resumed(folder, state, capsys)
    assert status == 1
    name = {"model": "weights", "average": "moving average", "optimizer": "optimizer of"}[part]
    assert name in said and "step 4" in said and "00000004.pt" in said
    assert ("1 of" in said and "NaN or infinite" in said) if isinstance(damage, str) else "was expected" in said


def _bytes(state):
    content = io.BytesIO()
    torch.save(state, content)
    return content.getvalue()


def _of(state, part):
    return {
        "model": [state["model"]],
        "average": [state["average"]["model"]],
        "optimizer": list(state["optimizer"]["state"].values()),
    }[part]


CHANGES = {
    "no average": lambda state: state.update(average=None),
    "no optimizer": lambda state: state.pop("optimizer"),
    "optimizer is a list": lambda state: state.update(optimizer=[1]),
    "a group less": lambda state: state["optimizer"]["param_groups"].pop(),
    "decay": lambda state: state["optimizer"]["param_groups"][0].update(weight_decay=float("nan")),
    "other shape": lambda state: state["optimizer"]["state"][0].update(
        {key: torch.zeros(3, 3, 3) for key in state["optimizer"]["state"][0] if key != "step"}
    ),
    "tensor missing": lambda state: state["model"].popitem(),
    "weights are texts": lambda state: state["model"].update(dict.fromkeys(state["model"], "text")),
    "updates": lambda state: state["average"].update(updates=-1),
    "sparse": lambda state: state["model"].update(
        {key: value.to_sparse() for key, value in state["model"].items() if value.ndim}
    ),
    "no values": lambda state: state["model"].update({key: value.to("meta") for key, value in state["model"].items()}),
    "best is infinite": lambda state: state.update(best=float("inf")),
    "best": lambda state: state.update(best="high"),
    "steps": lambda state: state.update(steps="many"),
    "stale": lambda state: state.update(stale=-1),
    "patience": lambda state: state.update(patience_best="high"),
    "mean": lambda state: state["preprocessing"].update(mean=[float("nan"), 0, 0]),
}


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:Validating sparse")
@pytest.mark.parametrize("change", CHANGES)
def test_states_of_another_build_are_refused_in_a_sentence(run, capsys, change):
    folder, original = run
    state = torch.load(io.BytesIO(_bytes(original)), weights_only=True)
    CHANGES[change](state)
    status, said = resumed(folder, state, capsys)
    assert (status, "cannot go on from step 4" in said, "Traceback" in said) == (1, True, False)


@pytest.mark.parametrize("content", [[1, 2], {}, {"step": "4"}, {"step": 9}, {"step": None}], ids=str)
def test_a_file_that_is_no_state_is_damaged(tmp_path, content):
    body = _bytes(content)
    (tmp_path / "00000004.pt").write_bytes(sha256(body).digest() + body)
    with pytest.raises(RunError, match=r"00000004\.pt"):
        load_state(tmp_path)


def test_a_state_that_unpacks_to_more_than_its_size_is_damaged(tmp_path):
    packed = io.BytesIO()
    plain = zipfile.ZipFile(io.BytesIO(_bytes({"step": 4, "model": torch.zeros(2**20)})))
    with plain, zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in plain.namelist():
            archive.writestr(name, plain.read(name))
    body = packed.getvalue()
    assert len(body) < 2**16
    assert torch.load(io.BytesIO(body), weights_only=True)["step"] == 4  # PyTorch unpacks it
    (tmp_path / "00000004.pt").write_bytes(sha256(body).digest() + body)
    with pytest.raises(RunError, match=r"00000004\.pt"):
        load_state(tmp_path)
    (tmp_path / "encoder.pth").write_bytes(body)
    with pytest.raises(UsageError, match="compressed"):
        load_plain(tmp_path / "encoder.pth")


@pytest.mark.slow
@pytest.mark.parametrize(
    "content", ["[" * 100_000, "[1]", "{}", '{"classes": 3, "means": 4, "files": 5}', "null"], ids=len
)
@pytest.mark.parametrize("name", ["report.json", "state/data.json"])
def test_a_damaged_record_of_a_run_is_named(run, capsys, tmp_path, name, content):
    folder = tmp_path / "run"
    shutil.copytree(run[0], folder)
    save_state(folder / "state", 4, run[1])
    (folder / name).write_text(content)
    if name == "report.json":  # training would write a better one
        save_state(folder / "state", 4, run[1] | {"best": 2.0})
    status = main(["train", "--resume", "--out", str(folder)])
    said = capsys.readouterr().err
    assert (status, "--debug" in said) == (1, False), said
    assert name in said or "no longer those that the run began with" in said


@pytest.mark.slow
def test_without_the_refused_state_the_run_goes_on(run, capsys):
    folder, original = run
    state = torch.load(io.BytesIO(_bytes(original)), weights_only=True)
    save_state(folder / "state", 2, state | {"step": 2})
    save_state(folder / "state", 4, state | {"best": None})
    assert main(["train", "--resume", "--out", str(folder)]) == 1
    (folder / "state" / "00000004.pt").unlink()
    assert main(["train", "--resume", "--out", str(folder)]) == 0
    assert "going on after step 2 of 6" in capsys.readouterr().err
