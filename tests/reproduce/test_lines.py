"""Results that were written by hand, and the table that follows from them."""

import csv
import io
import json
from dataclasses import replace
from statistics import stdev

import pytest
import torch

from attseg.cli.output import print_parts
from attseg.errors import UsageError
from attseg.models import DFDAM
from attseg.prediction.crf import DenseCrf
from attseg.recipes.files import to_yaml
from attseg.recipes.recipe import Machine
from attseg.recipes.tables import TABLES, find_row_recipe, find_table
from attseg.reproduce.chart import draw_lines
from attseg.reproduce.lines import collect, network_cost
from attseg.reproduce.plan import plan
from attseg.reproduce.run import RowResult
from attseg.reproduce.shown import (
    NOT_THE_TASK,
    about,
    cells,
    class_cells,
    probe_cells,
    table_parts,
    to_csv,
    to_markdown,
)

TABLE = find_table("pan:2")


def write(run, miou, probes=None, *, per_class=None, name="single"):
    (run.folder / "reproduced").mkdir(parents=True, exist_ok=True)
    (run.folder / "recipe.yaml").write_text(to_yaml(run.recipe, Machine()))
    (run.folder / "metrics.csv").write_text(
        "step,loss,lr,images_per_second,miou,pixel_accuracy\n2,1,1,4,,\n6,1,1,8,0.5,\n"
    )
    values = {
        "miou": miou,
        "pixel_accuracy": 0.9,
        "per_class": per_class or {},
        "probes": {name: {"miou": value} for name, value in (probes or {}).items()},
    }
    (run.folder / "reproduced" / f"{name}.json").write_text(json.dumps(values))


@pytest.fixture
def measured(tmp_path):
    """Three seeds of PSPNet, two of FPA."""
    found = plan(TABLE, out=tmp_path, seeds=3, steps=6)
    for run, miou in zip(found[0].runs, (0.5, 0.6, 0.9), strict=True):
        write(run, miou, {"context": 0.25})
    for run, miou in zip(found[2].runs[:2], (0.7, 0.9), strict=True):
        write(run, miou, {"context": 0.75})
    return found


def test_the_mean_the_spread_and_differences_over_the_seeds_that_both_rows_have(measured):
    psp, quoted, fpa = collect(measured)
    assert psp.miou == pytest.approx(100 * 2 / 3)
    assert psp.spread == pytest.approx(100 * stdev([0.5, 0.6, 0.9]))
    assert (psp.difference, psp.paper_difference) == (None, None)
    assert fpa.difference == pytest.approx(80 - 55)
    assert fpa.paper_difference == pytest.approx(78.37 - 76.82)
    assert fpa.seconds == pytest.approx((2 / 4 + 4 / 8) * 8)
    assert fpa.probe("context") == 75
    assert (quoted.paper, quoted.miou, quoted.results) == (77.21, None, ())


def test_the_table_for_people(measured):
    headings, rows = cells(collect(measured))
    assert dict(zip(headings, rows[0], strict=True)) == {
        **{"row": "psp", "protocol": "single", "paper": "76.82/94.62", "ours": "66.67 ± 20.82/90.00", "seeds": "3"},
        **{"paper Δ": "", "ours Δ": "", "steps": "6", "time": "8 s"},
    }
    assert rows[1] == ("deeplabv3", "single", "77.21", "", "", "+0.39", "", "", "")
    assert rows[2][5:7] == ("+1.55", "+25.00")
    assert probe_cells(collect(measured)) == (
        ("row", "protocol", "context"),
        [("psp", "single", "25.00"), ("fpa", "single", "75.00")],
    )


def test_the_page_says_what_the_figures_are(measured):
    text = to_markdown(TABLE, "small", collect(measured))
    assert NOT_THE_TASK in text
    assert "| fpa | single | 78.37/95.03 | 80.00 ± 14.14/90.00 | 2 | +1.55 | +25.00 | 6 | 8 s |" in text
    assert "- `deeplabv3`: DeepLab V3 (stride=16); quoted from the paper of DeepLab V3" in text
    assert NOT_THE_TASK not in to_markdown(TABLE, "paper", collect(measured))


def test_what_the_figures_are_is_said_of_the_columns_that_are_there(measured, tmp_path):
    everything = about(collect(measured))
    assert all(word in everything for word in ("slash", "standard deviation", "Δ", "both have"))
    quoted = about(collect(plan(TABLE, out=tmp_path / "none")))
    assert "Δ is the difference to the baseline row." in quoted
    assert "ours" not in quoted
    server = find_table("psanet:6")
    text = to_markdown(server, "paper", collect(plan(server, out=tmp_path, budget="paper")))
    assert "mIoU in percent." in text
    assert not any(word in text.split("|")[0] for word in ("Δ", "ours", "Time", "slash"))


def test_the_csv_has_every_run(measured):
    rows = list(csv.DictReader(io.StringIO(to_csv(collect(measured)))))
    assert [(row["row"], row["seed"], row["miou"]) for row in rows] == [
        *(("psp", str(seed), miou) for seed, miou in enumerate(("50.0", "60.0", "90.0"))),
        ("deeplabv3", "", ""),
        *(("fpa", str(seed), miou) for seed, miou in enumerate(("70.0", "90.0"))),
    ]
    assert {row["probe_context"] for row in rows} == {"25.0", "75.0", ""}


