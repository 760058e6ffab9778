"""docs/papers/results.md and the results in the README are what the records say, and the plots show the same."""

import copy
import json
import math
import sys
from pathlib import Path

import numpy as np
import pytest
import scipy.stats

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "docs"))

import results_camvid  # noqa: E402
import results_claims  # noqa: E402
import results_numbers  # noqa: E402
import results_page  # noqa: E402
import results_plots  # noqa: E402

SCENES = results_numbers.read("scenes")
CLAIMS = results_numbers.read("claims")


def test_the_committed_pages_are_what_would_be_generated():
    for file, text in results_page.pages().items():
        assert text == file.read_text(), f"{file.name} is behind: make docs"


def test_the_committed_plots_show_the_committed_records():
    assert results_plots.behind() == [], "make docs"


def test_a_page_without_a_place_for_a_part_is_refused():
    with pytest.raises(SystemExit, match=r"results.md has no place for plan: <!-- generated plan -->"):
        results_page.fill(Path("results.md"), "# Results", {"plan": str})


def test_a_figure_that_was_changed_by_hand_is_noticed():
    page = results_page.PAGE
    text = page.read_text()
    [row] = [line for line in text.splitlines() if line.startswith("| `50-global`")]
    changed = text.replace(row, row.replace("ResNet50+", "ResNet51+"))
    record = results_numbers.Record(SCENES)
    assert results_page.fill(page, changed, {"grid": lambda: results_page.grid(record)}) == text != changed


def test_the_interval_is_that_of_students_t():
    for freedom, quantile in results_numbers.T.items():
        assert quantile == pytest.approx(scipy.stats.t.ppf(0.975, freedom), abs=5e-4)
    values = [61.0, 62.5, 66.0]
    found = results_numbers.mean_of(values)
    low, high = scipy.stats.t.interval(0.95, 2, np.mean(values), scipy.stats.sem(values))
    assert (found.value - found.half, found.value + found.half) == pytest.approx((low, high), abs=1e-3)
    assert results_numbers.mean_of([]) is None
    assert results_numbers.mean_of([3.0]) == (3.0, None, 1)


def test_a_difference_is_taken_seed_by_seed_over_the_seeds_that_both_have():
    one, other = (
        results_numbers.Network(name, {"runs": [{"seed": seed, "miou": miou} for seed, miou in runs]})
        for name, runs in (("one", [(0, 60.0), (1, 63.0), (2, 99.0)]), ("other", [(1, 60.0), (0, 58.0)]))
    )
    gain = one.minus(other)
    assert (gain.value, gain.count) == (2.5, 2)
    assert gain.half == pytest.approx(12.706 * math.sqrt(0.5) / math.sqrt(2))
    assert (gain.text(sign=True), gain.verdict) == ("+2.5 ± 6.4", "")
    assert results_numbers.Mean(-3.0, 1.0, 3).verdict == "less"
    assert results_numbers.Mean(3.0, 1.0, 3).verdict == "more"
    assert results_numbers.Mean(-3.0, 4.0, 3).verdict == "open"
    assert results_numbers.Mean(3.0, 0.1, 2).verdict == results_numbers.Mean(3.0, None, 1).verdict == ""


def test_a_grid_that_is_not_done_is_shown_as_such():
    values = copy.deepcopy(SCENES)
    values["networks"]["psanet-small-global"]["runs"] = values["networks"]["psanet-small-global"]["runs"][:1]
    values["networks"]["psanet-small-aspp"]["runs"] = []
    values["over_pictures"] = {}
    text = results_page.grid(results_numbers.Record(values))
    rows = {line.split("|")[1].strip(): line for line in text.splitlines() if line.startswith("| `")}
    assert rows["`50-global`"].endswith("| 1 of 3 |")
    assert "±" not in rows["`50-global`"]
    assert rows["`50-aspp`"].split("|")[4:11] == [*["  "] * 7] and rows["`50-aspp`"].endswith("| 0 of 3 |")
    for network in values["networks"].values():
        network["runs"] = []
    empty = results_numbers.Record(values)
    assert results_page.plan(empty) == "No run is there yet."
    assert all(
        part(empty) for part in (results_page.grid, results_page.further, results_page.mixes, results_page.shown)
    )
    results_plots.delta(empty)
    results_plots.cost(empty)


def test_scores_on_test_stand_beside_those_on_val_where_there_are_any():
    values = copy.deepcopy(SCENES)
    for network in values["networks"].values():
        network["runs"] = []
    for name, points in (("mix-psa-gau-scenes", 75.0), ("pan-small-gau", 72.0)):
        values["networks"][name]["runs"] = [
            {"seed": seed, "miou": 70.0, "test_miou": points + seed / 10, "context": 1.0, "scale": 1.0, "boundary": 1.0}
            | {"fastest_pictures_a_second": 8.0}
            for seed in range(3)
        ]
    on_val, on_test = results_page.mixes(results_numbers.Record(values)).split("On test:")
    assert "| `mix-psa-gau-scenes` | 70.0 ± 0.0 | 75.1 ± 0.2 |" in on_val
    assert "- **PSA and wide GAU**: above PAN without FPA." in on_test
    row = next(line for line in on_test.splitlines() if line.startswith("| PSA and wide GAU"))
    assert [cell.strip() for cell in row.split("|")][2:8] == ["", "", "+3.0 ± 0.0 more", "", "", ""]


