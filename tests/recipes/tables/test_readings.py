"""Readings of the docstrings and the rows of the other readings belong together."""

import re
from pathlib import Path

import attseg
from attseg.recipes.tables import TABLES, find_tables
from attseg.recipes.tables.small import small

SOURCE = Path(attseg.__file__).parent
NAMED = {
    (table, row)
    for path in SOURCE.rglob("*.py")
    for table, row in re.findall(r"``(\w+:readings)/([\w-]+)``", path.read_text())
}


def small_args(name):
    table, _, row = name.partition("/")
    return small(TABLES[table], TABLES[table].row(row)).model.args


def test_each_row_that_a_reading_names_exists_and_each_other_reading_is_named():
    others = {(table.name, row.name) for table in find_tables("readings") for row in table.rows if row.baseline}
    assert others == NAMED


def test_our_reading_is_the_run_of_the_papers_own_table():
    for name, row, of in (
        ("a2r:readings", "a2r", "a2r:1/ours"),
        ("a2r:readings", "attention-to-scale", "a2r:1/attention-to-scale"),
        ("a2r:readings", "bias", "a2r:2/bias"),
        ("dfdam:readings", "dfdam", "dfdam:1/101-dafm-2dpam"),
        ("pan:readings", "pan", "pan:5/single"),
        ("psanet:readings", "psanet", "psanet:1/50-both"),
        ("psanet:readings", "aspp", "psanet:1/50-aspp"),
        ("psanet:readings", "global", "psanet:1/50-global"),
        ("psanet:readings", "nonlocal", "psanet:1/50-nonlocal"),
    ):
        table, _, other = of.partition("/")
        ours, theirs = TABLES[name].row(row), TABLES[table].row(other)
        assert ours.recipe.name == theirs.recipe.name
        assert small(TABLES[name], ours).name == small(TABLES[table], theirs).name
        assert ours.figures[0].miou == theirs.figures[0].miou


def test_small_rows_keep_what_they_are_of_the_papers_network():
    """PAN has 256 channels at the paper's scale and 64 here; PSA's filters are for half of the crop in both."""
    assert [small_args(f"pan:readings/{row}").get("pyramid_channels", 1) for row in ("pan", "width-quarter")] == [1, 16]
    assert small_args("pan:readings/width-full")["pyramid_channels"] == 64
    assert small_args("psanet:readings/psanet")["crop_size"] == (160, 384)
    assert small_args("psanet:readings/half-zero")["crop_size"] == (80, 192)
