import pytest
import torch

from attseg.models import DFDAM
from attseg.recipes.tables import find_row_recipe, find_table
from attseg.reproduce.costs import network_cost
from attseg.reproduce.lines import collect
from attseg.reproduce.plan import plan
from attseg.reproduce.shown import cells, to_csv


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