def test_the_chosen_mix_is_above_what_each_paper_proposes_at_no_higher_cost():
    """What mix.md says in words."""
    record = results_numbers.Record(SCENES)
    best = record.networks[results_page.BEST]
    for name in ("psanet-small-both", "pan-small-pan", "dfdam-small-dafm-2dpam", "a2r-small-ours"):
        other = record.networks[name]
        assert [best.minus(other, key).verdict for key in results_page.SPLITS] == ["more", "more"]
        assert best.multiply_adds < other.multiply_adds
    assert best.minus(record.networks[results_page.CONTROL]).verdict == "open"
    text = results_page.chosen(record)
    assert f"| PAN | {best.minus(record.networks['pan-small-pan']).text(sign=True)} more |" in text


def test_both_ways_to_a_difference_agree():
    """That over pictures is computed from counts, that over seeds from reports."""
    record = results_numbers.Record(SCENES)
    assert record.over_pictures
    for pair, found in record.over_pictures.items():
        one, other = pair.split(" - ")
        assert found["value"] == pytest.approx(record.networks[one].minus(record.networks[other]).value, abs=0.01)
        assert found["low"] <= found["value"] <= found["high"]


def test_both_ways_to_a_difference_on_camvid_agree():
    record = results_numbers.read("camvid")
    assert record["over_pictures"]
    for pair, found in record["over_pictures"].items():
        runs = [{run["seed"]: run for run in record["networks"][name]["runs"]} for name in pair.split(" - ")]
        gains = [
            np.subtract(*(one[seed]["protocols"]["single"]["miou"] for one in runs))
            for seed in sorted(runs[0].keys() & runs[1])
        ]
        assert found["value"] == pytest.approx(np.mean(gains), abs=0.01)
        assert found["low"] <= found["value"] <= found["high"]


def test_every_network_of_the_record_says_what_it_costs_and_every_run_when_it_was():
    for network in SCENES["networks"].values():
        assert network["parameters"] > 1e5
        assert network["multiply_adds"] > 1e8
        assert len({run["seed"] for run in network["runs"]}) == len(network["runs"])
        for run in network["runs"]:
            assert np.mean(list(run["per_class"].values())) == pytest.approx(run["miou"], abs=0.01)
            assert run["date"] >= "2026-11-21" and run["commit"] and run["seconds"] > 0


def test_a_claim_is_as_said_the_opposite_or_open():
    statement = results_claims.STATEMENTS[0]
    pair = results_claims.Pair
    assert statement.verdict(pair(1.2, 0.05, 1.0, 0.05)) == "as said"
    assert statement.verdict(pair(1.0, 0.05, 1.2, 0.05)) == "opposite"
    assert statement.verdict(pair(1.1, 0.05, 1.0, 0.05)) == "open"  # within two errors of the difference
    assert statement.verdict(pair(1.01, 0.0001, 1.0, 0.0001)) == "open"  # surely, but by nothing
    less = next(one for one in results_claims.STATEMENTS if not one.more)
    assert less.verdict(pair(0.1, 0.01, 0.4, 0.0)) == "as said"


def test_every_statement_finds_its_numbers_in_the_record():
    for statement in results_claims.STATEMENTS:
        assert results_claims.pairs_of(CLAIMS, statement, "trained"), statement.text
        found = results_claims.pairs_of(json.loads(json.dumps(CLAIMS)), statement, "untrained")
        assert all(one.value >= 0 and one.error >= 0 for one in found.values())
    assert results_claims.pairs_of({"networks": {}}, results_claims.STATEMENTS[0], "trained") == {}


def test_camvid_is_shown_with_the_best_above_and_what_is_missing_left_out():
    def run(seed, miou, *protocols):
        report = {
            "miou": miou,
            "low": miou - 4,
            "high": miou + 3,
            "boundary_f": 60.0,
            "per_class": {"sky": 90.0, "pole": None},
        }
        return {"seed": seed, "steps": 700, "protocols": dict.fromkeys(protocols, report)}

    cost = {"parameters": 11_900_000, "multiply_adds": 12_230_000_000}
    record = {
        "about": {"minutes": 60.0, "machine": "a machine", "commit": "abc"},
        "networks": {
            "fcn/resnet18": {**cost, "runs": [run(0, 40.0, "single")]},
            "pan/resnet18": {**cost, "runs": [run(0, 50.0, "single", "single-flip"), run(1, 52.0, "single")]},
        },
        "over_pictures": {"pan/resnet18 - fcn/resnet18": {"seeds": [0], "value": 10.0, "low": 8.0, "high": 13.04}},
    }
    headings, (pan, fcn) = results_camvid.scores(record)
    assert dict(zip(headings, pan, strict=True)) == {
        **{"network": "pan/resnet18", "once": "51.0 ± 12.7", "mirrored too": "50.0", "five scales": ""},
        **{
            "over pictures": "46.0 to 53.0; 48.0 to 55.0",
            "contours, F": "60.0 ± 0.0",
            "on train": "",
            "M": "11.9",
            "G": "12.2",
        },
        **{"steps": "700; 700", "seeds": "2"},
    }
    assert fcn[:3] == ["fcn/resnet18", "40.0", ""]
    assert results_camvid.classes(record)[1][0] == ["pan/resnet18", "90.0", ""]
    assert results_camvid.gains(record)[1] == [["pan/resnet18", "+10.0", "+8.0 to +13.0", "1", "", "", ""]]
    results_camvid.plot(record)
    assert results_page.camvid(record).startswith(
        "60 minutes each by the timing of a few steps; a machine; commit abc."
    )
    assert results_page.camvid({"about": {}, "networks": {}, "over_pictures": {}}) == "None of these runs is done yet."
