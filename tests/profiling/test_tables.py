import pytest
import torch

from attseg.errors import UsageError
from attseg.models import MODELS, build_model
from attseg.profiling.tables import TABLES, find_table


@pytest.mark.parametrize("name", TABLES)
def test_each_table_has_a_row_of_ours_that_can_be_built(name):
    ours = [row for row in find_table(name).rows if row.model]
    assert ours
    assert all(row.model in MODELS for row in ours)


def test_numbers_stand_in_the_order_of_the_paper():
    """Table 4: the paper says that PSPNet has 6.5 times the parameters and 22 times the operations, RefineNet 10 and 64 times."""
    rows = {row.method.partition(" ")[0]: row for row in find_table("dfdam:4").rows}
    ours = rows["DF-DAM"]
    assert rows["PSPNet"].parameters / ours.parameters == pytest.approx(6.5, abs=0.05)
    assert rows["PSPNet"].multiply_adds / ours.multiply_adds == pytest.approx(22, abs=0.5)
    assert rows["RefineNet"].parameters / ours.parameters == pytest.approx(10, abs=0.5)
    assert rows["RefineNet"].multiply_adds / ours.multiply_adds == pytest.approx(64, abs=0.5)
    assert rows["RefineNet"].miou == ours.miou


@pytest.mark.parametrize("table", ["dfdam:4", "dfdam:6"])
def test_deeplab_and_our_own_have_the_printed_parameters(table):
    found = find_table(table)
    for row in found.rows:
        if row.method.startswith(("FCN-8s", "DeepLab", "DF-DAM")):
            with torch.device("meta"):
                model = build_model(row.model, row.args, found.num_classes)
            assert sum(p.numel() for p in model.parameters()) / 1e6 == pytest.approx(row.parameters, abs=0.005)


def test_unknown_tables_are_refused():
    with pytest.raises(UsageError, match="there is no table 'dfdam:5'; did you mean 'dfdam:"):
        find_table("dfdam:5")
