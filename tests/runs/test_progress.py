import io

from rich.console import Console

from attseg.runs import progress
from attseg.runs.progress import ProgressLine


def show(monkeypatch, *, terminal, due):
    monkeypatch.setattr(progress, "PLAIN", 0.0 if due else 1e9)
    monkeypatch.setattr(progress, "REDRAW", 0.0 if due else 1e9)
    out = io.StringIO()
    with ProgressLine(Console(file=out, force_terminal=terminal, width=120), steps=400, step=10) as line:
        if line.due():
            line.step(20, loss=1.23456, lr=0.0123, images_per_second=8.16, left=754)
        line.evaluation(3, 101)
        line.say("step 20: mIoU 50.00 %")
    return out.getvalue()


def test_plain_lines_where_there_is_no_terminal(monkeypatch):
    assert show(monkeypatch, terminal=False, due=True).splitlines() == [
        "step 20/400  loss 1.235  lr 0.012  8.2 images/s  12 min 34 s left",
        "evaluating 3/101",
        "step 20: mIoU 50.00 %",
    ]


def test_lines_that_are_not_due_are_left_out(monkeypatch):
    assert show(monkeypatch, terminal=False, due=False).splitlines() == ["step 20: mIoU 50.00 %"]


def test_a_terminal_gets_one_line_that_moves(monkeypatch):
    shown = show(monkeypatch, terminal=True, due=True)
    assert "step 20/400  loss 1.235" in shown
    assert "\x1b[2K" in shown  # erases its line
