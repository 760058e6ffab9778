import json

import pytest
import torch

from attseg.cli import main
from attseg.models import MODELS
from attseg.profiling import speed
from attseg.profiling.speed import Latency

TINY = ("--encoder", "test_resnet", "--arg", "channels=8", "--num-classes", "3", "--size", "64x96")


def profile_json(capsys, *arguments):
    assert main(["profile", *map(str, arguments), "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def rows(text):
    """Lines of tables by their first word."""
    return {line.split()[0]: line.split()[1:] for line in text.splitlines() if len(line.split()) > 1}


@pytest.mark.slow
def test_one_model_is_shown_part_by_part_and_in_all(capsys):
    found = profile_json(capsys, "DFDAM", *TINY)
    assert found["size"] == [64, 96]
    (model,) = found["models"]
    parts = model["parts"].values()
    for cost in ("parameters", "multiply_adds", "flops", "kept_bytes"):
        assert model[cost] == sum(part[cost] for part in parts) > 0
    assert model["peak_bytes"] == max(part["peak_bytes"] for part in parts)
    assert model["flops"] == 2 * model["multiply_adds"]
    assert main(["profile", "DFDAM", *TINY]) == 0
    text = capsys.readouterr().out
    assert text.startswith(
        "DFDAM, encoder=test_resnet, channels=8: 3 classes, one picture of 64 x 96 (height x width) in 32 bits\n"
    )
    table = rows(text)
    assert list(model["parts"]) == ["encoder", "context", "decoder", "head", "rest"]
    assert table["encoder"][0] == f"{model['parts']['encoder']['parameters'] / 1e6:.2f}"
    assert table["total"] == [
        f"{model['parameters'] / 1e6:.2f}",
        f"{model['multiply_adds'] / 1e9:.2f}",
        f"{model['flops'] / 1e9:.2f}",
        f"{model['kept_bytes'] / 2**20:.1f}",
        f"{model['peak_bytes'] / 2**20:.1f}",
    ]


@pytest.mark.slow
def test_auxiliary_heads_are_told_of_and_are_not_in_the_total(capsys):
    with_heads = profile_json(capsys, "DFDAM", *TINY)["models"][0]
    without = profile_json(capsys, "DFDAM", *TINY, "--arg", "aux=[]")["models"][0]
    assert list(with_heads["training_adds"]) == ["aux.context", "aux.spatial"]
    assert without["training_adds"] == {}
    assert {name: with_heads[name] for name in ("parameters", "flops")} == {
        name: without[name] for name in ("parameters", "flops")
    }
    assert main(["profile", "DFDAM", *TINY]) == 0
    text = capsys.readouterr().out
    assert "\ntraining also runs aux.context, aux.spatial:\n  + 0.00 M parameters, " in text


@pytest.mark.slow
def test_several_models_make_one_table(capsys):
    found = profile_json(capsys, "PAN", "FCN", "DFDAM", *TINY)["models"]
    assert main(["profile", "PAN", "FCN", "DFDAM", *TINY]) == 0
    text = capsys.readouterr().out
    assert text.startswith("3 classes, one picture of 64 x 96 (height x width) in 32 bits\n")
    table = rows(text)
    for model in found:
        assert table[model["name"]][1:3] == [f"{model['multiply_adds'] / 1e9:.2f}", f"{model['flops'] / 1e9:.2f}"]
    assert "\nDFDAM: training also runs aux.context, aux.spatial:" in text
    assert main(["profile", "demo", "pan-scenes", "--size", "64x64"]) == 0
    text = capsys.readouterr().out
    assert text.startswith("one picture of 64 x 64 (height x width) in 32 bits\n")
    assert "\ndemo (12 classes) " in text


@pytest.mark.slow
def test_recipes_runs_and_the_bundled_model_are_models_too(capsys, trained):
    found = profile_json(capsys, "pan-scenes", "demo", trained, "--size", "64x64")["models"]
    assert [(model["model"], model["num_classes"]) for model in found] == [("PAN", 21), ("PAN", 12), ("PAN", 12)]
    assert found[2]["args"] == {"encoder": "test_resnet", "channels": 8}


def test_arguments_are_read_as_their_types_want(capsys):
    given = ("--arg", "pyramid_kernels=3,3", "--arg", "global_branch=false", "--arg", "context=fpa")
    (model,) = profile_json(capsys, "PAN", *TINY, *given)["models"]
    assert model["args"] == {
        "encoder": "test_resnet",
        "channels": 8,
        "pyramid_kernels": [3, 3],
        "global_branch": False,
        "context": "fpa",
    }


@pytest.mark.slow
def test_what_cannot_be_counted_is_marked(capsys, monkeypatch):
    @torch.library.custom_op("attseg_cli_test::silent", mutates_args=())
    def silent(maps: torch.Tensor) -> torch.Tensor:
        return maps.clone()

    silent.register_fake(torch.empty_like)

    class Silent(MODELS["FCN"]):
        def staged(self, images):
            return super().staged(silent(images))

    monkeypatch.setitem(MODELS, "FCN", Silent)
    (model,) = profile_json(capsys, "FCN", *TINY)["models"]
    assert model["uncounted"] == {"attseg_cli_test.silent": 1}
    assert main(["profile", "FCN", *TINY]) == 0
    text = capsys.readouterr().out
    assert "≥" in next(line for line in text.splitlines() if line.startswith("total"))
    assert "no FLOP formula is registered for attseg_cli_test.silent (1 x in rest)" in text


@pytest.mark.slow
@pytest.mark.parametrize(("table", "paper"), [("dfdam:4", (11.57, 10.31)), ("dfdam:6", (43.24, 35.52))])
def test_tables_of_the_paper_are_met(table, paper, capsys):
    found = profile_json(capsys, "--table", table)
    *others, ours = found["rows"]
    deeplab = next(row for row in others if row["method"].startswith("DeepLab"))
    assert deeplab["ours"]["parameters"] / 1e6 == pytest.approx(deeplab["paper"]["parameters_m"], rel=1e-3)
    assert {row["method"] for row in others if row["ours"]} == {"DeepLab (Res101)", "FCN-8s-heavy", "PSPNet (Res101)"}
    fcn = next(row for row in others if row["method"] == "FCN-8s-heavy")
    assert fcn["ours"]["parameters"] / 1e6 == pytest.approx(fcn["paper"]["parameters_m"], abs=0.01)
    assert (ours["paper"]["parameters_m"], ours["paper"]["multiply_adds_g"]) == paper
    assert ours["ours"]["parameters"] / 1e6 == pytest.approx(paper[0], rel=3e-3)
    assert ours["ours"]["multiply_adds"] / 1e9 == pytest.approx(paper[1], rel=3e-3)
    assert main(["profile", "--table", table]) == 0
    line = capsys.readouterr().out.splitlines()[-3]
    assert line.startswith("DF-DAM (Res")
    assert line.split()[2:4] == [f"{paper[0]:.2f}", f"{ours['ours']['parameters'] / 1e6:.2f}"]


@pytest.mark.slow
def test_time_is_measured(capsys):
    (model,) = profile_json(capsys, "FCN", *TINY, "--time", "--device", "cpu")["models"]
    assert 0 < model["time"]["low"] <= model["time"]["median"] <= model["time"]["high"] < 5
    assert model["time"]["threads"] == torch.get_num_threads()
    assert model["time"]["runs"] >= 5
    assert model["time"]["peak_bytes"] is None or model["time"]["peak_bytes"] > 0


@pytest.mark.slow
def test_times_are_told_with_their_spread_and_where_they_were_taken(capsys, monkeypatch):
    monkeypatch.setattr(speed, "measure_latency", lambda *_: Latency("a processor", 2, 7, 0.1234, 0.12, 0.15))
    monkeypatch.setattr(speed, "measure_memory", lambda *_: 3 * 2**20)
    assert main(["profile", "FCN", "PAN", *TINY, "--time", "--device", "cpu"]) == 0
    counted, measured = capsys.readouterr().out.split(
        "\nmeasured on a processor, 2 threads, in 32 bits, random weights\n"
    )
    assert "mult-adds G" in counted
    assert rows(measured)["PAN"] == ["123.4", "120.0", "-", "150.0", "7", "3.0"]


def test_runs_are_drawn(capsys, trained, tmp_path):
    out = tmp_path / "tradeoff.png"
    assert main(["profile", str(trained), "--size", "64x64", "--plot", str(out)]) == 0
    assert capsys.readouterr().out.endswith(f"\nmIoU over multiply-adds is in {out}\n")
    assert out.stat().st_size > 5_000


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "no model was given; name a class such as PAN"),
        (["PANN"], "there is no model or recipe 'PANN'; did you mean 'PAN'"),
        (["PAN", "--size", "512"], "Invalid value for --size: '512' was given; HEIGHTxWIDTH in pixels"),
        (["PAN", "--size", "16x64"], "--size is 16 x 64; at least 32 x 32 was expected"),
        (
            ["PAN", "--num-classes", "0"],
            "Invalid value for --num-classes: '0' was given; a whole number from 1 on was expected",
        ),
        (
            ["PAN", "--arg", "context"],
            "Invalid value for --arg: 'context' was given; KEY=VALUE, such as context=psp, was expected",
        ),
        (["PAN", "--arg", "contxt=psp"], "there is no argument of PAN 'contxt'; did you mean 'context'"),
        (["PAN", "--time", "--device", "cuda"], "the device is cuda, but PyTorch finds no GPU here"),
        (["PAN", "--device", "cpu"], "--device says where --time measures; add --time, or leave it out"),
        (["PAN", "--encoder", "test_resnet", "--plot", "x.png"], "PAN has no report.json to take its mIoU from"),
        (["--table", "dfdam:7"], "there is no table 'dfdam:7'"),
        (["PAN", "--table", "dfdam:4"], "--table says itself what is counted and how"),
    ],
)
def test_wrong_use_is_explained(arguments, message, capsys, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert main(["profile", *arguments]) == 2
    captured = capsys.readouterr()
    assert captured.err.startswith(f"attseg: {message}")
    assert captured.out == ""
