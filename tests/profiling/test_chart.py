import json
from pathlib import Path

import pytest
from PIL import Image

from attseg.checkpoint import read_weights, save_weights
from attseg.errors import UsageError
from attseg.hub.sources import find_weights
from attseg.profiling.chart import Score, draw_tradeoff, read_score
from attseg.profiling.subject import find_subject

SINGLE = {"name": "single", "flip": False}
SCENES = ("scenes", "val", SINGLE)


@pytest.fixture
def run(tmp_path):
    """A run folder with weights, and reports as wished."""
    demo = read_weights(find_weights("demo"))

    def make(trained=None, evaluated=None):
        save_weights(
            tmp_path / "best.safetensors",
            demo.state,
            model=demo.model,
            classes=demo.classes,
            preprocessing=demo.preprocessing,
            info=demo.info,
        )
        for report, file in ((trained, tmp_path / "report.json"), (evaluated, tmp_path / "evaluation" / "report.json")):
            if report is not None:
                file.parent.mkdir(exist_ok=True)
                file.write_text(json.dumps(report))
        return find_subject(str(tmp_path))

    return make


def test_a_run_has_the_score_of_its_training(run):
    assert read_score(run(trained={"miou": 0.5, "protocol": SINGLE})) == Score(0.5, *SCENES)


def test_a_later_evaluation_counts_instead(run):
    evaluated = {"miou": 0.6, "protocol": {"name": "free", "flip": True}, "data": "scenes", "split": "test"}
    found = read_score(run(trained={"miou": 0.5, "protocol": SINGLE}, evaluated=evaluated))
    assert found == Score(0.6, "scenes", "test", {"name": "free", "flip": True})


@pytest.mark.parametrize("name", ["PAN", "demo"])
def test_what_was_never_evaluated_has_none(name):
    with pytest.raises(UsageError, match=f"{name} has no report.json to take its mIoU from"):
        read_score(find_subject(name))


@pytest.mark.parametrize("report", [{}, {"miou": None, "protocol": SINGLE}, [], {"miou": 0.5}])
def test_a_report_without_a_score_is_said(run, report):
    with pytest.raises(UsageError, match=r"report\.json holds no mIoU"):
        read_score(run(trained=report))


@pytest.mark.parametrize("suffix", [".png", ".svg"])
def test_a_chart_is_drawn(tmp_path, suffix):
    out = tmp_path / f"new/tradeoff{suffix}"
    draw_tradeoff(
        [("a $run_1$", 10**10, Score(0.5, *SCENES)), ("other", 3 * 10**9, Score(0.4, *SCENES))], (64, 64), out
    )
    if suffix == ".png":
        with Image.open(out) as picture:
            assert min(picture.size) > 300
    else:
        assert "<svg" in out.read_text()


@pytest.mark.parametrize(
    ("other", "said"),
    [
        (Score(0.4, "camvid", "val", SINGLE), r"camvid val \(single\)"),
        (Score(0.4, "scenes", "test", SINGLE), r"scenes test \(single\)"),
        (Score(0.4, "scenes", "val", {"name": "single", "flip": True}), r"scenes val \(single\)"),
    ],
)
def test_scores_that_were_measured_otherwise_are_not_drawn_into_one_chart(other, said):
    points = [("a", 1, Score(0.5, *SCENES)), ("b", 1, other)]
    with pytest.raises(UsageError, match=rf"a was measured on scenes val \(single\), and b on {said}; only"):
        draw_tradeoff(points, (64, 64), Path("nothere.png"))


def test_an_unknown_format_is_refused(tmp_path):
    with pytest.raises(UsageError, match=r"the plot is to be out\.doc; a name that ends in \.png, \.svg or \.pdf"):
        draw_tradeoff([("a", 1, Score(0.5, *SCENES))], (64, 64), tmp_path / "out.doc")
    assert list(tmp_path.iterdir()) == []
