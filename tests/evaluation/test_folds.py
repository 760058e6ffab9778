import numpy as np
import pytest

from attseg.errors import UsageError
from attseg.evaluation.folds import folds_parts, summarise_runs
from attseg.text import TextTable


def report(counts, *, files="a", **changes):
    counts = np.array(counts)
    union = counts.sum(0) + counts.sum(1) - np.diag(counts)
    iou = [float(hit / all) if all else None for hit, all in zip(np.diag(counts), union, strict=True)]
    there = [value for value in iou if value is not None]
    return {
        "data": "folder",
        "split": "val",
        "protocol": {"name": "single"},
        "pictures": 5,
        "files": files,
        "per_class": dict(zip(("sky", "road"), iou, strict=True)),
        "miou": sum(there) / len(there),
        "counts": counts.tolist(),
    } | changes


def test_mean_and_deviation_of_each_class_and_of_all():
    first, second = report([[8, 2], [0, 10]]), report([[5, 5], [5, 5]], files="b")
    found = summarise_runs({"runs/1": first, "runs/2": second}).to_dict()
    ious = np.array([[8 / 10, 10 / 12], [5 / 15, 5 / 15]])
    assert found["runs"] == ["1", "2"]
    assert found["miou"]["mean"] == pytest.approx(ious.mean())
    assert found["miou"]["std"] == pytest.approx(ious.mean(1).std(ddof=1))
    for index, name in enumerate(("sky", "road")):
        assert found["per_class"][name] == pytest.approx(
            {"mean": ious[:, index].mean(), "std": ious[:, index].std(ddof=1), "runs": 2}
        )
    assert found["miou_of_added_counts"] == pytest.approx((13 / 25 + 15 / 27) / 2)


def test_an_absent_class_counts_in_no_mean():
    runs = {"a": report([[4, 0], [0, 0]]), "b": report([[4, 1], [0, 5]], files="b")}
    road = summarise_runs(runs).to_dict()["per_class"]["road"]
    assert road == pytest.approx({"mean": 5 / 6, "std": None, "runs": 1})


def test_runs_on_the_same_pictures_have_no_common_count():
    folds = summarise_runs({"seed-0": report([[8, 2], [0, 10]]), "seed-1": report([[7, 3], [0, 10]])})
    assert folds.to_dict()["miou_of_added_counts"] is None
    *_, last = folds_parts(folds)
    assert "same pictures" in last


def test_the_table_has_a_column_a_run():
    parts = list(
        folds_parts(summarise_runs({"x/f1": report([[8, 2], [0, 10]]), "y/f1": report([[8, 2], [0, 10]], files="b")}))
    )
    (table,) = [part for part in parts if isinstance(part, TextTable)]
    assert tuple(table.headings) == ("class", "x/f1", "y/f1", "mean", "std")
    assert next(iter(table.rows)) == ("sky", "80.00", "80.00", "80.00", "0.00")


@pytest.mark.parametrize(
    "changes", [{"data": "camvid"}, {"split": "test"}, {"protocol": {"name": "psanet"}}, {"crf": {}}]
)
def test_reports_that_do_not_belong_together_are_refused(changes):
    with pytest.raises(UsageError, match=f"differ in {next(iter(changes))}"):
        summarise_runs({"a": report([[1, 0], [0, 1]]), "b": report([[1, 0], [0, 1]], **changes)})
