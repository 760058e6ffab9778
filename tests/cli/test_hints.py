import tomllib
from pathlib import Path

import pytest

from attseg.cli import hints as hints_module
from attseg.cli import main


@pytest.mark.parametrize(
    ("verb", "given", "meant"),
    [
        *[("train", given, "--model.args.encoder") for given in ("--encoder", "--model.encoder", "--backbone")],
        ("train", "--lr", "--optim.lr"),
        ("train", "--optim.learning_rate", "--optim.lr"),
        *[("train", given, "--crop_size") for given in ("--imgsz", "--img", "--size")],
        *[("train", given, "--init") for given in ("--weights", "--ckpt", "--finetune")],
        *[("train", given, "--machine.devices") for given in ("--gpus", "--n-gpu")],
        *[("train", given, "--device") for given in ("--gpu", "--cpu")],
        ("train", "--workers", "--machine.workers"),
        ("train", "--resume-from", "--resume"),
        ("train", "--bs", "--batch_size"),
        ("train", "--fp16", "--machine.precision"),
        ("train", "--loss", "--loss.terms"),
        ("train", "--momentun", "--optim.momentum"),
        ("predict", "--machine.device", "--device"),
        ("predict", "--batch-size", "--batch"),
        ("predict", "--gpu", "--device"),
        ("predict", "--conf", "--threshold"),
        ("evaluate", "--gpu", "--device"),
        ("evaluate", "--data", "--data.root"),
        ("export", "--half", "--precision"),
    ],
)
def test_common_guesses_lead_to_the_option(verb, given, meant, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main([verb, "demo", "--out", "x", given, "1"]) == 2
    assert f"did you mean '{meant}" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("given", "form"),
    [
        (["--imgsz", "640"], "'--crop_size 640,640'"),
        (["--imgsz=640"], "'--crop_size 640,640'"),
        (["--imgsz", "640,480"], "'--crop_size HEIGHT,WIDTH'"),
        (["--lr", "0.1"], "'--optim.lr X'"),
        (["--continue"], "'--resume'"),
        (["--encoder", "resnet18"], "'--model.args.encoder VALUE'"),
    ],
)
def test_the_option_is_named_with_the_form_of_its_value(given, form, capsys):
    assert main(["train", "pan-scenes", *given]) == 2
    assert f"did you mean {form}?" in capsys.readouterr().err


def test_every_hint_names_an_option_that_exists(capsys):
    """Hints are data: each name in them is an option of train, predict, evaluate or export, or below ``--model.args``."""
    hints = tomllib.loads((Path(hints_module.__file__).with_suffix(".toml")).read_text())
    helps = []
    for verb in ("train", "predict", "evaluate", "export"):
        assert main([verb, "--help"]) == 0
        helps.append(capsys.readouterr().out.replace("-", "_"))
    for name in [*hints["names"], *hints["elsewhere"], *hints["elsewhere"].values()]:
        wanted = "__model.args" if name.startswith("model.args.") else f"__{name}"
        assert any(f"{wanted} " in text for text in helps), name


@pytest.mark.parametrize(
    ("verb", "given", "way"),
    [
        ("train", "--num-classes", "classes.csv"),
        ("train", "--val-split", "--data.options.split 0.8"),
        ("predict", "--imgsz", "--window"),
        ("predict", "--weights", "attseg predict RUN"),
        ("evaluate", "--model", "attseg evaluate RUN"),
        ("evaluate", "--tta", "--flip"),
    ],
)
def test_what_has_no_option_is_explained(verb, given, way, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main([verb, "demo", "--out", "x", given, "1"]) == 2
    told = capsys.readouterr().err
    assert way in told and "did you mean" not in told


@pytest.mark.parametrize("given", ["--verbose", "--xyz", "--q"])
def test_nothing_is_guessed_for_names_that_are_like_none(given, capsys):
    assert main(["train", "pan-scenes", given, "1"]) == 2
    assert "did you mean" not in capsys.readouterr().err


def test_train_takes_device_as_the_other_verbs_do(capsys):
    for option in ("--device", "--machine.device"):
        assert main(["train", "pan-scenes", "--print_config", option, "cpu"]) == 0
        assert "device: cpu" in capsys.readouterr().out


def test_resume_takes_the_run_in_place_of_the_recipe(capsys, tmp_path):
    run = tmp_path / "run"
    assert main(["train", "pan-scenes", "--print_config"]) == 0
    run.mkdir()
    (run / "recipe.yaml").write_text(capsys.readouterr().out.replace("name: pan-scenes", "name: mine"))
    assert main(["train", "--resume", str(run), "--print_config"]) == 0
    assert "name: mine" in capsys.readouterr().out
