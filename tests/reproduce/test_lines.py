"""Results that were written by hand, and the table that follows from them."""

import csv
import io
import json
from dataclasses import replace
from statistics import stdev

import pytest

from attseg.errors import UsageError
from attseg.recipes.files import to_yaml
from attseg.recipes.recipe import Machine
from attseg.recipes.tables import find_table
from attseg.reproduce.chart import draw_lines
from attseg.reproduce.lines import NOT_THE_TASK, cells, collect, probe_cells, to_csv, to_markdown
from attseg.reproduce.plan import plan

TABLE = find_table("pan:2")


def write(run, miou, probes=None):
    (run.folder / "reproduced").mkdir(parents=True)
    (run.folder / "recipe.yaml").write_text(to_yaml(run.recipe, Machine()))
    (run.folder / "metrics.csv").write_text(
        "step,loss,lr,images_per_second,miou,pixel_accuracy\n2,1,1,4,,\n6,1,1,8,0.5,\n"
    )
    values = {
        "miou": miou,
        "pixel_accuracy": 0.9,
        "probes": {name: {"miou": value} for name, value in (probes or {}).items()},
    }
    (run.folder / "reproduced" / "single.json").write_text(json.dumps(values))


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
        **{"row": "psp", "protocol": "single", "paper": "76.82", "ours": "66.67 ± 20.82", "seeds": "3"},
        **{"paper +/-": "", "ours +/-": "", "steps": "6", "time": "8 s"},
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
    assert "| fpa | single | 78.37 | 80.00 ± 14.14 | 2 | +1.55 | +25.00 | 6 | 8 s |" in text
    assert "- `deeplabv3`: DeepLab V3 (stride=16); quoted from the paper of DeepLab V3" in text
    assert NOT_THE_TASK not in to_markdown(TABLE, "paper", collect(measured))


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
