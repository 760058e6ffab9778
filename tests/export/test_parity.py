import json

import numpy as np
import pytest

from attseg.data.preprocessing import Preprocessing
from attseg.export.parity import AGREEMENT, Parity, ParityRow, check_parity
from attseg.export.report import describe_file, report_path, write_report
from attseg.inference.exported.contract import Contract
from onnx_files import network, strongest


@pytest.mark.parametrize(
    "contract",
    [{}, {"gives": "logits"}, {"gives": "probabilities", "takes": "floats"}],
    ids=str,
)
def test_a_right_file_passes_at_every_size(tmp_path, contract):
    seen = []
    parity = check_parity(
        network(),
        strongest(tmp_path / "a.onnx", **contract),
        sizes=((32, 40), (51, 33)),
        on_size=lambda done, total: seen.append((done, total)),
    )
    assert parity.passed
    assert [(row.size, row.pictures, row.agreement) for row in parity.rows] == [((32, 40), 2, 1.0), ((51, 33), 2, 1.0)]
    assert all(row.difference < 1e-5 and row.network_seconds > 0 and row.file_seconds > 0 for row in parity.rows)
    assert (parity.limit, parity.engine) == (AGREEMENT, "ONNX Runtime")
    assert seen == [(0, 2), (1, 2)]


def test_a_file_of_other_weights_falls_short(tmp_path):
    file = strongest(tmp_path / "a.onnx", gives="logits")
    other = network(Preprocessing((0.9, 0.0, 0.0), (1.0, 1.0, 1.0)))  # sees less red than the file
    parity = check_parity(other, file, sizes=((32, 40),), pictures=[np.full((40, 40, 3), (90, 80, 70), np.uint8)])
    assert not parity.passed
    assert parity.rows[0].agreement == 0
    assert parity.rows[0].difference == pytest.approx(0.9, abs=1e-4)
    assert check_parity(other, file, sizes=((32, 40),), limit=0.0).passed


@pytest.mark.parametrize("gives", ["labels", "logits", "probabilities"])
def test_nan_on_either_side_is_disagreement(tmp_path, gives):
    file = strongest(tmp_path / "a.onnx", gives=gives)
    broken = network(Preprocessing((float("nan"), 0.0, 0.0), (1.0, 1.0, 1.0)))
    parity = check_parity(broken, file, sizes=((32, 40),))
    assert (parity.passed, parity.rows[0].agreement, parity.rows[0].difference) == (False, 0.0, float("inf"))
    assert parity.to_dict()["rows"][0]["difference"] is None


def test_a_file_of_one_size_is_checked_at_that_one(tmp_path):
    parity = check_parity(network(), strongest(tmp_path / "a.onnx", size=(32, 48)))
    assert [row.size for row in parity.rows] == [(32, 48)]


def test_the_report_lies_beside_the_file_and_holds_it_all(tmp_path):
    file = strongest(tmp_path / "a.onnx")
    parity = Parity((ParityRow((32, 40), 2, 1e-6, 0.9999, 0.1, 0.05),), 0.999, "scores", "ONNX Runtime", 1)
    place = write_report(file, describe_file(file, parity))
    assert place == report_path(file) == tmp_path / "a.onnx.report.json"
    values = json.loads(place.read_text())
    assert values["bytes"] == file.stat().st_size
    assert values["contract"] == Contract().to_dict()
    assert values["parity"]["rows"][0]["agreement"] == 0.9999
    assert values["parity"]["passed"] is True
    assert values["int8"] is None
    assert {"attseg", "torch", "onnxruntime"} <= values["packages"].keys()
