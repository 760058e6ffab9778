import pytest

from attseg.errors import UsageError
from attseg.recipes.recipe import DataSpec
from attseg.recipes.tables import find_table
from attseg.reproduce.plan import describe_work, plan


def test_rows_of_one_recipe_share_their_runs(tmp_path):
    found = plan(find_table("pan:5"), out=tmp_path, budget="paper", data=DataSpec(root="voc"), seeds=2)
    assert [one.protocol.name for one in found] == ["single", "pan-multiscale, changed", "pan-multiscale"]
    folders = {tuple(run.folder for run in one.runs) for one in found}
    assert folders == {(tmp_path / "paper" / "pan-voc" / "seed-0", tmp_path / "paper" / "pan-voc" / "seed-1")}
    assert [run.recipe.seed for run in found[0].runs] == [0, 1]
    assert {run.recipe.data.root for one in found for run in one.runs} == {"voc"}
    other = plan(find_table("pan:3"), out=tmp_path, budget="paper", only=["baseline"])
    again = plan(find_table("pan:1"), out=tmp_path, budget="paper", only=["baseline"])
    assert [run.folder for run in other[0].runs] == [run.folder for run in again[0].runs]


def test_every_figure_is_measured_at_the_papers_scale_and_the_first_at_a_small_one(tmp_path):
    table = find_table("psanet:1")
    paper = plan(table, out=tmp_path, budget="paper", only=["50-both"])
    assert [one.protocol.describe() for one in paper] == [
        "at scale 1 of a long side of 512 in windows of 465 at steps of 310, each also mirrored",
        "at scales 0.5, 0.75, 1, 1.25, 1.5, 1.75 of a long side of 512 in windows of 465 at steps of 310, each also mirrored",
    ]
    [one] = plan(table, out=tmp_path, only=["50-both"], steps=9)
    assert (one.protocol.name, one.runs[0].recipe.steps, one.figure.miou) == ("single", 9, 41.92)


def test_rows_that_cannot_be_run_stay_in_the_table(tmp_path):
    assert [bool(one.runs) for one in plan(find_table("pan:2"), out=tmp_path)] == [True, False, True]


def test_steps_replace_those_of_every_row(tmp_path):
    found = plan(find_table("a2r:3"), out=tmp_path, budget="paper", steps=5)
    assert {run.recipe.steps for one in found for run in one.runs} == {5}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"only": ["see"]}, "there is no row of pan:1 'see'; did you mean 'se'"),
        ({"seeds": 0}, "seeds is 0; at least 1 was expected"),
        (
            {"data": DataSpec(name="voc2012")},
            "data.name is scenes or camvid, and 'voc2012' was given; see --budget paper",
        ),
    ],
)
def test_what_makes_no_sense_is_refused(options, message, tmp_path):
    with pytest.raises(UsageError, match=message):
        plan(find_table("pan:1"), out=tmp_path, **options)


def test_the_work_is_counted_once_for_rows_that_share_runs(tmp_path):
    found = plan(find_table("pan:5"), out=tmp_path, budget="paper", data=DataSpec(root="voc"), seeds=2, steps=7)
    assert describe_work(found).startswith("2 runs, 14 steps in all;")
    found[0].runs[0].folder.mkdir(parents=True)
    (found[0].runs[0].folder / "recipe.yaml").touch()
    assert "1 of them" in describe_work(found)