def test_the_picture_is_drawn_also_where_nothing_was_measured(measured, tmp_path):
    for lines in (collect(measured), collect(plan(TABLE, out=tmp_path / "none"))):
        draw_lines(TABLE, "small", lines, tmp_path / "one.png")
        assert (tmp_path / "one.png").read_bytes().startswith(b"\x89PNG")


def test_runs_with_other_settings_are_refused(measured, tmp_path):
    with pytest.raises(UsageError, match="started with another recipe: steps was 6 and is now 7"):
        collect(plan(TABLE, out=tmp_path, seeds=3, steps=7))


def test_figures_are_compared_under_the_same_protocol(tmp_path):
    one, two = collect(plan(find_table("psanet:5"), out=tmp_path, budget="paper", only=["50-baseline", "50-both"]))[2:]
    assert one.paper_difference == pytest.approx(76.65 - 71.93)
    assert two.paper_difference == pytest.approx(77.79 - 72.99)
    lacking = collect(plan(find_table("psanet:5"), out=tmp_path, budget="paper", only=["101-baseline", "101-both"]))[2]
    assert lacking.paper_difference is None


def test_a_line_without_a_baseline_in_the_table_has_no_difference(measured):
    [line] = collect([replace(measured[2])])
    assert (line.difference, line.paper_difference) == (None, None)


@pytest.mark.parametrize("name", TABLES)
def test_no_cell_of_any_table_is_broken_at_80_columns(name, tmp_path, monkeypatch, capsys):
    """With three seeds and differences in every row, at the paper's scale, whose protocols have the longest names."""
    monkeypatch.setenv("COLUMNS", "80")
    found = plan(TABLES[name], out=tmp_path, budget="paper", seeds=2)
    lines = [
        replace(
            line,
            results=tuple(
                RowResult(seed, 0.5 + seed / 7, 0.9, dict.fromkeys(line.paper_classes, 0.5), {}, 150_000, 9e5)
                for seed in (0, 1)
            ),
            difference=None if line.paper_difference is None else -11.11,
        )
        for line in collect(found)
    ]
    print_parts(table_parts(TABLES[name], "paper", lines))
    shown = capsys.readouterr().out
    assert max(map(len, shown.splitlines())) <= 80
    words = set(shown.split())
    assert all(set(line.row.split()) <= words for line in lines)
    assert "57.14" in shown


def test_accuracy_and_classes_are_printed_where_the_paper_has_them(tmp_path):
    table = find_table("pan:6")
    found = plan(table, out=tmp_path, budget="paper", only=["fcn", "pan-ours"])
    write(found[1].runs[0], 0.5, per_class={"cat": 0.25, "background": 0.9}, name="pan-multiscale")
    lines = collect(found)
    headings, rows = class_cells(lines)
    assert headings == ("class", "FCN", "PAN(ours)", "ours")
    assert dict(zip(headings, rows[7], strict=True)) == {
        "class": "cat",
        "FCN": "77.60",
        "PAN(ours)": "94.10",
        "ours": "25.00",
    }
    assert "| cat | 77.60 | 94.10 | 25.00 |" in to_markdown(table, "paper", lines)
    [quoted, ours] = csv.DictReader(io.StringIO(to_csv(lines)))
    assert (quoted["paper_iou_cat"], quoted["iou_cat"], ours["iou_cat"], ours["iou_dog"]) == ("77.6", "", "25.0", "")
    assert "test split, whose labels a server keeps" in to_markdown(table, "paper", lines)


def test_the_crf_refines_the_predictions_of_the_baselines_run(tmp_path, monkeypatch):
    table = find_table("psanet:1")
    for installed in (False, True):
        monkeypatch.setattr("attseg.prediction.crf.find_spec", lambda name, here=installed: here or None)
        plain, refined = plan(table, out=tmp_path, only=["50-baseline", "50-crf"])
        assert bool(refined.runs) is installed
    assert [run.folder for run in refined.runs] == [run.folder for run in plain.runs]
    assert (plain.crf, refined.crf) == (None, DenseCrf())
    write(plain.runs[0], 0.5)
    assert collect([plain, refined])[1].miou is None
    write(plain.runs[0], 0.625, name="single-crf")
    assert [line.miou for line in collect([plain, refined])] == [50, 62.5]
    assert collect([plain, refined])[1].difference == 12.5


def test_without_its_package_the_crf_row_says_how_to_install_it(tmp_path, monkeypatch):
    monkeypatch.setattr("attseg.prediction.crf.find_spec", lambda name: None)
    [line] = collect(plan(find_table("psanet:1"), out=tmp_path, only=["50-crf"]))
    assert "pip install" in line.note
    assert line.miou is None


@pytest.mark.slow
def test_costs_are_of_the_papers_network_without_its_auxiliary_heads(tmp_path):
    with torch.device("meta"):
        model = DFDAM(21, encoder="resnet101", gates="low", aux=())
    parameters = sum(one.numel() for one in model.parameters())
    assert network_cost(find_row_recipe("dfdam:readings/gates-low")).parameters == parameters
    measurements = plan(find_table("dfdam:readings"), out=tmp_path, only=["dfdam", "gates-low"])
    lines = collect(measurements, costs=True)
    headings, rows = cells(lines)
    assert headings[-2:] == ("params M", "mult-adds G")
    assert rows[1][-2] == f"{parameters / 1e6:.2f}"
    assert to_csv(lines).splitlines()[0].endswith(",parameters,multiply_adds")
    assert cells(collect(measurements))[0] == headings[:-2]
